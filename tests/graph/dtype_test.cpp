#include <doctest/doctest.h>

#include "graph/dtype_parts.hpp"
#include "graph/written.hpp"

using namespace mere;

TEST_CASE("dtype: texts are NumPy's, in and out") {
  // Array-protocol word, str(dtype) of NumPy 1.24.
  const std::pair<const char*, const char*> cases[] = {{"|b1", "bool"},
                                                       {"|i1", "int8"},
                                                       {"<u8", "uint64"},
                                                       {"<f8", "float64"},
                                                       {">f8", ">f8"},
                                                       {"<f2", "float16"},
                                                       {"|S5", "|S5"},
                                                       {"<U5", "<U5"},
                                                       {">U5", ">U5"},
                                                       {"|V8", "|V8"},
                                                       {"<M8[25s]", "datetime64[25s]"},
                                                       {">M8[25s]", ">M8[25s]"},
                                                       {"<m8[ns]", "timedelta64[ns]"},
                                                       {"<M8", "datetime64"},
                                                       {"|O", "object"},
                                                       {"<f16", "float128"},
                                                       {"<c32", "complex256"},
                                                       {">f16", ">f16"},
                                                       {"<c16", "complex128"},
                                                       {"bfloat16", "bfloat16"},
                                                       {"float8_e5m2", "float8_e5m2"},
                                                       {"|S0", "|S0"}};
  for (const auto& [word, text] : cases) CHECK(Dtype::parse(word).to_text() == text);
  for (const char* broken : {"", "<", "<f3", "<i16", "x8", "<M8[q]", "<M8[0s]", "<M8[25]", "f", "<f8x", "b2"}) {
    CAPTURE(broken);
    CHECK_THROWS_WITH_AS(Dtype::parse(broken), doctest::Contains("unknown_type"), Error);
  }
}

TEST_CASE("dtype: records are printed as NumPy does") {
  const Dtype f8 = Dtype::of<double>(), i1 = Dtype::of<std::int8_t>(), i4 = Dtype::of<std::int32_t>();
  const auto record = [](std::vector<Field> fields, std::uint64_t size, bool aligned = false) {
    return Dtype::record(std::move(fields), size, aligned);
  };
  CHECK(record({{"a", i4, 0, {}}, {"b", Dtype::subarray(f8, {3}), 4, {}}}, 28).to_text() ==
        "[('a', '<i4'), ('b', '<f8', (3,))]");
  CHECK(record({{"a", i1, 0, {}}, {"b", f8, 8, {}}}, 16, true).to_text() ==
        "{'names': ['a', 'b'], 'formats': ['i1', '<f8'], 'offsets': [0, 8], 'itemsize': 16, 'aligned': True}");
  CHECK(record({{"a", i1, 0, {}}, {"b", f8, 4, {}}}, 20).to_text() ==
        "{'names': ['a', 'b'], 'formats': ['i1', '<f8'], 'offsets': [0, 4], 'itemsize': 20}");
  CHECK(record({{"name", i4, 0, "title"}}, 4).to_text() == "[(('title', 'name'), '<i4')]");
  CHECK(record({{"m", record({{"a", i1, 0, {}}, {"b", f8, 8, {}}}, 16, true), 0, {}}}, 16).to_text() ==
        "[('m', [('a', 'i1'), ('b', '<f8')])]");
  CHECK(record({}, 0).to_text() == "[]");
  CHECK(record({}, 8).to_text() == "{'names': [], 'formats': [], 'offsets': [], 'itemsize': 8}");
  CHECK(record({{"a", Dtype(), 0, {}}, {"s", Dtype(TypeClass::bytes, 0), 1, {}}}, 1).to_text() ==
        "[('a', '?'), ('s', 'S')]");
  CHECK(Dtype::subarray(Dtype::parse(">f8"), {3, 2}).to_text() == "('>f8', (3, 2))");
}

