#include "container/renamed_names.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace mere::container {

namespace {

struct RenamedModule {
  std::string_view before, after;
};

// A package, with all that is in it.
constexpr RenamedModule kPackages[] = {
    {"numpy.core", "numpy._core"},
    {"sklearn.externals.joblib", "joblib"},
    {"cloudpickle.cloudpickle_fast", "cloudpickle.cloudpickle"},
};

// In the order of `before`; asked after the packages. scikit-learn moved its modules in 0.22, scipy in 1.8, NumPy's
// random ones in 1.18.
constexpr RenamedModule kModules[] = {
    {"mtrand", "numpy.random.mtrand"},
    {"numpy._core._multiarray_umath", "numpy"},
    {"numpy._core.umath", "numpy"},
    {"numpy.random.bounded_integers", "numpy.random._bounded_integers"},
    {"numpy.random.common", "numpy.random._common"},
    {"numpy.random.generator", "numpy.random._generator"},
    {"numpy.random.mt19937", "numpy.random._mt19937"},
    {"numpy.random.pcg64", "numpy.random._pcg64"},
    {"numpy.random.philox", "numpy.random._philox"},
    {"numpy.random.sfc64", "numpy.random._sfc64"},
    {"pandas.core.index", "pandas.core.indexes.base"},
    {"pandas.indexes.base", "pandas.core.indexes.base"},
    {"pandas.indexes.multi", "pandas.core.indexes.multi"},
    {"pandas.indexes.range", "pandas.core.indexes.range"},
    {"pandas.tseries.index", "pandas.core.indexes.datetimes"},
    {"pathlib._local", "pathlib"},
    {"scipy.interpolate.fitpack2", "scipy.interpolate._fitpack2"},
    {"scipy.interpolate.interpolate", "scipy.interpolate._interpolate"},
    {"scipy.interpolate.polyint", "scipy.interpolate._polyint"},
    {"scipy.sparse.base", "scipy.sparse._base"},
    {"scipy.sparse.bsr", "scipy.sparse._bsr"},
    {"scipy.sparse.compressed", "scipy.sparse._compressed"},
    {"scipy.sparse.coo", "scipy.sparse._coo"},
    {"scipy.sparse.csc", "scipy.sparse._csc"},
    {"scipy.sparse.csr", "scipy.sparse._csr"},
    {"scipy.sparse.data", "scipy.sparse._data"},
    {"scipy.sparse.dia", "scipy.sparse._dia"},
    {"scipy.sparse.dok", "scipy.sparse._dok"},
    {"scipy.sparse.lil", "scipy.sparse._lil"},
    {"scipy.spatial.ckdtree", "scipy.spatial._ckdtree"},
    {"scipy.spatial.kdtree", "scipy.spatial._kdtree"},
    {"scipy.special._ufuncs", "scipy.special"},
    {"scipy.stats.kde", "scipy.stats._kde"},
    {"sklearn.cluster.affinity_propagation_", "sklearn.cluster._affinity_propagation"},
    {"sklearn.cluster.bicluster", "sklearn.cluster._bicluster"},
    {"sklearn.cluster.birch", "sklearn.cluster._birch"},
    {"sklearn.cluster.dbscan_", "sklearn.cluster._dbscan"},
    {"sklearn.cluster.hierarchical", "sklearn.cluster._agglomerative"},
    {"sklearn.cluster.k_means_", "sklearn.cluster._kmeans"},
    {"sklearn.cluster.mean_shift_", "sklearn.cluster._mean_shift"},
    {"sklearn.cluster.optics_", "sklearn.cluster._optics"},
    {"sklearn.cluster.spectral", "sklearn.cluster._spectral"},
    {"sklearn.covariance.elliptic_envelope", "sklearn.covariance._elliptic_envelope"},
    {"sklearn.covariance.empirical_covariance_", "sklearn.covariance._empirical_covariance"},
    {"sklearn.covariance.graph_lasso_", "sklearn.covariance._graph_lasso"},
    {"sklearn.covariance.robust_covariance", "sklearn.covariance._robust_covariance"},
    {"sklearn.covariance.shrunk_covariance_", "sklearn.covariance._shrunk_covariance"},
    {"sklearn.cross_decomposition._cca", "sklearn.cross_decomposition._pls"},
    {"sklearn.cross_decomposition.cca_", "sklearn.cross_decomposition._pls"},
    {"sklearn.cross_decomposition.pls_", "sklearn.cross_decomposition._pls"},
    {"sklearn.decomposition._online_lda", "sklearn.decomposition._online_lda_fast"},
    {"sklearn.decomposition.base", "sklearn.decomposition._base"},
    {"sklearn.decomposition.dict_learning", "sklearn.decomposition._dict_learning"},
    {"sklearn.decomposition.factor_analysis", "sklearn.decomposition._factor_analysis"},
    {"sklearn.decomposition.fastica_", "sklearn.decomposition._fastica"},
    {"sklearn.decomposition.incremental_pca", "sklearn.decomposition._incremental_pca"},
    {"sklearn.decomposition.kernel_pca", "sklearn.decomposition._kernel_pca"},
    {"sklearn.decomposition.nmf", "sklearn.decomposition._nmf"},
    {"sklearn.decomposition.online_lda", "sklearn.decomposition._lda"},
    {"sklearn.decomposition.pca", "sklearn.decomposition._pca"},
    {"sklearn.decomposition.sparse_pca", "sklearn.decomposition._sparse_pca"},
    {"sklearn.decomposition.truncated_svd", "sklearn.decomposition._truncated_svd"},
    {"sklearn.ensemble.bagging", "sklearn.ensemble._bagging"},
    {"sklearn.ensemble.base", "sklearn.ensemble._base"},
    {"sklearn.ensemble.forest", "sklearn.ensemble._forest"},
    {"sklearn.ensemble.gradient_boosting", "sklearn.ensemble._gb"},
    {"sklearn.ensemble.iforest", "sklearn.ensemble._iforest"},
    {"sklearn.ensemble.voting", "sklearn.ensemble._voting"},
    {"sklearn.ensemble.voting_classifier", "sklearn.ensemble._voting"},
    {"sklearn.ensemble.weight_boosting", "sklearn.ensemble._weight_boosting"},
    {"sklearn.feature_extraction.dict_vectorizer", "sklearn.feature_extraction._dict_vectorizer"},
    {"sklearn.feature_extraction.hashing", "sklearn.feature_extraction._hash"},
    {"sklearn.feature_selection.base", "sklearn.feature_selection._base"},
    {"sklearn.feature_selection.from_model", "sklearn.feature_selection._from_model"},
    {"sklearn.feature_selection.mutual_info_", "sklearn.feature_selection._mutual_info"},
    {"sklearn.feature_selection.rfe", "sklearn.feature_selection._rfe"},
    {"sklearn.feature_selection.univariate_selection", "sklearn.feature_selection._univariate_selection"},
    {"sklearn.feature_selection.variance_threshold", "sklearn.feature_selection._variance_threshold"},
    {"sklearn.gaussian_process.gpc", "sklearn.gaussian_process._gpc"},
    {"sklearn.gaussian_process.gpr", "sklearn.gaussian_process._gpr"},
    {"sklearn.linear_model.base", "sklearn.linear_model._base"},
    {"sklearn.linear_model.bayes", "sklearn.linear_model._bayes"},
    {"sklearn.linear_model.cd_fast", "sklearn.linear_model._cd_fast"},
    {"sklearn.linear_model.coordinate_descent", "sklearn.linear_model._coordinate_descent"},
    {"sklearn.linear_model.huber", "sklearn.linear_model._huber"},
    {"sklearn.linear_model.least_angle", "sklearn.linear_model._least_angle"},
    {"sklearn.linear_model.logistic", "sklearn.linear_model._logistic"},
    {"sklearn.linear_model.omp", "sklearn.linear_model._omp"},
    {"sklearn.linear_model.passive_aggressive", "sklearn.linear_model._passive_aggressive"},
    {"sklearn.linear_model.perceptron", "sklearn.linear_model._perceptron"},
    {"sklearn.linear_model.ransac", "sklearn.linear_model._ransac"},
    {"sklearn.linear_model.ridge", "sklearn.linear_model._ridge"},
    {"sklearn.linear_model.sag", "sklearn.linear_model._sag"},
    {"sklearn.linear_model.sag_fast", "sklearn.linear_model._sag_fast"},
    {"sklearn.linear_model.sgd_fast", "sklearn.linear_model._sgd_fast"},
    {"sklearn.linear_model.stochastic_gradient", "sklearn.linear_model._stochastic_gradient"},
    {"sklearn.linear_model.theil_sen", "sklearn.linear_model._theil_sen"},
    {"sklearn.manifold.isomap", "sklearn.manifold._isomap"},
    {"sklearn.manifold.locally_linear", "sklearn.manifold._locally_linear"},
    {"sklearn.manifold.mds", "sklearn.manifold._mds"},
    {"sklearn.manifold.spectral_embedding_", "sklearn.manifold._spectral_embedding"},
    {"sklearn.manifold.t_sne", "sklearn.manifold._t_sne"},
    {"sklearn.metrics.classification", "sklearn.metrics._classification"},
    {"sklearn.metrics.pairwise_fast", "sklearn.metrics._pairwise_fast"},
    {"sklearn.metrics.ranking", "sklearn.metrics._ranking"},
    {"sklearn.metrics.regression", "sklearn.metrics._regression"},
    {"sklearn.metrics.scorer", "sklearn.metrics._scorer"},
    {"sklearn.mixture.base", "sklearn.mixture._base"},
    {"sklearn.mixture.bayesian_mixture", "sklearn.mixture._bayesian_mixture"},
    {"sklearn.mixture.gaussian_mixture", "sklearn.mixture._gaussian_mixture"},
    {"sklearn.neighbors._dist_metrics", "sklearn.metrics._dist_metrics"},
    {"sklearn.neighbors.ball_tree", "sklearn.neighbors._ball_tree"},
    {"sklearn.neighbors.base", "sklearn.neighbors._base"},
    {"sklearn.neighbors.classification", "sklearn.neighbors._classification"},
    {"sklearn.neighbors.dist_metrics", "sklearn.metrics._dist_metrics"},
    {"sklearn.neighbors.graph", "sklearn.neighbors._graph"},
    {"sklearn.neighbors.kd_tree", "sklearn.neighbors._kd_tree"},
    {"sklearn.neighbors.kde", "sklearn.neighbors._kde"},
    {"sklearn.neighbors.lof", "sklearn.neighbors._lof"},
    {"sklearn.neighbors.nca", "sklearn.neighbors._nca"},
    {"sklearn.neighbors.nearest_centroid", "sklearn.neighbors._nearest_centroid"},
    {"sklearn.neighbors.quad_tree", "sklearn.neighbors._quad_tree"},
    {"sklearn.neighbors.regression", "sklearn.neighbors._regression"},
    {"sklearn.neighbors.unsupervised", "sklearn.neighbors._unsupervised"},
    {"sklearn.neural_network.multilayer_perceptron", "sklearn.neural_network._multilayer_perceptron"},
    {"sklearn.neural_network.rbm", "sklearn.neural_network._rbm"},
    {"sklearn.preprocessing.data", "sklearn.preprocessing._data"},
    {"sklearn.preprocessing.label", "sklearn.preprocessing._label"},
    {"sklearn.semi_supervised.label_propagation", "sklearn.semi_supervised._label_propagation"},
    {"sklearn.svm.base", "sklearn.svm._base"},
    {"sklearn.svm.bounds", "sklearn.svm._bounds"},
    {"sklearn.svm.classes", "sklearn.svm._classes"},
    {"sklearn.svm.liblinear", "sklearn.svm._liblinear"},
    {"sklearn.svm.libsvm", "sklearn.svm._libsvm"},
    {"sklearn.svm.libsvm_sparse", "sklearn.svm._libsvm_sparse"},
    {"sklearn.tree.export", "sklearn.tree._export"},
    {"sklearn.tree.tree", "sklearn.tree._classes"},
    {"sklearn.utils.fast_dict", "sklearn.utils._fast_dict"},
    {"sklearn.utils.mocking", "sklearn.utils._mocking"},
    {"sklearn.utils.seq_dataset", "sklearn.utils._seq_dataset"},
    {"sklearn.utils.weight_vector", "sklearn.utils._weight_vector"},
};

struct RenamedName {
  std::string_view module_before, before, module_after, after;
};

// Single names, in the order of module and name before; asked last.
constexpr RenamedName kNames[] = {
    {"numpy", "bool_", "numpy", "bool"},
    {"numpy", "chararray", "numpy.char", "chararray"},
    {"numpy", "recarray", "numpy.rec", "recarray"},
    {"numpy._core.defchararray", "chararray", "numpy.char", "chararray"},
    {"numpy._core.memmap", "memmap", "numpy", "memmap"},
    {"numpy._core.records", "recarray", "numpy.rec", "recarray"},
    {"numpy._core.records", "record", "numpy", "record"},
    {"numpy.ma.core", "MaskedArray", "numpy.ma", "MaskedArray"},
    {"numpy.matrixlib.defmatrix", "matrix", "numpy", "matrix"},
    {"pandas.core.frame", "DataFrame", "pandas", "DataFrame"},
    {"pandas.core.indexes.base", "Index", "pandas", "Index"},
    {"pandas.core.indexes.datetimes", "DatetimeIndex", "pandas", "DatetimeIndex"},
    {"pandas.core.indexes.multi", "MultiIndex", "pandas", "MultiIndex"},
    {"pandas.core.indexes.numeric", "Float64Index", "pandas", "Index"},
    {"pandas.core.indexes.numeric", "Int64Index", "pandas", "Index"},
    {"pandas.core.indexes.numeric", "UInt64Index", "pandas", "Index"},
    {"pandas.core.indexes.range", "RangeIndex", "pandas", "RangeIndex"},
    {"pandas.core.series", "Series", "pandas", "Series"},
    {"sklearn.datasets.base", "Bunch", "sklearn.utils._bunch", "Bunch"},
    {"sklearn.ensemble.partial_dependence", "partial_dependence", "sklearn.inspection._partial_dependence",
     "partial_dependence"},
    {"sklearn.impute", "MissingIndicator", "sklearn.impute._base", "MissingIndicator"},
    {"sklearn.impute", "SimpleImputer", "sklearn.impute._base", "SimpleImputer"},
    {"sklearn.metrics._dist_metrics", "BrayCurtisDistance", "sklearn.metrics._dist_metrics", "BrayCurtisDistance64"},
    {"sklearn.metrics._dist_metrics", "CanberraDistance", "sklearn.metrics._dist_metrics", "CanberraDistance64"},
    {"sklearn.metrics._dist_metrics", "ChebyshevDistance", "sklearn.metrics._dist_metrics", "ChebyshevDistance64"},
    {"sklearn.metrics._dist_metrics", "DiceDistance", "sklearn.metrics._dist_metrics", "DiceDistance64"},
    {"sklearn.metrics._dist_metrics", "EuclideanDistance", "sklearn.metrics._dist_metrics", "EuclideanDistance64"},
    {"sklearn.metrics._dist_metrics", "HammingDistance", "sklearn.metrics._dist_metrics", "HammingDistance64"},
    {"sklearn.metrics._dist_metrics", "HaversineDistance", "sklearn.metrics._dist_metrics", "HaversineDistance64"},
    {"sklearn.metrics._dist_metrics", "JaccardDistance", "sklearn.metrics._dist_metrics", "JaccardDistance64"},
    {"sklearn.metrics._dist_metrics", "MahalanobisDistance", "sklearn.metrics._dist_metrics", "MahalanobisDistance64"},
    {"sklearn.metrics._dist_metrics", "ManhattanDistance", "sklearn.metrics._dist_metrics", "ManhattanDistance64"},
    {"sklearn.metrics._dist_metrics", "MinkowskiDistance", "sklearn.metrics._dist_metrics", "MinkowskiDistance64"},
    {"sklearn.metrics._dist_metrics", "PyFuncDistance", "sklearn.metrics._dist_metrics", "PyFuncDistance64"},
    {"sklearn.metrics._dist_metrics", "RogersTanimotoDistance", "sklearn.metrics._dist_metrics",
     "RogersTanimotoDistance64"},
    {"sklearn.metrics._dist_metrics", "RussellRaoDistance", "sklearn.metrics._dist_metrics", "RussellRaoDistance64"},
    {"sklearn.metrics._dist_metrics", "SEuclideanDistance", "sklearn.metrics._dist_metrics", "SEuclideanDistance64"},
    {"sklearn.metrics._dist_metrics", "SokalMichenerDistance", "sklearn.metrics._dist_metrics",
     "SokalMichenerDistance64"},
    {"sklearn.metrics._dist_metrics", "SokalSneathDistance", "sklearn.metrics._dist_metrics", "SokalSneathDistance64"},
    {"sklearn.preprocessing._data", "PolynomialFeatures", "sklearn.preprocessing._polynomial", "PolynomialFeatures"},
    {"sklearn.utils", "Bunch", "sklearn.utils._bunch", "Bunch"},
};

}  // namespace

