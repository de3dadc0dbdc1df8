// Which class is lowered by which rule, by the names that scikit-learn has today (container/renamed_names.hpp mends old
// ones when a file is read).

#include <algorithm>
#include <iterator>

#include "lower/families.hpp"

namespace mere::lower {

namespace {

constexpr Rule kRules[] = {
    {"sklearn.ensemble._forest.ExtraTreesClassifier", lower_forest_classifier},
    {"sklearn.ensemble._forest.ExtraTreesRegressor", lower_forest_regressor},
    {"sklearn.ensemble._forest.RandomForestClassifier", lower_forest_classifier},
    {"sklearn.ensemble._forest.RandomForestRegressor", lower_forest_regressor},
    {"sklearn.ensemble._forest.RandomTreesEmbedding", lower_random_trees_embedding},
    {"sklearn.ensemble._gb.GradientBoostingClassifier", lower_gradient_boosting_classifier},
    {"sklearn.ensemble._gb.GradientBoostingRegressor", lower_gradient_boosting_regressor},
    {"sklearn.linear_model._base.LinearRegression", lower_linear_regressor},
    {"sklearn.linear_model._logistic.LogisticRegression", lower_logistic_regression},
    {"sklearn.linear_model._logistic.LogisticRegressionCV", lower_logistic_regression},
    {"sklearn.linear_model._ridge.Ridge", lower_linear_regressor},
    {"sklearn.linear_model._ridge.RidgeClassifier", lower_linear_classifier},
    {"sklearn.pipeline.FeatureUnion", lower_feature_union},
    {"sklearn.pipeline.Pipeline", lower_pipeline},
    {"sklearn.preprocessing._data.MaxAbsScaler", lower_max_abs_scaler},
    {"sklearn.preprocessing._data.MinMaxScaler", lower_min_max_scaler},
    {"sklearn.preprocessing._data.RobustScaler", lower_robust_scaler},
    {"sklearn.preprocessing._data.StandardScaler", lower_standard_scaler},
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
