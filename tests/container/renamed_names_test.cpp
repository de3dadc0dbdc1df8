#include <doctest/doctest.h>

#include <string>

#include "container/renamed_names.hpp"

namespace {

std::string now(std::string_view module, std::string_view qualname) {
  return mere::container::canonical_name(module, qualname).full_name();
}

}  // namespace

TEST_CASE("renamed names: scikit-learn's modules of before 0.22 are those with an underscore") {
  CHECK(now("sklearn.tree.tree", "DecisionTreeClassifier") == "sklearn.tree._classes.DecisionTreeClassifier");
  CHECK(now("sklearn.ensemble.forest", "RandomForestClassifier") == "sklearn.ensemble._forest.RandomForestClassifier");
  CHECK(now("sklearn.ensemble.gradient_boosting", "GradientBoostingClassifier") ==
        "sklearn.ensemble._gb.GradientBoostingClassifier");
  CHECK(now("sklearn.linear_model.logistic", "LogisticRegression") ==
        "sklearn.linear_model._logistic.LogisticRegression");
  CHECK(now("sklearn.impute", "SimpleImputer") == "sklearn.impute._base.SimpleImputer");
  CHECK(now("sklearn.preprocessing.data", "PolynomialFeatures") ==
        "sklearn.preprocessing._polynomial.PolynomialFeatures");
  CHECK(now("sklearn.neighbors.dist_metrics", "EuclideanDistance") ==
        "sklearn.metrics._dist_metrics.EuclideanDistance64");
}

TEST_CASE("renamed names: packages that moved take all their modules along") {
  CHECK(now("sklearn.externals.joblib.numpy_pickle", "NumpyArrayWrapper") == "joblib.numpy_pickle.NumpyArrayWrapper");
  CHECK(now("numpy.core.multiarray", "_reconstruct") == "numpy._core.multiarray._reconstruct");
  CHECK(now("numpy.core._multiarray_umath", "exp") == "numpy.exp");
  CHECK(now("numpy.core.records", "recarray") == "numpy.rec.recarray");
  // A name that only begins alike is another one.
  CHECK(now("numpy.corelib", "x") == "numpy.corelib.x");
  CHECK(now("sklearn.externals.joblib2", "x") == "sklearn.externals.joblib2.x");
}

TEST_CASE("renamed names: what is not known stays as it is, and a present name too") {
  for (const auto& [module, name] :
       {std::pair("os", "system"), std::pair("sklearn.tree._classes", "tree"), std::pair("numpy", "ndarray"),
        std::pair("", "Forest"), std::pair("sklearn.tree.tree.os", "system")}) {
    const auto same = mere::container::canonical_name(module, name);
    CHECK(same.module == module);
    CHECK(same.qualname == name);
  }
}

TEST_CASE("renamed names: a second call changes nothing") {
  for (const auto& [module, name] :
       {std::pair("sklearn.neighbors.dist_metrics", "EuclideanDistance"), std::pair("numpy.core.umath", "add"),
        std::pair("pandas.core.indexes.numeric", "Int64Index"), std::pair("scipy.sparse.csr", "csr_matrix"),
        std::pair("sklearn.cluster.k_means_", "KMeans"), std::pair("mtrand", "RandomState")}) {
    const auto once = mere::container::canonical_name(module, name);
    const auto twice = mere::container::canonical_name(once.module, once.qualname);
    CHECK(once.full_name() != std::string(module) + "." + name);
    CHECK(twice.full_name() == once.full_name());
  }
}

TEST_CASE("renamed names: what a present name was called before leads back to it") {
  const auto former = [](std::string_view module, std::string_view qualname) {
    std::string all;
    for (const auto& name : mere::container::former_names({std::string(module), std::string(qualname)})) {
      CHECK(now(name.module, name.qualname) == std::string(module) + "." + std::string(qualname));
      all += name.full_name() + " ";
    }
    return all;
  };
  CHECK(former("numpy._core.multiarray", "_reconstruct") == "numpy.core.multiarray._reconstruct ");
  CHECK(former("sklearn.metrics._dist_metrics", "EuclideanDistance64").find("neighbors._dist_metrics.") !=
        std::string::npos);
  CHECK(former("scipy.sparse._csr", "csr_matrix") == "scipy.sparse.csr.csr_matrix ");
  CHECK(former("os", "system").empty());
}
