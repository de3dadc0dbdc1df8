// Makes the file that c_abi_test.c looks into.

#include <doctest/doctest.h>

#include <fcntl.h>
#include <unistd.h>

#include <mere/mere.h>
#include <mere/mere.hpp>

#include "os/scratch_directory.hpp"

extern "C" int mere_c_abi_test(const char* path, const char* compressed);

namespace {

struct CSample {
  std::string name = "C";
  int n = 3;
  double x = 1.5;
  std::complex<double> z{1, 2};
  bool yes = true;
  std::vector<std::byte> raw{std::byte{1}, std::byte{2}};
  mere::Array<double> w{std::vector<double>{0, 1, 2, 3, 4, 5}, {2, 3}};
  std::vector<std::string> rows{"a", "b"};
};
MERE_RECORD(CSample, name, n, x, z, yes, raw, w, rows)

}  // namespace

TEST_CASE("C interface: values, arrays and errors, from C") {
  const mere::test::ScratchDirectory scratch;
  mere::DumpOptions options;
  options.durability = mere::Durability::none;
  options.metadata = {{"key", "value"}};
  mere::dump(CSample(), scratch / "c.mere", options);
  options.codec = mere::Codec::zlib;
  mere::dump(CSample(), scratch / "z.mere", options);
  CHECK(mere_c_abi_test((scratch / "c.mere").c_str(), (scratch / "z.mere").c_str()) == 0);
}

TEST_CASE("C interface: from a descriptor and from bytes") {
  const mere::test::ScratchDirectory scratch;
  mere::dump(CSample(), scratch / "c.mere");
  const int fd = ::open((scratch / "c.mere").c_str(), O_RDONLY | O_CLOEXEC);
  mere_model* model = nullptr;
  CHECK(mere_open_fd(fd, 0, UINT64_MAX, nullptr, &model) == MERE_OK);
  ::close(fd);
  mere_node node{};
  CHECK(mere_find(model, "rows[0]", &node) == MERE_OK);
  mere_close(model);
  const auto bytes = mere::dump_bytes(CSample());
  CHECK(mere_open_bytes(bytes.data(), bytes.size(), nullptr, &model) == MERE_OK);
  mere_close(model);
  CHECK(mere_open_bytes(bytes.data(), 20, nullptr, &model) == MERE_CORRUPT);
  CHECK(std::string(mere_last_reason()) == "truncated");
}

TEST_CASE("C interface: numbers of statuses and kinds are those of the library") {
  for (int code = MERE_CORRUPT; code <= MERE_IO; ++code) {
    CHECK(mere_status_text(static_cast<mere_status>(code)) == mere::to_text(static_cast<mere::Errc>(code)));
  }
  CHECK(std::string(mere_status_text(static_cast<mere_status>(15))) == "internal");
  for (int kind = 0; kind < mere::kKindCount; ++kind) {
    CHECK(mere_kind_text(static_cast<mere_kind>(kind)) == mere::to_text(static_cast<mere::Kind>(kind)));
  }
  CHECK(std::string(mere_kind_text(static_cast<mere_kind>(31))) == "unknown");
}
