#pragma once
// Expectations about mere::Error.

#include <optional>
#include <string>

#include <doctest/doctest.h>

#include <mere/error.hpp>

namespace mere::format::testing {

// The reason of the mere::Error that `work` throws; nothing if it throws none. Other exceptions fail the test.
template <class Work>
std::optional<Reason> reason_of(const Work& work, std::string* message = nullptr) {
  try {
    work();
  } catch (const Error& error) {
    if (message != nullptr) *message = error.what();
    return error.reason();
  }
  return std::nullopt;
}

inline std::string word(std::optional<Reason> reason) {
  return reason ? std::string(to_text(*reason)) : "no error";
}

}  // namespace mere::format::testing
