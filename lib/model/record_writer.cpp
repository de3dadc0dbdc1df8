#include <mere/record_writer.hpp>

#include <unordered_map>

#include "format/text_form.hpp"

namespace mere {

namespace {

struct SharedKey {
  const void* address;
  const void* type_tag;
  friend bool operator==(const SharedKey&, const SharedKey&) = default;
};
struct SharedHash {
  std::size_t operator()(const SharedKey& key) const noexcept {
    const std::hash<const void*> hash;
    return hash(key.address) * 0x9e3779b97f4a7c15ULL ^ hash(key.type_tag);
  }
};

}  // namespace

struct RecordWriter::Tables {
  std::unordered_map<const char*, NodeId> keys, types;  // by the address of the literal
  std::unordered_map<SharedKey, NodeId, SharedHash> shared;
};

RecordWriter::RecordWriter(Graph& graph, std::uint32_t depth)
    : graph_(graph), limit_(depth), tables_(std::make_unique<Tables>()) {}

RecordWriter::~RecordWriter() = default;

NodeId RecordWriter::text(std::string_view value) {
  if (format::text_form(value) != format::TextForm::broken) return graph_.text(value);
  return graph_.bytes(std::as_bytes(std::span(value.data(), value.size())));
}

NodeId RecordWriter::key(std::string_view literal) {
  const auto [place, added] = tables_->keys.try_emplace(literal.data(), kNoNode);
  if (added) place->second = graph_.text(literal);
  return place->second;
}

NodeId RecordWriter::type(std::string_view name) {
  const auto [place, added] = tables_->types.try_emplace(name.data(), kNoNode);
  if (added) place->second = graph_.name("", name);
  return place->second;
}

NodeId RecordWriter::array(const Dtype& type, std::span<const std::int64_t> shape, const void* data,
                           std::shared_ptr<const void> owner) {
  return graph_.array(type, shape, Graph::Order::c, {static_cast<const std::byte*>(data), std::move(owner)});
}

NodeId RecordWriter::record(std::string_view type_name, std::span<const std::pair<NodeId, NodeId>> fields,
                            NodeId reserved) {
  ObjectParts parts;
  parts.type = type(type_name);
  parts.state = graph_.dict(fields);
  if (reserved != kNoNode) {
    graph_.fill_object(reserved, ObjectForm::record, parts);
    return reserved;
  }
  return graph_.object(ObjectForm::record, parts);
}

NodeId RecordWriter::find_shared(const void* address, const void* type_tag) const {
  const auto found = tables_->shared.find({address, type_tag});
  return found == tables_->shared.end() ? kNoNode : found->second;
}

void RecordWriter::keep_shared(const void* address, const void* type_tag, NodeId node) {
  tables_->shared.emplace(SharedKey{address, type_tag}, node);
}

void RecordWriter::throw_depth() const {
  throw Error(Reason::too_deep, "a value to be dumped is nested deeper than " + std::to_string(limit_) + " levels");
}

}  // namespace mere
