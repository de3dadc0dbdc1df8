#include "node_text.hpp"

#include "element_json.hpp"
#include "graph_steps.hpp"
#include "json_writer.hpp"
#include "node_json.hpp"
#include "printable_text.hpp"
#include "terminal.hpp"

namespace mere::command {

namespace {

constexpr std::uint64_t kInlineMembers = 16;
constexpr std::uint64_t kShownElements = 6;
// Longer values are not turned to JSON only to be cut.
constexpr std::uint64_t kMaxSummaryBytes = 4096;

std::string cut(const std::string& text, std::size_t width) {
  return printable(text, width);
}

std::string leaf_summary(const Node& leaf, std::size_t width) {
  switch (leaf.kind()) {
    case Kind::text: {
      const std::string_view text = leaf.text();
      return text.size() > kMaxSummaryBytes ? cut(json_string(text.substr(0, kMaxSummaryBytes)), width)
                                            : cut(json_string(text), width);
    }
    case Kind::bytes:
    case Kind::bytearray: return count_text(leaf.bytes().size(), "byte");
    case Kind::integer:
      if (leaf.is_big() && leaf.integer_bytes().size() > kMaxSummaryBytes) {
        return "an integer of " + count_text(leaf.integer_bytes().size(), "byte");
      }
      return cut(leaf.integer_text(), width);
    case Kind::scalar:
      if (leaf.scalar_bytes().size() > kMaxSummaryBytes) return count_text(leaf.scalar_bytes().size(), "byte");
      break;
    case Kind::null: return "";  // the type says it
    case Kind::ellipsis: return "";
    case Kind::dtype: return cut(leaf.dtype().to_text(), width);
    case Kind::name: return cut(std::string(leaf.name()), width);
    default: break;
  }
  std::string text;
  JsonWriter json(text);
  write_leaf(json, leaf);
  text.pop_back();  // the end of its line
  return cut(text, width);
}

std::string array_summary(const ArrayView& array, std::size_t width) {
  if (!array.is_mapped()) return "(compressed)";
  const Dtype dtype = array.dtype();
  if (dtype.itemsize() > kMaxSummaryBytes) return "";
  const std::uint64_t size = array.size();
  if (size == 0) return "[]";
  std::string text = elements_text(dtype, array.data(), array.shape(), array.strides(), kShownElements);
  if (size > kShownElements) text += ", ...";
  return cut("[" + text + "]", width);
}

}  // namespace

std::string type_text(const Node& node) {
  const Kind kind = node.kind();
  const std::string word(to_text(kind));
  switch (kind) {
    case Kind::list:
    case Kind::tuple:
    case Kind::set:
    case Kind::frozenset:
    case Kind::dict: return word + " of " + number_text(node.size());
    case Kind::array: {
      const Dtype dtype = node.dtype();
      if (dtype.type_class() != TypeClass::object) {
        const ArrayView array = node.array();
        return "array " + dtype.to_text() + " " + array.shape().to_text();
      }
      Dims shape(node.object_array_shape().size());
      for (std::size_t i = 0; i < shape.size(); ++i) shape[i] = node.object_array_shape()[i];
      return "array object " + shape.to_text();
    }
    case Kind::object:
      return std::string(node.form() == ObjectForm::record ? "record " : "object ") + std::string(node.type_name());
    case Kind::scalar: return node.dtype().to_text();
    case Kind::opaque: return "opaque, " + count_text(node.bytes().size(), "byte");
    default: return word;
  }
}

bool is_inline(const Node& node) {
  const Kind kind = node.kind();
  if (kind != Kind::list && kind != Kind::tuple && kind != Kind::set && kind != Kind::frozenset &&
      kind != Kind::slice && kind != Kind::range) {
    return false;
  }
  if (node.size() > kInlineMembers) return false;
  for (std::size_t i = 0; i < node.size(); ++i) {
    if (!is_leaf(node[i].kind())) return false;
  }
  return true;
}

std::string value_summary(const Node& node, std::size_t width) {
  const Kind kind = node.kind();
  if (is_leaf(kind) || kind == Kind::bytearray) return leaf_summary(node, width);
  if (kind == Kind::array && node.dtype().type_class() != TypeClass::object) return array_summary(node.array(), width);
  if (!is_inline(node)) return "";
  std::string text = "[";
  for (std::size_t i = 0; i < node.size(); ++i) {
    const std::string member = leaf_summary(node[i], width);
    text += (i > 0 ? ", " : "") + (member.empty() ? std::string(to_text(node[i].kind())) : member);
  }
  return cut(text + "]", width);
}

}  // namespace mere::command
