#include "lower/sparse_input.hpp"

#include <algorithm>
#include <iterator>

namespace mere::lower {

namespace {

// By the last part of the name, sorted. What is in none of the lists, and no estimator around others, refuses.
constexpr std::string_view kTakes[] = {"ARDRegression",
                                       "AdaBoostClassifier",
                                       "AdaBoostRegressor",
                                       "AdditiveChi2Sampler",
                                       "BaggingClassifier",
                                       "BaggingRegressor",
                                       "BayesianRidge",
                                       "BernoulliNB",
                                       "BisectingKMeans",
                                       "ComplementNB",
                                       "DecisionTreeClassifier",
                                       "DecisionTreeRegressor",
                                       "DummyClassifier",
                                       "DummyRegressor",
                                       "ElasticNet",
                                       "ElasticNetCV",
                                       "ExtraTreeClassifier",
                                       "ExtraTreeRegressor",
                                       "ExtraTreesClassifier",
                                       "ExtraTreesRegressor",
                                       "GammaRegressor",
                                       "GaussianRandomProjection",
                                       "GradientBoostingClassifier",
                                       "GradientBoostingRegressor",
                                       "HuberRegressor",
                                       "IncrementalPCA",
                                       "IsolationForest",
                                       "KMeans",
                                       "KernelPCA",
                                       "Lars",
                                       "LarsCV",
                                       "Lasso",
                                       "LassoCV",
                                       "LassoLars",
                                       "LassoLarsCV",
                                       "LassoLarsIC",
                                       "LinearDiscriminantAnalysis",
                                       "LinearRegression",
                                       "LinearSVC",
                                       "LinearSVR",
                                       "LogisticRegression",
                                       "LogisticRegressionCV",
                                       "MLPClassifier",
                                       "MLPRegressor",
                                       "MiniBatchKMeans",
                                       "MultiTaskElasticNet",
                                       "MultiTaskElasticNetCV",
                                       "MultiTaskLasso",
                                       "MultiTaskLassoCV",
                                       "MultinomialNB",
                                       "NearestCentroid",
                                       "Nystroem",
                                       "OrthogonalMatchingPursuit",
                                       "OrthogonalMatchingPursuitCV",
                                       "PassiveAggressiveClassifier",
                                       "PassiveAggressiveRegressor",
                                       "Perceptron",
                                       "PoissonRegressor",
                                       "PolynomialCountSketch",
                                       "QuantileRegressor",
                                       "RANSACRegressor",
                                       "RBFSampler",
                                       "RandomForestClassifier",
                                       "RandomForestRegressor",
                                       "RandomTreesEmbedding",
                                       "Ridge",
                                       "RidgeCV",
                                       "RidgeClassifier",
                                       "RidgeClassifierCV",
                                       "SGDClassifier",
                                       "SGDOneClassSVM",
                                       "SGDRegressor",
                                       "SparseRandomProjection",
                                       "TheilSenRegressor",
                                       "TruncatedSVD",
                                       "TweedieRegressor"};

constexpr std::string_view kTakesAndKeeps[] = {"GenericUnivariateSelect",
                                               "MaxAbsScaler",
                                               "MissingIndicator",
                                               "Normalizer",
                                               "PolynomialFeatures",
                                               "RFE",
                                               "RFECV",
                                               "SelectFdr",
                                               "SelectFpr",
                                               "SelectFromModel",
                                               "SelectFwe",
                                               "SelectKBest",
                                               "SelectPercentile",
                                               "SequentialFeatureSelector",
                                               "SimpleImputer",
                                               "TfidfTransformer",
                                               "VarianceThreshold"};

// Estimators around others, which decide.
constexpr std::string_view kAround[] = {"CalibratedClassifierCV",
                                        "ClassifierChain",
                                        "ColumnTransformer",
                                        "FeatureUnion",
                                        "FixedThresholdClassifier",
                                        "FrozenEstimator",
                                        "GridSearchCV",
                                        "HalvingGridSearchCV",
                                        "HalvingRandomSearchCV",
                                        "MultiOutputClassifier",
                                        "MultiOutputRegressor",
                                        "OneVsOneClassifier",
                                        "OneVsRestClassifier",
                                        "OutputCodeClassifier",
                                        "Pipeline",
                                        "RandomizedSearchCV",
                                        "RegressorChain",
                                        "SelfTrainingClassifier",
                                        "StackingClassifier",
                                        "StackingRegressor",
                                        "TransformedTargetRegressor",
                                        "TunedThresholdClassifierCV",
                                        "VotingClassifier",
                                        "VotingRegressor",
                                        "_CalibratedClassifier",
                                        "_ConstantPredictor"};

template <std::size_t N>
bool is_in(const std::string_view (&names)[N], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

std::string_view short_name(const Estimator& estimator) {
  const std::string_view name = estimator.class_name();
  return name.substr(name.rfind('.') + 1);
}

// Names that take sparse rows unless a parameter forbids it: what forbids it, or nothing.
std::optional<std::string> forbidden(const Lowering& to, const Estimator& estimator, std::string_view name) {
  const auto unless = [](bool forbids, std::string_view why) { return std::string(forbids ? why : ""); };
  if (name == "StandardScaler") return unless(estimator.boolean_or("with_mean", true), "with_mean");
  if (name == "RobustScaler") return unless(estimator.boolean_or("with_centering", true), "with_centering");
  if (name == "Binarizer") return unless(estimator.real("threshold") < 0, "a threshold below 0");
  if (name == "PCA") return unless(to.version(estimator) < Version{1, 4}, "before 1.4");
  if (name == "FunctionTransformer") {
    const bool validates = estimator.boolean_or("validate", false) && !estimator.boolean_or("accept_sparse", false);
    return unless(validates, "accept_sparse=False");
  }
  if (name == "SVC" || name == "NuSVC" || name == "SVR" || name == "NuSVR" || name == "OneClassSVM") {
    return unless(!estimator.boolean_or("_sparse", false), "fitted on a dense matrix");
  }
  const bool neighbours = name.find("Neighbors") != std::string_view::npos || name == "LocalOutlierFactor";
  if (neighbours) return unless(!estimator.is_text("_fit_method", "brute"), "a search other than brute");
  return std::nullopt;
}

}  // namespace

std::string refuses_sparse(const Lowering& to, const Estimator& estimator) {
  const std::string_view name = short_name(estimator);
  if (is_in(kTakes, name) || is_in(kTakesAndKeeps, name) || is_in(kAround, name)) return {};
  const std::optional<std::string> why = forbidden(to, estimator, name);
  if (!why) return estimator.class_name();
  return why->empty() ? "" : estimator.class_name() + " (" + *why + ")";
}

bool keeps_sparse(const Estimator& estimator) {
  const std::string_view name = short_name(estimator);
  return is_in(kTakesAndKeeps, name) || name == "StandardScaler" || name == "RobustScaler" || name == "Binarizer" ||
         name == "FunctionTransformer";
}

}  // namespace mere::lower
