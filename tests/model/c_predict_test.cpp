// Makes the models that c_predict_test.c predicts with.

#include <doctest/doctest.h>

#include "model/estimator_graph.hpp"
#include "os/scratch_directory.hpp"

extern "C" int mere_c_sparse_test(const char* path);
extern "C" int mere_c_table_test(const char* path);

namespace {

using mere::NodeId;
using mere::test::EstimatorGraph;

// 2 x0 - x2 + 0.5, of three columns.
EstimatorGraph linear() {
  EstimatorGraph from("sklearn.linear_model._base", "LinearRegression");
  from.set("n_features_in_", from.graph().integer(3));
  from.set("coef_", from.reals({2, 0, -1}, {3}));
  from.set("intercept_", from.graph().real(0.5));
  return from;
}

NodeId texts(EstimatorGraph& to, const std::vector<std::string_view>& all) {
  std::vector<NodeId> nodes;
  for (const std::string_view text : all) nodes.push_back(to.graph().text(text));
  const std::int64_t shape[] = {static_cast<std::int64_t>(all.size())};
  return to.graph().object_array(shape, nodes);
}

// Columns "city" (texts) and "size" (numbers); what is not known is -1.
EstimatorGraph encoder() {
  EstimatorGraph from("sklearn.preprocessing._encoders", "OrdinalEncoder");
  from.set("n_features_in_", from.graph().integer(2));
  from.set("feature_names_in_", texts(from, {"city", "size"}));
  const NodeId categories[] = {texts(from, {"Oslo", "Paris", "Z\xc3\xbcrich"}), from.reals({1, 2.5, 4}, {3})};
  from.set("categories_", from.graph().list(categories));
  from.set("handle_unknown", from.graph().text("use_encoded_value"));
  from.set("unknown_value", from.graph().integer(-1));
  return from;
}

}  // namespace

TEST_CASE("C interface: sparse rows give what the dense ones do, and what lies about itself is refused, from C") {
  const mere::test::ScratchDirectory scratch;
  linear().dump(scratch / "linear.mere");
  CHECK(mere_c_sparse_test((scratch / "linear.mere").c_str()) == 0);
}

TEST_CASE("C interface: tables by name and by position, texts in each of their forms, from C") {
  const mere::test::ScratchDirectory scratch;
  encoder().dump(scratch / "encoder.mere");
  CHECK(mere_c_table_test((scratch / "encoder.mere").c_str()) == 0);
}
