// .npy and .npz files that lie.

#include <doctest/doctest.h>

#include "importers/import_case.hpp"

using namespace mere;
using test::fixture;
using test::little;
using test::refusal;

namespace {

std::string npy_file(const std::string& name) {
  return test::read_file(std::filesystem::path(MERE_TEST_DATA) / "npy" / name);
}

std::string npy(const std::string& header, const std::string& data, int major = 1) {
  return "\x93NUMPY" + little(static_cast<std::uint64_t>(major), 1) + little(0, 1) +
         little(header.size(), major == 1 ? 2 : 4) + header + data;
}

std::string with(const std::string& descr, const std::string& shape, const std::string& data = "12345678") {
  return npy("{'descr': " + descr + ", 'fortran_order': False, 'shape': " + shape + ", }\n", data);
}

}  // namespace

TEST_CASE("npy: headers that NumPy writes are read") {
  CHECK(test::import_written(with("'<i4'", "(2,)")).root().array().shape() == Dims{2});
  CHECK(test::import_written(with("'|S8'", "()")).root().array().shape() == Dims());
  CHECK(test::import_written(with("[('a', '<i2'), ('', '|V2'), ('b', '<i2', (2,))]", "(1L,)"))
            .root()
            .array()
            .dtype()
            .fields()[1]
            .offset == 4);
  CHECK(test::import_written(with("'<f8'", "(0, 5)", "")).root().array().size() == 0);
  CHECK(test::import_written(
            npy("{'descr': [('\xc3\xa9', '<i8')], 'fortran_order': True, 'shape': (1,), }\n", "12345678", 3))
            .root()
            .array()
            .dtype()
            .fields()[0]
            .name == "\xc3\xa9");
}

