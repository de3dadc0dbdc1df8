#include "lower/lowering.hpp"

#include <algorithm>

#include <mere/error.hpp>

#include "lower/families/dict_columns.hpp"
#include "lower/input_columns.hpp"
#include "lower/sparse_input.hpp"
#include "program/operators/check.hpp"
#include "program/operators/columns.hpp"
#include "program/operators/elementwise.hpp"
#include "program/operators/linear.hpp"
#include "program/operators/rows.hpp"

namespace mere::lower {

namespace {

constexpr int kMaxDepth = 100;  // of estimators in estimators

// The classes whose rules add parts.
constexpr std::string_view kEnsembles[] = {
    "sklearn.ensemble._forest.ExtraTreesClassifier",
    "sklearn.ensemble._forest.ExtraTreesRegressor",
    "sklearn.ensemble._forest.RandomForestClassifier",
    "sklearn.ensemble._forest.RandomForestRegressor",
    "sklearn.ensemble._forest.RandomTreesEmbedding",
    "sklearn.ensemble._gb.GradientBoostingClassifier",
    "sklearn.ensemble._gb.GradientBoostingRegressor",
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingClassifier",
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingRegressor",
    "sklearn.ensemble._iforest.IsolationForest",
};

bool is_ensemble_with_parts(std::string_view class_name) {
  return std::find(std::begin(kEnsembles), std::end(kEnsembles), class_name) != std::end(kEnsembles);
}

}  // namespace

Method& Methods::add(std::string_view name, ValueId value) {
  Method method;
  method.name = name;
  method.value = value;
  all_.push_back(std::move(method));
  return all_.back();
}

const Method* Methods::find(std::string_view name) const {
  for (const Method& method : all_) {
    if (method.name == name) return &method;
  }
  return nullptr;
}

Lowering::Lowering(const graph::NodeReader& reader, std::uint64_t columns, std::optional<Version> version,
                   unsigned threads)
    : reader_(reader), columns_{columns}, sparse_{true}, version_(version), threads_(threads) {
  program_.columns = columns;
}

Version Lowering::version(const Estimator& estimator) const {
  std::optional<Version> version = version_;
  const NodeId own = estimator.find("_sklearn_version");
  if (own != kNoNode && reader_.kind(own) == Kind::text) {
    version = Version::parse(reader_.text(own));
    if (!version) estimator.refuse("its _sklearn_version '" + std::string(reader_.text(own)) + "' is no version");
  }
  if (!version) estimator.refuse("the version of scikit-learn that fitted it is not recorded");
  return *version;
}

ValueId Lowering::add(std::unique_ptr<program::Operator> step, std::vector<ValueId> inputs) {
  std::vector<std::uint64_t> in;
  for (const ValueId id : inputs) in.push_back(columns_[id]);
  step->inputs = std::move(inputs);
  const std::uint64_t out = step->check(in);
  if (out == 0 || out > program::kMaxColumns) {
    throw Error(Reason::schema, std::string(step->name()) + " would make " + std::to_string(out) + " columns");
  }
  columns_.push_back(out);
  const bool moves = step->passes_through() || dynamic_cast<const program::Select*>(step.get()) ||
                     dynamic_cast<const program::Concat*>(step.get());
  sparse_.push_back(moves &&
                    std::any_of(step->inputs.begin(), step->inputs.end(), [&](ValueId id) { return sparse_[id]; }));
  program_.steps.push_back(std::move(step));
  return static_cast<ValueId>(program_.steps.size());
}

ValueId Lowering::check(ValueId in, const Accepts& accepts) {
  const int kind = (accepts.nan ? 1 : 0) | (accepts.infinity ? 2 : 0) | (accepts.single_range ? 4 : 0);
  if (accepts.nan && accepts.infinity) return in;
  const auto known = checked_.find({in, kind});
  if (known != checked_.end()) return known->second;
  auto step = std::make_unique<program::Check>();
  step->refuse_nan = !accepts.nan;
  step->refuse_infinity = !accepts.infinity;
  step->single_range = accepts.single_range;
  const ValueId out = add(std::move(step), in);
  checked_[{in, kind}] = out;
  checked_[{out, kind}] = out;
  return out;
}

ValueId Lowering::arithmetic(ValueId in, std::string_view operation, Array<double> operand) {
  auto step = std::make_unique<program::Arithmetic>();
  step->operation = operation;
  step->operand = std::move(operand);
  return add(std::move(step), in);
}

ValueId Lowering::arithmetic(ValueId in, std::string_view operation, double operand) {
  return arithmetic(in, operation, Array<double>(std::vector<double>{operand}));
}

ValueId Lowering::map(ValueId in, std::string_view function) {
  auto step = std::make_unique<program::Map>();
  step->function = function;
  return add(std::move(step), in);
}

ValueId Lowering::linear(ValueId in, Array<double> weights, Array<double> bias, bool single) {
  auto step = std::make_unique<program::Linear>();
  step->weights = std::move(weights);
  step->bias = std::move(bias);
  step->single = single;
  return add(std::move(step), in);
}

ValueId Lowering::concat(std::vector<ValueId> parts) {
  if (parts.size() == 1) return parts[0];
  return add(std::make_unique<program::Concat>(), std::move(parts));
}

ValueId Lowering::select(ValueId in, std::vector<std::uint32_t> columns) {
  for (const std::uint32_t column : columns) {
    if (column >= columns_[in]) {
      throw Error(Reason::schema,
                  "column " + std::to_string(column) + " is selected of " + std::to_string(columns_[in]));
    }
  }
  auto step = std::make_unique<program::Select>();
  step->columns = Array<std::uint32_t>(std::move(columns));
  return add(std::move(step), in);
}

ValueId Lowering::softmax(ValueId in) {
  return add(std::make_unique<program::Softmax>(), in);
}

ValueId Lowering::normalize_rows(ValueId in, bool uniform_if_zero) {
  auto step = std::make_unique<program::NormalizeRows>();
  step->uniform_if_zero = uniform_if_zero;
  return add(std::move(step), in);
}

ValueId Lowering::arg_max(ValueId in, std::vector<std::int64_t> groups) {
  auto step = std::make_unique<program::ArgMax>();
  if (groups.size() > 1) step->groups = Array<std::int64_t>(std::move(groups));
  return add(std::move(step), in);
}

ValueId Lowering::above(ValueId in, double threshold, bool or_equal) {
  auto step = std::make_unique<program::Above>();
  step->threshold = threshold;
  step->or_equal = or_equal;
  return add(std::move(step), in);
}

ValueId Lowering::with_complement(ValueId p) {
  return concat({map(p, "one_minus"), p});
}

Methods Lowering::lower(NodeId node, ValueId in) {
  return lower(Estimator(reader_, node), in);
}

Methods Lowering::lower(const Estimator& estimator, ValueId in) {
  const LowerFunction rule = find_rule(estimator.class_name());
  if (!rule) estimator.refuse("no operators are known that mean what this class does");
  if (depth_ >= kMaxDepth) {
    throw Error(Reason::too_deep,
                estimator.path() + ": estimators are nested deeper than " + std::to_string(kMaxDepth));
  }
  const bool sparse = sparse_[in];
  if (sparse && program_.dense_only.empty()) program_.dense_only = refuses_sparse(*this, estimator);
  ++depth_;
  Methods methods = rule(*this, estimator, in);
  --depth_;
  const Method* transform = methods.find("transform");
  if (sparse && transform && keeps_sparse(estimator)) sparse_[transform->value] = true;
  return methods;
}

void Lowering::add_part(const Estimator& from, ValueId in, std::vector<std::pair<std::string_view, ValueId>> methods) {
  if (!parts_.insert(from.node()).second) return;
  program::Part part;
  part.path = reader_.path(from.node());
  part.estimator = from.class_name();
  part.input = in;
  for (const auto& [name, value] : methods) {
    Method method;
    method.name = name;
    method.value = value;
    part.methods.push_back(std::move(method));
  }
  program_.parts.push_back(std::move(part));
}

void Lowering::add_probabilities(Methods& methods, ValueId proba, const Labels& labels) {
  add_classes(methods, arg_max(proba), {labels});
  methods.add("predict_proba", proba);
  methods.add("predict_log_proba", map(proba, "log"));
}

void Lowering::add_classes(Methods& methods, ValueId index, std::vector<Labels> labels) {
  Method& method = methods.add("predict", index);
  method.flat = labels.size() == 1;
  method.labels = std::move(labels);
}

void Lowering::add_numbers(Methods& methods, ValueId value, bool flat) {
  methods.add("predict", value).flat = flat;
}

Program lower_model(const graph::NodeReader& reader, NodeId root, std::string_view version, unsigned threads) {
  const Estimator estimator(reader, root);
  if (!find_rule(estimator.class_name())) {
    estimator.refuse("no operators are known that mean what this class does");
  }
  const InputColumns columns = input_columns(estimator);
  const Estimator& first = columns.said_by;
  Lowering lowering(reader, columns.count, Version::parse(version), threads);
  Program& program = lowering.program();
  program.estimator = estimator.class_name();
  const NodeId own = estimator.find("_sklearn_version");
  program.source_version =
      own != kNoNode && reader.kind(own) == Kind::text ? std::string(reader.text(own)) : std::string(version);
  if (first.is_array("feature_names_in_")) {
    program.names = first.find_texts_of(first.find("feature_names_in_")).value_or(std::vector<std::string>());
    first.require(program.names.size() == program.columns, "feature_names_in_ and n_features_in_ disagree");
  }
  if (takes_dicts(first)) {
    for (const DictColumn& column : dict_columns(first)) program.names.push_back(column.name);
  }
  Methods methods = lowering.lower(estimator, 0);
  program.methods = std::move(methods.all());
  lowering.check_texts(estimator);
  program::check_program(program);
  return std::move(program);
}

std::vector<Program> lower_ensembles(const graph::NodeReader& reader, NodeId root, std::string_view version,
                                     unsigned threads) {
  std::vector<Program> programs;
  std::vector<bool> seen(static_cast<std::size_t>(reader.node_count()), false);
  std::set<std::string> known;  // paths of parts
  std::vector<NodeId> open{root};
  while (!open.empty()) {
    const NodeId node = open.back();
    open.pop_back();
    if (node >= seen.size() || seen[node]) continue;
    seen[node] = true;
    if (reader.kind(node) == Kind::object && is_ensemble_with_parts(reader.full_name(node))) {
      const Estimator estimator(reader, node);
      const bool fitted = estimator.has("estimators_") || estimator.has("_predictors");
      if (fitted && !known.contains(reader.path(node))) {
        try {
          programs.push_back(lower_model(reader, node, version, threads));
          for (const program::Part& part : programs.back().parts) known.insert(part.path);
        } catch (const Error& error) {
          if (error.reason() != Reason::not_lowerable) throw;
        }
      }
    }
    for (std::uint64_t i = reader.child_count(node); i-- > 0;) {
      const NodeId child = reader.child(node, i);
      if (child != kNoNode) open.push_back(child);
    }
  }
  return programs;
}

}  // namespace mere::lower
