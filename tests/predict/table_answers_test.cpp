// Estimators over tables, documents and sparse matrices against what scikit-learn itself answered, over the engine.
// tests/data/predicted_tables: recorded by make.py there. With MERE_TABLE_ANSWERS=DIRECTORY the files there are
// compared instead.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <mere/error.hpp>

#include "lower/estimator.hpp"
#include "lower/lowering.hpp"
#include "predict/engine.hpp"
#include "reference/recorded_answers.hpp"

namespace {

using mere::kNoNode;
using mere::NodeId;
using mere::graph::NodeReader;
using mere::reference::Answer;
using mere::reference::numbers;
using mere::reference::RecordedCase;

std::vector<std::int32_t> integers(const NodeReader& reader, NodeId array) {
  std::vector<std::int32_t> out;
  for (const double number : numbers(reader, array)) out.push_back(static_cast<std::int32_t>(number));
  return out;
}

// The columns of a case, and what they lie in.
struct Columns {
  std::vector<std::vector<double>> numbers;
  std::vector<std::vector<std::string_view>> texts;
  std::vector<mere::Column> columns;
};

std::unique_ptr<Columns> read_columns(const NodeReader& reader, NodeId dict) {
  auto out = std::make_unique<Columns>();
  for (std::uint64_t i = 0; i + 1 < reader.child_count(dict); i += 2) {
    const std::string_view name = reader.text(reader.child(dict, i));
    const NodeId values = reader.child(dict, i + 1);
    if (reader.kind(values) == mere::Kind::array) {
      out->numbers.push_back(numbers(reader, values));
      out->columns.push_back(mere::Column::numbers(name, std::span<const double>(out->numbers.back())));
      continue;
    }
    auto& texts = out->texts.emplace_back();
    for (std::uint64_t r = 0; r < reader.child_count(values); ++r) {
      const NodeId cell = reader.child(values, r);
      texts.push_back(reader.kind(cell) == mere::Kind::text ? reader.text(cell) : std::string_view());
      // An empty text is there; a missing one has no data.
      if (reader.kind(cell) == mere::Kind::text && texts.back().data() == nullptr) texts.back() = std::string_view("");
    }
    out->columns.push_back(mere::Column::strings(name, std::span<const std::string_view>(texts)));
  }
  return out;
}

std::string difference(const Answer& found, const Answer& expected, double tolerance) {
  if (found.texts != expected.texts) return "another class";
  if (found.numbers.size() != expected.numbers.size()) {
    return std::to_string(found.numbers.size()) + " numbers, expected " + std::to_string(expected.numbers.size());
  }
  double scale = 0;
  for (const double v : expected.numbers) scale = std::isfinite(v) ? std::max(scale, std::fabs(v)) : scale;
  for (std::size_t i = 0; i < found.numbers.size(); ++i) {
    const double a = found.numbers[i], b = expected.numbers[i];
    if (a == b || (std::isnan(a) && std::isnan(b))) continue;
    if (!(std::fabs(a - b) <= tolerance * scale)) {
      return "number " + std::to_string(i) + " is " + std::to_string(a) + ", expected " + std::to_string(b);
    }
  }
  return {};
}

std::vector<std::string> run_case(const RecordedCase& recorded) {
  const NodeReader& reader = recorded.reader;
  std::vector<std::string> faults;
  const auto at = [&](std::string_view key) { return recorded.at(key); };
  const double tolerance = reader.find_real(at("tolerance")).value();
  try {
    const mere::predict::Engine engine(mere::lower::lower_model(reader, at("model"), recorded.version));
    if (at("not_lowered") != kNoNode) return {"was lowered, though it should be refused"};
    mere::CsrView csr;
    std::vector<double> values;
    std::vector<std::int32_t> indices, starts;
    std::unique_ptr<Columns> columns;
    const NodeId sparse = at("csr");
    if (sparse != kNoNode) {
      values = numbers(reader, reader.find(sparse, "data"));
      indices = integers(reader, reader.find(sparse, "indices"));
      starts = integers(reader, reader.find(sparse, "indptr"));
      csr = mere::CsrView(std::span<const double>(values), std::span<const std::int32_t>(indices),
                          std::span<const std::int32_t>(starts), static_cast<std::size_t>(engine.program().columns));
    } else {
      columns = read_columns(reader, at("columns"));
    }
    const auto run = [&](const std::string& method) {
      const std::size_t rows = columns ? columns->columns.at(0).rows : csr.rows;
      std::vector<double> out(rows * engine.columns(method));
      if (columns) {
        engine.run(engine.find(method), mere::TableView(columns->columns), out.data());
      } else {
        engine.run(engine.find(method), csr, out.data());
      }
      return out;
    };
    const NodeId answers = at("answers"), refused = at("refused");
    for (std::uint64_t i = 0; i + 1 < reader.child_count(answers); i += 2) {
      const std::string name(reader.text(reader.child(answers, i)));
      try {
        const Answer expected = mere::reference::read_answer(reader.array(reader.child(answers, i + 1)));
        const Answer found = mere::reference::shown(engine.program().method(name), run(name));
        const std::string fault = difference(found, expected, tolerance);
        if (!fault.empty()) faults.push_back(name + ": " + fault);
      } catch (const mere::Error& error) {
        faults.push_back(name + ": " + error.what());
      }
    }
    for (std::uint64_t i = 0; i < reader.child_count(refused); ++i) {
      const std::string name(reader.text(reader.child(refused, i)));
      try {
        run(name);
        faults.push_back(name + ": was answered, though scikit-learn refuses it");
      } catch (const mere::Error&) {
      }
    }
  } catch (const mere::Error& error) {
    const bool wanted = at("not_lowered") != kNoNode && error.reason() == mere::Reason::not_lowerable;
    if (!wanted) faults.push_back(error.what());
  }
  return faults;
}

}  // namespace

TEST_CASE("tables, documents and sparse matrices: the answers of several releases from their programs") {
  mere::reference::compare_recorded(mere::reference::recorded_directory("MERE_TABLE_ANSWERS", "predicted_tables"),
                                    run_case);
}
