#pragma once
// How well a model predicts what is known, by the metrics that scikit-learn calls by name.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <mere/predictor.hpp>

namespace mere {

// What is true for each row: numbers, or classes as texts. One of the two is empty.
struct Targets {
  std::vector<double> numbers;
  std::vector<std::string> texts;
};

// "accuracy", "balanced_accuracy", "f1_macro", "neg_log_loss", "r2", "neg_mean_squared_error", ...: those score()
// knows.
MERE_API std::span<const std::string_view> metric_names();

// As sklearn.metrics.get_scorer(metric)(estimator, x, y), greater being better; one output.
// Throws Error: bad_argument (an unknown metric, or one that does not suit the model), wrong_shape (numbers of rows and
// targets differ, or there is none), no_method, and as Predictor::run.
MERE_API double score(const Predictor& predictor, std::string_view metric, const MatrixView& x, const Targets& y,
                      const PredictOptions& options = {});
MERE_API double score(const Predictor& predictor, std::string_view metric, const CsrView& x, const Targets& y,
                      const PredictOptions& options = {});
MERE_API double score(const Predictor& predictor, std::string_view metric, const TableView& x, const Targets& y,
                      const PredictOptions& options = {});

}  // namespace mere
