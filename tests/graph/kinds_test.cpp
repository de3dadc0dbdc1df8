#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

#include "graph/written.hpp"

using namespace mere;
using test::write;
using test::Written;

namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

NodeId list_of(Graph& graph, std::vector<NodeId> items) {
  return graph.list(items);
}

}  // namespace

TEST_CASE("kinds: every leaf comes back with its value") {
  Graph g;
  const float half = 0.5f;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  std::vector<NodeId> items = {g.null(),
                               g.boolean(true),
                               g.boolean(false),
                               g.integer(-5),
                               g.integer(INT64_MIN),
                               g.unsigned_integer(UINT64_MAX),
                               g.real(0.5),
                               g.real(-0.0),
                               g.real(nan),
                               g.complex({1.5, -2.0}),
                               g.text("h\xc3\xa9"),
                               g.text(""),
                               g.bytes(bytes_of(std::string_view("a\0b", 3))),
                               g.bytearray(bytes_of("xyz")),
                               g.ellipsis(),
                               g.scalar(Dtype::of<float>(), std::as_bytes(std::span(&half, 1))),
                               g.dtype(Dtype::of<std::int32_t>()),
                               g.name("sklearn.tree._tree", "Tree"),
                               g.name("", "Forest")};
  g.model_root = list_of(g, items);
  const Written w = write(g);
  const Node root = w.root();
  REQUIRE(root.size() == items.size());
  CHECK(root[0].is_null());
  CHECK(root[1].boolean());
  CHECK_FALSE(root[2].boolean());
  CHECK(root[3].integer() == -5);
  CHECK(root[4].integer() == INT64_MIN);
  CHECK(root[5].is_big());
  CHECK(root[5].integer_text() == "18446744073709551615");
  CHECK_THROWS_AS(root[5].integer(), Error);
  CHECK(root[6].real() == 0.5);
  CHECK(std::signbit(root[7].real()));
  CHECK(std::isnan(root[8].real()));
  CHECK(root[9].complex() == std::complex<double>(1.5, -2.0));
  CHECK(root[10].text() == "h\xc3\xa9");
  CHECK(root[11].text().empty());
  CHECK(root[12].bytes().size() == 3);
  CHECK(root[13].kind() == Kind::bytearray);
  CHECK(root[14].kind() == Kind::ellipsis);
  CHECK(root[15].dtype() == Dtype::of<float>());
  CHECK(root[15].scalar_bytes().size() == 4);
  CHECK(root[16].dtype() == Dtype::of<std::int32_t>());
  CHECK(root[17].name() == "sklearn.tree._tree.Tree");
  CHECK(root[17].module() == "sklearn.tree._tree");
  CHECK(root[17].qualname() == "Tree");
  CHECK(root[18].module().empty());
  CHECK(root[18].qualname() == "Forest");
}

TEST_CASE("kinds: an array comes back mapped, with its type and shape") {
  Graph g;
  const std::vector<double> values = {1, 2, 3, 4, 5, 6};
  const std::int64_t shape[] = {2, 3};
  const NodeId key = g.text("coef_");
  const NodeId array =
      g.array(Dtype::of<double>(), shape, Graph::Order::c, {std::as_bytes(std::span(values)).data(), nullptr});
  const std::pair<NodeId, NodeId> entries[] = {{key, array}};
  g.model_root = g.dict(entries);
  const Written w = write(g);
  const ArrayView view = w.at("coef_").array();
  CHECK(view.shape() == Dims{2, 3});
  CHECK(view.strides() == Dims{24, 8});
  CHECK(view.dtype().to_text() == "float64");
  CHECK(view.span<double>()[5] == 6);
  CHECK(view.values<double>()(1, 0) == 4);
  CHECK(view.copy<double>() == values);
  CHECK(w.at("coef_").path() == "coef_");
}
