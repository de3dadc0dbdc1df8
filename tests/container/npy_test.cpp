// .npy headers, written and read again.

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <mere/error.hpp>
#include "container/npy.hpp"

using namespace mere;
using container::npy_header;
using container::read_npy_header;

TEST_CASE("npy: a header is what NumPy writes for the array") {
  const std::string header = npy_header(Dtype::parse("<f8"), std::vector<std::int64_t>{2, 2}, false);
  CHECK(header == std::string("\x93NUMPY\x01\0v\0", 10) +
                      "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), }" + std::string(58, ' ') + "\n");
  CHECK(header.size() == 128);
}

TEST_CASE("npy: every type is read back as it was written") {
  const Dtype inner = Dtype::record(
      {{"y", Dtype::parse("<i2"), 0, ""}, {"z", Dtype::subarray(Dtype::parse(">f4"), {2, 3}), 2, ""}}, 26);
  const std::vector<Dtype> types = {
      Dtype::parse("|b1"),
      Dtype::parse(">i8"),
      Dtype::parse("|u1"),
      Dtype::parse("<f2"),
      Dtype::parse("<c16"),
      Dtype::parse("<f16"),
      Dtype::parse("|S5"),
      Dtype::parse(">U3"),
      Dtype::parse("|V7"),
      Dtype::parse("<M8[25s]"),
      Dtype::parse(">m8[ns]"),
      Dtype::parse("<M8"),
      inner,
      Dtype::record({{"a'b\"\\\n", Dtype::parse("|i1"), 4, ""}, {"t", inner, 8, "title"}}, 40)};
  for (const Dtype& type : types) {
    CAPTURE(type.to_text());
    std::string file = npy_header(type, std::vector<std::int64_t>{3}, true);
    CHECK(file.size() % 64 == 0);
    file.append(3 * type.itemsize(), '\0');
    const container::NpyHeader header = read_npy_header(std::as_bytes(std::span(file)));
    CHECK(header.dtype == type);
    CHECK(header.fortran);
    CHECK(header.shape == std::vector<std::int64_t>{3});
  }
}

TEST_CASE("npy: names beyond ASCII need version 3, long headers version 2") {
  const Dtype accented = Dtype::record({{"\xc3\xa9", Dtype::parse("<i4"), 0, ""}}, 4);
  std::string file = npy_header(accented, std::vector<std::int64_t>{0}, false);
  CHECK(file[6] == 3);
  CHECK(read_npy_header(std::as_bytes(std::span(file))).dtype == accented);
  std::vector<Field> many;
  for (std::uint64_t i = 0; i < 5000; ++i)
    many.push_back({"field" + std::to_string(i), Dtype::parse("<i4"), 4 * i, ""});
  const Dtype wide = Dtype::record(many, 20'000);
  file = npy_header(wide, std::vector<std::int64_t>{0}, false);
  CHECK(file[6] == 2);
  CHECK(read_npy_header(std::as_bytes(std::span(file))).dtype == wide);
}

TEST_CASE("npy: what the format cannot say is refused") {
  CHECK_THROWS_AS(npy_header(Dtype::parse("|O"), std::vector<std::int64_t>{1}, false), Error);
  const Dtype crossed = Dtype::record({{"a", Dtype::parse("<i4"), 4, ""}, {"b", Dtype::parse("<i4"), 0, ""}}, 8);
  CHECK_THROWS_AS(npy_header(crossed, std::vector<std::int64_t>{1}, false), Error);
}
