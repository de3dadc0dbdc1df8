#include "lower/sklearn_tree.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>

#include <mere/error.hpp>

namespace mere::lower {

namespace {

template <class T>
Column<T> column_of(const Estimator& tree, const graph::ArrayState& nodes, const char* name) {
  const Field* field = nodes.dtype.find_field(name);
  if (!field) tree.fail(std::string("nodes have no field ") + name);
  if (field->type != Dtype::of<T>()) {
    tree.refuse(std::string("its nodes have ") + name + " of type " + field->type.to_text() + ", expected " +
                Dtype::of<T>().to_text());
  }
  return Column<T>(nodes.first + field->offset, static_cast<std::ptrdiff_t>(nodes.strides[0]),
                   static_cast<std::size_t>(nodes.elements));
}

template <class T>
void convert_labels(const Labels& from, Labels& to) {
  const auto convert = [&](auto zero) {
    using From = decltype(zero);
    auto kept = std::make_shared<std::vector<T>>();
    for (std::uint64_t i = 0; i < from.count; ++i) {
      From value;
      std::memcpy(&value, from.bytes.data() + i * sizeof value, sizeof value);
      kept->push_back(static_cast<T>(value));
    }
    to.bytes = std::as_bytes(std::span<const T>(*kept));
    to.owner = kept;
  };
  if (from.dtype == Dtype::of<double>()) convert(double{});
  if (from.dtype == Dtype::of<float>()) convert(float{});
  if (from.dtype == Dtype::of<std::int64_t>()) convert(std::int64_t{});
  if (from.dtype == Dtype::of<std::int32_t>()) convert(std::int32_t{});
}

// A shorter copy of texts of fixed length, or a longer one with zeros.
void resize_texts(const Labels& from, Labels& to) {
  const std::size_t old_size = static_cast<std::size_t>(from.dtype.itemsize());
  const std::size_t new_size = static_cast<std::size_t>(to.dtype.itemsize());
  auto kept = std::make_shared<std::vector<std::byte>>(static_cast<std::size_t>(from.count) * new_size);
  for (std::size_t i = 0; i < from.count; ++i) {
    std::memcpy(kept->data() + i * new_size, from.bytes.data() + i * old_size, std::min(old_size, new_size));
  }
  to.bytes = *kept;
  to.owner = kept;
}

}  // namespace

// numpy/core/src/umath/loops_utils.h.src, pairwise_sum: the order of additions is what is shared.
double pairwise_sum(std::span<const double> numbers) {
  const std::size_t count = numbers.size();
  if (count < 8) {
    double sum = 0;
    for (const double x : numbers) sum += x;
    return sum;
  }
  if (count <= 128) {
    double part[8];
    for (std::size_t k = 0; k < 8; ++k) part[k] = numbers[k];
    std::size_t i = 8;
    for (; i + 8 <= count; i += 8) {
      for (std::size_t k = 0; k < 8; ++k) part[k] += numbers[i + k];
    }
    double sum = ((part[0] + part[1]) + (part[2] + part[3])) + ((part[4] + part[5]) + (part[6] + part[7]));
    for (; i < count; ++i) sum += numbers[i];
    return sum;
  }
  const std::size_t half = count / 2 - count / 2 % 8;
  return pairwise_sum(numbers.first(half)) + pairwise_sum(numbers.subspan(half));
}

SklearnTree::SklearnTree(const Estimator& estimator) {
  const Estimator tree = estimator.child("tree_");
  const graph::NodeReader& reader = tree.reader();
  tree.require(tree.class_name() == "sklearn.tree._tree.Tree", "tree_ is no tree of scikit-learn");
  const ObjectParts parts = reader.parts(tree.node());
  const std::vector<NodeId> arguments =
      parts.args == kNoNode ? std::vector<NodeId>{} : tree.members_of(parts.args, "what it is made of");
  tree.require(arguments.size() == 3, "is not made of n_features, n_classes and n_outputs");
  const std::optional<std::int64_t> features = reader.find_integer(arguments[0]);
  const std::optional<std::int64_t> outputs = reader.find_integer(arguments[2]);
  const Array<std::int64_t> classes = tree.integers_of(arguments[1], "n_classes", 1);
  tree.require(features && *features >= 1, "n_features is no count");
  tree.require(outputs && *outputs >= 1 && static_cast<std::uint64_t>(*outputs) == classes.size(),
               "n_outputs and n_classes disagree");
  features_ = static_cast<std::uint64_t>(*features);

  const NodeId nodes_id = tree.need("nodes");
  tree.require(reader.kind(nodes_id) == Kind::array && !reader.is_object_array(nodes_id), "nodes are no array");
  const graph::ArrayState nodes = reader.array(nodes_id);
  tree.require(nodes.shape.size() == 1 && nodes.elements >= 1 && nodes.dtype.type_class() == TypeClass::record,
               "nodes have shape " + nodes.shape.to_text() + " of " + nodes.dtype.to_text());
  tree.require(tree.integer("node_count") == nodes.shape[0], "node_count and nodes disagree");
  columns_.left = column_of<std::int64_t>(tree, nodes, "left_child");
  columns_.right = column_of<std::int64_t>(tree, nodes, "right_child");
  columns_.feature = column_of<std::int64_t>(tree, nodes, "feature");
  columns_.threshold = column_of<double>(tree, nodes, "threshold");
  samples_ = column_of<std::int64_t>(tree, nodes, "n_node_samples");
  if (nodes.dtype.find_field("impurity") && nodes.dtype.find_field("weighted_n_node_samples")) {
    impurity_ = column_of<double>(tree, nodes, "impurity");
    weights_ = column_of<double>(tree, nodes, "weighted_n_node_samples");
  }
  if (nodes.dtype.find_field("missing_go_to_left")) {
    columns_.missing_left = column_of<std::uint8_t>(tree, nodes, "missing_go_to_left");
  }

  values_ = tree.reals("values", 3);
  const Dims& shape = values_.shape();
  tree.require(shape[0] == nodes.shape[0] && shape[1] == *outputs, "values have shape " + shape.to_text() + " for " +
                                                                       std::to_string(nodes.shape[0]) + " nodes and " +
                                                                       std::to_string(*outputs) + " outputs");
  most_classes_ = static_cast<std::size_t>(shape[2]);
  for (const std::int64_t count : classes) {
    tree.require(count >= 1 && static_cast<std::uint64_t>(count) <= most_classes_,
                 "n_classes has " + std::to_string(count) + " for values of shape " + shape.to_text());
    classes_.push_back(static_cast<std::size_t>(count));
    all_classes_ += static_cast<std::size_t>(count);
  }
}

TreeColumns SklearnTree::columns(bool missing) const {
  TreeColumns columns = columns_;
  if (!missing) columns.missing_left = {};
  return columns;
}

std::span<const double> SklearnTree::stored_values(std::size_t node, std::size_t output) const {
  return values_.span().subspan((node * outputs() + output) * most_classes_, most_classes_);
}

std::span<const double> SklearnTree::values(std::size_t node, std::size_t output) const {
  return stored_values(node, output).first(classes_[output]);
}

void SklearnTree::set_probabilities(std::size_t node, bool divide, std::span<double> row) const {
  std::size_t at = 0;
  for (std::size_t k = 0; k < outputs(); ++k) {
    const std::span<const double> counts = values(node, k);
    double sum = divide ? pairwise_sum(counts) : 1.0;
    if (sum == 0) sum = 1;
    for (const double count : counts) row[at++] = count / sum;
  }
}

void SklearnTree::set_class_indices(std::size_t node, std::span<double> row) const {
  for (std::size_t k = 0; k < outputs(); ++k) {
    const std::span<const double> counts = values(node, k);
    row[k] = static_cast<double>(std::max_element(counts.begin(), counts.end()) - counts.begin());
  }
}

// sklearn/tree/_tree.pyx, compute_feature_importances.
std::vector<double> SklearnTree::importances(bool normalize) const {
  std::vector<double> out(static_cast<std::size_t>(features_), 0.0);
  if (weights_.size() != node_count()) throw Error(Reason::schema, "a tree without impurities");
  const auto gain = [&](std::size_t node) { return weights_[node] * impurity_[node]; };
  for (std::size_t i = 0; i < node_count(); ++i) {
    if (columns_.left[i] == -1) continue;
    const auto left = static_cast<std::size_t>(columns_.left[i]), right = static_cast<std::size_t>(columns_.right[i]);
    const auto feature = static_cast<std::size_t>(columns_.feature[i]);
    if (left >= node_count() || right >= node_count() || feature >= out.size()) {
      throw Error(Reason::schema, "a tree with a child or a feature that does not exist");
    }
    out[feature] += gain(i) - gain(left) - gain(right);
  }
  for (double& x : out) x /= weights_[0];
  const double sum = normalize ? pairwise_sum(out) : 0;
  for (double& x : out) {
    if (sum > 0) x /= sum;
  }
  return out;
}

std::vector<std::int64_t> SklearnTree::path_lengths() const {
  const std::size_t count = node_count();
  std::vector<std::int64_t> lengths(count, 0);
  std::vector<std::size_t> open{0};
  lengths[0] = 1;
  while (!open.empty()) {
    const std::size_t node = open.back();
    open.pop_back();
    for (const std::int64_t child : {columns_.left[node], columns_.right[node]}) {
      // Whatever is wrong with a child is said by the packer.
      if (child < 0 || static_cast<std::uint64_t>(child) >= count || lengths[static_cast<std::size_t>(child)] != 0) {
        continue;
      }
      lengths[static_cast<std::size_t>(child)] = lengths[node] + 1;
      open.push_back(static_cast<std::size_t>(child));
    }
  }
  return lengths;
}

bool is_tree_classifier(const Estimator& estimator) {
  const std::string& name = estimator.class_name();
  return name == "sklearn.tree._classes.DecisionTreeClassifier" || name == "sklearn.tree._classes.ExtraTreeClassifier";
}

bool is_tree_regressor(const Estimator& estimator) {
  const std::string& name = estimator.class_name();
  return name == "sklearn.tree._classes.DecisionTreeRegressor" || name == "sklearn.tree._classes.ExtraTreeRegressor";
}

// sklearn/tree/_classes.py, the tag allow_nan and _support_missing_values. Extra trees had the tag of decision trees
// up to 1.5; that of ExtraTreeRegressor 1.6 is an annotation by mistake, so that its own rule only holds from 1.7.
bool tree_accepts_nan(const Estimator& tree, Version version) {
  if (version < Version{1, 3}) return false;
  if (version < Version{1, 9} && tree.find("monotonic_cst") != kNoNode) return false;
  const bool extra = tree.class_name().find("ExtraTree") != std::string::npos;
  const bool best = tree.is_text("splitter", "best"), random = tree.is_text("splitter", "random");
  if (version >= Version{1, 9}) return !extra || random;
  const auto has_criterion = [&](std::initializer_list<const char*> words) {
    return std::any_of(words.begin(), words.end(), [&](const char* word) { return tree.is_text("criterion", word); });
  };
  if (!(is_tree_classifier(tree) ? has_criterion({"gini", "log_loss", "entropy"})
                                 : has_criterion({"squared_error", "friedman_mse", "poisson"}))) {
    return false;
  }
  if (version < Version{1, 6}) return best;
  const bool own_rule = extra && !(version == Version{1, 6} && is_tree_regressor(tree));
  return own_rule ? random : best || random;
}

std::vector<std::int64_t> map_features(const Estimator& from, const SklearnTree& tree,
                                       const Array<std::int64_t>& features, std::uint64_t columns) {
  from.require(features.size() == tree.features(), "estimators_features_ has " + std::to_string(features.size()) +
                                                       " columns for a tree of " + std::to_string(tree.features()));
  for (const std::int64_t column : features) {
    from.require(column >= 0 && static_cast<std::uint64_t>(column) < columns,
                 "estimators_features_ names column " + std::to_string(column) + " of " + std::to_string(columns));
  }
  const TreeColumns nodes = tree.columns(false);
  std::vector<std::int64_t> mapped(nodes.feature.size());
  for (std::size_t i = 0; i < mapped.size(); ++i) {
    const std::int64_t feature = nodes.feature[i];
    const bool inside = feature >= 0 && static_cast<std::uint64_t>(feature) < features.size();
    from.require(inside || nodes.left[i] == -1,
                 "a tree asks for feature " + std::to_string(feature) + " of " + std::to_string(features.size()));
    mapped[i] = inside ? features[static_cast<std::size_t>(feature)] : feature;
  }
  return mapped;
}

std::size_t output_count(const Estimator& from) {
  const std::int64_t outputs = from.integer("n_outputs_");
  from.require(outputs >= 1 && outputs <= std::numeric_limits<std::int32_t>::max(),
               "n_outputs_ is " + std::to_string(outputs));
  return static_cast<std::size_t>(outputs);
}

std::vector<Labels> class_tables(const Estimator& from, std::size_t outputs) {
  const NodeId classes = from.need("classes_");
  if (outputs == 1 && from.is_array("classes_")) return {from.labels_of(classes, "classes_")};
  std::vector<Labels> tables;
  for (const NodeId member : from.members_of(classes, "classes_")) {
    tables.push_back(from.labels_of(member, "classes_"));
  }
  from.require(tables.size() == outputs, "classes_ has " + std::to_string(tables.size()) + " members for " +
                                             std::to_string(outputs) + " outputs");
  return tables;
}

std::vector<Labels> tables_of_one_type(const Estimator& from, std::vector<Labels> tables) {
  for (std::size_t k = 1; k < tables.size(); ++k) {
    if (tables[k].dtype == tables[0].dtype) continue;
    Labels made;
    made.dtype = tables[0].dtype;
    made.count = tables[k].count;
    const TypeClass from_class = tables[k].dtype.type_class(), to_class = made.dtype.type_class();
    const bool native = tables[k].dtype.native() && made.dtype.native();
    if (native && from_class == TypeClass::unicode && to_class == TypeClass::unicode) resize_texts(tables[k], made);
    if (made.dtype == Dtype::of<double>()) convert_labels<double>(tables[k], made);
    if (made.dtype == Dtype::of<float>()) convert_labels<float>(tables[k], made);
    if (made.dtype == Dtype::of<std::int64_t>()) convert_labels<std::int64_t>(tables[k], made);
    if (made.dtype == Dtype::of<std::int32_t>()) convert_labels<std::int32_t>(tables[k], made);
    if (made.bytes.empty()) {
      from.refuse("classes of type " + tables[k].dtype.to_text() + " would be shown as " + made.dtype.to_text());
    }
    tables[k] = std::move(made);
  }
  return tables;
}

void add_output_probabilities(Lowering& to, Methods& methods, ValueId proba, std::span<const std::size_t> classes) {
  if (classes.size() == 1) {
    methods.add("predict_proba", proba);
    methods.add("predict_log_proba", to.map(proba, "log"));
    return;
  }
  std::uint32_t first = 0;
  for (std::size_t k = 0; k < classes.size(); ++k) {
    std::vector<std::uint32_t> columns(classes[k]);
    std::iota(columns.begin(), columns.end(), first);
    first += static_cast<std::uint32_t>(classes[k]);
    const ValueId part = to.select(proba, std::move(columns));
    const std::string index = "[" + std::to_string(k) + "]";
    methods.add("predict_proba" + index, part);
    methods.add("predict_log_proba" + index, to.map(part, "log"));
  }
}

}  // namespace mere::lower
