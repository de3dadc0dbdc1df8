// Which class is lowered by which rule, by the names that scikit-learn has today (container/renamed_names.hpp mends old
// ones when a file is read).

#include <algorithm>
#include <iterator>

#include "lower/families.hpp"

namespace mere::lower {

namespace {

constexpr Rule kRules[] = {
    {"sklearn.compose._column_transformer.ColumnTransformer", lower_column_transformer},
    {"sklearn.discriminant_analysis.LinearDiscriminantAnalysis", lower_linear_discriminant_analysis},
    {"sklearn.discriminant_analysis.QuadraticDiscriminantAnalysis", lower_quadratic_discriminant_analysis},
    {"sklearn.dummy.DummyClassifier", lower_dummy_classifier},
    {"sklearn.dummy.DummyRegressor", lower_dummy_regressor},
    {"sklearn.ensemble._bagging.BaggingClassifier", lower_bagging_classifier},
    {"sklearn.ensemble._bagging.BaggingRegressor", lower_bagging_regressor},
    {"sklearn.ensemble._forest.ExtraTreesClassifier", lower_forest_classifier},
    {"sklearn.ensemble._forest.ExtraTreesRegressor", lower_forest_regressor},
    {"sklearn.ensemble._forest.RandomForestClassifier", lower_forest_classifier},
    {"sklearn.ensemble._forest.RandomForestRegressor", lower_forest_regressor},
    {"sklearn.ensemble._forest.RandomTreesEmbedding", lower_random_trees_embedding},
    {"sklearn.ensemble._gb.GradientBoostingClassifier", lower_gradient_boosting_classifier},
    {"sklearn.ensemble._gb.GradientBoostingRegressor", lower_gradient_boosting_regressor},
    {"sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingClassifier",
     lower_hist_boosting_classifier},
    {"sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingRegressor",
     lower_hist_boosting_regressor},
    {"sklearn.ensemble._iforest.IsolationForest", lower_isolation_forest},
    {"sklearn.ensemble._stacking.StackingClassifier", lower_stacking_classifier},
    {"sklearn.ensemble._stacking.StackingRegressor", lower_stacking_regressor},
    {"sklearn.ensemble._voting.VotingClassifier", lower_voting_classifier},
    {"sklearn.ensemble._voting.VotingRegressor", lower_voting_regressor},
    {"sklearn.ensemble._weight_boosting.AdaBoostClassifier", lower_ada_boost_classifier},
    {"sklearn.ensemble._weight_boosting.AdaBoostRegressor", lower_ada_boost_regressor},
    {"sklearn.feature_selection._from_model.SelectFromModel", lower_select_from_model},
    {"sklearn.feature_selection._rfe.RFE", lower_recursive_elimination},
    {"sklearn.feature_selection._rfe.RFECV", lower_recursive_elimination},
    {"sklearn.feature_selection._sequential.SequentialFeatureSelector", lower_support_selection},
    {"sklearn.feature_selection._univariate_selection.GenericUnivariateSelect", lower_univariate_selection},
    {"sklearn.feature_selection._univariate_selection.SelectFdr", lower_univariate_selection},
    {"sklearn.feature_selection._univariate_selection.SelectFpr", lower_univariate_selection},
    {"sklearn.feature_selection._univariate_selection.SelectFwe", lower_univariate_selection},
    {"sklearn.feature_selection._univariate_selection.SelectKBest", lower_univariate_selection},
    {"sklearn.feature_selection._univariate_selection.SelectPercentile", lower_univariate_selection},
    {"sklearn.feature_selection._variance_threshold.VarianceThreshold", lower_variance_threshold},
    {"sklearn.impute._base.MissingIndicator", lower_missing_indicator},
    {"sklearn.impute._base.SimpleImputer", lower_simple_imputer},
    {"sklearn.impute._knn.KNNImputer", lower_knn_imputer},
    {"sklearn.isotonic.IsotonicRegression", lower_isotonic_regression},
    {"sklearn.linear_model._base.LinearRegression", lower_linear_regressor},
    {"sklearn.linear_model._bayes.ARDRegression", lower_linear_regressor},
    {"sklearn.linear_model._bayes.BayesianRidge", lower_linear_regressor},
    {"sklearn.linear_model._coordinate_descent.ElasticNet", lower_linear_regressor},
    {"sklearn.linear_model._coordinate_descent.ElasticNetCV", lower_linear_regressor},
    {"sklearn.linear_model._coordinate_descent.Lasso", lower_linear_regressor},
    {"sklearn.linear_model._coordinate_descent.LassoCV", lower_linear_regressor},
    {"sklearn.linear_model._coordinate_descent.MultiTaskElasticNet", lower_linear_regressor},
    {"sklearn.linear_model._coordinate_descent.MultiTaskElasticNetCV", lower_linear_regressor},
    {"sklearn.linear_model._coordinate_descent.MultiTaskLasso", lower_linear_regressor},
    {"sklearn.linear_model._coordinate_descent.MultiTaskLassoCV", lower_linear_regressor},
    {"sklearn.linear_model._glm.glm.GammaRegressor", lower_log_linear_regressor},
    {"sklearn.linear_model._glm.glm.PoissonRegressor", lower_log_linear_regressor},
    {"sklearn.linear_model._glm.glm.TweedieRegressor", lower_tweedie_regressor},
    {"sklearn.linear_model._huber.HuberRegressor", lower_linear_regressor},
    {"sklearn.linear_model._least_angle.Lars", lower_linear_regressor},
    {"sklearn.linear_model._least_angle.LarsCV", lower_linear_regressor},
    {"sklearn.linear_model._least_angle.LassoLars", lower_linear_regressor},
    {"sklearn.linear_model._least_angle.LassoLarsCV", lower_linear_regressor},
    {"sklearn.linear_model._least_angle.LassoLarsIC", lower_linear_regressor},
    {"sklearn.linear_model._logistic.LogisticRegression", lower_logistic_regression},
    {"sklearn.linear_model._logistic.LogisticRegressionCV", lower_logistic_regression},
    {"sklearn.linear_model._omp.OrthogonalMatchingPursuit", lower_linear_regressor},
    {"sklearn.linear_model._omp.OrthogonalMatchingPursuitCV", lower_linear_regressor},
    {"sklearn.linear_model._passive_aggressive.PassiveAggressiveClassifier", lower_linear_classifier},
    {"sklearn.linear_model._passive_aggressive.PassiveAggressiveRegressor", lower_linear_regressor},
    {"sklearn.linear_model._perceptron.Perceptron", lower_linear_classifier},
    {"sklearn.linear_model._quantile.QuantileRegressor", lower_linear_regressor},
    {"sklearn.linear_model._ransac.RANSACRegressor", lower_ransac_regressor},
    {"sklearn.linear_model._ridge.Ridge", lower_linear_regressor},
    {"sklearn.linear_model._ridge.RidgeCV", lower_linear_regressor},
    {"sklearn.linear_model._ridge.RidgeClassifier", lower_ridge_classifier},
    {"sklearn.linear_model._ridge.RidgeClassifierCV", lower_ridge_classifier},
    {"sklearn.linear_model._stochastic_gradient.SGDClassifier", lower_sgd_classifier},
    {"sklearn.linear_model._stochastic_gradient.SGDOneClassSVM", lower_sgd_one_class_svm},
    {"sklearn.linear_model._stochastic_gradient.SGDRegressor", lower_linear_regressor},
    {"sklearn.linear_model._theil_sen.TheilSenRegressor", lower_linear_regressor},
    {"sklearn.pipeline.FeatureUnion", lower_feature_union},
    {"sklearn.pipeline.Pipeline", lower_pipeline},
    {"sklearn.preprocessing._data.Binarizer", lower_binarizer},
    {"sklearn.preprocessing._data.MaxAbsScaler", lower_max_abs_scaler},
    {"sklearn.preprocessing._data.MinMaxScaler", lower_min_max_scaler},
    {"sklearn.preprocessing._data.Normalizer", lower_normalizer},
    {"sklearn.preprocessing._data.PolynomialFeatures", lower_polynomial_features},
    {"sklearn.preprocessing._data.PowerTransformer", lower_power_transformer},
    {"sklearn.preprocessing._data.QuantileTransformer", lower_quantile_transformer},
    {"sklearn.preprocessing._data.RobustScaler", lower_robust_scaler},
    {"sklearn.preprocessing._data.StandardScaler", lower_standard_scaler},
    {"sklearn.preprocessing._discretization.KBinsDiscretizer", lower_k_bins_discretizer},
    {"sklearn.preprocessing._encoders.OneHotEncoder", lower_one_hot_encoder},
    {"sklearn.preprocessing._encoders.OrdinalEncoder", lower_ordinal_encoder},
    {"sklearn.preprocessing._function_transformer.FunctionTransformer", lower_function_transformer},
    {"sklearn.preprocessing._polynomial.PolynomialFeatures", lower_polynomial_features},
    {"sklearn.preprocessing._polynomial.SplineTransformer", lower_spline_transformer},
    {"sklearn.preprocessing._target_encoder.TargetEncoder", lower_target_encoder},
    {"sklearn.svm._classes.LinearSVC", lower_linear_classifier},
    {"sklearn.svm._classes.LinearSVR", lower_linear_regressor},
    {"sklearn.tree._classes.DecisionTreeClassifier", lower_tree_classifier},
    {"sklearn.tree._classes.DecisionTreeRegressor", lower_tree_regressor},
    {"sklearn.tree._classes.ExtraTreeClassifier", lower_tree_classifier},
    {"sklearn.tree._classes.ExtraTreeRegressor", lower_tree_regressor},
};

}  // namespace

std::span<const Rule> rules() {
  return kRules;
}

LowerFunction find_rule(std::string_view class_name) {
  const auto* found = std::lower_bound(std::begin(kRules), std::end(kRules), class_name,
                                       [](const Rule& rule, std::string_view name) { return rule.class_name < name; });
  return found != std::end(kRules) && found->class_name == class_name ? found->lower : nullptr;
}

}  // namespace mere::lower
