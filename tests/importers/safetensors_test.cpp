// Files that the safetensors library wrote, against what their maker wrote down; files cut and changed.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <sstream>

#include "container/safetensors.hpp"
#include "importers/import_case.hpp"

using namespace mere;
using test::refusal;

namespace {

std::string safetensors(const std::string& name) {
  return test::read_file(std::filesystem::path(MERE_TEST_DATA) / "safetensors" / name);
}

struct Expected {
  std::string file, name, type, shape, sum;
};

std::vector<Expected> expected() {
  std::vector<Expected> all;
  std::istringstream lines(safetensors("expected.txt"));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream parts(line);
    Expected row;
    for (std::string* part : {&row.file, &row.name, &row.type, &row.shape, &row.sum}) std::getline(parts, *part, '\t');
    if (const std::size_t at = row.name.find("\\n"); at != std::string::npos) row.name.replace(at, 2, "\n");
    all.push_back(row);
  }
  return all;
}

}  // namespace

TEST_CASE("safetensors: what the library wrote is read, in types that NumPy has and others") {
  const std::vector<Expected> rows = expected();
  CHECK(rows.size() > 30);
  for (const std::string file : {"all.safetensors", "numpy.safetensors", "old.safetensors"}) {
    const importers::Imported imported = test::import_bytes(safetensors(file));
    CHECK(imported.format == "safetensors");
    CHECK(imported.names.empty());
    const test::Written written = test::write(imported.graph);
    std::size_t found = 0;
    for (const Expected& row : rows) {
      if (row.file != file) continue;
      CAPTURE(file);
      CAPTURE(row.name);
      const ArrayView array = written.root()[row.name].array();
      const Dtype type = row.type.starts_with("float4") ? Dtype::other(row.type, 1) : Dtype::parse(row.type);
      CHECK(array.dtype() == type);
      std::string shape;
      for (const std::int64_t n : array.shape()) shape += (shape.empty() ? "" : ",") + std::to_string(n);
      CHECK(shape == row.shape);
      std::vector<std::byte> bytes(array.nbytes());
      array.copy_to(bytes);
      char sum[9];
      std::snprintf(sum, sizeof sum, "%08lx", ::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
      CHECK(sum == row.sum);
      ++found;
    }
    CHECK(found == written.root().size());
  }
}

TEST_CASE("safetensors: what a file says about itself becomes metadata") {
  const importers::Imported imported = test::import_bytes(safetensors("numpy.safetensors"));
  const test::Written written = test::write(imported.graph);
  const Node metadata(written.image.get(), written.image->footer().metadata_root);
  CHECK(metadata["format"].text() == "np");
  CHECK(metadata["\xc3\xa9"].text() == "\n");
  CHECK(test::import_bytes(safetensors("all.safetensors")).graph.metadata_root == kNoNode);
}

TEST_CASE("safetensors: a header is written as the library writes it") {
  const std::string file = safetensors("all.safetensors");
  container::SafetensorsHeader header = container::read_safetensors_header(std::as_bytes(std::span(file)));
  std::sort(header.tensors.begin(), header.tensors.end(), [](const auto& a, const auto& b) {
    const int first = container::safetensors_rank(a.dtype), second = container::safetensors_rank(b.dtype);
    return first != second ? first > second : a.name < b.name;
  });
  CHECK(container::safetensors_header(header.tensors, {}) == file.substr(0, header.data_offset));
}

TEST_CASE("safetensors: a length that looks like another format's magic is still a length") {
  // 78 5e is a zlib header, 1f 8b one of gzip, 28 the first byte of a pickle whose last is '.'.
  for (const std::uint64_t length : {std::uint64_t{0x5e78}, std::uint64_t{0x8b1f}, std::uint64_t{0x28}}) {
    std::string header = R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})";
    if (header.size() > length) header = "{}";
    header.resize(length, ' ');
    const std::string data = header.starts_with("{}") ? "" : ".";
    CHECK(test::import_bytes(test::little(length, 8) + header + data).format == "safetensors");
  }
}

TEST_CASE("safetensors: every truncation is refused, every changed byte gives a graph or an Error") {
  for (const std::string file : {"all.safetensors", "numpy.safetensors"}) {
    const std::string good = safetensors(file);
    for (std::size_t length = 0; length < good.size(); ++length) CHECK(refusal(good.substr(0, length)).has_value());
    for (std::size_t at = 0; at < good.size(); ++at) {
      for (const int flip : {0x01, 0x20, 0xff}) {
        std::string bad = good;
        bad[at] = static_cast<char>(bad[at] ^ flip);
        refusal(bad);
      }
    }
  }
}
