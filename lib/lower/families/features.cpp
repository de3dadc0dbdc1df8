// Transformers that make features of single columns or of products of them.

#include "program/operators/features.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "lower/families.hpp"
#include "lower/families/steps.hpp"
#include "program/operators/tables.hpp"

namespace mere::lower {

namespace {

constexpr Accepts kNanAllowed{.nan = true};
// More terms than any data set has columns for.
constexpr std::uint64_t kMaxTerms = 1 << 22;

Methods transform_only(ValueId value) {
  Methods methods;
  methods.add("transform", value);
  return methods;
}

}  // namespace

// sklearn/preprocessing/_data.py, normalize: a norm of 0 counts as 1; from 1.0 on one that is next to nothing too.
Methods lower_normalizer(Lowering& to, const Estimator& from, ValueId in) {
  const std::string norm = from.text("norm");
  const ValueId x = to.check(in, {});
  ValueId length;
  if (norm == "l1") {
    length = reduce(to, x, "sum_of_absolutes");
  } else if (norm == "l2") {
    length = reduce(to, x, "norm");
  } else if (norm == "max") {
    length = reduce(to, to.map(x, "absolute"), "maximum");
  } else {
    from.refuse("no norm is called '" + norm + "'");
  }
  length = to.map(length, to.version(from) < Version{1, 0} ? "one_if_zero" : "one_if_tiny");
  return transform_only(combine(to, "divide", {x, length}));
}

Methods lower_binarizer(Lowering& to, const Estimator& from, ValueId in) {
  return transform_only(to.above(to.check(in, {}), from.real("threshold")));
}

Methods lower_quantile_transformer(Lowering& to, const Estimator& from, ValueId in) {
  const std::string distribution = from.text("output_distribution");
  if (distribution != "uniform" && distribution != "normal") from.refuse("no distribution is called " + distribution);
  const Array<double> references = from.reals("references_", 1);
  auto step = std::make_unique<program::Quantiles>();
  step->quantiles = transposed(matrix(from, "quantiles_", references.size(), to.columns(in)));
  step->references = references;
  step->normal = distribution == "normal";
  return transform_only(to.add(std::move(step), to.check(in, kNanAllowed)));
}

// The power, then a StandardScaler of its own.
Methods lower_power_transformer(Lowering& to, const Estimator& from, ValueId in) {
  const std::string method = from.text("method");
  if (method != "yeo-johnson" && method != "box-cox") from.refuse("no method is called '" + method + "'");
  auto step = std::make_unique<program::PowerTransform>();
  step->box_cox = method == "box-cox";
  step->lambdas = vector(from, "lambdas_", to.columns(in));
  ValueId x = to.add(std::move(step), to.check(in, kNanAllowed));
  if (from.boolean("standardize")) x = need_method(from, to.lower(from.need("_scaler"), x), "transform");
  return transform_only(x);
}

namespace {

// What has the attributes of a spline: itself, or from SciPy 1.18 on the first member of its state.
NodeId spline_inside(const graph::NodeReader& reader, NodeId spline) {
  if (reader.kind(spline) != Kind::object) return spline;
  const NodeId state = reader.parts(spline).state;
  if (state == kNoNode || reader.kind(state) != Kind::tuple || reader.child_count(state) == 0) return spline;
  const NodeId first = reader.child(state, 0);
  return reader.kind(first) == Kind::object ? first : spline;
}

}  // namespace

Methods lower_spline_transformer(Lowering& to, const Estimator& from, ValueId in) {
  const std::vector<NodeId> splines = from.members("bsplines_");
  from.require(splines.size() == to.columns(in), "bsplines_ has another number of members than columns");
  if (from.has("handle_missing") && !from.is_text("handle_missing", "error")) from.refuse("it takes missing numbers");
  auto step = std::make_unique<program::Splines>();
  step->degree = from.integer("degree");
  // scikit-learn then takes other ends for the second column on than for the first, or none at all.
  if (step->degree < 1 || (step->degree == 1 && from.is_text("extrapolation", "linear") && to.columns(in) > 1)) {
    from.refuse("degree " + std::to_string(step->degree) + " with extrapolation '" + from.text("extrapolation") + "'");
  }
  step->outside = from.is_text("extrapolation", "error") ? "refuse" : from.text("extrapolation");
  std::vector<double> knots;
  std::size_t count = 0;
  for (const NodeId id : splines) {
    const Estimator spline(from.reader(), spline_inside(from.reader(), id));
    // SciPy 1.15 and later keep it behind a property.
    const Array<double> t = spline.reals(spline.has("t") ? "t" : "_t", 1);
    spline.require(knots.empty() || t.size() == count, "the columns have different numbers of knots");
    count = t.size();
    knots.insert(knots.end(), t.begin(), t.end());
  }
  step->knots = reals(std::move(knots), splines.size(), count);
  ValueId x = to.add(std::move(step), to.check(in, {}));
  if (!from.boolean("include_bias")) {
    // The last spline of every column is left out.
    const std::uint64_t each = to.columns(x) / splines.size();
    std::vector<std::uint32_t> kept;
    for (std::uint64_t c = 0; c < to.columns(x); ++c) {
      if ((c + 1) % each != 0) kept.push_back(static_cast<std::uint32_t>(c));
    }
    if (kept.empty()) from.refuse("it makes no columns");
    x = to.select(x, std::move(kept));
  }
  return transform_only(x);
}

namespace {

// All products of so many columns, in the order of their first column, then the second ...; each is a product of one
// degree less and its first column, which is the order in which scikit-learn multiplies.
struct Terms {
  std::vector<std::uint32_t> parents, columns;
  std::vector<std::vector<std::uint32_t>> last;  // of the last degree: the columns of each term
  std::map<std::vector<std::uint32_t>, std::uint32_t> known;
};

void add_degree(Terms& terms, std::uint32_t columns, bool interaction_only, const Estimator& from) {
  std::vector<std::vector<std::uint32_t>> next;
  std::map<std::vector<std::uint32_t>, std::uint32_t> known;
  const bool first = terms.last.empty();
  for (std::uint32_t c = 0; c < columns; ++c) {
    const std::vector<std::vector<std::uint32_t>> nothing{{}};
    for (const auto& rest : first ? nothing : terms.last) {
      if (!rest.empty() && (interaction_only ? rest[0] <= c : rest[0] < c)) continue;
      if (terms.columns.size() >= kMaxTerms) from.refuse("it makes too many terms");
      std::vector<std::uint32_t> term{c};
      term.insert(term.end(), rest.begin(), rest.end());
      known[term] = static_cast<std::uint32_t>(terms.columns.size());
      terms.parents.push_back(rest.empty() ? 0xffffffff : terms.known.at(rest));
      terms.columns.push_back(c);
      next.push_back(std::move(term));
    }
  }
  terms.last = std::move(next);
  terms.known = std::move(known);
}

}  // namespace

Methods lower_polynomial_features(Lowering& to, const Estimator& from, ValueId in) {
  std::int64_t least = 0, most = 0;
  if (from.has("_max_degree")) {
    least = from.integer("_min_degree");
    most = from.integer("_max_degree");
  } else {
    most = from.integer("degree");
  }
  if (least < 0 || most < 0 || most > 64) from.refuse("its degree is " + std::to_string(most));
  const ValueId x = to.check(in, {});
  const bool interaction_only = from.boolean("interaction_only");
  Terms terms;
  std::uint64_t begin = 0;
  for (std::int64_t degree = 1; degree <= most; ++degree) {
    if (degree == std::max<std::int64_t>(least, 1)) begin = terms.columns.size();
    add_degree(terms, static_cast<std::uint32_t>(to.columns(in)), interaction_only, from);
    if (terms.last.empty()) break;
  }
  std::vector<ValueId> parts;
  if (from.boolean("include_bias")) parts.push_back(constant(to, x, reals({1.0})));
  if (terms.columns.size() > begin) {
    const std::uint64_t count = terms.columns.size() - begin;
    auto step = std::make_unique<program::Products>();
    step->parents = Array<std::uint32_t>(std::move(terms.parents));
    step->columns = Array<std::uint32_t>(std::move(terms.columns));
    parts.push_back(slice(to, to.add(std::move(step), x), begin, count));
  }
  if (parts.empty()) from.refuse("it makes no columns");
  const ValueId out = to.concat(parts);
  const std::string_view name = from.has("n_output_features_") ? "n_output_features_" : "n_features_out_";
  if (from.has(name)) {
    from.require(from.integer(name) == static_cast<std::int64_t>(to.columns(out)),
                 std::string(name) + " is not " + std::to_string(to.columns(out)));
  }
  return transform_only(out);
}

// sklearn/preprocessing/_discretization.py. Before 1.1 numbers next to an edge went up, and were cut off afterwards.
Methods lower_k_bins_discretizer(Lowering& to, const Estimator& from, ValueId in) {
  const std::uint64_t columns = to.columns(in);
  const std::vector<NodeId> all = from.members("bin_edges_");
  const Array<std::int64_t> bins = from.integers("n_bins_", 1);
  from.require(all.size() == columns && bins.size() == columns, "bin_edges_ or n_bins_ has not a member a column");
  const std::string encode = from.text("encode");
  if (encode != "onehot" && encode != "onehot-dense" && encode != "ordinal") from.refuse("encode is " + encode);
  std::vector<Array<double>> edges;
  std::size_t width = 1;
  for (std::size_t c = 0; c < all.size(); ++c) {
    edges.push_back(from.reals_of(all[c], "bin_edges_", 1));
    from.require(edges[c].size() >= 2 && bins[c] == static_cast<std::int64_t>(edges[c].size()) - 1,
                 "bin_edges_ and n_bins_ disagree");
    width = std::max(width, edges[c].size() - 2);
  }
  std::vector<double> inner(all.size() * width, std::numeric_limits<double>::infinity());
  std::vector<std::int64_t> counts;
  for (std::size_t c = 0; c < all.size(); ++c) {
    std::copy(edges[c].begin() + 1, edges[c].end() - 1, inner.begin() + static_cast<std::ptrdiff_t>(c * width));
    counts.push_back(bins[c] - 1);
  }
  ValueId x = to.check(in, {});
  if (to.version(from) < Version{1, 1}) {
    const ValueId near = to.arithmetic(to.arithmetic(to.map(x, "absolute"), "multiply", 1e-5), "add", 1e-8);
    x = combine(to, "add", {x, near});
  }
  auto rank = std::make_unique<program::Rank>();
  rank->edges = reals(std::move(inner), columns, width);
  rank->counts = Array<std::int64_t>(std::move(counts));
  x = to.add(std::move(rank), x);
  if (encode != "ordinal") {
    auto one_hot = std::make_unique<program::OneHot>();
    one_hot->widths = bins;
    x = to.add(std::move(one_hot), x);
  }
  return transform_only(x);
}

namespace {

struct NamedFunction {
  std::string_view numpy, map;
};

constexpr NamedFunction kFunctions[] = {
    {"abs", "absolute"},  {"absolute", "absolute"}, {"cbrt", "cbrt"},         {"ceil", "ceil"},
    {"cos", "cos"},       {"exp", "exp"},           {"exp2", "exp2"},         {"expm1", "expm1"},
    {"fabs", "absolute"}, {"floor", "floor"},       {"log", "log"},           {"log10", "log10"},
    {"log1p", "log1p"},   {"log2", "log2"},         {"negative", "negative"}, {"reciprocal", "reciprocal"},
    {"rint", "rint"},     {"sign", "sign"},         {"sin", "sin"},           {"sqrt", "sqrt"},
    {"square", "square"}, {"tan", "tan"},           {"tanh", "tanh"},         {"trunc", "trunc"},
};

bool is_empty(const Estimator& from, std::string_view attribute) {
  const NodeId id = from.find(attribute);
  return id == kNoNode || (from.reader().kind(id) == Kind::dict && from.reader().child_count(id) == 0);
}

// NumPy's own functions by name; what Python alone knows is refused.
ValueId apply_function(Lowering& to, const Estimator& from, ValueId x, std::string_view attribute,
                       std::string_view arguments) {
  const NodeId function = from.find(attribute);
  if (function == kNoNode) return x;
  if (from.reader().kind(function) != Kind::name) from.refuse("its function is no NumPy function");
  const std::string full = from.reader().full_name(function);
  if (!is_empty(from, arguments)) from.refuse("its function " + full + " has further arguments");
  const std::string name = full.substr(full.rfind('.') + 1);
  const bool is_numpy = full.rfind("numpy.", 0) == 0;
  for (const NamedFunction& known : kFunctions) {
    if (is_numpy && known.numpy == name) return to.map(x, known.map);
  }
  from.refuse("its function " + full + " is none of NumPy's that are known");
}

}  // namespace

Methods lower_function_transformer(Lowering& to, const Estimator& from, ValueId in) {
  const ValueId x = from.boolean("validate") ? to.check(in, {}) : in;
  return transform_only(apply_function(to, from, x, "func", "kw_args"));
}

ValueId lower_inverse_function(Lowering& to, const Estimator& from, ValueId in) {
  return apply_function(to, from, in, "inverse_func", "inv_kw_args");
}

}  // namespace mere::lower
