#include "lower/families/label_values.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>

#include <mere/size.hpp>

#include "program/unicode/characters.hpp"

namespace mere::lower {

LabelValue label_value(const Estimator& from, NodeId id, std::string_view what) {
  const graph::NodeReader& reader = from.reader();
  if (reader.kind(id) == Kind::text) return std::string(reader.text(id));
  const std::optional<double> number = reader.find_real(id);
  if (!number) from.refuse("its " + std::string(what) + " is neither a number nor a text");
  return *number;
}

std::vector<LabelValue> label_values(const Estimator& from, NodeId id, std::string_view what) {
  const graph::NodeReader& reader = from.reader();
  const Kind kind = reader.kind(id);
  std::vector<LabelValue> out;
  if (kind == Kind::array && !reader.is_object_array(id)) {
    if (const auto texts = from.find_texts_of(id)) return {texts->begin(), texts->end()};
    const Array<double> numbers = from.reals_of(id, what, reader.array(id).shape.size());
    return {numbers.begin(), numbers.end()};
  }
  if (kind != Kind::list && kind != Kind::tuple && kind != Kind::array) return {label_value(from, id, what)};
  for (const NodeId member : from.members_of(id, what)) out.push_back(label_value(from, member, what));
  return out;
}

std::optional<std::size_t> find_label(const Estimator& from, NodeId classes, const LabelValue& value) {
  const auto index_in = [](const auto& all, const auto& one) -> std::optional<std::size_t> {
    const auto found = std::find(all.begin(), all.end(), one);
    if (found == all.end()) return std::nullopt;
    return static_cast<std::size_t>(found - all.begin());
  };
  const std::optional<std::vector<std::string>> texts = from.find_texts_of(classes);
  if (const std::string* text = std::get_if<std::string>(&value)) return texts ? index_in(*texts, *text) : std::nullopt;
  return texts ? std::nullopt : index_in(from.reals_of(classes, "classes_", 1), std::get<double>(value));
}

namespace {

// The element's bytes as NumPy has them; nothing: the type does not hold it.
template <class T>
bool put_number(const Dtype& type, double value, std::vector<std::byte>& to) {
  if (type != Dtype::of<T>()) return false;
  // Whole numbers up to 2^53 are exact as doubles.
  const double highest = std::min(static_cast<double>(std::numeric_limits<T>::max()), 9007199254740992.0);
  if (std::is_integral_v<T> || sizeof(T) < sizeof(double)) {
    if (!(value >= -highest && value <= highest)) return false;
  }
  const T made = static_cast<T>(value);
  if (static_cast<double>(made) != value) return false;
  std::memcpy(to.data() + to.size() - sizeof made, &made, sizeof made);
  return true;
}

bool put_text(const Dtype& type, const std::string& text, std::vector<std::byte>& to) {
  if (type.type_class() != TypeClass::unicode || !type.native()) return false;
  const std::size_t size = static_cast<std::size_t>(type.itemsize());
  std::u32string characters;
  if (!program::decode_utf8(text, characters) || characters.size() * sizeof(char32_t) > size) return false;
  if (!characters.empty()) {
    std::memcpy(to.data() + to.size() - size, characters.data(), characters.size() * sizeof(char32_t));
  }
  return true;
}

}  // namespace

Labels with_label(const Estimator& from, const Labels& labels, const LabelValue& value) {
  Labels made;
  made.dtype = labels.dtype;
  made.count = labels.count + 1;
  const std::string* text = std::get_if<std::string>(&value);
  if (labels.dtype.type_class() == TypeClass::object) {
    if (!text) from.refuse("one of its classes is a number, the others are texts");
    made.texts = labels.texts;
    made.texts.push_back(*text);
    return made;
  }
  const std::size_t size = static_cast<std::size_t>(labels.dtype.itemsize());
  from.require_memory((Size(made.count) * Size(size)).get("classes", Reason::too_large), "classes");
  auto kept = std::make_shared<std::vector<std::byte>>(labels.bytes.begin(), labels.bytes.end());
  kept->resize(kept->size() + size);
  const Dtype& type = labels.dtype;
  const bool is_put = text ? put_text(type, *text, *kept)
                           : put_number<double>(type, std::get<double>(value), *kept) ||
                                 put_number<float>(type, std::get<double>(value), *kept) ||
                                 put_number<std::int64_t>(type, std::get<double>(value), *kept) ||
                                 put_number<std::int32_t>(type, std::get<double>(value), *kept);
  if (!is_put) from.refuse("classes of type " + type.to_text() + " do not hold a label beside them");
  made.bytes = *kept;
  made.owner = std::move(kept);
  return made;
}

}  // namespace mere::lower
