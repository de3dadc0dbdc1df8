#include "graph/type_column.hpp"

#include <algorithm>

#include "codec/checksum.hpp"
#include "format/text_form.hpp"
#include "graph/dtype_parts.hpp"

namespace mere::graph {

std::uint64_t ExtentColumn::add(std::span<const std::int64_t> shape, std::span<const std::int64_t> strides) {
  const std::uint64_t count = shape.size() + strides.size();
  if (count == 0) return 0;
  std::uint64_t hash = count;
  for (const std::int64_t n : shape) hash = mix(hash, static_cast<std::uint64_t>(n));
  for (const std::int64_t n : strides) hash = mix(hash, static_cast<std::uint64_t>(n));
  const auto next = static_cast<std::uint32_t>(entries_.size());
  const std::uint32_t id = table_.find_or_put(hash, next, [&](std::uint32_t other) {
    const Entry& entry = entries_[other];
    const auto at = extents_.begin() + static_cast<std::ptrdiff_t>(entry.first);
    return entry.count == count && std::equal(shape.begin(), shape.end(), at) &&
           std::equal(strides.begin(), strides.end(), at + static_cast<std::ptrdiff_t>(shape.size()));
  });
  if (id == next) {
    entries_.push_back({extents_.size(), count});
    extents_.insert(extents_.end(), shape.begin(), shape.end());
    extents_.insert(extents_.end(), strides.begin(), strides.end());
  }
  return entries_[id].first;
}

TypeColumn::Name TypeColumn::add_name(std::string_view text) {
  if (text.size() > 0xffffffff)
    throw Error(Reason::too_large, "a field name of " + std::to_string(text.size()) + " bytes");
  if (format::text_form(text) != format::TextForm::utf8)
    throw Error(Reason::bad_text, "field name \"" + std::string(text) + "\" is not UTF-8");
  const std::string_view heap = columns_.heap;
  const auto next = static_cast<std::uint32_t>(names_.size());
  const std::uint64_t hash = codec::xxh3_64(std::as_bytes(std::span(text)));
  const std::uint32_t id = name_table_.find_or_put(
      hash, next, [&](std::uint32_t other) { return heap.substr(names_[other].first, names_[other].bytes) == text; });
  if (id == next) {
    names_.push_back({heap.size(), static_cast<std::uint32_t>(text.size())});
    columns_.heap += text;
  }
  return names_[id];
}

// As deep as types nest: kMaxTypeDepth at most.
std::uint32_t TypeColumn::add(const Dtype& type) {
  const std::uint64_t hash = hash_of(type);
  if (types_.size() >= format::kNone) throw Error(Reason::too_large, "more than 2^32 - 1 element types");
  const auto equal = [&](std::uint32_t other) { return types_[other] == type; };
  const std::uint32_t known = type_table_.find(hash, format::kNone, equal);
  if (known != format::kNone) return known;
  // Types inside come first, and so do their fields.
  for (const Field& field : type.fields()) add(field.type);
  if (type.type_class() == TypeClass::subarray) add(type.base());

  format::TypeRecord record{};
  record.type_class = static_cast<std::uint8_t>(type.type_class());
  record.byte_order = static_cast<std::uint8_t>(type.byte_order());
  record.itemsize = type.itemsize();
  switch (type.type_class()) {
    case TypeClass::datetime:
    case TypeClass::timedelta:
      record.unit = static_cast<std::uint8_t>(type.unit());
      record.count = type.multiple();
      break;
    case TypeClass::other: {
      const Name name = add_name(type.name());
      record.first = name.first;
      record.count = name.bytes;
      break;
    }
    case TypeClass::subarray:
      record.byte_order = static_cast<std::uint8_t>(ByteOrder::none);
      record.count = static_cast<std::uint32_t>(type.shape().size());
      record.first = extents_.add(type.shape(), {});
      record.base = add(type.base());
      break;
    case TypeClass::record: {
      record.byte_order = static_cast<std::uint8_t>(ByteOrder::none);
      record.flags = type.aligned() ? 1 : 0;
      record.count = static_cast<std::uint32_t>(type.fields().size());
      record.first = columns_.fields.size();
      for (const Field& field : type.fields()) {
        format::FieldRecord made{};
        const Name name = add_name(field.name);
        made.name = name.first;
        made.name_bytes = name.bytes;
        made.type = add(field.type);
        made.offset = field.offset;
        if (!field.title.empty()) {
          const Name title = add_name(field.title);
          made.title = title.first;
          made.title_bytes = title.bytes;
        }
        columns_.fields.push_back(made);
      }
      break;
    }
    default: break;
  }
  const std::uint32_t id = type_table_.find_or_put(hash, static_cast<std::uint32_t>(types_.size()), equal);
  types_.push_back(type);
  columns_.types.push_back(record);
  return id;
}

}  // namespace mere::graph
