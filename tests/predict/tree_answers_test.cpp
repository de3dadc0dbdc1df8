// Lowered trees and ensembles against what scikit-learn itself answered, over the engine and over the plain meaning.
// tests/data/lowered_trees: recorded by tests/estimators/record_predictions.py. With MERE_TREE_ANSWERS=DIRECTORY the
// files there are compared instead, and a line an estimator says how each method fared.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include <mere/error.hpp>

#include "lower/lowering.hpp"
#include "predict/engine.hpp"
#include "reference/recorded_answers.hpp"

namespace {

using mere::Dtype;
using mere::NodeId;
using mere::graph::ArrayState;
using mere::graph::NodeReader;
using mere::reference::Answer;
using mere::reference::read_answer;
using mere::reference::RecordedCase;
using mere::reference::shown;

// To the bit where trees are only added; after exp, log or a product of matrices within 1e-12 of what is added there.
double tolerance_of(const std::string& name, const std::string& method) {
  const auto has = [&](const char* word) { return name.find(word) != std::string::npos; };
  const bool sums =
      method.find("decision_function") != std::string::npos || method.find("predict") == method.size() - 7;
  // What starts from a linear model fitted on float32 is a float32.
  if (has("init l")) return method == "apply" ? 0 : 2e-6;
  if (method.find("log_proba") != std::string::npos) return 1e-12;
  if (has("logistic") || has("linear") || has("ridge") || has("Stacking") || has("Voting")) return 1e-12;
  if (has("SAMME.R")) return 1e-12;
  if (has("AdaBoostClassifier") && !sums) return 1e-12;
  // Up to 1.5 SAMME.R is what AdaBoost does unless told otherwise.
  if (has("AdaBoostClassifier") && !has("SAMME")) return 1e-12;
  if (has("GradientBoostingRegressor")) return has("poisson") || has("gamma") ? 1e-12 : 0;
  if (has("HistGradientBoosting") && method == "decision_function") return 0;
  if (has("GradientBoosting")) return 1e-12;
  if (has("Isolation")) return 1e-12;
  return 0;
}

// Classes of rows whose scores are equal but for rounding: AdaBoost's SAMME.R over pure leaves makes many of those.
// They are counted apart, and few.
constexpr std::size_t kTiesOf100 = 5;

std::string difference(const Answer& found, const Answer& expected, double tolerance, bool may_tie) {
  if (found.texts != expected.texts) return "other texts";
  if (found.numbers.size() != expected.numbers.size()) {
    return std::to_string(found.numbers.size()) + " numbers, expected " + std::to_string(expected.numbers.size());
  }
  std::size_t wrong = 0;
  std::string first;
  for (std::size_t i = 0; i < found.numbers.size(); ++i) {
    const double a = found.numbers[i], b = expected.numbers[i];
    if (a == b || (std::isnan(a) && std::isnan(b))) continue;
    if (std::fabs(a - b) <= tolerance * std::max(1.0, std::fabs(b))) continue;
    char text[100];
    std::snprintf(text, sizeof text, "number %zu is %.17g, expected %.17g", i, a, b);
    if (wrong++ == 0) first = text;
  }
  if (may_tie && wrong * 100 <= found.numbers.size() * kTiesOf100) return {};
  return wrong == 0 ? "" : first + ", " + std::to_string(wrong) + " of " + std::to_string(found.numbers.size());
}

// Faults by method; an empty text: it passed.
void compare(const RecordedCase& one, std::map<std::string, std::string>& verdicts) {
  const NodeReader& reader = one.reader;
  const auto lowered = [&] { return mere::lower::lower_model(reader, reader.find(one.node, "model"), one.version); };
  const mere::program::Program program = lowered();
  const mere::predict::Engine engine(lowered());
  const NodeId inputs = reader.find(one.node, "inputs");
  for (std::uint64_t i = 0; i + 1 < reader.child_count(inputs); i += 2) {
    const std::string label(reader.text(reader.child(inputs, i)));
    const NodeId input = reader.child(inputs, i + 1);
    const ArrayState array = reader.array(reader.find(input, "x"));
    const std::vector<double> rows = read_answer(array).numbers;
    mere::program::Matrix x;
    x.data = rows.data();
    x.rows = static_cast<std::size_t>(array.shape[0]);
    x.columns = x.stride = static_cast<std::size_t>(array.shape[1]);
    x.single = array.dtype == Dtype::of<float>();
    mere::predict::Input raw;
    raw.data = array.first;
    raw.single = x.single;
    raw.rows = x.rows;
    raw.columns = x.columns;
    raw.row_stride = static_cast<std::ptrdiff_t>(array.strides[0]);
    raw.column_stride = static_cast<std::ptrdiff_t>(array.strides[1]);
    const auto note = [&](const std::string& method, const std::string& fault) {
      std::string& verdict = verdicts[method];
      if (verdict.empty() && !fault.empty()) verdict = label + ": " + fault;
    };
    const auto run = [&](const std::string& method, bool plain) {
      if (plain) return evaluate(program, method, x);
      std::vector<double> out(x.rows * engine.columns(method));
      engine.run(engine.find(method), raw, out.data());
      return out;
    };

    const NodeId answers = reader.find(input, "answers");
    for (std::uint64_t k = 0; k + 1 < reader.child_count(answers); k += 2) {
      const std::string method(reader.text(reader.child(answers, k)));
      if (!program.find_method(method)) {
        // With one class, AdaBoost's stages are 0 / 0.
        if (one.name == "AdaBoostClassifier one class" && method.starts_with("staged")) continue;
        note(method, "missing");
        continue;
      }
      const Answer expected = read_answer(reader.array(reader.child(answers, k + 1)));
      for (const bool plain : {true, false}) {
        try {
          const Answer found = shown(program.method(method), run(method, plain));
          const bool may_tie = method == "staged_predict" && one.name.find("Boost") != std::string::npos;
          note(method, difference(found, expected, tolerance_of(one.name, method), may_tie));
        } catch (const mere::Error& error) {
          note(method, error.what());
        }
      }
    }
    const NodeId refused = reader.find(input, "refused");
    for (std::uint64_t k = 0; k < reader.child_count(refused); ++k) {
      std::string method(reader.text(reader.child(refused, k)));
      if (!program.find_method(method)) method += "[0]";
      if (!program.find_method(method)) continue;
      try {
        run(method, true);
        note(method, "gives numbers where scikit-learn refuses");
      } catch (const mere::Error& error) {
        if (error.reason() != mere::Reason::not_finite) note(method, error.what());
      }
    }
  }
}

// Also says how each method fared, where the answers are not those of the test data.
std::vector<std::string> run_case(const RecordedCase& one) {
  std::map<std::string, std::string> verdicts;
  try {
    compare(one, verdicts);
  } catch (const mere::Error& error) {
    verdicts["lowering"] = error.what();
  }
  static const bool told = std::getenv("MERE_TREE_ANSWERS") != nullptr;
  std::vector<std::string> faults;
  for (const auto& [method, fault] : verdicts) {
    if (told) std::cout << one.version << '\t' << one.name << '\t' << method << '\t' << fault << '\n';
    if (!fault.empty()) faults.push_back(method + " " + fault);
  }
  return faults;
}

}  // namespace

TEST_CASE("trees and ensembles of several releases: their programs answer as scikit-learn did") {
  mere::reference::compare_recorded(mere::reference::recorded_directory("MERE_TREE_ANSWERS", "lowered_trees"),
                                    run_case);
}
