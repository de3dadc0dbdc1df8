#pragma once
// The rules of each family of estimators; registry.cpp has their names.

#include "lower/lowering.hpp"

namespace mere::lower {

// families/linear_models.cpp
Methods lower_linear_regressor(Lowering& to, const Estimator& from, ValueId in);
Methods lower_linear_classifier(Lowering& to, const Estimator& from, ValueId in);
Methods lower_logistic_regression(Lowering& to, const Estimator& from, ValueId in);
Methods lower_ridge_classifier(Lowering& to, const Estimator& from, ValueId in);
Methods lower_sgd_classifier(Lowering& to, const Estimator& from, ValueId in);
Methods lower_sgd_one_class_svm(Lowering& to, const Estimator& from, ValueId in);
Methods lower_log_linear_regressor(Lowering& to, const Estimator& from, ValueId in);
Methods lower_tweedie_regressor(Lowering& to, const Estimator& from, ValueId in);
Methods lower_ransac_regressor(Lowering& to, const Estimator& from, ValueId in);

// families/scalers.cpp
Methods lower_standard_scaler(Lowering& to, const Estimator& from, ValueId in);
Methods lower_min_max_scaler(Lowering& to, const Estimator& from, ValueId in);
Methods lower_max_abs_scaler(Lowering& to, const Estimator& from, ValueId in);
Methods lower_robust_scaler(Lowering& to, const Estimator& from, ValueId in);

// families/adaboost.cpp
Methods lower_ada_boost_classifier(Lowering& to, const Estimator& from, ValueId in);
Methods lower_ada_boost_regressor(Lowering& to, const Estimator& from, ValueId in);

// families/bagging.cpp
Methods lower_bagging_classifier(Lowering& to, const Estimator& from, ValueId in);
Methods lower_bagging_regressor(Lowering& to, const Estimator& from, ValueId in);

// families/ensembles.cpp
Methods lower_voting_classifier(Lowering& to, const Estimator& from, ValueId in);
Methods lower_voting_regressor(Lowering& to, const Estimator& from, ValueId in);
Methods lower_stacking_classifier(Lowering& to, const Estimator& from, ValueId in);
Methods lower_stacking_regressor(Lowering& to, const Estimator& from, ValueId in);

// families/boosting.cpp
Methods lower_gradient_boosting_classifier(Lowering& to, const Estimator& from, ValueId in);
Methods lower_gradient_boosting_regressor(Lowering& to, const Estimator& from, ValueId in);

// families/forests.cpp
Methods lower_forest_classifier(Lowering& to, const Estimator& from, ValueId in);
Methods lower_forest_regressor(Lowering& to, const Estimator& from, ValueId in);
Methods lower_random_trees_embedding(Lowering& to, const Estimator& from, ValueId in);

// families/hist_gradient_boosting.cpp
Methods lower_hist_boosting_classifier(Lowering& to, const Estimator& from, ValueId in);
Methods lower_hist_boosting_regressor(Lowering& to, const Estimator& from, ValueId in);

// families/isolation_forest.cpp
Methods lower_isolation_forest(Lowering& to, const Estimator& from, ValueId in);

// families/trees.cpp
Methods lower_tree_classifier(Lowering& to, const Estimator& from, ValueId in);
Methods lower_tree_regressor(Lowering& to, const Estimator& from, ValueId in);

Methods lower_pipeline(Lowering& to, const Estimator& from, ValueId in);
Methods lower_feature_union(Lowering& to, const Estimator& from, ValueId in);

// families/discriminants.cpp
Methods lower_linear_discriminant_analysis(Lowering& to, const Estimator& from, ValueId in);
Methods lower_quadratic_discriminant_analysis(Lowering& to, const Estimator& from, ValueId in);

// families/constants.cpp
Methods lower_dummy_classifier(Lowering& to, const Estimator& from, ValueId in);
Methods lower_dummy_regressor(Lowering& to, const Estimator& from, ValueId in);
Methods lower_isotonic_regression(Lowering& to, const Estimator& from, ValueId in);

// families/features.cpp
Methods lower_normalizer(Lowering& to, const Estimator& from, ValueId in);
Methods lower_binarizer(Lowering& to, const Estimator& from, ValueId in);
Methods lower_quantile_transformer(Lowering& to, const Estimator& from, ValueId in);
Methods lower_power_transformer(Lowering& to, const Estimator& from, ValueId in);
Methods lower_spline_transformer(Lowering& to, const Estimator& from, ValueId in);
Methods lower_polynomial_features(Lowering& to, const Estimator& from, ValueId in);
Methods lower_k_bins_discretizer(Lowering& to, const Estimator& from, ValueId in);
Methods lower_function_transformer(Lowering& to, const Estimator& from, ValueId in);

// families/encoders.cpp
Methods lower_one_hot_encoder(Lowering& to, const Estimator& from, ValueId in);
Methods lower_ordinal_encoder(Lowering& to, const Estimator& from, ValueId in);
Methods lower_target_encoder(Lowering& to, const Estimator& from, ValueId in);

// families/imputers.cpp
Methods lower_simple_imputer(Lowering& to, const Estimator& from, ValueId in);
Methods lower_knn_imputer(Lowering& to, const Estimator& from, ValueId in);
Methods lower_missing_indicator(Lowering& to, const Estimator& from, ValueId in);

// families/selectors.cpp
Methods lower_univariate_selection(Lowering& to, const Estimator& from, ValueId in);
Methods lower_variance_threshold(Lowering& to, const Estimator& from, ValueId in);
Methods lower_support_selection(Lowering& to, const Estimator& from, ValueId in);
Methods lower_recursive_elimination(Lowering& to, const Estimator& from, ValueId in);
Methods lower_select_from_model(Lowering& to, const Estimator& from, ValueId in);
Methods lower_column_transformer(Lowering& to, const Estimator& from, ValueId in);

}  // namespace mere::lower
