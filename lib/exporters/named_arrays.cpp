#include "exporters/named_arrays.hpp"

#include "exporters/reached.hpp"
#include "format/text_form.hpp"

namespace mere::exporters {

namespace {

std::string what_is(const Graph::Store& store, NodeId node) {
  const Graph::Store::Node& record = store.at(node);
  if (record.kind == Kind::array) return "an array of objects";
  if (record.kind != Kind::object) return std::string(to_text(record.kind));
  return "an object of " + std::string(store.text_of(store.at(store.links_of(record)[0])));
}

}  // namespace

ArrayBytes one_array(const Graph::Store& store, NodeId root, NodeId node, const std::string& format) {
  const Graph::Store::Node& record = store.at(node);
  if (record.kind != Kind::array || (record.flags & Graph::Store::kObjects) != 0) {
    throw_unsupported(store, root, node, format + " holds arrays of numbers, found " + what_is(store, node));
  }
  return ArrayBytes(store, node);
}

NamedArrays named_arrays(const Graph::Store& store, NodeId root, const std::string& format) {
  const Graph::Store::Node& record = store.at(root);
  if (record.kind != Kind::dict) {
    throw_unsupported(store, root, root, format + " holds a dict of arrays, found " + what_is(store, root));
  }
  NamedArrays named;
  const auto links = store.links_of(record);
  for (std::size_t i = 0; i < links.size(); i += 2) {
    const Graph::Store::Node& key = store.at(links[i]);
    if (key.kind != Kind::text || format::text_form(store.text_of(key)) != format::TextForm::utf8) {
      throw_unsupported(store, root, links[i], "a name in " + format + " is a text, found " + what_is(store, links[i]));
    }
    named.bytes += one_array(store, root, links[i + 1], format).size();
    named.arrays.emplace_back(store.text_of(key), links[i + 1]);
  }
  return named;
}

}  // namespace mere::exporters
