// Views for xtensor.

#include <doctest/doctest.h>

#include <mere/xtensor.hpp>

#include "model/reasons.hpp"

namespace {

using mere::Model;
using mere::Reason;
using mere::test::reason_of;

struct Tensors {
  xt::xtensor<double, 2> matrix;
  xt::xarray<float> any;
};
MERE_RECORD(Tensors, matrix, any)

// A 3 x 4 matrix, its transpose, every other column, its rows backwards, and one row broadcast.
struct Views {
  double values[12];
  std::vector<std::byte> bytes;
  Model model;
  Views() {
    for (int i = 0; i < 12; ++i) values[i] = i;
    mere::Graph graph;
    const auto* data = reinterpret_cast<const std::byte*>(values);
    const auto view = [&](std::vector<std::int64_t> shape, std::vector<std::int64_t> strides, std::size_t offset) {
      return graph.array(mere::Dtype::of<double>(), shape, strides, {data + offset, nullptr});
    };
    const mere::NodeId items[] = {view({3, 4}, {32, 8}, 0), view({4, 3}, {8, 32}, 0), view({3, 2}, {32, 16}, 0),
                                  view({3, 4}, {-32, 8}, 64), view({5, 4}, {0, 8}, 32)};
    graph.model_root = graph.list(items);
    bytes = mere::dump_bytes(graph);
    model = Model::from_bytes(bytes);
  }
};

}  // namespace

TEST_CASE("xtensor: a view has the array's shape, strides and values, where they lie") {
  const Views views;
  const auto matrix = mere::as_xtensor<double, 2>(views.model.at("[0]"));
  CHECK(matrix.shape()[0] == 3);
  CHECK(matrix.shape()[1] == 4);
  CHECK(matrix(2, 3) == 11);
  CHECK(static_cast<const void*>(&matrix(0, 0)) == views.model.at("[0]").array().data());
  const auto transposed = mere::as_xtensor<double, 2>(views.model.at("[1]").array());
  CHECK(transposed(3, 2) == 11);
  CHECK(xt::sum(transposed)() == 66);
  const auto every_other = mere::as_xarray<double>(views.model.at("[2]"));
  CHECK(every_other.dimension() == 2);
  CHECK(every_other(2, 1) == 10);
  const auto broadcast = mere::as_xtensor<double, 2>(views.model.at("[4]"));
  CHECK(xt::sum(broadcast)() == 5 * (4 + 5 + 6 + 7));
  CHECK(xt::all(xt::equal(matrix + matrix, 2 * matrix)));
}

TEST_CASE("xtensor: what has no such view is an error that names copy()") {
  const Views views;
  CHECK(reason_of([&] { mere::as_xtensor<float, 2>(views.model.at("[0]")); }) == Reason::wrong_type);
  CHECK(reason_of([&] { mere::as_xtensor<double, 3>(views.model.at("[0]")); }) == Reason::wrong_shape);
  CHECK(reason_of([&] { mere::as_xtensor<double, 2>(views.model.at("[3]")); }) == Reason::not_contiguous);
  CHECK(mere::test::message_of([&] { mere::as_xtensor<double, 2>(views.model.at("[3]")); }).find("copy()") !=
        std::string::npos);
}

TEST_CASE("xtensor: tensors are members of records, and Arrays have views") {
  Tensors t;
  t.matrix = {{1, 2, 3}, {4, 5, 6}};
  t.any = xt::xarray<float>{1.5f, 2.5f};
  const auto bytes = mere::dump_bytes(t);
  const Model model = Model::from_bytes(bytes);
  const auto back = mere::load<Tensors>(model);
  CHECK(back.matrix == t.matrix);
  CHECK(back.any == t.any);
  const mere::Array<double> array(std::vector<double>{1, 2, 3, 4}, {2, 2});
  CHECK(mere::as_xtensor<2>(array)(1, 0) == 3);
}
