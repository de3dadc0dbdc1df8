#include "trees.hpp"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <mere/predictor.hpp>
#include <mere/states.hpp>

#include "arrays.hpp"
#include "model.hpp"

namespace py = pybind11;

namespace mere::python {

namespace {

Node node_at(const OpenModel& model, NodeId id) {
  return Node(model.model.root().image(), id);
}

// The parts of a file's programs, by the node of their estimator.
class Parts {
 public:
  explicit Parts(const OpenModel& model) : model_(model.model) {
    for (PartInfo& part : Predictor::parts(model_)) {
      // A part of another class than stands there is nobody's.
      const std::optional<Node> node = model_.find_at(part.path);
      if (!node || node->kind() != Kind::object || node->type_name() != part.estimator) continue;
      parts_.emplace(node->id(), std::move(part));
    }
  }

  std::optional<Predictor> find(NodeId id) const {
    const auto found = parts_.find(id);
    if (found == parts_.end()) return std::nullopt;
    return Predictor(model_, found->second);
  }

  std::size_t size() const { return parts_.size(); }

 private:
  Model model_;
  std::unordered_map<NodeId, PartInfo> parts_;
};

std::optional<Node> attribute_of(const Node& object, const std::string& name) {
  const std::optional<Node> state = object.state();
  if (!state || state->kind() != Kind::dict) return std::nullopt;
  return state->find(name);
}

Node need_attribute(const Node& object, const std::string& name) {
  const std::optional<Node> found = attribute_of(object, name);
  if (!found) throw Error(Reason::schema, object.path() + " has no attribute " + name);
  return *found;
}

bool is_listed(const Node& node) {
  return node.kind() == Kind::list || node.kind() == Kind::tuple ||
         (node.kind() == Kind::array && node.dtype().type_class() == TypeClass::object);
}

// Ids of the members of a list, of a list of lists of one length, or of an array of objects; and their shape.
std::pair<std::vector<std::int64_t>, std::vector<NodeId>> members(const OpenModel& model, NodeId id,
                                                                  const std::string& attribute) {
  const Node list = need_attribute(node_at(model, id), attribute);
  if (!is_listed(list)) throw Error(Reason::schema, list.path() + " holds no members");
  std::vector<std::int64_t> shape{static_cast<std::int64_t>(list.size())};
  if (list.kind() == Kind::array) shape = list.object_array_shape();
  std::vector<NodeId> ids;
  for (std::uint64_t i = 0; i < list.size(); ++i) {
    const Node item = list[static_cast<std::size_t>(i)];
    if (list.kind() == Kind::array || !is_listed(item)) {
      ids.push_back(item.id());
      continue;
    }
    if (i == 0) shape.push_back(static_cast<std::int64_t>(item.size()));
    if (shape.size() != 2 || shape[1] != static_cast<std::int64_t>(item.size())) {
      throw Error(Reason::schema, list.path() + " has rows of several lengths");
    }
    for (std::uint64_t k = 0; k < item.size(); ++k) ids.push_back(item[static_cast<std::size_t>(k)].id());
  }
  return {std::move(shape), std::move(ids)};
}

std::vector<std::string> state_names(const OpenModel& model, NodeId id) {
  std::vector<std::string> names;
  const std::optional<Node> state = node_at(model, id).state();
  for (std::uint64_t i = 0; state && state->kind() == Kind::dict && i < state->size(); ++i) {
    const Node key = state->key(static_cast<std::size_t>(i));
    if (key.kind() == Kind::text) names.emplace_back(key.text());
  }
  return names;
}

// What makes the tree_ of a decision tree, its arrays where they lie: (n_features, n_classes, n_outputs, max_depth,
// node_count, nodes, values). With `check` it has passed the validator of its type.
py::tuple tree_state(const OpenModel& model, NodeId id, bool check) {
  const Node tree = need_attribute(node_at(model, id), "tree_");
  const std::optional<Node> args = tree.kind() == Kind::object ? tree.args() : std::nullopt;
  if (!args || args->size() != 3 || tree.type_name() != "sklearn.tree._tree.Tree") {
    throw Error(Reason::schema, tree.path() + " is no tree of scikit-learn's");
  }
  if (check) {
    const py::gil_scoped_release released;
    StateValidator(model.model).check(tree.id());
  }
  const auto number = [&](const char* name) { return need_attribute(tree, name).integer(); };
  const auto array = [&](const Node& node) { return array_of(node.array(), model.bases); };
  const py::object classes = array((*args)[1]);
  const py::object nodes = array(need_attribute(tree, "nodes")), values = array(need_attribute(tree, "values"));
  return py::make_tuple((*args)[0].integer(), classes, (*args)[2].integer(), number("max_depth"), number("node_count"),
                        nodes, values);
}

std::size_t offset_of(const py::dtype& nodes, const char* name, const char* type, bool must = true) {
  const py::object fields = nodes.attr("fields");
  if (fields.is_none() || !fields.contains(name)) {
    if (!must) return TreeNodes::kNone;
    throw Error(Reason::wrong_type, std::string("the nodes have no field ") + name);
  }
  const py::object field = fields[name];
  const auto found = field[py::int_(0)].attr("str").cast<std::string>();
  if (found != type) {
    throw Error(Reason::wrong_type, std::string("the nodes have ") + name + " of type " + found + ", expected " + type);
  }
  return field[py::int_(1)].cast<std::size_t>();
}

// The nodes of one tree, held, with the places of their fields.
class TreeWalk {
 public:
  explicit TreeWalk(const py::array& nodes) : nodes_(nodes) {
    const py::dtype type = nodes.dtype();
    if (nodes.ndim() != 1 || (nodes.shape(0) > 1 && nodes.strides(0) < nodes.itemsize())) {
      throw Error(Reason::wrong_type, "nodes are a vector of records");
    }
    tree_.first = nodes.data();
    tree_.count = static_cast<std::size_t>(nodes.shape(0));
    // A vector of one node may have any stride.
    tree_.stride = tree_.count < 2 ? 0 : static_cast<std::size_t>(nodes.strides(0));
    tree_.left = offset_of(type, "left_child", "<i8");
    tree_.right = offset_of(type, "right_child", "<i8");
    tree_.feature = offset_of(type, "feature", "<i8");
    tree_.threshold = offset_of(type, "threshold", "<f8");
    tree_.missing_left = offset_of(type, "missing_go_to_left", "|u1", false);
  }

