#include "model/array_codecs.hpp"

#include <optional>
#include <vector>

#include "model/write_options.hpp"

namespace mere::model {

namespace {

std::string heap_text(const format::Columns& columns, std::uint64_t offset, std::uint32_t bytes) {
  return columns.heap.substr(static_cast<std::size_t>(offset), bytes);
}

// The element types of columns of our own making, in the order of their ids: a type refers to smaller ids only.
std::vector<Dtype> element_types(const format::Columns& columns) {
  std::vector<Dtype> types;
  for (const format::TypeRecord& record : columns.types) {
    const auto type_class = static_cast<TypeClass>(record.type_class);
    const auto order = static_cast<ByteOrder>(record.byte_order);
    switch (type_class) {
      case TypeClass::record: {
        std::vector<Field> fields;
        for (std::uint32_t i = 0; i < record.count; ++i) {
          const format::FieldRecord& from = columns.fields[record.first + i];
          Field field{heap_text(columns, from.name, from.name_bytes), types[from.type], from.offset, ""};
          if (from.title_bytes != 0) field.title = heap_text(columns, from.title, from.title_bytes);
          fields.push_back(std::move(field));
        }
        types.push_back(Dtype::record(std::move(fields), record.itemsize, (record.flags & 1) != 0));
        break;
      }
      case TypeClass::subarray: {
        const auto first = columns.extents.begin() + static_cast<std::ptrdiff_t>(record.first);
        types.push_back(Dtype::subarray(types[record.base], {first, first + record.count}));
        break;
      }
      case TypeClass::datetime:
      case TypeClass::timedelta:
        types.push_back(Dtype::time(type_class, static_cast<TimeUnit>(record.unit), record.count, order));
        break;
      case TypeClass::other:
        types.push_back(Dtype::other(heap_text(columns, record.first, record.count), record.itemsize));
        break;
      default: types.push_back(Dtype(type_class, record.itemsize, order)); break;
    }
  }
  return types;
}

std::uint64_t array_bytes(const format::Columns& columns, const format::NodeRecord& node, std::uint64_t itemsize) {
  Size bytes = itemsize;
  for (std::uint16_t i = 0; i < node.form; ++i) bytes = bytes * Size::from_signed(columns.extents[node.b + i]);
  return bytes.get("array");
}

}  // namespace

std::function<codec::EncodeChoice(std::uint32_t)> array_codecs(const format::Columns& columns,
                                                               const DumpOptions& options) {
  struct Answer {
    bool asked = false;
    Codec codec;
  };
  std::vector<Answer> answers(columns.buffers.size(), Answer{false, options.codec});
  const std::vector<Dtype> types = element_types(columns);
  for (const format::NodeRecord& node : columns.nodes) {
    if (node.kind != static_cast<std::uint8_t>(Kind::array) ||
        node.flags == static_cast<std::uint8_t>(format::Layout::objects))
      continue;
    const format::ArrayRecord& array = columns.arrays[node.a];
    if (array.buffer == format::kNone) continue;
    const Dtype& type = types[array.type];
    const Codec codec = options.codec_for(type, array_bytes(columns, node, type.itemsize())).value_or(options.codec);
    Answer& answer = answers[array.buffer];
    answer = {true, answer.asked && answer.codec != codec ? options.codec : codec};
  }
  std::vector<codec::EncodeChoice> choices;
  choices.reserve(answers.size());
  for (const Answer& answer : answers) {
    // A level belongs to the codec that was given with it.
    choices.push_back(encode_choice(answer.codec, answer.codec != options.codec ? 0 : options.level));
  }
  return [choices = std::move(choices)](std::uint32_t buffer) { return choices[buffer]; };
}

}  // namespace mere::model
