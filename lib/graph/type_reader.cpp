#include "graph/type_reader.hpp"

#include <utility>
#include <vector>

#include <mere/array.hpp>
#include "graph/dtype_parts.hpp"

namespace mere::graph {

using format::Image;

TypeReader::TypeReader(const Image& image)
    : image_(image),
      name_bytes_left_(image.section(format::Section::heap).count * 16 +
                       image.section(format::Section::fields).count * 256 + 65536),
      fields_left_(image.section(format::Section::fields).count * 16 + 65536) {}

void TypeReader::fail(std::uint32_t id, Reason reason, const std::string& what) const {
  throw Error(reason, image_.name() + ": type " + std::to_string(id) + " (at offset " +
                          std::to_string(image_.file_offset(format::Section::types, id)) + "): " + what);
}

std::string TypeReader::text(std::uint64_t first, std::uint64_t bytes) {
  const std::span<const std::byte> found = image_.heap(first, bytes);
  if (bytes > name_bytes_left_)
    throw Error(Reason::too_large, image_.name() + ": names of fields longer than the file has texts");
  name_bytes_left_ -= bytes;
  return std::string(reinterpret_cast<const char*>(found.data()), found.size());
}

Dtype TypeReader::read(std::uint32_t id, std::uint32_t depth) {
  if (const auto known = known_.find(id); known != known_.end()) return known->second;
  if (depth > kMaxTypeDepth) fail(id, Reason::too_deep, "nested deeper than " + std::to_string(kMaxTypeDepth));
  const format::TypeRecord record = image_.type(id);
  const bool composite = record.type_class == static_cast<std::uint8_t>(TypeClass::record) ||
                         record.type_class == static_cast<std::uint8_t>(TypeClass::subarray);
  if (!composite) return make(id, record, depth);
  Dtype type = make(id, record, depth);
  known_.emplace(id, type);
  return type;
}

Dtype TypeReader::make(std::uint32_t id, const format::TypeRecord& record, std::uint32_t depth) {
  if (record.type_class > static_cast<std::uint8_t>(TypeClass::other)) {
    fail(id, Reason::unknown_type, "class " + std::to_string(record.type_class));
  }
  if (record.byte_order > 2) fail(id, Reason::bad_type, "byte order " + std::to_string(record.byte_order));
  const auto type_class = static_cast<TypeClass>(record.type_class);
  const auto order = static_cast<ByteOrder>(record.byte_order);
  // What the constructors refuse is told with the place of the record.
  try {
    switch (type_class) {
      case TypeClass::datetime:
      case TypeClass::timedelta:
        if (record.itemsize != 8) fail(id, Reason::bad_type, "a time of " + std::to_string(record.itemsize) + " bytes");
        return Dtype::time(type_class, static_cast<TimeUnit>(record.unit), record.count, order);
      case TypeClass::record: {
        if (!range_fits(record.first, record.count, image_.section(format::Section::fields).count)) {
          fail(id, Reason::out_of_bounds,
               "fields " + std::to_string(record.first) + "+" + std::to_string(record.count));
        }
        if (record.count > fields_left_)
          fail(id, Reason::too_large, "the types have more fields than 16 times those of the file");
        fields_left_ -= record.count;
        std::vector<Field> fields;
        fields.reserve(record.count);
        for (std::uint64_t i = 0; i < record.count; ++i) {
          const format::FieldRecord field = image_.field(record.first + i);
          if (field.type >= id)
            fail(id, Reason::bad_type, "its field " + std::to_string(i) + " has type " + std::to_string(field.type));
          fields.push_back({text(field.name, field.name_bytes), read(field.type, depth + 1), field.offset,
                            text(field.title, field.title_bytes)});
        }
        return Dtype::record(std::move(fields), record.itemsize, (record.flags & 1) != 0);
      }
      case TypeClass::subarray: {
        if (record.base >= id) fail(id, Reason::bad_type, "its base is type " + std::to_string(record.base));
        if (record.count > kMaxDims) fail(id, Reason::bad_type, std::to_string(record.count) + " dimensions");
        image_.check_extents(record.first, record.count);
        std::vector<std::int64_t> shape(record.count);
        for (std::uint64_t d = 0; d < record.count; ++d) shape[d] = image_.extent(record.first + d);
        Dtype type = Dtype::subarray(read(record.base, depth + 1), std::move(shape));
        if (type.itemsize() != record.itemsize)
          fail(id, Reason::bad_type, "item size " + std::to_string(record.itemsize));
        return type;
      }
      case TypeClass::other: return Dtype::other(text(record.first, record.count), record.itemsize);
      default: return Dtype(type_class, record.itemsize, order);
    }
  } catch (const Error& error) {
    if (error.message().starts_with(image_.name())) throw;
    throw error.with_context(image_.name() + ": type " + std::to_string(id));
  }
}

}  // namespace mere::graph
