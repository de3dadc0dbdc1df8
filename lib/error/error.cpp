#include <mere/error.hpp>
#include <mere/rethrow.hpp>
#include <mere/size.hpp>

#include <array>
#include <cstdio>
#include <filesystem>
#include <ios>
#include <new>
#include <stdexcept>

namespace mere {

namespace {

struct ReasonRow {
  std::string_view word;
  Errc code;
};

constexpr ReasonRow kReasons[] = {
#define MERE_REASON_ROW(word, code) {#word, Errc::code},
    MERE_REASONS(MERE_REASON_ROW)
#undef MERE_REASON_ROW
};

constexpr std::size_t kMessageBytes = 1000;

// Control bytes become \xNN; cut at kMessageBytes, with "..." where something is missing.
std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size() < kMessageBytes ? text.size() : kMessageBytes);
  for (const char c : text) {
    if (out.size() > kMessageBytes - 8) {
      out += "...";
      break;
    }
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      char escaped[5];
      std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned>(byte));
      out += escaped;
    } else {
      out += c;
    }
  }
  return out;
}

std::size_t prefix_bytes(Reason reason) {
  return to_text(code_of(reason)).size() + to_text(reason).size() + 5;  // "code (reason): "
}

}  // namespace

std::string_view to_text(Reason reason) noexcept {
  return kReasons[static_cast<std::size_t>(reason)].word;
}

Errc code_of(Reason reason) noexcept {
  return kReasons[static_cast<std::size_t>(reason)].code;
}

std::string_view to_text(Errc code) noexcept {
  switch (code) {
    case Errc::corrupt: return "corrupt";
    case Errc::unsupported: return "unsupported";
    case Errc::mismatch: return "mismatch";
    case Errc::untrusted: return "untrusted";
    case Errc::limit: return "limit";
    case Errc::not_found: return "not_found";
    case Errc::io: return "io";
  }
  return "unknown";
}

std::optional<Reason> find_reason(std::string_view word) noexcept {
  for (std::size_t i = 0; i < std::size(kReasons); ++i) {
    if (kReasons[i].word == word) return static_cast<Reason>(i);
  }
  return std::nullopt;
}

Error::Error(Reason reason, std::string_view message)
    : reason_(reason),
      text_(std::make_shared<const std::string>(std::string(to_text(code_of(reason))) + " (" +
                                                std::string(to_text(reason)) + "): " + printable(message))) {}

Error Error::out_of_memory() noexcept {
  return Error(Reason::out_of_memory);
}

Error Error::with_context(std::string_view context) const {
  if (!text_) return *this;
  return Error(reason_, std::string(context) + ": " + std::string(message()));
}

const char* Error::what() const noexcept {
  return text_ ? text_->c_str() : "limit (out_of_memory): memory could not be had";
}

std::string_view Error::message() const noexcept {
  if (!text_) return "memory could not be had";
  return std::string_view(*text_).substr(prefix_bytes(reason_));
}

void rethrow_as_error() {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    throw Error::out_of_memory();
  } catch (const std::length_error&) {
    throw Error::out_of_memory();
  } catch (const std::ios_base::failure& error) {
    throw Error(Reason::system_call, error.what());
  } catch (const std::filesystem::filesystem_error& error) {
    throw Error(Reason::system_call, error.what());
  }
}

void throw_size(Reason reason, std::string_view what) {
  throw Error(reason, std::string(what) + ": the size does not fit in 64 bits");
}

}  // namespace mere