  py::array_t<std::int64_t> leaves(const py::array& x) const {
    if (x.ndim() != 2 || !x.dtype().equal(py::dtype::of<float>())) {
      throw Error(Reason::wrong_type, "a matrix of float32 is expected");
    }
    MatrixView view;
    view.data = x.data();
    view.single = true;
    view.rows = static_cast<std::size_t>(x.shape(0));
    view.columns = static_cast<std::size_t>(x.shape(1));
    view.row_stride = x.strides(0);
    view.column_stride = x.strides(1);
    py::array_t<std::int64_t> out(static_cast<py::ssize_t>(view.rows));
    const std::span<std::int64_t> numbers(out.mutable_data(), view.rows);
    {
      const py::gil_scoped_release released;
      tree_leaves(tree_, view, numbers);
    }
    return out;
  }

 private:
  py::array nodes_;
  TreeNodes tree_;
};

// raw[row, t mod columns] += each[row, t], tree by tree: the order in which scikit-learn adds.
void add_stages(py::array_t<double>& raw, const py::array_t<double, py::array::c_style>& each) {
  auto sums = raw.mutable_unchecked<2>();
  const auto trees = each.unchecked<2>();
  if (sums.shape(0) != trees.shape(0) || sums.shape(1) == 0 || trees.shape(1) % sums.shape(1) != 0) {
    throw Error(Reason::wrong_shape, std::to_string(trees.shape(1)) + " trees of " + std::to_string(trees.shape(0)) +
                                         " rows cannot be added to " + std::to_string(sums.shape(1)) + " columns of " +
                                         std::to_string(sums.shape(0)));
  }
  const py::gil_scoped_release released;
  for (py::ssize_t r = 0; r < trees.shape(0); ++r) {
    for (py::ssize_t t = 0; t < trees.shape(1); t += sums.shape(1)) {
      for (py::ssize_t k = 0; k < sums.shape(1); ++k) sums(r, k) += trees(r, t + k);
    }
  }
}

}  // namespace

void bind_trees(py::module_& module) {
  py::class_<Parts>(module, "Parts")
      .def(py::init<const OpenModel&>())
      .def("find", &Parts::find)
      .def("__len__", &Parts::size);
  module.def("members", &members, py::arg("model"), py::arg("node"), py::arg("attribute"));
  module.def("state_names", &state_names, py::arg("model"), py::arg("node"));
  module.def("tree_state", &tree_state, py::arg("model"), py::arg("node"), py::arg("check") = true);
  py::class_<TreeWalk>(module, "TreeWalk").def(py::init<const py::array&>()).def("leaves", &TreeWalk::leaves);
  module.def("add_stages", &add_stages, py::arg("raw").noconvert(), py::arg("each"));
}

}  // namespace mere::python
