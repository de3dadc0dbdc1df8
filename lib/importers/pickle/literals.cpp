#include "importers/pickle/literals.hpp"

#include <cstdint>
#include <cstring>

#include "container/utf8.hpp"

namespace mere::importers::pickle {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// `count` hexadecimal digits at `at`.
std::optional<std::uint32_t> parse_hex(std::string_view text, std::size_t at, std::size_t count) {
  if (at > text.size() || count > text.size() - at) return std::nullopt;
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const int digit = hex_digit(text[at + i]);
    if (digit < 0) return std::nullopt;
    value = value << 4 | static_cast<std::uint32_t>(digit);
  }
  return value;
}

}  // namespace

std::optional<std::vector<std::byte>> encode_latin1(std::string_view text) {
  std::vector<std::byte> out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      out.push_back(std::byte{lead});
    } else if ((lead == 0xc2 || lead == 0xc3) && i + 1 < text.size()) {
      const auto next = static_cast<unsigned char>(text[++i]);
      out.push_back(static_cast<std::byte>((lead & 3) << 6 | (next & 0x3f)));
    } else {
      return std::nullopt;
    }
  }
  return out;
}

std::optional<std::string> decode_raw_unicode_escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    // A backslash escapes only before u or U, and only if an even number of backslashes stands before it: pairs stay.
    if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == 'u' || text[i + 1] == 'U')) {
      const std::size_t digits = text[i + 1] == 'u' ? 4 : 8;
      const auto code_point = parse_hex(text, i + 2, digits);
      if (!code_point || *code_point > 0x10ffff) return std::nullopt;
      container::append_utf8(out, *code_point);
      i += 2 + digits;
    } else if (text[i] == '\\' && i + 1 < text.size()) {
      container::append_utf8(out, static_cast<unsigned char>(text[i]));
      container::append_utf8(out, static_cast<unsigned char>(text[i + 1]));
      i += 2;
    } else {
      container::append_utf8(out, static_cast<unsigned char>(text[i++]));
    }
  }
  return out;
}

std::optional<std::string> decode_string_literal(std::string_view literal) {
  if (literal.size() < 2 || (literal.front() != '\'' && literal.front() != '"') || literal.front() != literal.back()) {
    return std::nullopt;
  }
  const std::string_view text = literal.substr(1, literal.size() - 2);
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] != '\\') {
      out += text[i++];
      continue;
    }
    if (i + 1 >= text.size()) return std::nullopt;
    const char escaped = text[i + 1];
    i += 2;
    switch (escaped) {
      case '\\': out += '\\'; break;
      case '\'': out += '\''; break;
      case '"': out += '"'; break;
      case 'a': out += '\a'; break;
      case 'b': out += '\b'; break;
      case 'f': out += '\f'; break;
      case 'n': out += '\n'; break;
      case 'r': out += '\r'; break;
      case 't': out += '\t'; break;
      case 'v': out += '\v'; break;
      case 'x': {
        const auto value = parse_hex(text, i, 2);
        if (!value) return std::nullopt;
        out += static_cast<char>(*value);
        i += 2;
        break;
      }
      default: {
        if (escaped < '0' || escaped > '7') {
          out += '\\';  // Python leaves an unknown escape as it is.
          out += escaped;
          break;
        }
        int value = escaped - '0';
        for (int digits = 1; digits < 3 && i < text.size() && text[i] >= '0' && text[i] <= '7'; ++digits) {
          value = value * 8 + (text[i++] - '0');
        }
        out += static_cast<char>(value);
      }
    }
  }
  return out;
}

std::optional<std::vector<std::byte>> parse_decimal(std::string_view digits) {
  const bool negative = !digits.empty() && digits.front() == '-';
  if (!digits.empty() && (digits.front() == '-' || digits.front() == '+')) digits.remove_prefix(1);
  if (digits.empty()) return std::nullopt;
  // Base 2^64 limbs, low first; 19 decimal digits are taken at a time.
  std::vector<std::uint64_t> limbs;
  while (!digits.empty()) {
    const std::size_t count = digits.size() % 19 == 0 ? 19 : digits.size() % 19;
    std::uint64_t chunk = 0;
    std::uint64_t scale = 1;
    for (const char c : digits.substr(0, count)) {
      if (c < '0' || c > '9') return std::nullopt;
      chunk = chunk * 10 + static_cast<std::uint64_t>(c - '0');
      scale *= 10;
    }
    digits.remove_prefix(count);
    std::uint64_t carry = chunk;
    for (std::uint64_t& limb : limbs) {
      const auto product = static_cast<unsigned __int128>(limb) * scale + carry;
      limb = static_cast<std::uint64_t>(product);
      carry = static_cast<std::uint64_t>(product >> 64);
    }
    if (carry != 0) limbs.push_back(carry);
  }
  limbs.push_back(0);  // room for the sign
  if (negative) {
    bool carry = true;
    for (std::uint64_t& limb : limbs) {
      limb = ~limb + (carry ? 1 : 0);
      carry = carry && limb == 0;
    }
  }
  std::vector<std::byte> out(limbs.size() * 8);
  std::memcpy(out.data(), limbs.data(), out.size());
  return out;
}

}  // namespace mere::importers::pickle
