// Any text as the schema of a skops archive, in an archive made around it, and any bytes as a whole archive: Error, or
// a graph that names nothing but what was shown.

#include <zlib.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "graph/encode.hpp"
#include "importers/skops/skops.hpp"

namespace {

std::string little(std::uint64_t value, int width) {
  std::string out;
  for (int i = 0; i < width; ++i) out += i < 8 ? static_cast<char>(value >> (8 * i)) : '\0';
  return out;
}

std::string archive(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string out, directory;
  for (const auto& [name, data] : members) {
    const auto sum = ::crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size());
    const std::string common = little(0, 8) + little(sum, 4) + little(data.size(), 4) + little(data.size(), 4) +
                               little(name.size(), 2) + little(0, 2);
    directory += "PK\1\2" + little(20, 2) + little(20, 2) + common + little(0, 10) + little(out.size(), 4) + name;
    out += "PK\3\4" + little(20, 2) + common + name + data;
  }
  return out + directory + "PK\5\6" + little(0, 4) + little(members.size(), 2) + little(members.size(), 2) +
         little(directory.size(), 4) + little(out.size(), 4) + little(0, 2);
}

std::string npy(const std::string& type, const std::string& shape, const std::string& data) {
  const std::string header = "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + ", }\n";
  return "\x93NUMPY" + little(1, 1) + little(0, 1) + little(header.size(), 2) + header + data;
}

// The members that a schema may name, if it does.
const std::vector<std::pair<std::string, std::string>>& members() {
  static const std::vector<std::pair<std::string, std::string>> all = {
      {"a.npy", npy("<i8", "(2,)", std::string(16, '\1'))},
      {"s.npy", npy("<f8", "()", std::string(8, '\2'))},
      {"b.npy", npy("|b1", "()", std::string(1, '\0'))},
      {"e.npy", npy("<U3", "(0,)", "")},
      {"m.npz", archive({{"format.npy", npy("|S3", "()", "csr")},
                         {"shape.npy", npy("<i8", "(2,)", std::string(16, '\1'))},
                         {"data.npy", npy("<f8", "(1,)", std::string(8, '\1'))},
                         {"indices.npy", npy("<i4", "(1,)", std::string(4, '\0'))},
                         {"indptr.npy", npy("<i4", "(3,)", std::string(12, '\0'))}})},
      {"x.bin", "bytes"},
  };
  return all;
}

std::string wrapped(std::string_view schema) {
  std::vector<std::pair<std::string, std::string>> chosen;
  for (const auto& member : members()) {
    if (schema.find("\"" + member.first + "\"") != std::string_view::npos) chosen.push_back(member);
  }
  chosen.emplace_back("schema.json", schema);
  return archive(chosen);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mere;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  auto kept = std::make_shared<const std::string>(input.starts_with("PK") ? std::string(input) : wrapped(input));
  const auto bytes = std::as_bytes(std::span(*kept));
  if (!importers::skops::matches(bytes)) return 0;
  importers::ImportOptions options;
  options.limits.expanded_bytes = std::uint64_t{1} << 20;
  try {
    const importers::Imported imported = importers::skops::read({bytes, kept, "", {}}, options);
    std::set<std::pair<std::string_view, std::string_view>> shown;
    for (const container::ForeignName& name : imported.names) shown.emplace(name.module, name.qualname);
    for (NodeId id = 0; id < imported.graph.node_count(); ++id) {
      if (imported.graph.kind(id) == Kind::name && shown.count(imported.graph.name_value(id)) == 0) std::abort();
    }
    graph::encode(imported.graph);
  } catch (const Error&) {
  }
  return 0;
}
