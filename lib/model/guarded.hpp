#pragma once
// The edge of the public functions: only Error leaves them.

#include <mere/rethrow.hpp>

namespace mere::model {

template <class Call>
decltype(auto) guarded(Call&& call) {
  try {
    return call();
  } catch (const Error&) {
    throw;
  } catch (...) {
    rethrow_as_error();
  }
}

// The same for a call that reads `source`, which has check_faults(): if a page could not be read, that is the error,
// whatever its zeros led to.
template <class Source, class Call>
decltype(auto) guarded_read(const Source& source, Call&& call) {
  return guarded([&]() -> decltype(auto) {
    try {
      return call();
    } catch (const Error&) {
      source.check_faults();
      throw;
    }
  });
}

}  // namespace mere::model
