#include <doctest/doctest.h>

#include <mere/rethrow.hpp>

#include <filesystem>
#include <fstream>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using mere::Error;
using mere::Reason;

// The reason of what leaves `call` by way of rethrow_as_error().
template <class Call>
std::optional<Reason> reason_after(Call&& call) {
  try {
    try {
      call();
    } catch (...) {
      mere::rethrow_as_error();
    }
  } catch (const Error& error) {
    return error.reason();
  }
  return std::nullopt;
}

TEST_CASE("rethrow: what containers, files and streams throw becomes Error; an Error stays what it is") {
  CHECK(reason_after([] { throw std::bad_alloc(); }) == Reason::out_of_memory);
  CHECK(reason_after([] { std::vector<int>().reserve(std::vector<int>().max_size() + 1); }) == Reason::out_of_memory);
  CHECK(reason_after([] { static_cast<void>(std::filesystem::file_size("/no/such/file")); }) == Reason::system_call);
  CHECK(reason_after([] {
          std::ifstream in;
          in.exceptions(std::ios::failbit);
          in.open("/no/such/file");
        }) == Reason::system_call);
  CHECK(reason_after([] { throw Error(Reason::checksum, "x"); }) == Reason::checksum);
  CHECK_THROWS_AS(reason_after([] { throw std::logic_error("a mistake of ours"); }), std::logic_error);
}

}  // namespace
