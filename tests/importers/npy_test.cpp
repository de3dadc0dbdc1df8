// .npy and .npz files that lie.

#include <doctest/doctest.h>

#include "importers/import_case.hpp"

using namespace mere;
using test::fixture;
using test::little;
using test::refusal;

namespace {

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
