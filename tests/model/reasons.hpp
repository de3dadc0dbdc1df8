#pragma once
// What a call ended with.

#include <optional>
#include <string>

#include <mere/error.hpp>

namespace mere::test {

// The reason of the Error, or nothing if there was none.
template <class Call>
std::optional<Reason> reason_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.reason();
  }
  return std::nullopt;
}

// The whole text of the Error, or "".
template <class Call>
std::string message_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace mere::test
