#pragma once
// skops files made here: nodes of a schema as texts, and archives of stored members.

#include <zlib.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace mere::test::skops_case {

inline std::string bytes_of(std::uint64_t value, int width) {
  std::string out;
  for (int i = 0; i < width; ++i) out += i < 8 ? static_cast<char>(value >> (8 * i)) : '\0';
  return out;
}

// A zip archive of stored members.
inline std::string archive(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string out, directory;
  for (const auto& [name, data] : members) {
    const auto sum = ::crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size());
    const std::string common = bytes_of(0, 8) + bytes_of(sum, 4) + bytes_of(data.size(), 4) + bytes_of(data.size(), 4) +
                               bytes_of(name.size(), 2) + bytes_of(0, 2);
    directory +=
        "PK\1\2" + bytes_of(20, 2) + bytes_of(20, 2) + common + bytes_of(0, 10) + bytes_of(out.size(), 4) + name;
    out += "PK\3\4" + bytes_of(20, 2) + common + name + data;
  }
  return out + directory + "PK\5\6" + bytes_of(0, 4) + bytes_of(members.size(), 2) + bytes_of(members.size(), 2) +
         bytes_of(directory.size(), 4) + bytes_of(out.size(), 4) + bytes_of(0, 2);
}

// `name` is a full one; `fields` the rest of the object.
inline std::string node(const std::string& name, const std::string& loader, const std::string& fields) {
  const std::size_t dot = name.rfind('.');
  return R"({"__class__": ")" + name.substr(dot + 1) + R"(", "__module__": ")" + name.substr(0, dot) +
         R"(", "__loader__": ")" + loader + "\"" + (fields.empty() ? "" : ", ") + fields + "}";
}

// `text` as it stands between the quotes.
inline std::string json(const std::string& text) {
  return node("builtins.str", "JsonNode", R"("content": ")" + text + R"(", "is_json": true)");
}

inline std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}
inline std::string list(const std::vector<std::string>& members) {
  return node("builtins.list", "ListNode", R"("content": [)" + joined(members) + "]");
}
inline std::string tuple(const std::vector<std::string>& members) {
  return node("builtins.tuple", "TupleNode", R"("content": [)" + joined(members) + "]");
}

// Keys of one builtin type.
inline std::string dict(const std::vector<std::pair<std::string, std::string>>& entries, const std::string& key_type) {
  std::vector<std::string> values, types;
  for (const auto& [key, value] : entries) {
    values.push_back("\"" + key + "\": " + value);
    types.push_back(node("builtins." + key_type, "TypeNode", ""));
  }
  return node("builtins.dict", "DictNode", R"("content": {)" + joined(values) + R"(}, "key_types": )" + list(types));
}

inline std::string schema(const std::string& root, const std::string& protocol = "2") {
  return root.substr(0, root.size() - 1) + R"(, "protocol": )" + protocol + R"(, "_skops_version": "0.16.0"})";
}

using Members = std::vector<std::pair<std::string, std::string>>;

inline std::string skops(const std::string& root, Members members = {}, const std::string& protocol = "2") {
  members.emplace_back("schema.json", schema(root, protocol));
  return archive(members);
}

// An .npy file of two int32.
inline std::string npy() {
  const std::string header = "{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }\n";
  return "\x93NUMPY" + bytes_of(1, 1) + bytes_of(0, 1) + bytes_of(header.size(), 2) + header + "12345678";
}

}  // namespace mere::test::skops_case
