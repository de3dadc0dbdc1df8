#include "program/node_fields.hpp"

#include <mere/error.hpp>

namespace mere::program {

void FieldWriter::add(std::string_view name, NodeId value) {
  entries_.emplace_back(graph_.text(name), value);
}

void FieldWriter::field(std::string_view name, bool& value) {
  add(name, graph_.boolean(value));
}

void FieldWriter::field(std::string_view name, std::int64_t& value) {
  add(name, graph_.integer(value));
}

void FieldWriter::field(std::string_view name, double& value) {
  add(name, graph_.real(value));
}

void FieldWriter::field(std::string_view name, std::string& value) {
  add(name, graph_.text(value));
}

void FieldWriter::field(std::string_view name, std::vector<std::string>& value) {
  std::vector<NodeId> items;
  items.reserve(value.size());
  for (const std::string& text : value) items.push_back(graph_.text(text));
  add(name, graph_.list(items));
}

template <class T>
void FieldWriter::add_array(std::string_view name, const Array<T>& value) {
  if (value.empty()) return;
  add(name, graph_.array(Dtype::of<T>(), value.shape(), Graph::Order::c,
                         {reinterpret_cast<const std::byte*>(value.data()), value.owner()}));
}

void FieldWriter::field(std::string_view name, Array<double>& value) {
  add_array(name, value);
}
void FieldWriter::field(std::string_view name, Array<std::uint8_t>& value) {
  add_array(name, value);
}
void FieldWriter::field(std::string_view name, Array<std::uint16_t>& value) {
  add_array(name, value);
}
void FieldWriter::field(std::string_view name, Array<std::uint32_t>& value) {
  add_array(name, value);
}
void FieldWriter::field(std::string_view name, Array<std::int64_t>& value) {
  add_array(name, value);
}

NodeId FieldWriter::finish(std::string_view type_name) {
  ObjectParts parts;
  parts.type = graph_.name("", type_name);
  parts.state = graph_.dict(entries_);
  return graph_.object(ObjectForm::record, parts);
}

namespace {

[[noreturn]] void fail(const Node& record, std::string_view name, const std::string& what) {
  std::string where = record.path();
  throw Error(Reason::schema, "program: " + where + " (" + std::string(record.type_name()) + "): field " +
                                  std::string(name) + " " + what);
}

}  // namespace

FieldReader::FieldReader(const Node& record) : record_(record) {
  if (record.kind() != Kind::object || record.form() != ObjectForm::record || !record.state() ||
      record.state()->kind() != Kind::dict) {
    throw Error(Reason::schema, "program: " + record.path() + " is no record with fields");
  }
  state_ = *record.state();
}

Node FieldReader::need(std::string_view name, Kind kind) {
  const std::optional<Node> found = state_.find(name);
  if (!found) fail(record_, name, "is missing");
  if (found->kind() != kind) {
    fail(record_, name,
         "is of kind " + std::string(to_text(found->kind())) + ", expected " + std::string(to_text(kind)));
  }
  ++read_;
  return *found;
}

void FieldReader::field(std::string_view name, bool& value) {
  value = need(name, Kind::boolean).boolean();
}

void FieldReader::field(std::string_view name, std::int64_t& value) {
  value = need(name, Kind::integer).integer();
}

void FieldReader::field(std::string_view name, double& value) {
  value = need(name, Kind::real).real();
}

void FieldReader::field(std::string_view name, std::string& value) {
  value = need(name, Kind::text).text();
}

void FieldReader::field(std::string_view name, std::vector<std::string>& value) {
  const Node list = need(name, Kind::list);
  value.clear();
  for (std::uint64_t i = 0; i < list.size(); ++i) {
    const Node item = list[static_cast<std::size_t>(i)];
    if (item.kind() != Kind::text) fail(record_, name, "has a member that is no text");
    value.emplace_back(item.text());
  }
}

template <class T>
void FieldReader::read_array(std::string_view name, Array<T>& value) {
  if (!state_.find(name)) {
    value = Array<T>();
    return;
  }
  const ArrayView array = need(name, Kind::array).array();
  if (array.dtype() != Dtype::of<T>()) {
    fail(record_, name, "has elements of type " + array.dtype().to_text() + ", expected " + Dtype::of<T>().to_text());
  }
  value = Array<T>::borrow(array.span<T>(), array.shape());
}

void FieldReader::field(std::string_view name, Array<double>& value) {
  read_array(name, value);
}
void FieldReader::field(std::string_view name, Array<std::uint8_t>& value) {
  read_array(name, value);
}
void FieldReader::field(std::string_view name, Array<std::uint16_t>& value) {
  read_array(name, value);
}
void FieldReader::field(std::string_view name, Array<std::uint32_t>& value) {
  read_array(name, value);
}
void FieldReader::field(std::string_view name, Array<std::int64_t>& value) {
  read_array(name, value);
}

void FieldReader::optional(std::string_view name, std::string& value) {
  if (state_.find(name)) field(name, value);
}

void FieldReader::optional(std::string_view name, std::vector<std::string>& value) {
  if (state_.find(name)) field(name, value);
}

void FieldReader::finish(std::size_t others) const {
  if (read_ + others != state_.size()) {
    throw Error(Reason::schema, "program: " + record_.path() + " (" + std::string(record_.type_name()) + ") has " +
                                    std::to_string(state_.size()) + " fields, of which " +
                                    std::to_string(read_ + others) + " are known");
  }
}

}  // namespace mere::program
