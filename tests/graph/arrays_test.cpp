// Arrays: what shares a buffer, what is written without gaps, and how they are read again. docs/format.md 5 and 6.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "format/row_layouts.hpp"
#include "graph/to_graph.hpp"
#include "graph/verify_graph.hpp"
#include "graph/written.hpp"

using namespace mere;
using test::write;
using test::Written;

namespace {

using Ints = std::vector<std::int64_t>;

Ints count_to(std::size_t n) {
  Ints values(n);
  std::iota(values.begin(), values.end(), 0);
  return values;
}

// A view of `base` from element `first` on; strides in elements.
NodeId view(Graph& g, const Ints& base, std::size_t first, Ints shape, Ints strides) {
  for (std::int64_t& s : strides) s *= 8;
  return g.array(Dtype::of<std::int64_t>(), shape, strides,
                 {reinterpret_cast<const std::byte*>(base.data() + first), nullptr});
}

Written written_list(Graph& g, std::vector<NodeId> items, codec::CodecId codec = codec::CodecId::none) {
  g.model_root = g.list(items);
  Written w = write(g, codec);
  graph::verify_graph(*w.image);
  return w;
}

}  // namespace

TEST_CASE("arrays: a column of a matrix is written without the rest of it") {
  const Ints base = count_to(1000);
  Graph g;
  const Written w = written_list(g, {view(g, base, 3, {100}, {10})});
  const ArrayView column = w.root()[0].array();
  CHECK(column.c_contiguous());
  CHECK(column.span<std::int64_t>()[99] == 993);
  CHECK(w.image->buffer(0).raw_bytes == 800);
}

TEST_CASE("arrays: two columns that interleave share a buffer, and what lies between them is zero") {
  const Ints base = count_to(1000);
  Graph g;
  const Written w = written_list(g, {view(g, base, 3, {100}, {10}), view(g, base, 5, {100}, {10})});
  CHECK(w.image->array(0).buffer == w.image->array(1).buffer);
  const ArrayView first = w.root()[0].array(), second = w.root()[1].array();
  CHECK(second.data() - first.data() == 16);
  CHECK(first.strides() == Dims{80});
  CHECK(first.values<std::int64_t>()[7] == 73);
  CHECK(second.copy<std::int64_t>()[99] == 995);
  const auto bytes = *w.image->find_mapped(0);
  std::int64_t between;
  std::memcpy(&between, bytes.data() + 8, sizeof between);
  CHECK(between == 0);
}

TEST_CASE("arrays: views of one base stay views: what is changed in one would be seen in the other") {
  const Ints base = count_to(100);
  Graph g;
  const Written w = written_list(g, {view(g, base, 0, {100}, {1}), view(g, base, 10, {5, 4}, {4, 1}),
                                     view(g, base, 99, {100}, {-1}), view(g, base, 0, {10, 10}, {1, 10})});
  const Node root = w.root();
  const std::byte* data = root[0].array().data();
  CHECK(root[1].array().data() == data + 80);
  CHECK(root[2].array().data() == data + 99 * 8);
  CHECK(root[2].array().values<std::int64_t>()[0] == 99);
  CHECK(root[3].array().f_contiguous());
  CHECK(root[3].array().values<std::int64_t>()(2, 3) == 32);
  CHECK(w.image->section(format::Section::buffers).count == 1);
}

TEST_CASE("arrays: arrays that only touch are apart, and equal arrays are two") {
  const Ints base = count_to(100), equal = count_to(50);
  Graph g;
  const Written w =
      written_list(g, {view(g, base, 0, {50}, {1}), view(g, base, 50, {50}, {1}), view(g, equal, 0, {50}, {1})});
  CHECK(w.image->array(0).offset == 0);
  CHECK(w.image->array(1).offset == 448);
  CHECK(w.image->array(2).offset == 896);
}

TEST_CASE("arrays: order is kept: C, Fortran; other strides become C") {
  const Ints base = count_to(24);
  Graph g;
  std::vector<Ints> memory(5, base);
  const Written w = written_list(g, {view(g, memory[0], 0, {4, 6}, {6, 1}), view(g, memory[1], 0, {4, 6}, {1, 4}),
                                     view(g, memory[2], 23, {24}, {-1}), view(g, memory[3], 0, {2, 3, 4}, {1, 8, 2}),
                                     view(g, memory[4], 0, {1, 24}, {0, 1})});
  const Node root = w.root();
  CHECK(root[0].array().strides() == Dims{48, 8});
  CHECK(root[1].array().strides() == Dims{8, 32});
  CHECK(root[2].array().strides() == Dims{8});
  CHECK(root[2].array().copy<std::int64_t>()[0] == 23);
  CHECK(root[3].array().c_contiguous());
  CHECK(root[3].array().values<std::int64_t>()(1, 2, 3) == 1 + 16 + 6);
  CHECK(root[4].array().shape() == Dims{1, 24});
  CHECK(w.image->node(root[4].id()).flags == 0);
}

