// Classes as texts.

#include <mere/predictor.hpp>

#include <cstdio>
#include <cstdlib>

namespace mere {

std::string ClassTable::to_text(std::uint64_t index) const {
  if (index >= count) {
    throw Error(Reason::out_of_range,
                "class " + std::to_string(index) + " was asked for; there are " + std::to_string(count));
  }
  if (dtype.type_class() == TypeClass::object) return texts[static_cast<std::size_t>(index)];
  const std::size_t size = static_cast<std::size_t>(dtype.itemsize());
  const std::byte* at = bytes.data() + index * size;
  const bool swap = dtype.byte_order() == ByteOrder::big;
  const auto integer = [&]<class T>(T) { return std::to_string(detail::load_value<T>(at, swap)); };
  const auto real = [&](double value) {
    // The shortest text that gives the same number.
    char text[32];
    for (int digits = 1; digits <= 17; ++digits) {
      std::snprintf(text, sizeof text, "%.*g", digits, value);
      if (std::strtod(text, nullptr) == value) break;
    }
    return std::string(text);
  };
  switch (dtype.type_class()) {
    case TypeClass::boolean: return detail::load_value<bool>(at, false) ? "True" : "False";
    case TypeClass::integer:
      if (size == 1) return integer(std::int8_t{});
      if (size == 2) return integer(std::int16_t{});
      if (size == 4) return integer(std::int32_t{});
      if (size == 8) return integer(std::int64_t{});
      break;
    case TypeClass::unsigned_integer:
      if (size == 1) return integer(std::uint8_t{});
      if (size == 2) return integer(std::uint16_t{});
      if (size == 4) return integer(std::uint32_t{});
      if (size == 8) return integer(std::uint64_t{});
      break;
    case TypeClass::real:
      if (size == 4) return real(detail::load_value<float>(at, swap));
      if (size == 8) return real(detail::load_value<double>(at, swap));
      break;
    case TypeClass::bytes: {
      const std::string_view text(reinterpret_cast<const char*>(at), size);
      return std::string(text.substr(0, text.find_last_not_of('\0') + 1));
    }
    case TypeClass::unicode: {
      std::string text;
      for (std::size_t i = 0; i + 4 <= size; i += 4) {
        const auto c = detail::load_value<std::uint32_t>(at + i, swap);
        if (c < 0x80) {
          text += static_cast<char>(c);
        } else if (c < 0x800) {
          text += {static_cast<char>(0xc0 | c >> 6), static_cast<char>(0x80 | (c & 0x3f))};
        } else if (c < 0x10000) {
          text += {static_cast<char>(0xe0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 0x3f)),
                   static_cast<char>(0x80 | (c & 0x3f))};
        } else {
          text += {static_cast<char>(0xf0 | (c >> 18 & 7)), static_cast<char>(0x80 | (c >> 12 & 0x3f)),
                   static_cast<char>(0x80 | (c >> 6 & 0x3f)), static_cast<char>(0x80 | (c & 0x3f))};
        }
      }
      return text.substr(0, text.find_last_not_of('\0') + 1);
    }
    default: break;
  }
  throw Error(Reason::not_supported, "classes of type " + dtype.to_text() + " have no text");
}

}  // namespace mere