TEST_CASE("dtype: what covers no value is a hole") {
  const Dtype padded = Dtype::record({{"a", Dtype::of<std::int8_t>(), 0, {}}, {"b", Dtype::of<double>(), 8, {}}}, 16);
  CHECK(padded.has_holes());
  CHECK(Dtype::of<long double>().has_holes());
  CHECK_FALSE(Dtype::record({{"a", Dtype::of<double>(), 8, {}}, {"b", Dtype::of<double>(), 0, {}}}, 16).has_holes());
  CHECK(Dtype::subarray(padded, {2}).has_holes());
  const auto covered = graph::covered_bytes(Dtype::subarray(padded, {2}));
  REQUIRE(covered.size() == 3);  // the end of one element and the begin of the next touch
  CHECK(covered[1].offset == 8);
  CHECK(covered[1].bytes == 9);
  CHECK_FALSE(padded.has_objects());
  CHECK(Dtype::record({{"o", Dtype(TypeClass::object, 8), 0, {}}}, 8).has_objects());
}

TEST_CASE("dtype: what contradicts itself cannot be made") {
  const Dtype f8 = Dtype::of<double>();
  CHECK_THROWS_WITH_AS(Dtype(TypeClass::real, 3), doctest::Contains("bad_type"), Error);
  CHECK_THROWS_WITH_AS(Dtype::record({{"a", f8, 1, {}}}, 8), doctest::Contains("bad_type"), Error);
  CHECK_THROWS_WITH_AS(Dtype::record({{"a", f8, UINT64_MAX, {}}}, 8), doctest::Contains("bad_type"), Error);
  CHECK_THROWS_WITH_AS(Dtype::record({{"a", f8, 0, {}}, {"a", f8, 8, {}}}, 16), doctest::Contains("bad_type"), Error);
  CHECK_THROWS_WITH_AS(Dtype::subarray(f8, {INT64_MAX, 2}), doctest::Contains("shape_overflow"), Error);
  CHECK_THROWS_WITH_AS(Dtype::subarray(f8, {-1}), doctest::Contains("shape_overflow"), Error);
  CHECK_THROWS_WITH_AS(Dtype::time(TypeClass::datetime, static_cast<TimeUnit>(3), 1), doctest::Contains("bad_type"),
                       Error);
}

TEST_CASE("dtype: every class survives a file") {
  std::vector<Dtype> types = {Dtype(),
                              Dtype::parse(">i2"),
                              Dtype::parse("<c8"),
                              Dtype::parse("<f16"),
                              Dtype::parse(">c32"),
                              Dtype::parse("|S7"),
                              Dtype::parse(">U3"),
                              Dtype::parse("|V9"),
                              Dtype::parse("<M8[25us]"),
                              Dtype::parse(">m8"),
                              Dtype::parse("|O"),
                              Dtype::other("rational", 8),
                              Dtype::subarray(Dtype::parse(">f4"), {2, 3})};
  for (int c = static_cast<int>(TypeClass::bfloat16); c <= static_cast<int>(TypeClass::float8_e8m0fnu); ++c) {
    types.emplace_back(static_cast<TypeClass>(c), c == static_cast<int>(TypeClass::bfloat16) ? 2 : 1);
  }
  std::vector<Field> fields;
  std::uint64_t offset = 3;
  for (const Dtype& type : types) {
    fields.push_back({"f" + std::to_string(fields.size()), type, offset, fields.size() % 3 == 0 ? "t" : ""});
    offset += type.itemsize();
  }
  types.push_back(Dtype::record(fields, offset + 5, true));
  Graph g;
  std::vector<NodeId> nodes;
  for (const Dtype& type : types) nodes.push_back(g.dtype(type));
  g.model_root = g.list(nodes);
  const test::Written w = test::write(g);
  for (std::size_t i = 0; i < types.size(); ++i) CHECK(w.root()[i].dtype() == types[i]);
}