TEST_CASE("arrays: broadcast arrays and sliding windows stay as small as what they reach") {
  const Ints base = count_to(16);
  Graph g;
  const Written w = written_list(g, {view(g, base, 0, {1000000, 1000}, {0, 0}), g.null()});
  CHECK(w.image->buffer(0).raw_bytes == 8);
  CHECK(w.root()[0].array().size() == 1000000000);
  CHECK(w.root()[0].array().values<std::int64_t>()(999999, 999) == 0);
  Graph h;
  const Written windows = written_list(h, {view(h, base, 0, {14, 3}, {1, 1})});
  CHECK(windows.image->buffer(0).raw_bytes == 128);
  CHECK(windows.root()[0].array().copy<std::int64_t>()[41] == 15);
}

TEST_CASE("arrays: no elements, no bytes, one element, no dimension, 64 dimensions") {
  const Ints base = count_to(2);
  Graph g;
  Ints many(64, 1), steps(64, -3);
  many[7] = 2;
  steps[7] = 1;
  const std::int64_t five[] = {5};
  const NodeId nothing = g.array(Dtype(TypeClass::bytes, 0), five, Graph::Order::c, {nullptr, nullptr});
  const Written w = written_list(g, {view(g, base, 0, {0, 7}, {1, 1}), nothing, view(g, base, 1, {1, 1}, {9, -9}),
                                     view(g, base, 1, {}, {}), view(g, base, 0, many, steps)});
  const Node root = w.root();
  CHECK(root[0].array().shape() == Dims{0, 7});
  CHECK(root[0].array().bytes().empty());
  CHECK(w.image->array(0).buffer == format::kNone);
  CHECK(root[1].array().size() == 5);
  CHECK(root[1].array().dtype().itemsize() == 0);
  CHECK(root[2].array().span<std::int64_t>()[0] == 1);
  CHECK(root[3].array().ndim() == 0);
  CHECK(root[3].array().size() == 1);
  CHECK(root[4].array().ndim() == 64);
  CHECK(root[4].array().copy<std::int64_t>() == base);
}

TEST_CASE("arrays: what cannot be addressed is refused when the graph is built") {
  Graph g;
  const std::byte byte{};
  const auto add = [&](Ints shape, Ints strides) { g.array(Dtype::of<double>(), shape, strides, {&byte, nullptr}); };
  CHECK_THROWS_WITH_AS(add({INT64_MAX, 2}, {0, 0}), doctest::Contains("shape_overflow"), Error);
  CHECK_THROWS_WITH_AS(add({-1}, {8}), doctest::Contains("shape_overflow"), Error);
  CHECK_THROWS_WITH_AS(add({3}, {INT64_MAX}), doctest::Contains("shape_overflow"), Error);
  CHECK_THROWS_WITH_AS(add(Ints(65, 1), Ints(65, 1)), doctest::Contains("shape_overflow"), Error);
  CHECK_THROWS_WITH_AS(add({2}, {}), doctest::Contains("bad_argument"), Error);
  const std::int64_t one[] = {1};
  CHECK_THROWS_WITH_AS(g.array(Dtype(TypeClass::object, 8), one, Graph::Order::c, {&byte, nullptr}),
                       doctest::Contains("wrong_type"), Error);
  CHECK_THROWS_WITH_AS(g.array(Dtype::of<double>(), one, Graph::Order::c, {nullptr, nullptr}),
                       doctest::Contains("bad_argument"), Error);
}

TEST_CASE("arrays: padding of records is written as zero, and does not count") {
  struct Row {
    std::int8_t flag;
    double value;
  };
  const Dtype type =
      Dtype::record({{"flag", Dtype::of<std::int8_t>(), 0, {}}, {"value", Dtype::of<double>(), 8, {}}}, 16, true);
  const auto build = [&](int garbage, std::int64_t step) {
    std::vector<std::byte> rows(3000 * 16 * 2, static_cast<std::byte>(garbage));
    for (std::int64_t i = 0; i < 3000; ++i) {
      rows[static_cast<std::size_t>(i * step)] = static_cast<std::byte>(i);
      const double value = static_cast<double>(i);
      std::memcpy(rows.data() + i * step + 8, &value, sizeof value);
    }
    Graph g;
    const std::int64_t shape[] = {3000}, strides[] = {step};
    g.model_root = g.array(type, shape, strides, {rows.data(), nullptr});
    return write(g).bytes;
  };
  CHECK(build(0, 16) == build(0xa5, 16));
  CHECK(build(0, 16) == build(0x5a, 32));
}

