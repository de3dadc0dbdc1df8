// States that compiled code would follow out of its arrays.

#include <doctest/doctest.h>

#include <functional>
#include <string>

#include <mere/error.hpp>
#include "trust/state_graphs.hpp"
#include "trust/validators.hpp"

using namespace mere;
using trust::StateGraph;
using trust::TreeParts;

namespace {

// What validate_states says; empty: nothing to say.
std::string verdict(const StateGraph& build) {
  try {
    trust::validate_states(build.graph, "m.pkl");
  } catch (const Error& error) {
    CHECK(error.code() == Errc::corrupt);
    CHECK(std::string(error.message()).find("m.pkl: the root (") != std::string::npos);
    return std::string(error.message());
  }
  return "";
}

std::string tree_verdict(const std::function<void(TreeParts&)>& change) {
  TreeParts parts;
  change(parts);
  StateGraph build;
  trust::add_tree(build, parts);
  return verdict(build);
}

bool says(const std::string& message, std::string_view words) {
  INFO(message);
  return message.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("validators, tree: children form one tree, from the root down, within max_depth") {
  CHECK(tree_verdict([](TreeParts&) {}) == "");
  CHECK(tree_verdict([](TreeParts& t) { t.max_depth = 3; }) == "");
  CHECK(says(tree_verdict([](TreeParts& t) { t.nodes[1].left_child = 1; }), "node 1 has child 1, expected 2 to 4"));
  CHECK(says(tree_verdict([](TreeParts& t) { t.nodes[1].left_child = 0; }), "node 1 has child 0"));
  CHECK(says(tree_verdict([](TreeParts& t) { t.nodes[1].left_child = 5; }), "node 1 has child 5"));
  CHECK(says(tree_verdict([](TreeParts& t) { t.nodes[1].left_child = -2; }), "node 1 has child -2"));
  CHECK(says(tree_verdict([](TreeParts& t) { t.nodes[1].left_child = INT64_MAX; }), "node 1 has child"));
  CHECK(says(tree_verdict([](TreeParts& t) { t.nodes[1].left_child = 3; }), "node 3 is the child of two"));
  CHECK(says(tree_verdict([](TreeParts& t) { t.nodes[1].left_child = 4; }), "node 4 is the child of two"));
  CHECK(says(tree_verdict([](TreeParts& t) { t.nodes[1].right_child = -1; }), "node 1 has one child"));
  CHECK(says(tree_verdict([](TreeParts& t) { t.nodes[0] = {}; }), "nothing leads to node 1"));
  CHECK(says(tree_verdict([](TreeParts& t) { t.max_depth = 1; }), "max_depth is 1, expected 2 to 5"));
  CHECK(says(tree_verdict([](TreeParts& t) { t.max_depth = 1 << 30; }), "max_depth"));
}

TEST_CASE("validators, tree: a depth of 30,000 is counted, not walked by recursion") {
  TreeParts parts;
  parts.nodes.clear();
  for (std::int64_t i = 0; i < 30000; ++i) {
    parts.nodes.push_back({2 * i + 1, 2 * i + 2, 0});
    parts.nodes.push_back({});
  }
  parts.nodes.push_back({});
  parts.node_count = parts.rows = static_cast<std::int64_t>(parts.nodes.size());
  // Node 2i is a split whose left child is a leaf.
  parts.max_depth = 30000;
  StateGraph good;
  trust::add_tree(good, parts);
  CHECK(verdict(good) == "");
  parts.max_depth = 29999;
  StateGraph bad;
  trust::add_tree(bad, parts);
  CHECK(says(verdict(bad), "max_depth is 29999"));
}

TEST_CASE("validators, tree: features, classes and rows of values") {
  CHECK(says(tree_verdict([](TreeParts& t) { t.nodes[0].feature = 2; }), "splits on feature 2 of 2"));
  CHECK(says(tree_verdict([](TreeParts& t) { t.nodes[0].feature = -2; }), "splits on feature -2"));
  CHECK(says(tree_verdict([](TreeParts& t) { t.rows = 4; }), "the rows of values is 4, expected 5"));
  CHECK(says(tree_verdict([](TreeParts& t) { t.node_count = 6; }), "node_count is 6, expected 5"));
  CHECK(says(tree_verdict([](TreeParts& t) { t.classes = 4; }), "the classes of values is 3, expected 4"));
  CHECK(says(tree_verdict([](TreeParts& t) { t.outputs = 2; }), "n_classes"));
  CHECK(says(tree_verdict([](TreeParts& t) { t.classes = 0; }), "n_classes[0] is 0"));
}

TEST_CASE("validators, tree: an estimator or ensemble with fewer features than its tree") {
  StateGraph build;
  const NodeId tree = trust::add_tree(build, {});
  const auto estimator = [&](std::int64_t features) {
    return build.object("sklearn.tree._classes", "DecisionTreeClassifier", {},
                        build.dict({{"tree_", tree}, {"n_features_in_", build.integer(features)}}));
  };
  estimator(2);
  CHECK(verdict(build) == "");
  const NodeId inner = build.graph.model_root;
  build.object("sklearn.ensemble.forest", "RandomForestClassifier", {},
               build.dict({{"estimators_", build.list({inner})}, {"n_features_in_", build.integer(1)}}));
  CHECK(says(verdict(build), "a tree takes 2 features, the ensemble has 1"));
  StateGraph other;
  const NodeId small = trust::add_tree(other, {});
  other.object("sklearn.tree._classes", "DecisionTreeRegressor", {},
               other.dict({{"tree_", small}, {"n_features_in_", other.integer(1)}}));
  CHECK(says(verdict(other), "the n_features of tree_ is 2, expected 1"));
}

TEST_CASE("validators, random state: a position past its buffer, and a key of another length") {
  const auto state = [](std::int64_t pos, std::size_t words) {
    StateGraph build;
    const NodeId inner =
        build.dict({{"key", build.array(std::vector<std::uint32_t>(words))}, {"pos", build.integer(pos)}});
    build.object("numpy.random._pickle", "__randomstate_ctor", {build.graph.text("MT19937")},
                 build.dict({{"bit_generator", build.graph.text("MT19937")}, {"state", inner}}));
    return verdict(build);
  };
  CHECK(state(624, 624) == "");
  CHECK(says(state(625, 624), "pos is 625, expected 0 to 624"));
  CHECK(says(state(-1, 624), "pos is -1"));
  CHECK(says(state(0, 623), "the length of key is 623, expected 624"));
  StateGraph philox;
  const auto words = [&](std::size_t n) { return philox.array(std::vector<std::uint64_t>(n)); };
  philox.object("numpy.random._pickle", "__bit_generator_ctor", {philox.graph.text("Philox")},
                philox.dict({{"bit_generator", philox.graph.text("Philox")},
                             {"state", philox.dict({{"counter", words(4)}, {"key", words(2)}})},
                             {"buffer", words(4)},
                             {"buffer_pos", philox.integer(5)}}));
  CHECK(says(verdict(philox), "buffer_pos is 5, expected 0 to 4"));
}

TEST_CASE("validators, random state: what PCG64DXSM, SFC64 and Philox keep") {
  const auto generator = [](const char* name, const char* missing, std::int64_t kept = 0, std::int64_t half = 0) {
    StateGraph build;
    trust::StateGraph::Attributes inner;
    const std::string of = name;
    const auto words = [&](std::size_t n) { return build.array(std::vector<std::uint64_t>(n)); };
    if (of == "PCG64DXSM" || of == "PCG64") inner = {{"state", build.integer(1)}, {"inc", build.integer(1)}};
    if (of == "SFC64") inner = {{"state", words(4)}};
    if (of == "Philox") inner = {{"counter", words(4)}, {"key", words(2)}};
    std::erase_if(inner, [&](const auto& attribute) { return attribute.first == missing; });
    build.object("numpy.random._pickle", "__bit_generator_ctor", {build.graph.text(name)},
                 build.dict({{"bit_generator", build.graph.text(name)},
                             {"state", build.dict(inner)},
                             {"buffer", words(4)},
                             {"buffer_pos", build.integer(4)},
                             {"has_uint32", build.integer(kept)},
                             {"uinteger", build.integer(half)}}));
    return verdict(build);
  };
  for (const char* name : {"PCG64", "PCG64DXSM", "SFC64", "Philox"}) {
    CAPTURE(std::string(name));
    CHECK(generator(name, "") == "");
    CHECK(says(generator(name, "", 2), "has_uint32 is 2, expected 0 to 1"));
    CHECK(says(generator(name, "", 0, -1), "uinteger is -1"));
  }
  CHECK(says(generator("PCG64DXSM", "inc"), "without \"inc\""));
  CHECK(says(generator("SFC64", "state"), "without \"state\""));
  CHECK(says(generator("Philox", "key"), "without \"key\""));
  CHECK(says(generator("PCG65", ""), "of which nothing is known"));
  StateGraph called;
  called.object("numpy.random._pickle", "__bit_generator_ctor", {called.graph.name("sklearn.svm", "SVC")}, kNoNode);
  CHECK(says(verdict(called), "made from sklearn.svm.SVC, expected a bit generator"));
}

TEST_CASE("validators, random state: a SeedSequence by its arguments and by its state") {
  struct Seeds {
    std::int64_t pool_size = 4, spawned = 0;
    std::size_t words = 4;
    bool text_entropy = false, text_key = false;
  };
  const auto entropy = [](StateGraph& build, bool text) {
    return text ? build.graph.text("x") : build.list({build.integer(1), build.integer(INT64_MAX)});
  };
  const auto called = [&](const Seeds& seeds) {
    StateGraph build;
    ObjectParts parts;
    parts.type = build.graph.name("numpy.random.bit_generator", "SeedSequence");
    parts.args = build.tuple({entropy(build, seeds.text_entropy)});
    parts.kwargs = build.dict({{"pool_size", build.integer(seeds.pool_size)},
                               {"spawn_key", build.tuple({entropy(build, seeds.text_key)})},
                               {"n_children_spawned", build.integer(seeds.spawned)}});
    build.graph.model_root = build.graph.object(ObjectForm::call, parts);
    return verdict(build);
  };
  const auto set = [&](const Seeds& seeds) {
    StateGraph build;
    build.object("numpy.random.bit_generator", "__pyx_unpickle_SeedSequence",
                 {build.graph.name("numpy.random.bit_generator", "SeedSequence"), build.integer(1), build.graph.null()},
                 build.tuple({entropy(build, seeds.text_entropy), build.integer(seeds.spawned),
                              build.array(std::vector<std::uint32_t>(seeds.words)), build.integer(seeds.pool_size),
                              build.tuple({entropy(build, seeds.text_key)})}));
    return verdict(build);
  };
  for (const auto& make :
       {std::function<std::string(const Seeds&)>(called), std::function<std::string(const Seeds&)>(set)}) {
    CHECK(make({}) == "");
    CHECK(says(make({.pool_size = 3}), "pool_size is 3, expected 4 to"));
    CHECK(says(make({.pool_size = INT64_MAX}), "pool_size is"));
    CHECK(says(make({.spawned = -1}), "n_children_spawned is -1"));
    CHECK(says(make({.text_entropy = true}), "entropy holds str, expected whole numbers"));
    CHECK(says(make({.text_key = true}), "spawn_key holds str"));
  }
  CHECK(says(set({.words = 3}), "the length of pool is 3, expected 4"));
  CHECK(says(set({.pool_size = 5}), "the length of pool is 4, expected 5"));
}

TEST_CASE("validators, sparse: indices past a side, indptr that falls or ends past the data") {
  const auto csr = [](std::initializer_list<std::int64_t> indptr, std::initializer_list<std::int64_t> indices,
                      std::int64_t rows = 2) {
    StateGraph build;
    build.object("scipy.sparse._csr", "csr_matrix", {},
                 build.dict({{"_shape", build.tuple({build.integer(rows), build.integer(3)})},
                             {"indptr", build.integers(indptr)},
                             {"indices", build.integers(indices)},
                             {"data", build.array(std::vector<double>(indices.size()))}}));
    return verdict(build);
  };
  CHECK(csr({0, 1, 2}, {0, 2}) == "");
  CHECK(says(csr({0, 1, 2}, {0, 3}), "indices[1] is 3, expected 0 to 2"));
  CHECK(says(csr({0, 1, 2}, {0, -1}), "indices[1] is -1"));
  CHECK(says(csr({0, 1, 3}, {0, 2}), "the end of indptr is 3"));
  CHECK(says(csr({0, 2, 1}, {0, 2}), "indptr[2] is 1, expected at least 2"));
  CHECK(says(csr({1, 1, 2}, {0, 2}), "indptr[0] is 1"));
  CHECK(says(csr({0, 1, 2}, {0, 2}, 3), "indptr has 3 entries"));
  StateGraph coo;
  coo.object("scipy.sparse._coo", "coo_matrix", {},
             coo.dict({{"_shape", coo.tuple({coo.integer(2), coo.integer(2)})},
                       {"row", coo.integers({0, 2})},
                       {"col", coo.integers({0, 0})},
                       {"data", coo.array(std::vector<double>(2))}}));
  CHECK(says(verdict(coo), "row[1] is 2"));
}

TEST_CASE("validators, neighbours: rows of a KDTree's nodes, and each row once") {
  struct Node {
    std::int64_t start, end, is_leaf;
    double radius;
  };
  const Dtype i8 = Dtype::parse("<i8");
  const Dtype type = Dtype::record({{"idx_start", i8, 0, ""},
                                    {"idx_end", i8, 8, ""},
                                    {"is_leaf", i8, 16, ""},
                                    {"radius", Dtype::parse("<f8"), 24, ""}},
                                   32);
  const auto kd_tree = [&](std::vector<std::int64_t> order, Node node) {
    StateGraph build;
    ObjectParts metric;
    metric.type = build.graph.name("sklearn.metrics._dist_metrics", "newObj");
    metric.args = build.tuple({build.graph.name("sklearn.metrics._dist_metrics", "EuclideanDistance")});
    metric.state = build.tuple({build.graph.real(2), build.array(std::vector<double>{0}), build.reals(1, 1)});
    std::vector<NodeId> state = {build.reals(3, 2),
                                 build.array(std::move(order)),
                                 build.array(type, std::vector<Node>{node}, {1}),
                                 build.array(std::vector<double>(4), {2, 1, 2}),
                                 build.integer(40),
                                 build.integer(1),
                                 build.integer(1)};
    for (int i = 0; i < 4; ++i) state.push_back(build.integer(0));
    state.push_back(build.graph.object(ObjectForm::call, metric));
    state.push_back(build.graph.null());
    build.object("sklearn.neighbors._kd_tree", "newObj", {build.graph.name("sklearn.neighbors._kd_tree", "KDTree")},
                 build.tuple(state));
    return verdict(build);
  };
  CHECK(kd_tree({2, 0, 1}, {0, 3, 1, 0}) == "");
  CHECK(says(kd_tree({2, 0, 1}, {0, 4, 1, 0}), "node 0 has rows 0 to 4 of 3"));
  CHECK(says(kd_tree({2, 0, 1}, {0, 3, 0, 0}), "is no leaf and has no children"));
  CHECK(says(kd_tree({2, 0, 3}, {0, 3, 1, 0}), "idx_array[2] is 3"));
  CHECK(says(kd_tree({2, 0, 0}, {0, 3, 1, 0}), "idx_array[2] is 0"));
}

TEST_CASE("validators, support vectors: sizes and counts agree") {
  const auto svc = [](std::int64_t vectors, std::initializer_list<std::int64_t> counts, std::int64_t coefficients,
                      std::int64_t intercepts) {
    StateGraph build;
    build.object("sklearn.svm._classes", "SVC", {},
                 build.dict({{"support_", build.integers({0, 1, 2})},
                             {"support_vectors_", build.reals(vectors, 2)},
                             {"_n_support", build.integers(counts)},
                             {"_dual_coef_", build.reals(1, coefficients)},
                             {"_intercept_", build.array(std::vector<double>(static_cast<std::size_t>(intercepts)))}}));
    return verdict(build);
  };
  CHECK(svc(3, {1, 2}, 3, 1) == "");
  CHECK(says(svc(2, {1, 2}, 3, 1), "the rows of support_vectors_ is 2, expected 3"));
  CHECK(says(svc(3, {1, 3}, 3, 1), "the sum of n_support_ is 4"));
  CHECK(says(svc(3, {-1, 3}, 3, 1), "n_support_[0] is -1"));
  CHECK(says(svc(3, {1, 2}, 2, 1), "the columns of _dual_coef_ is 2"));
  CHECK(says(svc(3, {1, 2}, 3, 2), "the length of _intercept_ is 2"));
}

TEST_CASE("validators, support vectors: None in place of an array is refused, nothing at all is not") {
  for (const char* name : {"support_", "_n_support", "_intercept_", "_probA"}) {
    CAPTURE(name);
    StateGraph build;
    build.object("sklearn.svm._classes", "SVR", {}, build.dict({{name, build.graph.null()}}));
    CHECK(says(verdict(build), std::string(name) + " is None"));
  }
  StateGraph unfitted;
  unfitted.object("sklearn.svm._classes", "SVR", {}, unfitted.dict({}));
  CHECK(verdict(unfitted) == "");
}

TEST_CASE("validators, layers and matrices: a chain that breaks, a column too many") {
  StateGraph mlp;
  mlp.object(
      "sklearn.neural_network._multilayer_perceptron", "MLPClassifier", {},
      mlp.dict({{"coefs_", mlp.list({mlp.reals(2, 3), mlp.reals(4, 1)})},
                {"intercepts_", mlp.list({mlp.array(std::vector<double>(3)), mlp.array(std::vector<double>(1))})}}));
  CHECK(says(verdict(mlp), "the rows of coefs_[1] is 4, expected 3"));
  StateGraph kmeans;
  kmeans.object("sklearn.cluster._kmeans", "KMeans", {},
                kmeans.dict({{"cluster_centers_", kmeans.reals(3, 2)}, {"n_features_in_", kmeans.integer(3)}}));
  CHECK(says(verdict(kmeans), "the columns of cluster_centers_ is 2, expected 3"));
}

TEST_CASE("validators, boosted trees: children, bitsets and features") {
  struct Node {
    std::uint32_t feature_idx, left, right;
    std::uint8_t is_leaf, is_categorical, pad[2];
    std::uint32_t bitset_idx;
  };
  const Dtype u4 = Dtype::parse("<u4"), u1 = Dtype::parse("|u1");
  const Dtype type = Dtype::record({{"feature_idx", u4, 0, ""},
                                    {"left", u4, 4, ""},
                                    {"right", u4, 8, ""},
                                    {"is_leaf", u1, 12, ""},
                                    {"is_categorical", u1, 13, ""},
                                    {"bitset_idx", u4, 16, ""}},
                                   20);
  const auto predictor = [&](Node root, std::int64_t bitsets = 0) {
    StateGraph build;
    const Node leaf{0, 0, 0, 1, 0, {}, 0};
    const NodeId sets = build.array(std::vector<std::uint32_t>(static_cast<std::size_t>(bitsets) * 8), {bitsets, 8});
    build.object("sklearn.ensemble._hist_gradient_boosting.predictor", "TreePredictor", {},
                 build.dict({{"nodes", build.array(type, std::vector<Node>{root, leaf, leaf}, {3})},
                             {"binned_left_cat_bitsets", sets},
                             {"raw_left_cat_bitsets", sets}}));
    return verdict(build);
  };
  CHECK(predictor({0, 1, 2, 0, 0, {}, 0}) == "");
  CHECK(predictor({0, 1, 2, 0, 1, {}, 0}, 1) == "");
  CHECK(says(predictor({0, 1, 2, 0, 1, {}, 1}, 1), "node 0 has bitset 1 of 1"));
  CHECK(says(predictor({0, 1, 3, 0, 0, {}, 0}), "node 0 has child 3"));
  CHECK(says(predictor({0, 0, 2, 0, 0, {}, 0}), "node 0 has child 0"));
  CHECK(says(predictor({0xffffffff, 1, 2, 0, 0, {}, 0}), "splits on feature"));
}

TEST_CASE("validators, arrays: masks, splines and shapes that promise more than there is") {
  StateGraph masked;
  masked.object(
      "numpy.ma.core", "_mareconstruct", {masked.graph.name("numpy.ma.core", "MaskedArray")},
      masked.tuple({masked.integer(1), masked.tuple({masked.integer(3)}), masked.graph.dtype(Dtype::parse("<f8")),
                    masked.graph.boolean(false), masked.array(std::vector<double>(3)),
                    masked.array(std::vector<std::uint8_t>(2)), masked.graph.null()}));
  CHECK(says(verdict(masked), "the number of elements of its mask is 2, expected 3"));
  StateGraph matrix;
  matrix.object("numpy.core.multiarray", "_reconstruct", {matrix.graph.name("numpy", "matrix")},
                matrix.tuple({matrix.integer(1), matrix.tuple({matrix.integer(9), matrix.integer(9)}),
                              matrix.graph.dtype(Dtype::parse("<f8")), matrix.graph.boolean(false),
                              matrix.array(std::vector<double>(3))}));
  CHECK(says(verdict(matrix), "its data is 3, expected 81"));
  StateGraph spline;
  spline.object("scipy.interpolate._bsplines", "BSpline", {},
                spline.dict({{"t", spline.array(std::vector<double>(8))},
                             {"c", spline.array(std::vector<double>(3))},
                             {"k", spline.integer(3)}}));
  CHECK(says(verdict(spline), "the rows of c is 3"));
}

TEST_CASE("validators: a part of another kind is a schema error, and one array in a million objects is too much") {
  StateGraph build;
  build.object("scipy.sparse._csr", "csr_matrix", {}, build.dict({{"_shape", build.graph.text("x")}}));
  CHECK_THROWS_WITH_AS(trust::validate_states(build.graph), doctest::Contains("its shape is str, expected a list"),
                       Error);
  StateGraph many;
  const NodeId big = many.array(std::vector<std::int32_t>(1 << 20));
  const NodeId data = many.array(std::vector<std::uint8_t>(1 << 20));
  const NodeId state = many.dict({{"_shape", many.tuple({many.integer(1), many.integer(1)})},
                                  {"indptr", many.integers({0, 1 << 20})},
                                  {"indices", big},
                                  {"data", data}});
  for (int i = 0; i < 1000; ++i) many.object("scipy.sparse._csr", "csr_matrix", {}, state);
  try {
    trust::validate_states(many.graph);
    FAIL("no limit");
  } catch (const Error& error) {
    CHECK(error.reason() == Reason::too_large);
  }
}