CanonicalName canonical_name(std::string_view module, std::string_view qualname) {
  CanonicalName name{std::string(module), std::string(qualname)};
  for (const RenamedModule& row : kPackages) {
    if (!module.starts_with(row.before)) continue;
    const std::string_view rest = module.substr(row.before.size());
    if (rest.empty() || rest.front() == '.') name.module = std::string(row.after).append(rest);
  }
  const auto* moved = std::lower_bound(std::begin(kModules), std::end(kModules), std::string_view(name.module),
                                       [](const RenamedModule& row, std::string_view key) { return row.before < key; });
  if (moved != std::end(kModules) && moved->before == name.module) name.module = moved->after;
  const auto wanted = std::pair<std::string_view, std::string_view>(name.module, name.qualname);
  const auto* renamed = std::lower_bound(
      std::begin(kNames), std::end(kNames), wanted,
      [](const RenamedName& row, const auto& key) { return std::pair(row.module_before, row.before) < key; });
  if (renamed != std::end(kNames) && std::pair(renamed->module_before, renamed->before) == wanted) {
    name = {std::string(renamed->module_after), std::string(renamed->after)};
  }
  return name;
}

std::vector<CanonicalName> former_names(const CanonicalName& today) {
  std::vector<CanonicalName> names{today};
  // Backwards through the steps of canonical_name(): each name found may itself have had another one before.
  for (const RenamedName& row : kNames) {
    if (row.module_after == today.module && row.after == today.qualname)
      names.push_back({std::string(row.module_before), std::string(row.before)});
  }
  for (std::size_t i = 0, count = names.size(); i < count; ++i) {
    for (const RenamedModule& row : kModules) {
      if (row.after == names[i].module) names.push_back({std::string(row.before), names[i].qualname});
    }
  }
  for (std::size_t i = 0, count = names.size(); i < count; ++i) {
    for (const RenamedModule& row : kPackages) {
      const std::string module = names[i].module;
      if (!module.starts_with(row.after)) continue;
      const std::string_view rest = std::string_view(module).substr(row.after.size());
      if (rest.empty() || rest.front() == '.')
        names.push_back({std::string(row.before).append(rest), names[i].qualname});
    }
  }
  // A module's new name stands for all that is in it, so a row backwards may be wrong; forwards it is not.
  std::vector<CanonicalName> found;
  for (CanonicalName& name : names) {
    const CanonicalName now = canonical_name(name.module, name.qualname);
    if (now.full_name() == today.full_name() && name.full_name() != today.full_name()) found.push_back(std::move(name));
  }
  return found;
}

}  // namespace mere::container