TEST_CASE("arrays: bytes that a view of raw bytes covers are kept, padding or not") {
  const Dtype type = Dtype::record({{"x", Dtype::of<std::int8_t>(), 0, {}}}, 4);
  std::vector<std::byte> rows(40, std::byte{0x11});
  Graph g;
  const std::int64_t ten[] = {10}, six[] = {6};
  const NodeId records = g.array(type, ten, Graph::Order::c, {rows.data(), nullptr});
  const NodeId raw = g.array(Dtype::of<std::uint8_t>(), six, Graph::Order::c, {rows.data() + 1, nullptr});
  const Written w = written_list(g, {records, raw});
  CHECK(w.root()[1].array().copy<std::uint8_t>() == std::vector<std::uint8_t>(6, 0x11));
  const auto bytes = *w.image->find_mapped(0);
  CHECK(bytes[8] == std::byte{0x11});
  CHECK(bytes[9] == std::byte{0});
}

TEST_CASE("arrays: long doubles keep ten bytes, the others are zero") {
  std::vector<long double> values = {1.5L, -2.25L};
  std::memset(reinterpret_cast<std::byte*>(values.data()) + 10, 0x77, 6);
  Graph g;
  const std::int64_t shape[] = {2};
  const Written w = written_list(g, {g.array(Dtype::of<long double>(), shape, Graph::Order::c,
                                             {reinterpret_cast<const std::byte*>(values.data()), nullptr})});
  CHECK(w.root()[0].array().values<long double>()[0] == 1.5L);
  CHECK(w.root()[0].array().bytes()[10] == std::byte{0});
}

TEST_CASE("arrays: an array asks for its alignment in a buffer that it shares") {
  alignas(16) std::byte memory[64] = {};
  Graph g;
  const std::int64_t fifty[] = {50}, four[] = {4};
  const NodeId bytes = g.array(Dtype::of<std::uint8_t>(), fifty, Graph::Order::c, {memory + 3, nullptr});
  const NodeId doubles = g.array(Dtype::of<double>(), four, Graph::Order::c, {memory + 8, nullptr});
  const Written w = written_list(g, {bytes, doubles});
  CHECK(w.root()[1].array().span<double>().size() == 4);
  CHECK(w.root()[1].array().data() - w.root()[0].array().data() == 5);
}

TEST_CASE("arrays: a view that only the program has shares the model's buffer, and does not change it") {
  const Ints base = count_to(4000), other = count_to(10);
  const auto build = [&](bool with_program) {
    Graph g;
    g.model_root = g.list(std::vector<NodeId>{view(g, base, 0, {4000}, {1})});
    if (with_program) {
      g.program_root = g.list(std::vector<NodeId>{view(g, base, 100, {20}, {2}), view(g, other, 0, {10}, {1})});
    }
    return write(g);
  };
  const Written with = build(true), without = build(false);
  CHECK(with.result.content_low == without.result.content_low);
  const Node program(with.image.get(), with.image->footer().program_root);
  CHECK(program[0].array().data() == with.root()[0].array().data() + 800);
  CHECK(program[0].array().values<std::int64_t>()[19] == 138);
  CHECK(program[1].array().copy<std::int64_t>() == other);
  graph::verify_graph(*with.image);
}

TEST_CASE("arrays: values of the other byte order are mended, spans refused") {
  std::vector<double> swapped = {1.5, 2.5};
  for (double& value : swapped) {
    auto* bytes = reinterpret_cast<std::byte*>(&value);
    std::reverse(bytes, bytes + 8);
  }
  Graph g;
  const std::int64_t shape[] = {2};
  const Written w = written_list(g, {g.array(Dtype::parse(">f8"), shape, Graph::Order::c,
                                             {reinterpret_cast<const std::byte*>(swapped.data()), nullptr})});
  const ArrayView array = w.root()[0].array();
  CHECK(array.values<double>()[1] == 2.5);
  CHECK(array.copy<double>() == std::vector<double>{1.5, 2.5});
  CHECK_THROWS_WITH_AS(array.span<double>(), doctest::Contains("not_native"), Error);
  CHECK_THROWS_WITH_AS(array.span<float>(), doctest::Contains("wrong_type"), Error);
  CHECK_THROWS_WITH_AS(array.values<std::int64_t>(), doctest::Contains("wrong_type"), Error);
}

