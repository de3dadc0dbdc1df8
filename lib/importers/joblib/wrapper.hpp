#pragma once
// The wrapper objects that stand for arrays in the pickles of joblib: their state is a dict of a few known attributes.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <mere/error.hpp>

#include "importers/pickle/values.hpp"

namespace mere::importers::joblib {

// Where the value of an attribute goes; null for one that says nothing about the array.
struct WrapperAttribute {
  std::string_view name;
  pickle::ValueId* value;
};

// Fills the values of `attributes` from `state`; those that it lacks keep kNoValue. `what` begins each message.
// Throws Error: bad_record (no dict, an attribute that is unknown or stands twice).
void read_wrapper(const pickle::Values& values, pickle::ValueId state, std::span<const WrapperAttribute> attributes,
                  std::string_view what, std::uint64_t position);

// "byte 17: joblib array: <found>"
[[noreturn]] void fail_wrapper(Reason reason, std::string_view what, std::uint64_t position, const std::string& found);

}  // namespace mere::importers::joblib
