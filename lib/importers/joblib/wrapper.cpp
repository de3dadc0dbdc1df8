#include "importers/joblib/wrapper.hpp"

#include <algorithm>

namespace mere::importers::joblib {

void fail_wrapper(Reason reason, std::string_view what, std::uint64_t position, const std::string& found) {
  throw Error(reason, "byte " + std::to_string(position) + ": " + std::string(what) + ": " + found);
}

void read_wrapper(const pickle::Values& values, pickle::ValueId state, std::span<const WrapperAttribute> attributes,
                  std::string_view what, std::uint64_t position) {
  const auto fail = [&](const std::string& found) { fail_wrapper(Reason::bad_record, what, position, found); };
  if (values.kind(state) != pickle::ValueKind::dict) fail("its wrapper's state is no dict");
  const auto entries = values.members(state);
  for (std::size_t i = 0; i < entries.size(); i += 2) {
    // Python 2 wrote the names as str, which read_python2_string takes for texts.
    if (values.kind(entries[i]) != pickle::ValueKind::text) fail("an attribute without a name");
    const std::string_view name = values.text_of(entries[i]);
    const auto known = std::find_if(attributes.begin(), attributes.end(),
                                    [&](const WrapperAttribute& attribute) { return attribute.name == name; });
    if (known == attributes.end()) fail("unknown attribute '" + std::string(name) + "'");
    if (known->value == nullptr) continue;
    if (*known->value != pickle::kNoValue) fail("attribute '" + std::string(name) + "' twice");
    *known->value = entries[i + 1];
  }
}

}  // namespace mere::importers::joblib
