// Lowered estimators against what scikit-learn itself answered: each file of tests/data/predictions holds the fitted
// estimators of one release, the rows they were asked about, and the answers (make.py there).

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <mere/error.hpp>

#include "lower/lowering.hpp"
#include "reference/recorded_answers.hpp"

namespace {

using mere::NodeId;
using mere::graph::NodeReader;
using mere::reference::numbers;
using mere::reference::RecordedCase;

bool is_text(const mere::program::Labels& labels) {
  return labels.dtype.type_class() == mere::TypeClass::object || labels.dtype.type_class() == mere::TypeClass::unicode;
}

// Nothing, or how the answers differ.
std::string compare_numbers(const std::vector<double>& found, const std::vector<double>& expected, double tolerance) {
  if (found.size() != expected.size()) {
    return std::to_string(found.size()) + " numbers, expected " + std::to_string(expected.size());
  }
  double scale = 0;
  for (const double v : expected) scale = std::isfinite(v) ? std::max(scale, std::fabs(v)) : scale;
  double worst = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i] == expected[i] || (std::isnan(found[i]) && std::isnan(expected[i]))) continue;
    const double off = std::fabs(found[i] - expected[i]);
    if (!(off <= tolerance * scale)) {
      return "number " + std::to_string(i) + " is " + std::to_string(found[i]) + ", expected " +
             std::to_string(expected[i]) + " (off by " + std::to_string(off / (scale > 0 ? scale : 1) * 1e12) + "e-12)";
    }
    worst = std::max(worst, off);
  }
  return {};
}

std::string compare_method(const NodeReader& reader, const mere::program::Program& program, const std::string& method,
                           const mere::program::Matrix& x, NodeId answers, double tolerance) {
  const std::vector<double> values = evaluate(program, method, x);
  const mere::program::Method& of = program.method(method);
  if (!of.labels.empty() && is_text(of.labels[0])) {
    // Texts are recorded as the index of the class.
    return compare_numbers(values, numbers(reader, answers), 0);
  }
  return compare_numbers(mere::reference::shown(of, values).numbers, numbers(reader, answers),
                         of.labels.empty() ? tolerance : 0);
}

std::vector<std::string> run_case(const RecordedCase& recorded) {
  const NodeReader& reader = recorded.reader;
  std::vector<std::string> faults;
  const double tolerance = reader.find_real(recorded.at("tolerance")).value();
  const NodeId wanted_refusal = recorded.at("refused"), broken = recorded.at("broken");
  try {
    mere::program::Program program = mere::lower::lower_model(reader, recorded.at("model"), recorded.version);
    if (wanted_refusal != mere::kNoNode) return {"was lowered, though it should be refused"};
    if (broken != mere::kNoNode) return {"was lowered, though its attributes disagree"};
    mere::program::Matrix x;
    const std::vector<double> rows = numbers(reader, recorded.at("x"));
    const mere::graph::ArrayState shape = reader.array(recorded.at("x"));
    x.data = rows.data();
    x.rows = static_cast<std::size_t>(shape.shape[0]);
    x.columns = x.stride = static_cast<std::size_t>(shape.shape.size() == 2 ? shape.shape[1] : 1);
    x.single = shape.dtype == mere::Dtype::of<float>();
    const NodeId outputs = recorded.at("outputs");
    for (std::uint64_t i = 0; i + 1 < reader.child_count(outputs); i += 2) {
      const std::string method(reader.text(reader.child(outputs, i)));
      if (!program.find_method(method)) {
        faults.push_back(method + ": missing");
        continue;
      }
      try {
        const std::string fault = compare_method(reader, program, method, x, reader.child(outputs, i + 1), tolerance);
        if (!fault.empty()) faults.push_back(method + ": " + fault);
      } catch (const mere::Error& error) {
        faults.push_back(method + ": " + error.what());
      }
    }
  } catch (const mere::Error& error) {
    const bool wanted = broken != mere::kNoNode           ? error.reason() == mere::Reason::schema
                        : wanted_refusal != mere::kNoNode ? error.reason() == mere::Reason::not_lowerable
                                                          : false;
    if (!wanted) faults.push_back(error.what());
  }
  return faults;
}

}  // namespace

TEST_CASE("recorded estimators of several releases: the same answers from their programs") {
  mere::reference::compare_recorded(mere::reference::recorded_directory("MERE_PREDICTIONS", "predictions"), run_case);
}
