// Metrics as sklearn.metrics defines them, without sample weights.

#include <mere/score.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <optional>

#include "model/guarded.hpp"

namespace mere {

namespace {

// Classes as numbers: those of the model first, then those that only the targets have.
struct Labelled {
  std::vector<std::size_t> truth, predicted;
  std::size_t count = 0;
};

bool is_text(const ClassTable& classes) {
  const TypeClass type = classes.dtype.type_class();
  return type == TypeClass::object || type == TypeClass::unicode || type == TypeClass::bytes;
}

// Index of each target among the classes, numbers by value and all else by its text; new ones come after them.
std::vector<std::size_t> target_indices(const ClassTable& classes, const Targets& y, std::size_t& count) {
  std::vector<std::size_t> out;
  count = static_cast<std::size_t>(classes.count);
  if (is_text(classes) != y.numbers.empty()) {
    throw Error(Reason::bad_argument,
                std::string("the classes of the model are ") +
                    (is_text(classes) ? "texts, the targets numbers" : "numbers, the targets texts"));
  }
  if (is_text(classes)) {
    std::map<std::string, std::size_t> known;
    for (std::uint64_t i = 0; i < classes.count; ++i) known.emplace(classes.to_text(i), static_cast<std::size_t>(i));
    for (const std::string& text : y.texts) {
      const auto [place, added] = known.emplace(text, count);
      count += added;
      out.push_back(place->second);
    }
    return out;
  }
  std::map<double, std::size_t> known;
  for (std::uint64_t i = 0; i < classes.count; ++i) {
    const std::string text = classes.to_text(i);
    const double value = text == "True" ? 1 : text == "False" ? 0 : std::stod(text);
    known.emplace(value, static_cast<std::size_t>(i));
  }
  for (const double number : y.numbers) {
    const auto [place, added] = known.emplace(number, count);
    count += added;
    out.push_back(place->second);
  }
  return out;
}

struct Scored {
  const Predictor& predictor;
  std::function<std::vector<double>(std::string_view)> ask;  // what a method says of the rows
  const Targets& y;

