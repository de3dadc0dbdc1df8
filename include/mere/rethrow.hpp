#pragma once
// The edge of the library: only Error leaves it.

#include <mere/error.hpp>

namespace mere {

// In a handler, throws what is being handled as Error: out_of_memory for what containers throw (bad_alloc,
// length_error), system_call for errors of files and streams. An Error, and all else, goes on as it is.
[[noreturn]] MERE_API void rethrow_as_error();

}  // namespace mere
