// forge_tree IN OUT FIELD ROW VALUE: writes the model of IN to OUT with one number of its first tree changed; as FIELD
// "values", with one row less of what its nodes predict. Nothing else is wrong with OUT, its sums least of all.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <mere/convert.hpp>
#include <mere/dump.hpp>

#include "graph/store.hpp"

namespace {

using mere::Graph;

// The nodes of a tree are the only records that have a left child.
bool is_nodes(const mere::Dtype& type) {
  for (const mere::Field& field : type.fields()) {
    if (field.name == "left_child") return true;
  }
  return false;
}

bool change_field(const Graph::Store& store, Graph::Store::Array& array, std::string_view name, std::size_t row,
                  std::int64_t value, std::vector<std::byte>& changed) {
  const mere::Dtype& type = store.types[array.type];
  for (const mere::Field& field : type.fields()) {
    if (field.name != name) continue;
    changed.assign(array.first, array.first + array.span);
    const std::size_t bytes = field.type.itemsize();
    if (bytes > sizeof value) return false;
    std::memcpy(changed.data() + row * type.itemsize() + field.offset, &value, bytes);
    array.first = changed.data();
    return true;
  }
  return false;
}

void drop_row(Graph::Store& store, Graph::Store::Array& array) {
  std::int64_t& rows = store.extents[array.extent];
  const std::uint64_t row_bytes = array.span / static_cast<std::uint64_t>(rows);
  array.elements -= array.elements / static_cast<std::uint64_t>(rows);
  array.span -= row_bytes;
  --rows;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  const std::string_view field = argv[3];
  Graph graph = mere::import_file(argv[1]);
  Graph::Store& store = graph.store();
  std::vector<std::byte> changed;
  bool done = false, after_nodes = false;
  for (Graph::Store::Array& array : store.arrays) {
    const bool nodes = is_nodes(store.types[array.type]);
    if (field == "values" && after_nodes && array.ndim == 3) {
      drop_row(store, array);
      done = true;
    } else if (nodes && field != "values") {
      done = change_field(store, array, field, std::strtoull(argv[4], nullptr, 10), std::strtoll(argv[5], nullptr, 10),
                          changed);
    }
    if (done) break;
    after_nodes = after_nodes || nodes;
  }
  if (!done) {
    std::fprintf(stderr, "%s: no tree with %s\n", argv[1], argv[3]);
    return 1;
  }
  mere::dump(graph, argv[2]);
}
