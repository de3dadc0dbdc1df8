#include "trust/validators.hpp"

#include <unordered_map>

#include "trust/object_state.hpp"

namespace mere::trust {

namespace {

// A type by its top package and its own name, whatever module of the package it has been in over the years.
struct Row {
  std::string_view package, name;
  Validator check;
};

constexpr Row kRows[] = {
    {"sklearn", "Tree", validate_tree},
    {"sklearn", "DecisionTreeClassifier", validate_tree_estimator},
    {"sklearn", "DecisionTreeRegressor", validate_tree_estimator},
    {"sklearn", "ExtraTreeClassifier", validate_tree_estimator},
    {"sklearn", "ExtraTreeRegressor", validate_tree_estimator},
    {"sklearn", "RandomForestClassifier", validate_tree_ensemble},
    {"sklearn", "RandomForestRegressor", validate_tree_ensemble},
    {"sklearn", "ExtraTreesClassifier", validate_tree_ensemble},
    {"sklearn", "ExtraTreesRegressor", validate_tree_ensemble},
    {"sklearn", "RandomTreesEmbedding", validate_tree_ensemble},
    {"sklearn", "IsolationForest", validate_tree_ensemble},
    {"sklearn", "GradientBoostingClassifier", validate_tree_ensemble},
    {"sklearn", "GradientBoostingRegressor", validate_tree_ensemble},
    {"sklearn", "HistGradientBoostingClassifier", validate_hist_gradient_boosting},
    {"sklearn", "HistGradientBoostingRegressor", validate_hist_gradient_boosting},
    {"sklearn", "TreePredictor", validate_tree_predictor},
    {"sklearn", "_BinMapper", validate_bin_mapper},

    {"sklearn", "KDTree", validate_binary_tree},
    {"sklearn", "KDTree32", validate_binary_tree},
    {"sklearn", "KDTree64", validate_binary_tree},
    {"sklearn", "BallTree", validate_binary_tree},
    {"sklearn", "BallTree32", validate_binary_tree},
    {"sklearn", "BallTree64", validate_binary_tree},
    {"sklearn", "KNeighborsClassifier", validate_neighbours},
    {"sklearn", "KNeighborsRegressor", validate_neighbours},
    {"sklearn", "KNeighborsTransformer", validate_neighbours},
    {"sklearn", "RadiusNeighborsClassifier", validate_neighbours},
    {"sklearn", "RadiusNeighborsRegressor", validate_neighbours},
    {"sklearn", "RadiusNeighborsTransformer", validate_neighbours},
    {"sklearn", "NearestNeighbors", validate_neighbours},
    {"sklearn", "LocalOutlierFactor", validate_neighbours},

    {"sklearn", "SVC", validate_support_vectors},
    {"sklearn", "NuSVC", validate_support_vectors},
    {"sklearn", "SVR", validate_support_vectors},
    {"sklearn", "NuSVR", validate_support_vectors},
    {"sklearn", "OneClassSVM", validate_support_vectors},
    {"sklearn", "MLPClassifier", validate_layers},
    {"sklearn", "MLPRegressor", validate_layers},
    {"sklearn", "KMeans", validate_feature_matrix},
    {"sklearn", "MiniBatchKMeans", validate_feature_matrix},
    {"sklearn", "BisectingKMeans", validate_feature_matrix},
    {"sklearn", "LatentDirichletAllocation", validate_feature_matrix},
    {"sklearn", "NMF", validate_feature_matrix},
    {"sklearn", "MiniBatchNMF", validate_feature_matrix},
    {"sklearn", "LogisticRegression", validate_feature_matrix},
    {"sklearn", "LogisticRegressionCV", validate_feature_matrix},
    {"sklearn", "LinearRegression", validate_feature_matrix},
    {"sklearn", "Ridge", validate_feature_matrix},
    {"sklearn", "RidgeCV", validate_feature_matrix},
    {"sklearn", "RidgeClassifier", validate_feature_matrix},
    {"sklearn", "RidgeClassifierCV", validate_feature_matrix},
    {"sklearn", "Lasso", validate_feature_matrix},
    {"sklearn", "LassoCV", validate_feature_matrix},
    {"sklearn", "ElasticNet", validate_feature_matrix},
    {"sklearn", "ElasticNetCV", validate_feature_matrix},
    {"sklearn", "SGDClassifier", validate_feature_matrix},
    {"sklearn", "SGDRegressor", validate_feature_matrix},
    {"sklearn", "SGDOneClassSVM", validate_feature_matrix},
    {"sklearn", "Perceptron", validate_feature_matrix},
    {"sklearn", "PassiveAggressiveClassifier", validate_feature_matrix},
    {"sklearn", "PassiveAggressiveRegressor", validate_feature_matrix},
    {"sklearn", "LinearSVC", validate_feature_matrix},
    {"sklearn", "LinearSVR", validate_feature_matrix},

    {"numpy", "_reconstruct", validate_reconstructed},
    {"numpy", "_mareconstruct", validate_masked},
    {"numpy", "dtype", validate_dtype},
    {"numpy", "ndarray", validate_array_class},
    {"numpy", "matrix", validate_array_class},
    {"numpy", "recarray", validate_array_class},
    {"numpy", "record", validate_array_class},
    {"numpy", "void", validate_array_class},
    {"numpy", "MaskedArray", validate_array_class},
    {"numpy", "MaskedConstant", validate_array_class},
    {"numpy", "scalar", validate_plain},
    {"numpy", "_frombuffer", validate_array_class},
    {"numpy", "RandomState", validate_random},
    {"numpy", "Generator", validate_random},
    {"numpy", "MT19937", validate_random},
    {"numpy", "PCG64", validate_random},
    {"numpy", "PCG64DXSM", validate_random},
    {"numpy", "Philox", validate_random},
    {"numpy", "SFC64", validate_random},
    {"numpy", "__randomstate_ctor", validate_random},
    {"numpy", "__RandomState_ctor", validate_random},
    {"numpy", "__generator_ctor", validate_random},
    {"numpy", "__bit_generator_ctor", validate_random},
    {"numpy", "SeedSequence", validate_seed_sequence},

    {"scipy", "csr_matrix", validate_compressed_sparse},
    {"scipy", "csc_matrix", validate_compressed_sparse},
    {"scipy", "bsr_matrix", validate_compressed_sparse},
    {"scipy", "coo_matrix", validate_coo},
    {"scipy", "dia_matrix", validate_dia},
    {"scipy", "lil_matrix", validate_lil},
    {"scipy", "dok_matrix", validate_dok},
    {"scipy", "csr_array", validate_compressed_sparse},
    {"scipy", "csc_array", validate_compressed_sparse},
    {"scipy", "bsr_array", validate_compressed_sparse},
    {"scipy", "coo_array", validate_coo},
    {"scipy", "dia_array", validate_dia},
    {"scipy", "lil_array", validate_lil},
    {"scipy", "dok_array", validate_dok},
    {"scipy", "BSpline", validate_spline},
    {"scipy", "_BSpline", validate_spline},
    {"scipy", "PPoly", validate_pieces},
    {"scipy", "_PPoly", validate_pieces},
    {"scipy", "CubicSpline", validate_pieces},
    {"scipy", "PchipInterpolator", validate_pieces},
    {"scipy", "Akima1DInterpolator", validate_pieces},
    {"scipy", "interp1d", validate_interpolation},

    {"pandas", "DataFrame", validate_frame},
    {"pandas", "Series", validate_frame},
    {"pandas", "BlockManager", validate_block_manager},
    {"pandas", "SingleBlockManager", validate_block_manager},
    {"pandas", "_unpickle_block", validate_block},
    {"pandas", "new_block", validate_block},
    {"pandas", "_new_Index", validate_index},
    {"pandas", "_new_DatetimeIndex", validate_index},
    {"pandas", "_new_TimedeltaIndex", validate_index},
    {"pandas", "_new_PeriodIndex", validate_index},
    {"pandas", "_new_IntervalIndex", validate_index},
    {"pandas", "Index", validate_index_class},
    {"pandas", "RangeIndex", validate_index_class},
    {"pandas", "MultiIndex", validate_index_class},
    {"pandas", "DatetimeIndex", validate_index_class},
    {"pandas", "TimedeltaIndex", validate_index_class},
    {"pandas", "PeriodIndex", validate_index_class},
    {"pandas", "IntervalIndex", validate_index_class},
    {"pandas", "CategoricalIndex", validate_index_class},
    {"pandas", "Int64Index", validate_index_class},
    {"pandas", "UInt64Index", validate_index_class},
    {"pandas", "Float64Index", validate_index_class},
    {"pandas", "Categorical", validate_backed_column},
    {"pandas", "DatetimeArray", validate_backed_column},
    {"pandas", "TimedeltaArray", validate_backed_column},
    {"pandas", "PeriodArray", validate_backed_column},
    {"pandas", "StringArray", validate_backed_column},
    {"pandas", "PandasArray", validate_backed_column},
    {"pandas", "NumpyExtensionArray", validate_backed_column},
    {"pandas", "IntegerArray", validate_masked_column},
    {"pandas", "BooleanArray", validate_masked_column},
    {"pandas", "FloatingArray", validate_masked_column},
    {"pandas", "IntervalArray", validate_interval_column},
    {"pandas", "SparseArray", validate_sparse_column},
    {"pandas", "IntIndex", validate_sparse_positions},
    {"pandas", "BlockIndex", validate_sparse_positions},
    {"pandas", "Day", validate_offset},
    {"pandas", "Hour", validate_offset},
    {"pandas", "Minute", validate_offset},
    {"pandas", "Second", validate_offset},
    {"pandas", "Milli", validate_offset},
    {"pandas", "Micro", validate_offset},
    {"pandas", "Nano", validate_offset},
    {"pandas", "Week", validate_offset},
    {"pandas", "WeekOfMonth", validate_offset},
    {"pandas", "LastWeekOfMonth", validate_offset},
    {"pandas", "MonthBegin", validate_offset},
    {"pandas", "MonthEnd", validate_offset},
    {"pandas", "BusinessMonthBegin", validate_offset},
    {"pandas", "BusinessMonthEnd", validate_offset},
    {"pandas", "BMonthBegin", validate_offset},
    {"pandas", "BMonthEnd", validate_offset},
    {"pandas", "SemiMonthBegin", validate_offset},
    {"pandas", "SemiMonthEnd", validate_offset},
    {"pandas", "QuarterBegin", validate_offset},
    {"pandas", "QuarterEnd", validate_offset},
    {"pandas", "BQuarterBegin", validate_offset},
    {"pandas", "BQuarterEnd", validate_offset},
    {"pandas", "YearBegin", validate_offset},
    {"pandas", "YearEnd", validate_offset},
    {"pandas", "BYearBegin", validate_offset},
    {"pandas", "BYearEnd", validate_offset},
    {"pandas", "BusinessDay", validate_offset},
    {"pandas", "BusinessHour", validate_offset},
    {"pandas", "Timestamp", validate_moment},
    {"pandas", "Timedelta", validate_moment},
    {"pandas", "Period", validate_moment},
    {"pandas", "Interval", validate_moment},
    {"pandas", "_unpickle_timestamp", validate_moment},
    {"pandas", "_timedelta_unpickle", validate_moment},
    {"pandas", "__nat_unpickle", validate_moment},
    {"pandas", "_nat_unpickle", validate_moment},
    {"pandas", "NAType", validate_moment},
    {"pandas", "NA", validate_moment},
    {"pandas", "PeriodDtype", validate_period_type},
};

struct Endings {
  std::string_view package, ending, beginning;
  Validator check;
};
// Families with a name for each member and each width of numbers.
constexpr Endings kFamilies[] = {
    {"sklearn", "Distance", "", validate_distance},
    {"sklearn", "Distance32", "", validate_distance},
    {"sklearn", "Distance64", "", validate_distance},
    {"sklearn", "", "Cy", validate_plain},
    {"_loss", "", "Cy", validate_plain},  // as scikit-learn 1.5 to 1.7 name sklearn._loss._loss
};
std::string_view package_of(std::string_view module) {
  return module.substr(0, module.find('.'));
}

Validator find_validator(std::string_view module, std::string_view name) noexcept {
  const std::string_view package = package_of(module);
  for (const Row& row : kRows) {
    if (row.name == name && row.package == package) return row.check;
  }
  for (const Endings& family : kFamilies) {
    if (family.package == package && name.ends_with(family.ending) && name.starts_with(family.beginning))
      return family.check;
  }
  // Losses of the stochastic gradient (sklearn/linear_model/_sgd_fast.pyx).
  if (package == "sklearn" && module.find("sgd_fast") != std::string_view::npos) return validate_plain;
  return nullptr;
}

}  // namespace

bool has_validator(std::string_view module, std::string_view qualname) noexcept {
  // What these make is named by their first argument, and has the row.
  if (qualname == "newObj" || qualname.starts_with("__pyx_unpickle_")) return true;
  return find_validator(module, qualname) != nullptr;
}

struct StateChecks::Known {
  const graph::NodeReader& reader;
  std::string name;
  WorkBudget budget;
  // Names are few and objects many. Of what a function makes, the class is another one each time.
  std::unordered_map<NodeId, Validator> validators;
};

StateChecks::StateChecks(const graph::NodeReader& reader, std::string_view name)
    : known_(new Known{reader, std::string(name), WorkBudget(reader), {}}) {}
StateChecks::~StateChecks() = default;

void StateChecks::check(NodeId id) {
  const graph::NodeReader& reader = known_->reader;
  if (reader.kind(id) != Kind::object || reader.form(id) == ObjectForm::record) return;
  const ObjectParts parts = reader.parts(id);
  if (parts.type == kNoNode || reader.kind(parts.type) != Kind::name) return;
  const auto found = known_->validators.find(parts.type);
  Validator validate = nullptr;
  if (found != known_->validators.end()) {
    validate = found->second;
  } else {
    const auto [module, qualname] = class_of(reader, parts);
    validate = find_validator(module, qualname);
    if (std::pair(module, qualname) == reader.name(parts.type)) known_->validators.emplace(parts.type, validate);
  }
  if (validate != nullptr) validate(ObjectState(reader, id, known_->budget, known_->name));
}

void validate_states(const graph::NodeReader& reader, std::string_view name) {
  StateChecks checks(reader, name);
  const std::uint64_t count = reader.node_count();
  for (NodeId id = 0; id < count; ++id) checks.check(id);
}

void validate_states(const Graph& graph, std::string_view name, graph::GraphReader::Release release) {
  validate_states(graph::GraphReader(graph, std::move(release)), name);
}

}  // namespace mere::trust
