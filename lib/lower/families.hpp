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

// families/compositions.cpp
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

// families/text_features.cpp
Methods lower_count_vectorizer(Lowering& to, const Estimator& from, ValueId in);
Methods lower_tfidf_vectorizer(Lowering& to, const Estimator& from, ValueId in);
Methods lower_tfidf_transformer(Lowering& to, const Estimator& from, ValueId in);
Methods lower_hashing_vectorizer(Lowering& to, const Estimator& from, ValueId in);
Methods lower_feature_hasher(Lowering& to, const Estimator& from, ValueId in);
Methods lower_multi_label_binarizer(Lowering& to, const Estimator& from, ValueId in);
Methods lower_dict_vectorizer(Lowering& to, const Estimator& from, ValueId in);
Methods lower_label_encoder(Lowering& to, const Estimator& from, ValueId in);
Methods lower_label_binarizer(Lowering& to, const Estimator& from, ValueId in);

// families/encoders.cpp
Methods lower_one_hot_encoder(Lowering& to, const Estimator& from, ValueId in);
Methods lower_ordinal_encoder(Lowering& to, const Estimator& from, ValueId in);
Methods lower_target_encoder(Lowering& to, const Estimator& from, ValueId in);

// families/imputers.cpp
Methods lower_simple_imputer(Lowering& to, const Estimator& from, ValueId in);
Methods lower_knn_imputer(Lowering& to, const Estimator& from, ValueId in);
Methods lower_iterative_imputer(Lowering& to, const Estimator& from, ValueId in);
Methods lower_missing_indicator(Lowering& to, const Estimator& from, ValueId in);

// families/selectors.cpp
Methods lower_univariate_selection(Lowering& to, const Estimator& from, ValueId in);
Methods lower_variance_threshold(Lowering& to, const Estimator& from, ValueId in);
Methods lower_support_selection(Lowering& to, const Estimator& from, ValueId in);
Methods lower_recursive_elimination(Lowering& to, const Estimator& from, ValueId in);
Methods lower_select_from_model(Lowering& to, const Estimator& from, ValueId in);
Methods lower_column_transformer(Lowering& to, const Estimator& from, ValueId in);

// families/naive_bayes.cpp
Methods lower_gaussian_nb(Lowering& to, const Estimator& from, ValueId in);
Methods lower_multinomial_nb(Lowering& to, const Estimator& from, ValueId in);
Methods lower_complement_nb(Lowering& to, const Estimator& from, ValueId in);
Methods lower_bernoulli_nb(Lowering& to, const Estimator& from, ValueId in);
Methods lower_categorical_nb(Lowering& to, const Estimator& from, ValueId in);

// families/neural_networks.cpp
Methods lower_mlp_classifier(Lowering& to, const Estimator& from, ValueId in);
Methods lower_mlp_regressor(Lowering& to, const Estimator& from, ValueId in);

// families/support_vectors.cpp
Methods lower_svc(Lowering& to, const Estimator& from, ValueId in);
Methods lower_svr(Lowering& to, const Estimator& from, ValueId in);
Methods lower_one_class_svm(Lowering& to, const Estimator& from, ValueId in);

// families/projections.cpp
Methods lower_pca(Lowering& to, const Estimator& from, ValueId in);
Methods lower_plain_projection(Lowering& to, const Estimator& from, ValueId in);
Methods lower_fast_ica(Lowering& to, const Estimator& from, ValueId in);
Methods lower_factor_analysis(Lowering& to, const Estimator& from, ValueId in);
Methods lower_kernel_pca(Lowering& to, const Estimator& from, ValueId in);
Methods lower_kernel_centerer(Lowering& to, const Estimator& from, ValueId in);
Methods lower_nystroem(Lowering& to, const Estimator& from, ValueId in);
Methods lower_additive_chi2_sampler(Lowering& to, const Estimator& from, ValueId in);
Methods lower_polynomial_count_sketch(Lowering& to, const Estimator& from, ValueId in);
Methods lower_rbf_sampler(Lowering& to, const Estimator& from, ValueId in);
Methods lower_pls_svd(Lowering& to, const Estimator& from, ValueId in);
Methods lower_pls(Lowering& to, const Estimator& from, ValueId in);

// families/clusters.cpp
Methods lower_k_means(Lowering& to, const Estimator& from, ValueId in);
Methods lower_bisecting_k_means(Lowering& to, const Estimator& from, ValueId in);
Methods lower_gaussian_mixture(Lowering& to, const Estimator& from, ValueId in);
Methods lower_bayesian_gaussian_mixture(Lowering& to, const Estimator& from, ValueId in);

// families/gaussian_processes.cpp
Methods lower_gaussian_process_regressor(Lowering& to, const Estimator& from, ValueId in);
Methods lower_gaussian_process_classifier(Lowering& to, const Estimator& from, ValueId in);

// families/neighbors.cpp
Methods lower_k_neighbors_classifier(Lowering& to, const Estimator& from, ValueId in);
Methods lower_radius_neighbors_classifier(Lowering& to, const Estimator& from, ValueId in);
Methods lower_k_neighbors_regressor(Lowering& to, const Estimator& from, ValueId in);
Methods lower_k_neighbors_transformer(Lowering& to, const Estimator& from, ValueId in);
Methods lower_radius_neighbors_transformer(Lowering& to, const Estimator& from, ValueId in);
Methods lower_radius_neighbors_regressor(Lowering& to, const Estimator& from, ValueId in);
Methods lower_nearest_centroid(Lowering& to, const Estimator& from, ValueId in);
Methods lower_local_outlier_factor(Lowering& to, const Estimator& from, ValueId in);

// families/wrappers.cpp
Methods lower_constant_predictor(Lowering& to, const Estimator& from, ValueId in);
Methods lower_one_versus_rest(Lowering& to, const Estimator& from, ValueId in);
Methods lower_one_versus_one(Lowering& to, const Estimator& from, ValueId in);
Methods lower_output_code(Lowering& to, const Estimator& from, ValueId in);
Methods lower_classifier_chain(Lowering& to, const Estimator& from, ValueId in);
Methods lower_regressor_chain(Lowering& to, const Estimator& from, ValueId in);
Methods lower_multi_output_regressor(Lowering& to, const Estimator& from, ValueId in);
Methods lower_multi_output_classifier(Lowering& to, const Estimator& from, ValueId in);
Methods lower_calibrated_classifier(Lowering& to, const Estimator& from, ValueId in);
Methods lower_search(Lowering& to, const Estimator& from, ValueId in);
Methods lower_self_training(Lowering& to, const Estimator& from, ValueId in);
Methods lower_frozen_estimator(Lowering& to, const Estimator& from, ValueId in);
Methods lower_threshold_classifier(Lowering& to, const Estimator& from, ValueId in);
Methods lower_transformed_target(Lowering& to, const Estimator& from, ValueId in);

}  // namespace mere::lower
