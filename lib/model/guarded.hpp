#pragma once
// The edge of the public functions: only Error leaves them.

#include <filesystem>
#include <ios>
#include <new>
#include <stdexcept>

#include <mere/error.hpp>

namespace mere::model {

template <class Call>
decltype(auto) guarded(Call&& call) {
  try {
    return call();
  } catch (const std::bad_alloc&) {
    throw Error::out_of_memory();
  } catch (const std::length_error&) {
    throw Error::out_of_memory();
  } catch (const std::filesystem::filesystem_error& error) {
    throw Error(Reason::system_call, error.what());
  } catch (const std::ios_base::failure& error) {
    throw Error(Reason::system_call, error.what());
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
