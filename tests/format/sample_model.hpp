#pragma once
// Small models made by hand, for tests of the file alone: columns, and the bytes of their buffers.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "format/columns.hpp"
#include "format/image.hpp"
#include "format/writer.hpp"

namespace mere::format::testing {

using Bytes = std::vector<std::byte>;

inline Bytes random_bytes(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Bytes bytes(count);
  for (std::byte& b : bytes) b = static_cast<std::byte>(random());
  return bytes;
}

// What compresses: small numbers in eight bytes each.
inline Bytes small_numbers(std::size_t count, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::uint64_t> numbers(count / 8 + 1);
  for (std::uint64_t& n : numbers) n = random() % 50;
  Bytes bytes(count);
  std::memcpy(bytes.data(), numbers.data(), count);
  return bytes;
}

// Columns under construction, and the source of their bytes. Nodes are numbered as they are added.
class SampleModel : public BufferSource {
 public:
  Columns columns;
  std::vector<Bytes> buffers;
  bool direct = true;  // false: bytes have to be gathered

  std::uint32_t node(std::uint8_t kind, std::uint8_t flags = 0, std::uint16_t form = 0, std::uint32_t a = 0,
                     std::uint64_t b = 0) {
    columns.nodes.push_back({kind, flags, form, a, b});
    return static_cast<std::uint32_t>(columns.nodes.size() - 1);
  }
  std::uint64_t heap(std::string_view bytes) {
    columns.heap += bytes;
    return columns.heap.size() - bytes.size();
  }
  std::uint32_t bytes_node(std::uint8_t kind, std::string_view bytes, std::uint8_t flags = 0, std::uint16_t form = 0) {
    const std::uint64_t at = heap(bytes);
    return node(kind, flags, form, static_cast<std::uint32_t>(bytes.size()), at);
  }
  std::uint32_t text(std::string_view utf8) { return bytes_node(5, utf8); }
  // Gives a node made by node() its links.
  void link(std::uint32_t id, const std::vector<std::uint32_t>& members) {
    NodeRecord& record = columns.nodes[id];
    record.b = columns.links.size();
    record.a = static_cast<std::uint32_t>(record.kind == 12 ? members.size() / 2 : members.size());
    columns.links.insert(columns.links.end(), members.begin(), members.end());
  }
  std::uint32_t type(TypeRecord record) {
    columns.types.push_back(record);
    return static_cast<std::uint32_t>(columns.types.size() - 1);
  }
  std::uint32_t plain_type(std::uint8_t type_class, std::uint64_t itemsize, std::uint8_t order = 0) {
    return type({type_class, order, 0, 0, 0, itemsize, 0, 0, 0});
  }
  std::uint64_t extents(const std::vector<std::int64_t>& numbers) {
    columns.extents.insert(columns.extents.end(), numbers.begin(), numbers.end());
    return columns.extents.size() - numbers.size();
  }
  std::uint32_t array_record(std::uint32_t type, const Bytes& bytes) {
    if (bytes.empty()) {
      columns.arrays.push_back({type, kNone, 0});
    } else {
      const BufferPlanner::Place place = planner_.add(bytes.size());
      columns.arrays.push_back({type, place.buffer, place.offset});
      if (buffers.size() <= place.buffer) buffers.resize(place.buffer + 1);
      Bytes& buffer = buffers[place.buffer];
      buffer.resize(place.offset);
      buffer.insert(buffer.end(), bytes.begin(), bytes.end());
    }
    return static_cast<std::uint32_t>(columns.arrays.size() - 1);
  }
  std::uint32_t array(std::uint32_t type, const std::vector<std::int64_t>& shape, const Bytes& bytes,
                      Layout layout = Layout::c) {
    const std::uint32_t record = array_record(type, bytes);
    return node(16, static_cast<std::uint8_t>(layout), static_cast<std::uint16_t>(shape.size()), record,
                extents(shape));
  }
  void end_model() {
    planner_.end_part();
    columns.end_model();
  }
  void end_program() {
    planner_.end_part();
    columns.end_program();
  }
  void finish() { planner_.end_part(); }

  std::span<const std::byte> find_direct(std::uint32_t buffer, std::uint64_t offset,
                                         std::uint64_t length) const override {
    if (!direct || (columns.buffers[buffer].flags & kArenaBuffer) != 0) return {};
    return std::span(buffers[buffer]).subspan(offset, length);
  }
  void read(std::uint32_t buffer, std::uint64_t offset, std::span<std::byte> out) const override {
    std::memcpy(out.data(), buffers[buffer].data() + offset, out.size());
  }

 private:
  BufferPlanner planner_{columns};
};

// A list of arrays of uint64, one for each of `contents`, with a program and metadata of a text each.
inline void fill_with_arrays(SampleModel& model, const std::vector<Bytes>& contents) {
  const std::uint32_t root = model.node(8);
  const std::uint32_t type = model.plain_type(2, 8);
  std::vector<std::uint32_t> members;
  for (const Bytes& bytes : contents) {
    members.push_back(model.array(type, {static_cast<std::int64_t>(bytes.size() / 8)}, bytes));
  }
  members.push_back(model.text("the last member"));
  model.link(root, members);
  model.columns.model_root = root;
  model.end_model();
  model.columns.program_root = model.text("a program");
  model.end_program();
  model.columns.metadata_root = model.text("what it was trained on");
  model.finish();
}

inline Bytes write_to_memory(const SampleModel& model, const WriteOptions& options = {}) {
  os::MemorySink sink;
  write_file(model.columns, model, options, sink);
  return sink.take();
}

// All raw bytes of an image's buffers, through read_buffer().
inline std::vector<Bytes> read_all(const Image& image) {
  std::vector<Bytes> buffers(image.section(Section::buffers).count);
  for (std::uint32_t i = 0; i < buffers.size(); ++i) {
    buffers[i].resize(image.buffer(i).raw_bytes);
    image.read_buffer(i, 0, buffers[i]);
  }
  return buffers;
}

}  // namespace mere::format::testing