TEST_CASE("npy: a header is data: anything else is refused") {
  const std::vector<std::string> descrs = {"__import__('os').system('x')",
                                           "'<i4'.upper()",
                                           "('<i4')*2",
                                           "[]*9",
                                           "f'<i4'",
                                           "b'<i4'",
                                           "{'a':1}",
                                           "None",
                                           "1",
                                           "'|O'",
                                           "[('a', '|O')]",
                                           "'q7'",
                                           "[('a',)]",
                                           "[(1, '<i4')]",
                                           "'<i4' if 1 else 2",
                                           "lambda: 0"};
  for (const std::string& descr : descrs) {
    CAPTURE(descr);
    CHECK(refusal(with(descr, "(2,)")).has_value());
  }
  for (const std::string shape : {"2", "[2]", "(-2,)", "('2',)", "(2.0,)", "(None,)", "(True,)",
                                  "(4611686018427387905, 4)", "(99999999999999999999,)"}) {
    CAPTURE(shape);
    CHECK(refusal(with("'<i4'", shape)).has_value());
  }
  CHECK(refusal(npy("{'descr': '<i4', 'shape': (2,), }\n", "12345678")) == Reason::bad_record);
  CHECK(refusal(npy("{'descr': '<i4', 'descr': '<i8', 'fortran_order': False, 'shape': (2,), }\n", "12345678")) ==
        Reason::duplicate_key);
  CHECK(refusal(npy("{'descr': '<i4', 'x': 1, 'fortran_order': False, 'shape': (2,), }\n", "12345678")) ==
        Reason::bad_record);
  CHECK(refusal(npy("{'descr': '<i4', 'fortran_order': 0, 'shape': (2,), }\n", "12345678")) == Reason::bad_record);
  CHECK(refusal(npy("{'descr': '<i4', 'fortran_order': False, 'shape': (2,), } 1\n", "12345678")) ==
        Reason::bad_record);
  CHECK(refusal(npy(std::string(100'000, '('), "")).has_value());
  CHECK(refusal(npy("{'descr': " + std::string(40, '[') + ", 'fortran_order': False, 'shape': (2,), }\n", "")) ==
        Reason::too_deep);
}

TEST_CASE("npy: lengths and versions that lie are refused") {
  CHECK(refusal(with("'<i4'", "(3,)")) == Reason::truncated);
  CHECK(refusal(with("'<i4'", "(1,)")) == Reason::trailing_bytes);
  CHECK(refusal(std::string("\x93NUMPY\x04\0\x10\0", 10)) == Reason::unsupported_version);
  CHECK(refusal(std::string("\x93NUMPY\x01\0\xff\xff", 10)) == Reason::truncated);
  CHECK(refusal(std::string("\x93NUMPY\x02\0\xff\xff\xff\xff", 12)) == Reason::too_large);
  for (const std::string file : {"record.npy", "f_order-v1.npy", "f_order-v2.npy", "f_order-v3.npy"}) {
    const std::string good = fixture(file);
    for (std::size_t length = 0; length < good.size(); ++length) CHECK(refusal(good.substr(0, length)).has_value());
    for (std::size_t at = 0; at < good.size(); ++at) {
      for (const int flip : {0x01, 0x20, 0xff}) {
        std::string bad = good;
        bad[at] = static_cast<char>(bad[at] ^ flip);
        refusal(bad);
      }
    }
  }
}

TEST_CASE("npz: every truncation is refused, every changed byte gives a graph or an Error") {
  for (const std::string file : {"arrays.npz", "arrays-deflated.npz"}) {
    const std::string good = fixture(file);
    for (std::size_t length = 0; length < good.size(); ++length) CHECK(refusal(good.substr(0, length)).has_value());
    for (std::size_t at = 0; at < good.size(); at += 2) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 0x41);
      refusal(bad);
    }
  }
}

TEST_CASE("npy: types that NumPy nests, orders and counts in are read") {
  const test::Written records = test::import_written(npy_file("records.npy"));
  const ArrayView array = records.root().array();
  CHECK(array.dtype().itemsize() == 48);
  REQUIRE(array.dtype().fields().size() == 3);
  CHECK(array.dtype().fields()[0].offset == 4);
  CHECK(array.dtype().fields()[0].type.fields()[1].type.shape() == std::vector<std::int64_t>{2, 2});
  CHECK(array.dtype().fields()[1].type == Dtype::parse("<M8[25s]"));
  CHECK(array.dtype().fields()[2].offset == 32);
  const test::Written big = test::import_written(npy_file("big_endian.npy"));
  CHECK(big.root().array().dtype() == Dtype::parse(">f8"));
  CHECK(big.root().array().shape() == Dims{2, 3});
  CHECK(big.root().array().strides() == Dims{8, 16});
  CHECK(test::import_written(npy_file("times.npy")).root().array().dtype() == Dtype::parse(">M8[s]"));
}

TEST_CASE("npy: of the small floats, the one whose type the file says keeps it; others are raw bytes") {
  const auto type = [](const std::string& file) { return test::import_written(npy_file(file)).root().array().dtype(); };
  CHECK(type("float8_e5m2.npy").type_class() == TypeClass::float8_e5m2);
  CHECK(type("float8_e4m3fn.npy") == Dtype(TypeClass::raw, 1));
  CHECK(type("bfloat16.npy") == Dtype(TypeClass::raw, 2));
}

TEST_CASE("npy: arrays of objects are read by the machine that reads pickles") {
  const importers::Imported objects = test::import_bytes(npy_file("objects.npy"));
  CHECK(objects.format == "npy");
  CHECK_FALSE(objects.protocol.has_value());
  const test::Written written = test::write(objects.graph);
  REQUIRE(written.root().size() == 4);
  CHECK(written.root()[0].integer() == 1);
  CHECK(written.root()[1].text() == "x");
  CHECK(written.root()[3][0].real() == 2.5);
  const test::Written grid = test::import_written(npy_file("grid.npy"));
  CHECK(grid.root().size() == 4);
  CHECK(grid.root()[3][1].text() == "x");
  CHECK(test::import_written(npy_file("object_records.npy")).root().kind() == Kind::object);
  for (const std::string file : {"mixed.npz", "mixed_deflated.npz"}) {
    const importers::Imported mixed = test::import_bytes(npy_file(file));
    CHECK(mixed.format == "npz");
    CHECK(mixed.codec == (file == "mixed.npz" ? "none" : "deflate"));
    const test::Written archive = test::write(mixed.graph);
    CHECK(archive.root()["numbers"].array().shape() == Dims{3});
    CHECK(archive.root()["objects"].size() == 4);
  }
}

TEST_CASE("npy: names in arrays of objects are judged as those of a pickle") {
  try {
    test::import_trusting(npy_file("hostile.npy"));
    FAIL("os.system was let through");
  } catch (const Error& error) {
    CHECK(error.reason() == Reason::forbidden_global);
    CHECK(error.message().find("system") != std::string_view::npos);
  }
  // A plain array asks nobody, but whoever judges is told that there is nothing.
  std::size_t asked = 0;
  importers::ImportOptions options;
  options.admit = [&](std::span<const container::ForeignName> names) { asked += 1 + names.size(); };
  test::import_bytes(npy_file("bfloat16.npy"), options);
  CHECK(asked == 1);
}

TEST_CASE("npy: pickles that are cut, longer, no arrays or of another shape are refused") {
  const std::string good = npy_file("objects.npy");
  for (std::size_t length = 0; length < good.size(); ++length) CHECK(refusal(good.substr(0, length)).has_value());
  CHECK(refusal(good + "x") == Reason::trailing_bytes);
  std::string reshaped = good;
  reshaped.replace(reshaped.find("(4,)"), 4, "(5,)");
  CHECK(refusal(reshaped) == Reason::bad_record);
  CHECK(refusal(with("'|O'", "(2,)", test::raw("\x80\x04K\1."))) == Reason::bad_record);
  CHECK(refusal(with("'|O'", "(2,)", "")) == Reason::truncated);
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const int flip : {0x01, 0x20, 0xff}) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ flip);
      refusal(bad);
    }
  }
}
