// Leaves of a pickle: numbers, texts, bytes and names.

#include <algorithm>
#include <bit>

#include "exporters/pickle/writer.hpp"

namespace mere::exporters::pickle {

namespace {

constexpr std::uint64_t kShort = 0x100, kLong = std::uint64_t{1} << 32;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

}  // namespace

void Writer::write_integer(std::int64_t value) {
  if (value >= 0 && value <= 0xff) {
    stream_.op(Op::binint1);
    stream_.number(static_cast<std::uint8_t>(value));
  } else if (value >= 0 && value <= 0xffff) {
    stream_.op(Op::binint2);
    stream_.number(static_cast<std::uint16_t>(value));
  } else if (value >= INT32_MIN && value <= INT32_MAX) {
    stream_.op(Op::binint);
    stream_.number(static_cast<std::int32_t>(value));
  } else {
    char raw[8];
    std::memcpy(raw, &value, sizeof raw);
    std::size_t length = sizeof raw;
    // As few bytes as keep the sign.
    while (value >> (8 * (length - 1) - 1) == (value < 0 ? -1 : 0)) --length;
    stream_.op(Op::long1);
    stream_.number(static_cast<std::uint8_t>(length));
    stream_.bytes({raw, length});
  }
}

void Writer::write_big_integer(std::string_view twos_complement, NodeId blame) {
  if (twos_complement.size() < kShort) {
    stream_.op(Op::long1);
    stream_.number(static_cast<std::uint8_t>(twos_complement.size()));
  } else {
    if (twos_complement.size() > INT32_MAX) refuse(blame, "an integer of more than 2 GiB");
    stream_.op(Op::long4);
    stream_.number(static_cast<std::int32_t>(twos_complement.size()));
  }
  stream_.bytes(twos_complement);
}

void Writer::write_real(double value) {
  stream_.op(Op::binfloat);
  stream_.number(__builtin_bswap64(std::bit_cast<std::uint64_t>(value)));
}

void Writer::write_text(std::string_view value, NodeId blame) {
  const bool modern = stream_.protocol() >= 4;
  const bool alone = stream_.is_long(value.size());
  const Op op = modern && value.size() < kShort ? Op::short_binunicode
                : value.size() < kLong          ? Op::binunicode
                                                : Op::binunicode8;
  if (op == Op::binunicode8 && !modern) refuse(blame, "a text of 4 GiB or more needs protocol 4 or later");
  alone ? stream_.op_outside(op) : stream_.op(op);
  if (op == Op::short_binunicode) stream_.number(static_cast<std::uint8_t>(value.size()));
  if (op == Op::binunicode) stream_.number(static_cast<std::uint32_t>(value.size()));
  if (op == Op::binunicode8) stream_.number(static_cast<std::uint64_t>(value.size()));
  alone ? stream_.raw(bytes_of(value)) : stream_.bytes(value);
}

void Writer::write_known_text(std::string_view value) {
  if (const auto known = known_.find(value); known != known_.end()) return recall(known->second);
  write_text(value, root_);
  known_.emplace(value, memoize());
}

void Writer::begin_bytes(std::uint64_t size, NodeId blame) {
  const Op op = size < kShort ? Op::short_binbytes : size < kLong ? Op::binbytes : Op::binbytes8;
  if (op == Op::binbytes8 && stream_.protocol() < 4) refuse(blame, "4 GiB or more in one need protocol 4 or later");
  stream_.is_long(size) ? stream_.op_outside(op) : stream_.op(op);
  if (op == Op::short_binbytes) stream_.number(static_cast<std::uint8_t>(size));
  if (op == Op::binbytes) stream_.number(static_cast<std::uint32_t>(size));
  if (op == Op::binbytes8) stream_.number(size);
}

void Writer::write_bytes(std::string_view value, NodeId blame) {
  if (stream_.protocol() < 3) {
    write_encoded(
        value.size(), [&](const auto& take) { take(bytes_of(value)); }, blame);
    return;
  }
  begin_bytes(value.size(), blame);
  stream_.is_long(value.size()) ? stream_.raw(bytes_of(value)) : stream_.bytes(value);
}

void Writer::write_bytearray(std::string_view value, NodeId blame) {
  if (stream_.protocol() >= 5) {
    const bool alone = stream_.is_long(value.size());
    alone ? stream_.op_outside(Op::bytearray8) : stream_.op(Op::bytearray8);
    stream_.number(static_cast<std::uint64_t>(value.size()));
    alone ? stream_.raw(bytes_of(value)) : stream_.bytes(value);
    return;
  }
  write_name("builtins", "bytearray", blame);
  if (value.empty()) {
    stream_.op(Op::empty_tuple);
  } else {
    write_bytes(value, blame);
    stream_.op(Op::tuple1);
  }
  stream_.op(Op::reduce);
}

void Writer::write_encoded(std::uint64_t size, const Pieces& pieces, NodeId blame) {
  if (size == 0) {
    write_name("builtins", "bytes", blame);
    stream_.op(Op::empty_tuple);
    stream_.op(Op::reduce);
    return;
  }
  // As Latin-1 text in UTF-8: two bytes each for those from 80 on.
  std::uint64_t length = size;
  pieces([&](std::span<const std::byte> piece) {
    length += static_cast<std::uint64_t>(
        std::count_if(piece.begin(), piece.end(), [](std::byte b) { return b >= std::byte{0x80}; }));
  });
  if (length >= kLong) refuse(blame, "4 GiB or more in one need protocol 3 or later");
  write_name("_codecs", "encode", blame);
  stream_.op_outside(Op::binunicode);
  stream_.number(static_cast<std::uint32_t>(length));
  std::vector<std::byte> text;
  pieces([&](std::span<const std::byte> piece) {
    text.clear();
    for (const std::byte b : piece) {
      const auto byte = static_cast<unsigned>(b);
      if (byte < 0x80) {
        text.push_back(b);
      } else {
        text.push_back(static_cast<std::byte>(0xc0 | byte >> 6));
        text.push_back(static_cast<std::byte>(0x80 | (byte & 0x3f)));
      }
    }
    stream_.raw(text);
  });
  write_known_text("latin1");
  stream_.op(Op::tuple2);
  stream_.op(Op::reduce);
}

void Writer::write_name(std::string_view module, std::string_view qualname, NodeId blame) {
  if (module.empty()) {
    refuse(blame, "'" + std::string(qualname) + "' has no module: a type of C++, which no pickle can name");
  }
  // No text that is written by write_known_text has a NUL.
  std::string key(module);
  key += '\0';
  key += qualname;
  if (const auto known = known_.find(key); known != known_.end()) return recall(known->second);
  if (write_type_of_constant(module, qualname, blame)) {
    // It is on the stack.
  } else if (stream_.protocol() >= 4) {
    write_known_text(module);
    write_text(qualname, blame);
    stream_.op(Op::stack_global);
  } else {
    write_line_name(module, qualname, blame);
  }
  known_.emplace(std::move(key), memoize());
}

// types.NoneType and its like have no name in older versions of Python: pickle asks type() for them.
bool Writer::write_type_of_constant(std::string_view module, std::string_view qualname, NodeId blame) {
  if (module != "types") return false;
  const bool none = qualname == "NoneType", ellipsis = qualname == "EllipsisType";
  if (!none && !ellipsis && qualname != "NotImplementedType") return false;
  write_name("builtins", "type", blame);
  if (none) {
    stream_.op(Op::none);
  } else {
    write_name("builtins", ellipsis ? "Ellipsis" : "NotImplemented", blame);
  }
  stream_.op(Op::tuple1);
  stream_.op(Op::reduce);
  return true;
}

// GLOBAL has a line for each part, and knows no names inside of names: getattr() leads to those.
void Writer::write_line_name(std::string_view module, std::string_view qualname, NodeId blame) {
  for (const std::string_view part : {module, qualname}) {
    if (part.find('\n') != std::string_view::npos) refuse(blame, "a name with a line break needs protocol 4 or later");
    const bool ascii =
        std::all_of(part.begin(), part.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    if (!ascii && stream_.protocol() < 3) refuse(blame, "a name beyond ASCII needs protocol 3 or later");
  }
  const auto dots = std::count(qualname.begin(), qualname.end(), '.');
  for (std::ptrdiff_t i = 0; i < dots; ++i) write_name("builtins", "getattr", blame);
  std::size_t end = std::min(qualname.find('.'), qualname.size());
  stream_.op(Op::global);
  stream_.bytes(module);
  stream_.bytes("\n");
  stream_.bytes(qualname.substr(0, end));
  stream_.bytes("\n");
  while (end < qualname.size()) {
    const std::size_t begin = end + 1;
    end = std::min(qualname.find('.', begin), qualname.size());
    write_text(qualname.substr(begin, end - begin), blame);
    stream_.op(Op::tuple2);
    stream_.op(Op::reduce);
  }
}

}  // namespace mere::exporters::pickle
