#pragma once
// What one import may spend: a single object, shared by a stream and all streams nested in it.

#include <cstdint>
#include <string>
#include <string_view>

#include <mere/error.hpp>

namespace mere::importers::pickle {

// Every limit is far above what a real model needs and low enough that memory and time stay bounded.
struct Budget {
  std::uint64_t operations = std::uint64_t{1} << 33;  // opcodes
  std::uint64_t values = std::uint64_t{1} << 28;      // things made
  std::uint64_t members = std::uint64_t{1} << 29;     // members of containers, all together
  std::uint64_t memo_entries = std::uint64_t{1} << 28;
  std::uint64_t owned_bytes = std::uint64_t{1} << 36;  // decoded into memory of our own
  std::uint32_t streams = 16;                          // nested streams open at once

  template <class Number>
  static void spend(Number& left, std::uint64_t amount, std::string_view what, std::uint64_t offset) {
    if (amount > left) {
      throw Error(Reason::too_large,
                  "byte " + std::to_string(offset) + ": the pickle passes the limit of " + std::string(what));
    }
    left = static_cast<Number>(left - amount);
  }
};

}  // namespace mere::importers::pickle