TEST_CASE("arrays: fields of packed records are values at strides") {
  const Dtype type = Dtype::record({{"a", Dtype::of<std::uint8_t>(), 0, {}}, {"b", Dtype::of<double>(), 1, {}}}, 9);
  std::vector<std::byte> rows(90);
  for (std::size_t i = 0; i < 10; ++i) {
    const double value = static_cast<double>(i) / 2;
    rows[i * 9] = static_cast<std::byte>(i);
    std::memcpy(rows.data() + i * 9 + 1, &value, sizeof value);
  }
  Graph g;
  const std::int64_t shape[] = {10};
  const Written w = written_list(g, {g.array(type, shape, Graph::Order::c, {rows.data(), nullptr})});
  const ArrayView array = w.root()[0].array();
  CHECK(array.field<double>("b")[9] == 4.5);
  CHECK(array.field<std::uint8_t>("a")[3] == 3);
  CHECK_THROWS_WITH_AS(array.field<double>("c"), doctest::Contains("no_path"), Error);
  CHECK_THROWS_WITH_AS(array.field<float>("b"), doctest::Contains("wrong_type"), Error);
}

TEST_CASE("arrays: compressed ones say so, and copy() reads them whatever their strides") {
  const Ints base = count_to(300000);
  Graph g;
  const Written w =
      written_list(g, {view(g, base, 0, {300000}, {1}), view(g, base, 299999, {100}, {-3000})}, codec::CodecId::lz4);
  const ArrayView whole = w.root()[0].array(), some = w.root()[1].array();
  CHECK_FALSE(whole.is_mapped());
  CHECK_THROWS_WITH_AS(whole.data(), doctest::Contains("not_mapped"), Error);
  CHECK(whole.copy<std::int64_t>() == base);
  CHECK(some.copy<std::int64_t>()[99] == 299999 - 297000);
  CHECK_THROWS_WITH_AS(whole.copy_to({}), doctest::Contains("bad_argument"), Error);
}

TEST_CASE("arrays: large strided arrays are gathered the same from any place on") {
  const Ints base = count_to(60000);
  Graph g;
  const NodeId id = view(g, base, 59999, {30, 50, 20}, {-2, -60, -3000});
  g.model_root = id;
  const graph::Encoded encoded = graph::encode(g);
  std::vector<std::byte> whole(30 * 50 * 20 * 8);
  encoded.source->read(0, 0, whole);
  for (const std::uint64_t offset : {0u, 1u, 7u, 8u, 1234u, 159u, 160u, 239992u}) {
    std::vector<std::byte> part(std::min<std::size_t>(1000, whole.size() - offset));
    encoded.source->read(0, offset, part);
    CHECK(std::memcmp(part.data(), whole.data() + offset, part.size()) == 0);
  }
  std::int64_t last;
  std::memcpy(&last, whole.data() + whole.size() - 8, sizeof last);
  CHECK(last == 59999 - 29 * 2 - 49 * 60 - 19 * 3000);
}

TEST_CASE("row layout: fields, holes and short rows of a matrix become columns") {
  const auto layout_of = [](const Dtype& type, std::vector<std::int64_t> shape) {
    std::vector<std::byte> memory(type.itemsize());
    for (const std::int64_t n : shape) memory.resize(memory.size() * static_cast<std::size_t>(n));
    Graph g;
    g.model_root = g.array(type, shape, Graph::Order::c, {memory.data(), nullptr});
    const graph::Encoded encoded = graph::encode(g);
    return format::RowLayouts(encoded.columns).of(0);
  };
  const Dtype type = Dtype::record({{"a", Dtype::of<std::int32_t>(), 0, {}}, {"b", Dtype::of<double>(), 8, {}}}, 16);
  const codec::RowLayout record = layout_of(type, {2000});
  REQUIRE(record.columns.size() == 3);
  CHECK(record.row_bytes == 16);
  CHECK(record.columns[0].content == codec::Column::Content::integer);
  CHECK(record.columns[1].content == codec::Column::Content::other);
  CHECK(record.columns[2].content == codec::Column::Content::real);
  CHECK(layout_of(Dtype::of<double>(), {1000, 1, 10}).row_bytes == 80);
  CHECK(layout_of(Dtype::of<double>(), {1000, 1, 10}).columns.size() == 10);
  CHECK(layout_of(Dtype::of<double>(), {1000, 500}).row_bytes == 8);
  CHECK(layout_of(Dtype::of<double>(), {4000}).columns.size() == 1);
}
