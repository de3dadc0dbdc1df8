#include <doctest/doctest.h>

#include "graph/path.hpp"
#include "graph/written.hpp"

using namespace mere;
using test::write;
using test::Written;

namespace {

// A forest much like scikit-learn's, and keys of every sort.
Graph forest() {
  Graph g;
  std::vector<NodeId> trees;
  for (int i = 0; i < 5; ++i) {
    const std::pair<NodeId, NodeId> inner[] = {{g.text("max_depth"), g.integer(i)}, {g.text("nodes"), g.list()}};
    const NodeId tree = g.object(
        ObjectForm::call, {.type = g.name("sklearn.tree._tree", "Tree"), .args = g.tuple({}), .state = g.dict(inner)});
    const std::pair<NodeId, NodeId> outer[] = {{g.text("tree_"), tree}};
    trees.push_back(g.object(ObjectForm::construct,
                             {.type = g.name("sklearn.tree", "DecisionTreeClassifier"), .state = g.dict(outer)}));
  }
  const NodeId member = g.frozenset({});
  const NodeId set = g.set();
  g.fill(set, std::vector<NodeId>{g.integer(3), member});
  const std::pair<NodeId, NodeId> odd[] = {{g.integer(7), g.list()},
                                           {g.text("a b\"\\\n\xc3\xa9\xed\xa0\x80"), g.list()},
                                           {g.text(""), g.list()},
                                           {g.tuple(std::vector<NodeId>{g.list()}), g.list()},
                                           {g.text("\xed\xa0\x80\xed\xb0\x80"), g.list()}};
  const std::pair<NodeId, NodeId> slots[] = {{g.text("slot"), g.list()}, {g.text("estimators_"), g.bytearray({})}};
  const std::pair<NodeId, NodeId> state[] = {
      {g.text("estimators_"), g.list(trees)}, {g.text("odd"), g.dict(odd)}, {g.text("set"), set}};
  const NodeId both[] = {g.dict(state), g.dict(slots)};
  const std::pair<NodeId, NodeId> entry[] = {{g.integer(1), g.list()}};
  g.model_root = g.object(ObjectForm::construct, {.type = g.name("m", "Forest"),
                                                  .state = g.tuple(both),
                                                  .items = g.list(std::vector<NodeId>{g.list()}),
                                                  .entries = g.dict(entry)});
  const std::pair<NodeId, NodeId> note[] = {{g.text("note"), g.text("made by hand")}};
  g.metadata_root = g.dict(note);
  return g;
}

}  // namespace

TEST_CASE("paths: names go through the state of objects, indexes and braces through the rest") {
  const Written w = write(forest());
  CHECK(w.at("estimators_[3].tree_.max_depth").integer() == 3);
  CHECK(w.at(".estimators_[3].tree_@type").name() == "sklearn.tree._tree.Tree");
  CHECK(w.at("estimators_[3].tree_@state.max_depth").integer() == 3);
  CHECK(w.at("[\"slot\"]") == w.at("slot"));
  CHECK(w.at("set{0}").integer() == 3);
  CHECK(w.at("odd{0}@key").integer() == 7);
  CHECK(w.at("odd[\"a b\\\"\\\\\\n\\u00e9\\ud800\"]") == w.at("odd{1}"));
  CHECK(w.at("[0]") == w.at("@items[0]"));
  CHECK(w.at("{0}") == w.at("@entries{0}"));
  CHECK(w.at("{0}@key").integer() == 1);
  CHECK(w.at("@metadata.note").text() == "made by hand");
  CHECK(w.at("estimators_").find_at("[1].tree_"));
  CHECK(w.at("") == w.root());
}

TEST_CASE("paths: a name of two dicts in a state means the first; the other has a longer path") {
  const Written w = write(forest());
  CHECK(w.at("estimators_").kind() == Kind::list);
  const Node shadowed = w.at("@state[1].estimators_");
  CHECK(shadowed.kind() == Kind::bytearray);
  CHECK(w.at(shadowed.path()) == shadowed);
}