  ClassTable classes() const {
    if (!predictor.method("predict").classes || predictor.method("predict").columns != 1) {
      throw Error(Reason::bad_argument, "the metric is of classifiers with one output, which the model is not");
    }
    return predictor.classes();
  }
  Labelled labels() const {
    const ClassTable table = classes();
    Labelled out;
    out.truth = target_indices(table, y, out.count);
    for (const double index : ask("predict")) {
      out.predicted.push_back(static_cast<std::size_t>(index));
    }
    return out;
  }
  std::vector<double> numbers() const {
    const MethodInfo method = predictor.method("predict");
    if (method.classes || method.columns != 1 || y.numbers.empty()) {
      throw Error(Reason::bad_argument, "the metric is of regressors with one output and numbers as targets");
    }
    return ask("predict");
  }
};

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double accuracy(const Scored& of) {
  const Labelled labels = of.labels();
  std::size_t right = 0;
  for (std::size_t i = 0; i < labels.truth.size(); ++i) right += labels.truth[i] == labels.predicted[i];
  return static_cast<double>(right) / static_cast<double>(labels.truth.size());
}

// Of each class: how many there are, how many were said to be of it, how many rightly.
struct ClassCounts {
  std::vector<double> support, said, right;
};

ClassCounts count_classes(const Labelled& labels) {
  ClassCounts counts{std::vector<double>(labels.count), std::vector<double>(labels.count),
                     std::vector<double>(labels.count)};
  for (std::size_t i = 0; i < labels.truth.size(); ++i) {
    counts.support[labels.truth[i]] += 1;
    counts.said[labels.predicted[i]] += 1;
    if (labels.truth[i] == labels.predicted[i]) counts.right[labels.truth[i]] += 1;
  }
  return counts;
}

double balanced_accuracy(const Scored& of) {
  const ClassCounts counts = count_classes(of.labels());
  std::vector<double> recalls;
  for (std::size_t c = 0; c < counts.support.size(); ++c) {
    if (counts.support[c] > 0) recalls.push_back(counts.right[c] / counts.support[c]);
  }
  return mean(recalls);
}

enum class Rate : std::uint8_t { precision, recall, f1 };
enum class Average : std::uint8_t { binary, macro, micro, weighted };

double rate_of(Rate rate, double right, double said, double support) {
  const double over = rate == Rate::precision ? said : rate == Rate::recall ? support : said + support;
  return over == 0 ? 0 : (rate == Rate::f1 ? 2 * right : right) / over;
}

template <Rate rate, Average average>
double class_rate(const Scored& of) {
  const Labelled labels = of.labels();
  const ClassCounts counts = count_classes(labels);
  if (average == Average::binary) {
    // The class that scikit-learn takes for the positive one is 1.
    const ClassTable table = of.classes();
    std::size_t positive = labels.count;
    for (std::uint64_t i = 0; i < table.count; ++i) {
      const std::string text = table.to_text(i);
      if (text == "1" || text == "True") positive = static_cast<std::size_t>(i);
    }
    if (labels.count != 2 || positive == labels.count) {
      throw Error(Reason::bad_argument,
                  "the metric is of two classes of which one is 1; name one with _macro, _micro or _weighted");
    }
    return rate_of(rate, counts.right[positive], counts.said[positive], counts.support[positive]);
  }
  if (average == Average::micro) {
    const auto sum = [](const std::vector<double>& values) {
      return std::accumulate(values.begin(), values.end(), 0.0);
    };
    return rate_of(rate, sum(counts.right), sum(counts.said), sum(counts.support));
  }
  double total = 0, weights = 0;
  for (std::size_t c = 0; c < counts.support.size(); ++c) {
    if (counts.support[c] == 0 && counts.said[c] == 0) continue;  // a class that nobody speaks of
    const double weight = average == Average::weighted ? counts.support[c] : 1;
    total += weight * rate_of(rate, counts.right[c], counts.said[c], counts.support[c]);
    weights += weight;
  }
  return total / weights;
}

double neg_log_loss(const Scored& of) {
  const ClassTable table = of.classes();
  std::size_t count = 0;
  const std::vector<std::size_t> truth = target_indices(table, of.y, count);
  if (count != table.count) throw Error(Reason::bad_argument, "a target is of a class that the model does not know");
  const std::vector<double> proba = of.ask("predict_proba");
  double sum = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    // Probabilities are kept away from 0 and 1, and made to sum to 1, as scikit-learn does.
    constexpr double kLeast = std::numeric_limits<double>::epsilon();
    double row = 0;
    for (std::size_t c = 0; c < count; ++c) row += std::clamp(proba[i * count + c], kLeast, 1 - kLeast);
    sum -= std::log(std::clamp(proba[i * count + truth[i]], kLeast, 1 - kLeast) / row);
  }
  return -sum / static_cast<double>(truth.size());
}

// The part of pairs of one positive and one negative row that the scores put in the right order; ties count half.
double roc_auc(const Scored& of) {
  const ClassTable table = of.classes();
  std::size_t count = 0;
  const std::vector<std::size_t> truth = target_indices(table, of.y, count);
  if (table.count != 2 || count != 2) throw Error(Reason::bad_argument, "roc_auc is of two classes");
  const bool has_decision = of.predictor.has("decision_function");
  std::vector<double> scores = of.ask(has_decision ? "decision_function" : "predict_proba");
  if (!has_decision) {
    for (std::size_t i = 0; i < truth.size(); ++i) scores[i] = scores[2 * i + 1];
    scores.resize(truth.size());
  }
  std::vector<std::size_t> order(truth.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  double pairs = 0, negatives = 0, positives = 0;
  for (std::size_t i = 0; i < order.size();) {
    double tied[2] = {0, 0};
    const double value = scores[order[i]];
    for (; i < order.size() && scores[order[i]] == value; ++i) tied[truth[order[i]]] += 1;
    pairs += tied[1] * (negatives + tied[0] / 2);
    negatives += tied[0];
    positives += tied[1];
  }
  if (negatives == 0 || positives == 0) throw Error(Reason::bad_argument, "roc_auc needs targets of both classes");
  return pairs / (negatives * positives);
}

double neg_mean_squared_error(const Scored& of) {
  const std::vector<double> found = of.numbers();
  double sum = 0;
  for (std::size_t i = 0; i < found.size(); ++i) sum += (found[i] - of.y.numbers[i]) * (found[i] - of.y.numbers[i]);
  return -sum / static_cast<double>(found.size());
}

double neg_root_mean_squared_error(const Scored& of) {
  return -std::sqrt(-neg_mean_squared_error(of));
}

double neg_mean_absolute_error(const Scored& of) {
  const std::vector<double> found = of.numbers();
  double sum = 0;
  for (std::size_t i = 0; i < found.size(); ++i) sum += std::fabs(found[i] - of.y.numbers[i]);
  return -sum / static_cast<double>(found.size());
}

double neg_median_absolute_error(const Scored& of) {
  std::vector<double> errors = of.numbers();
  for (std::size_t i = 0; i < errors.size(); ++i) errors[i] = std::fabs(errors[i] - of.y.numbers[i]);
  std::sort(errors.begin(), errors.end());
  const std::size_t middle = errors.size() / 2;
  return -(errors.size() % 2 ? errors[middle] : (errors[middle - 1] + errors[middle]) / 2);
}

double max_error(const Scored& of) {
  const std::vector<double> found = of.numbers();
  double most = 0;
  for (std::size_t i = 0; i < found.size(); ++i) most = std::max(most, std::fabs(found[i] - of.y.numbers[i]));
  return -most;
}

// 1 - squares of errors / squares of what is to be explained; without anything to explain 1 if right, else 0.
double explained(const std::vector<double>& errors, const std::vector<double>& truth) {
  const double middle = mean(truth);
  double left = 0, all = 0;
  for (std::size_t i = 0; i < errors.size(); ++i) {
    left += errors[i] * errors[i];
    all += (truth[i] - middle) * (truth[i] - middle);
  }
  if (all == 0) return left == 0 ? 1 : 0;
  return 1 - left / all;
}

double r2(const Scored& of) {
  std::vector<double> errors = of.numbers();
  for (std::size_t i = 0; i < errors.size(); ++i) errors[i] = of.y.numbers[i] - errors[i];
  return explained(errors, of.y.numbers);
}

double explained_variance(const Scored& of) {
  std::vector<double> errors = of.numbers();
  for (std::size_t i = 0; i < errors.size(); ++i) errors[i] = of.y.numbers[i] - errors[i];
  const double middle = mean(errors);
  for (double& error : errors) error -= middle;
  return explained(errors, of.y.numbers);
}

struct Metric {
  std::string_view name;
  double (*score)(const Scored& of);
};

constexpr Metric kMetrics[] = {
    {"accuracy", accuracy},
    {"balanced_accuracy", balanced_accuracy},
    {"explained_variance", explained_variance},
    {"f1", class_rate<Rate::f1, Average::binary>},
    {"f1_macro", class_rate<Rate::f1, Average::macro>},
    {"f1_micro", class_rate<Rate::f1, Average::micro>},
    {"f1_weighted", class_rate<Rate::f1, Average::weighted>},
    {"max_error", max_error},
    {"neg_log_loss", neg_log_loss},
    {"neg_max_error", max_error},
    {"neg_mean_absolute_error", neg_mean_absolute_error},
    {"neg_mean_squared_error", neg_mean_squared_error},
    {"neg_median_absolute_error", neg_median_absolute_error},
    {"neg_root_mean_squared_error", neg_root_mean_squared_error},
    {"precision", class_rate<Rate::precision, Average::binary>},
    {"precision_macro", class_rate<Rate::precision, Average::macro>},
    {"precision_micro", class_rate<Rate::precision, Average::micro>},
    {"precision_weighted", class_rate<Rate::precision, Average::weighted>},
    {"r2", r2},
    {"recall", class_rate<Rate::recall, Average::binary>},
    {"recall_macro", class_rate<Rate::recall, Average::macro>},
    {"recall_micro", class_rate<Rate::recall, Average::micro>},
    {"recall_weighted", class_rate<Rate::recall, Average::weighted>},
    {"roc_auc", roc_auc},
};

}  // namespace

std::span<const std::string_view> metric_names() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> list;
    for (const Metric& metric : kMetrics) list.push_back(metric.name);
    return list;
  }();
  return names;
}

