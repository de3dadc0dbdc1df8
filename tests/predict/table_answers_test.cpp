// Estimators over tables, documents and sparse matrices against what scikit-learn itself answered, over the engine.
// tests/data/predicted_tables: recorded by make.py there. With MERE_TABLE_ANSWERS=DIRECTORY the files there are
// compared instead.

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <mere/error.hpp>

#include "graph/node_reader.hpp"
#include "importers/registry.hpp"
#include "lower/estimator.hpp"
#include "lower/lowering.hpp"
#include "predict/engine.hpp"
#include "program/program.hpp"

namespace {

using mere::kNoNode;
using mere::NodeId;
using mere::graph::NodeReader;

template <class T>
std::vector<T> numbers(const NodeReader& reader, NodeId id) {
  const mere::graph::ArrayState a = reader.array(id);
  std::vector<T> out;
  const auto copy = [&](auto zero) {
    const mere::Values<decltype(zero)> values(a.first, a.shape, a.strides, false);
    for (std::size_t i = 0; i < a.elements; ++i) out.push_back(static_cast<T>(values[i]));
  };
  if (a.dtype == mere::Dtype::of<double>()) {
    copy(double());
  } else if (a.dtype == mere::Dtype::of<std::int32_t>()) {
    copy(std::int32_t());
  } else if (a.dtype == mere::Dtype::of<std::int64_t>()) {
    copy(std::int64_t());
  } else {
    FAIL("an array of type " << a.dtype.to_text());
  }
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
      out->numbers.push_back(numbers<double>(reader, values));
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

std::string label_text(const mere::program::Labels& labels, std::size_t i) {
  if (!labels.texts.empty()) return labels.texts.at(i);
  std::string out;
  const std::size_t size = labels.dtype.itemsize();
  for (std::size_t k = 0; k < size; k += 4) {
    if (labels.bytes[i * size + k] != std::byte{0}) out += static_cast<char>(labels.bytes[i * size + k]);
  }
  return out;
}

double label_number(const mere::program::Labels& labels, std::size_t i) {
  std::int64_t value = 0;
  std::memcpy(&value, labels.bytes.data() + i * 8, 8);
  return labels.dtype == mere::Dtype::of<double>() ? std::bit_cast<double>(value) : static_cast<double>(value);
}

std::string compare(const NodeReader& reader, const mere::program::Method& method, const std::vector<double>& found,
                    NodeId answer, double tolerance) {
  const mere::graph::ArrayState array = reader.array(answer);
  if (array.elements != found.size()) {
    return std::to_string(found.size()) + " numbers, expected " + std::to_string(array.elements);
  }
  if (array.dtype.type_class() == mere::TypeClass::unicode) {
    for (std::size_t i = 0; i < found.size(); ++i) {
      std::string expected;
      for (std::size_t k = 0; k < array.dtype.itemsize(); k += 4) {
        const std::byte byte = array.first[i * array.dtype.itemsize() + k];
        if (byte != std::byte{0}) expected += static_cast<char>(byte);
      }
      if (label_text(method.labels.at(0), static_cast<std::size_t>(found[i])) != expected) return "another class";
    }
    return {};
  }
  const std::vector<double> expected = numbers<double>(reader, answer);
  double scale = 0;
  for (const double v : expected) scale = std::isfinite(v) ? std::max(scale, std::fabs(v)) : scale;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double x = method.labels.empty()
                         ? found[i]
                         : label_number(method.labels[i % method.labels.size()], static_cast<std::size_t>(found[i]));
    if (x == expected[i] || (std::isnan(x) && std::isnan(expected[i]))) continue;
    if (!(std::fabs(x - expected[i]) <= tolerance * scale)) {
      return "number " + std::to_string(i) + " is " + std::to_string(x) + ", expected " + std::to_string(expected[i]);
    }
  }
  return {};
}

std::vector<std::string> run_case(const NodeReader& reader, NodeId recorded, std::string_view version) {
  std::vector<std::string> faults;
  const auto at = [&](std::string_view key) { return reader.find(recorded, key); };
  const double tolerance = reader.find_real(at("tolerance")).value();
  try {
    const mere::predict::Engine engine(mere::lower::lower_model(reader, at("model"), version));
    if (at("not_lowered") != kNoNode) return {"was lowered, though it should be refused"};
    mere::CsrView csr;
    std::vector<double> values;
    std::vector<std::int32_t> indices, starts;
    std::unique_ptr<Columns> columns;
    const NodeId sparse = at("csr");
    if (sparse != kNoNode) {
      values = numbers<double>(reader, reader.find(sparse, "data"));
      indices = numbers<std::int32_t>(reader, reader.find(sparse, "indices"));
      starts = numbers<std::int32_t>(reader, reader.find(sparse, "indptr"));
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
        const std::string fault =
            compare(reader, engine.program().method(name), run(name), reader.child(answers, i + 1), tolerance);
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
  const char* other = std::getenv("MERE_TABLE_ANSWERS");
  const auto directory =
      other ? std::filesystem::path(other) : std::filesystem::path(MERE_TEST_DATA) / "predicted_tables";
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
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
    const NodeId root = imported.graph.model_root;
    const std::string version(reader.text(reader.find(root, "version")));
    const NodeId cases = reader.find(root, "cases");
    std::size_t good = 0, all = 0;
    for (std::uint64_t i = 0; i + 1 < reader.child_count(cases); i += 2) {
      const std::string name(reader.text(reader.child(cases, i)));
      const auto faults = run_case(reader, reader.child(cases, i + 1), version);
      ++all;
      good += faults.empty() ? 1 : 0;
      for (const std::string& fault : faults) FAIL_CHECK(version << " " << name << ": " << fault);
    }
    MESSAGE(version << ": " << good << " of " << all);
  }
}