TEST_CASE("paths: path() is as short as can be, and at() leads back") {
  const Written w = write(forest());
  CHECK(w.at("estimators_[3].tree_.nodes").path() == "estimators_[3].tree_.nodes");
  CHECK(w.root().path().empty());
  CHECK(w.at("odd{1}").path() == "odd[\"a b\\\"\\\\\\n\xc3\xa9\\ud800\"]");
  CHECK(w.at("odd{2}").path() == "odd[\"\"]");
  CHECK(w.at("odd{4}").path() == "odd{4}");  // two surrogates would be read as one character
  CHECK(w.at("[0]").path() == "[0]");
  CHECK(w.at("{0}").path() == "{0}");
  CHECK(w.at("@metadata.note").path() == "@metadata.note");
  CHECK(w.at("@metadata").path() == "@metadata");
}

TEST_CASE("paths: what is absent is no_path, with the part that was found; what is no path is bad_argument") {
  const Written w = write(forest());
  CHECK_FALSE(w.root().find_at("estimators_[5]"));
  CHECK_FALSE(w.root().find_at("estimators_[0].tree_.nothing.more"));
  CHECK_FALSE(w.root().find_at("@program"));
  CHECK_THROWS_WITH_AS(w.at("estimators_[5].tree_"), doctest::Contains("\"estimators_\""), Error);
  for (const char* broken : {"[", "[x]", "[1", "{1", "a..b", ".", "a b", "@nothing", "[\"a]", "[\"\\x\"]",
                             "[\"\\u12\"]", "[-1]", "[99999999999999999999]", "a]", "estimators_[5].", "9"}) {
    CAPTURE(broken);
    CHECK_THROWS_WITH_AS(w.at(broken), doctest::Contains("bad_argument"), Error);
    CHECK_THROWS_WITH_AS(w.root().find_at(broken), doctest::Contains("bad_argument"), Error);
  }
}

TEST_CASE("paths: a walk's path is the way it came, and repeats are shown when asked for") {
  Graph g;
  const NodeId shared = g.list(std::vector<NodeId>{g.list()});
  g.model_root = g.list(std::vector<NodeId>{shared, shared});
  const Written w = write(g);
  Walk walk(w.root());
  walk.show_repeats(true);
  std::vector<std::string> paths;
  while (walk.next()) paths.push_back(walk.path() + (walk.first_visit() ? "" : " again"));
  CHECK(paths == std::vector<std::string>{"", "[0]", "[0][0]", "[1] again"});
  Walk shallow(w.root());
  std::size_t count = 0;
  while (shallow.next()) {
    ++count;
    if (shallow.depth() == 1) shallow.skip_children();
  }
  CHECK(count == 2);
}

TEST_CASE("sparse: a csr matrix as scipy pickles it") {
  Graph g;
  const std::vector<double> data = {1, 2};
  const std::vector<std::int32_t> indices = {0, 2}, indptr = {0, 1, 2};
  const auto array = [&](const Dtype& type, const void* first, std::int64_t n) {
    const std::int64_t shape[] = {n};
    return g.array(type, shape, Graph::Order::c, {static_cast<const std::byte*>(first), nullptr});
  };
  const std::pair<NodeId, NodeId> state[] = {
      {g.text("_shape"), g.tuple(std::vector<NodeId>{g.integer(2), g.integer(3)})},
      {g.text("data"), array(Dtype::of<double>(), data.data(), 2)},
      {g.text("indices"), array(Dtype::of<std::int32_t>(), indices.data(), 2)},
      {g.text("indptr"), array(Dtype::of<std::int32_t>(), indptr.data(), 3)}};
  const NodeId good =
      g.object(ObjectForm::construct, {.type = g.name("scipy.sparse._csr", "csr_matrix"), .state = g.dict(state)});
  const NodeId bad =
      g.object(ObjectForm::construct, {.type = g.name("scipy.sparse._dia", "dia_matrix"), .state = g.dict(state)});
  const NodeId other = g.object(ObjectForm::construct, {.type = g.name("m", "csr")});
  g.model_root = g.list(std::vector<NodeId>{good, bad, other});
  const Written w = write(g);
  const SparseView sparse = w.root()[0].sparse();
  CHECK(sparse.layout == "csr");
  CHECK(sparse.rows == 2);
  CHECK(sparse.columns == 3);
  CHECK(sparse.data->copy<double>() == data);
  CHECK(sparse.indptr->copy<std::int32_t>() == indptr);
  CHECK_THROWS_WITH_AS(w.root()[1].sparse(), doctest::Contains("schema"), Error);
  CHECK_THROWS_WITH_AS(w.root()[2].sparse(), doctest::Contains("wrong_kind"), Error);
}
