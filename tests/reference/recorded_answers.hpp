#pragma once
// Files of fitted estimators and what scikit-learn answered with them, read for comparing: each file of a folder is of
// one release, a dict {"version": ..., "cases": {name: case}} saved by joblib.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/node_reader.hpp"
#include "importers/registry.hpp"
#include "program/program.hpp"

namespace mere::reference {

// The directory that the environment variable names, for wide comparisons; else the folder of the test data.
inline std::filesystem::path recorded_directory(const char* variable, const char* folder) {
  const char* other = std::getenv(variable);
  return other ? std::filesystem::path(other) : std::filesystem::path(MERE_TEST_DATA) / folder;
}

struct RecordedCase {
  const graph::NodeReader& reader;
  std::string_view version;  // of scikit-learn
  std::string name;
  NodeId node;

  // kNoNode if the case has no such part.
  NodeId at(std::string_view key) const { return reader.find(node, key); }
};

// Calls `compare` with each case, file by file; it returns what is wrong, a line a fault.
template <class Compare>
void compare_recorded(const std::filesystem::path& directory, const Compare& compare) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() == ".joblib") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  REQUIRE(!files.empty());
  for (const std::filesystem::path& path : files) {
    std::ifstream in(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    importers::Source source;
    source.bytes = std::as_bytes(std::span(bytes));
    source.name = path.filename().string();
    const importers::Imported imported = importers::import_source(source);
    const graph::NodeReader reader(imported.graph);
    const NodeId root = imported.graph.model_root;
    const std::string version(reader.text(reader.find(root, "version")));
    const NodeId cases = reader.find(root, "cases");
    std::size_t good = 0, all = 0;
    for (std::uint64_t i = 0; i + 1 < reader.child_count(cases); i += 2) {
      const RecordedCase one{reader, version, std::string(reader.text(reader.child(cases, i))),
                             reader.child(cases, i + 1)};
      const std::vector<std::string> faults = compare(one);
      ++all;
      good += faults.empty() ? 1 : 0;
      for (const std::string& fault : faults) FAIL_CHECK(version << " " << one.name << ": " << fault);
    }
    MESSAGE(version << ": " << good << " of " << all);
  }
}

// Numbers as doubles in C order, or texts where the array has them.
struct Answer {
  std::vector<double> numbers;
  std::vector<std::u32string> texts;
};

inline std::u32string text_at(const std::byte* at, std::size_t itemsize) {
  std::u32string text(itemsize / sizeof(char32_t), U'\0');
  std::memcpy(text.data(), at, itemsize);
  while (!text.empty() && text.back() == U'\0') text.pop_back();
  return text;
}

inline Answer read_answer(const graph::ArrayState& a) {
  Answer answer;
  const auto count = static_cast<std::size_t>(a.elements);
  const auto copy = [&](auto zero) {
    const Values<decltype(zero)> values(a.first, a.shape, a.strides, false);
    for (std::size_t i = 0; i < count; ++i) answer.numbers.push_back(static_cast<double>(values[i]));
  };
  const std::uint64_t size = a.dtype.itemsize();
  switch (a.dtype.type_class()) {
    case TypeClass::boolean: copy(bool{}); break;
    case TypeClass::integer: size == 4 ? copy(std::int32_t{}) : copy(std::int64_t{}); break;
    case TypeClass::real: size == 4 ? copy(float{}) : copy(double{}); break;
    case TypeClass::unicode:
      for (std::size_t i = 0; i < count; ++i) {
        answer.texts.push_back(text_at(a.first + i * size, static_cast<std::size_t>(size)));
      }
      break;
    default: FAIL("an answer of type " << a.dtype.to_text());
  }
  return answer;
}

inline std::vector<double> numbers(const graph::NodeReader& reader, NodeId array) {
  return read_answer(reader.array(array)).numbers;
}

// What NumPy would show of the values of a method: classes by their labels.
inline Answer shown(const program::Method& method, const std::vector<double>& values) {
  Answer answer;
  if (method.labels.empty()) {
    answer.numbers = values;
    return answer;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const program::Labels& labels = method.labels[i % method.labels.size()];
    const auto index = static_cast<std::size_t>(values[i]);
    REQUIRE(index < labels.count);
    if (labels.dtype.type_class() == TypeClass::object) {
      answer.texts.emplace_back(labels.texts[index].begin(), labels.texts[index].end());
      continue;
    }
    const auto size = static_cast<std::size_t>(labels.dtype.itemsize());
    const std::byte* at = labels.bytes.data() + index * size;
    if (labels.dtype.type_class() == TypeClass::unicode) {
      answer.texts.push_back(text_at(at, size));
      continue;
    }
    const std::int64_t one[] = {1}, stride[] = {static_cast<std::int64_t>(size)};
    graph::ArrayState single;
    single.dtype = labels.dtype;
    single.shape = {one[0]};
    single.strides = {stride[0]};
    single.elements = 1;
    single.first = at;
    answer.numbers.push_back(read_answer(single).numbers[0]);
  }
  return answer;
}

}  // namespace mere::reference