namespace {

template <class View>
double score_view(const Predictor& predictor, std::string_view name, const View& x, const Targets& y,
                  const PredictOptions& options) {
  return model::guarded([&] {
    const auto* found = std::find_if(std::begin(kMetrics), std::end(kMetrics),
                                     [&](const Metric& metric) { return metric.name == name; });
    if (found == std::end(kMetrics)) {
      std::string known;
      for (const Metric& metric : kMetrics) known += (known.empty() ? "" : ", ") + std::string(metric.name);
      throw Error(Reason::bad_argument, "no metric is called " + std::string(name) + "; known are " + known);
    }
    const std::size_t targets = y.numbers.empty() ? y.texts.size() : y.numbers.size();
    if (targets != x.rows || targets == 0) {
      throw Error(Reason::wrong_shape, std::to_string(targets) + " targets for " + std::to_string(x.rows) + " rows");
    }
    return found->score({predictor, [&](std::string_view method) { return predictor.run(method, x, options); }, y});
  });
}

}  // namespace

double score(const Predictor& predictor, std::string_view name, const MatrixView& x, const Targets& y,
             const PredictOptions& options) {
  return score_view(predictor, name, x, y, options);
}

double score(const Predictor& predictor, std::string_view name, const CsrView& x, const Targets& y,
             const PredictOptions& options) {
  return score_view(predictor, name, x, y, options);
}

double score(const Predictor& predictor, std::string_view name, const TableView& x, const Targets& y,
             const PredictOptions& options) {
  return score_view(predictor, name, x, y, options);
}

}  // namespace mere
