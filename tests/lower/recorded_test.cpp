// Lowered estimators against what scikit-learn itself answered: each file of tests/data/predictions holds the fitted
// estimators of one release, the rows they were asked about, and the answers (make.py there).

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include <mere/error.hpp>

#include "graph/node_reader.hpp"
#include "importers/registry.hpp"
#include "lower/lowering.hpp"
#include "program/program.hpp"

namespace {

using mere::Array;
using mere::NodeId;
using mere::graph::NodeReader;

std::filesystem::path data_directory() {
  const char* other = std::getenv("MERE_PREDICTIONS");
  return other ? std::filesystem::path(other) : std::filesystem::path(MERE_TEST_DATA) / "predictions";
}

struct Recorded {
  const NodeReader& reader;
  NodeId node;

  NodeId at(std::string_view key) const { return reader.find(node, key); }
  double number(std::string_view key) const { return reader.find_real(at(key)).value(); }
};

// Any array of numbers as doubles in C order.
std::vector<double> numbers(const NodeReader& reader, NodeId id) {
  const mere::graph::ArrayState a = reader.array(id);
  std::vector<double> out(static_cast<std::size_t>(a.elements));
  const auto copy = [&](auto zero) {
    const mere::Values<decltype(zero)> values(a.first, a.shape, a.strides, false);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<double>(values[i]);
  };
  if (a.dtype == mere::Dtype::of<double>())
    copy(double());
  else if (a.dtype == mere::Dtype::of<float>())
    copy(float());
  else if (a.dtype == mere::Dtype::of<std::int64_t>())
    copy(std::int64_t());
  else if (a.dtype == mere::Dtype::of<std::int32_t>())
    copy(std::int32_t());
  else if (a.dtype == mere::Dtype::of<bool>())
    copy(bool());
  else
    FAIL("an array of type " << a.dtype.to_text());
  return out;
}

double as_double(const mere::program::Labels& labels, std::size_t i) {
  const std::byte* at = labels.bytes.data() + i * labels.dtype.itemsize();
  const auto load = [&](auto value) {
    std::memcpy(&value, at, sizeof value);
    return static_cast<double>(value);
  };
  switch (labels.dtype.type_class()) {
    case mere::TypeClass::boolean: return load(std::uint8_t());
    case mere::TypeClass::real: return labels.dtype.itemsize() == 4 ? load(float()) : load(double());
    default: return labels.dtype.itemsize() == 4 ? load(std::int32_t()) : load(std::int64_t());
  }
}

// The answers that are classes of numbers, by their tables.
std::vector<double> labelled(const mere::program::Method& method, std::vector<double> values) {
  const std::size_t outputs = method.labels.size();
  for (std::size_t i = 0; i < values.size() && outputs > 0; ++i) {
    values[i] = as_double(method.labels[i % outputs], static_cast<std::size_t>(values[i]));
  }
  return values;
}

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
  return compare_numbers(labelled(of, values), numbers(reader, answers), of.labels.empty() ? tolerance : 0);
}

std::vector<std::string> run_case(const NodeReader& reader, const Recorded& recorded, std::string_view version) {
  std::vector<std::string> faults;
  const NodeId wanted_refusal = recorded.at("refused"), broken = recorded.at("broken");
  try {
    mere::program::Program program = mere::lower::lower_model(reader, recorded.at("model"), version);
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
        const std::string fault =
            compare_method(reader, program, method, x, reader.child(outputs, i + 1), recorded.number("tolerance"));
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
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(data_directory())) {
    if (entry.path().extension() == ".joblib") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  REQUIRE(!files.empty());
  for (const std::filesystem::path& path : files) {
    std::ifstream in(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    mere::importers::Source source;
    source.bytes = std::as_bytes(std::span(bytes));
    source.name = path.filename().string();
    const mere::importers::Imported imported = mere::importers::import_source(source);
    const NodeReader reader(imported.graph);
    const Recorded file{reader, imported.graph.model_root};
    const std::string version(reader.text(file.at("version")));
    const NodeId cases = file.at("cases");
    std::size_t good = 0, all = 0;
    for (std::uint64_t i = 0; i + 1 < reader.child_count(cases); i += 2) {
      const std::string name(reader.text(reader.child(cases, i)));
      const auto faults = run_case(reader, {reader, reader.child(cases, i + 1)}, version);
      ++all;
      good += faults.empty() ? 1 : 0;
      for (const std::string& fault : faults) FAIL_CHECK(version << " " << name << ": " << fault);
    }
    MESSAGE(version << ": " << good << " of " << all);
  }
}
