#pragma once
// A manifest in memory: the columns of docs/format.md 3, on their way to a file.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "format/records.hpp"

namespace mere::format {

// The blocks that a buffer of so many bytes has.
std::uint64_t block_count(std::uint64_t raw_bytes) noexcept;

// How far each part of the graph reaches into each column (format.md 3: model end, program end).
struct PartEnds {
  std::uint64_t model = 0, program = 0;
};

struct Columns {
  std::vector<NodeRecord> nodes;
  std::vector<std::uint32_t> links;
  std::string heap;
  std::vector<std::int64_t> extents;
  std::vector<TypeRecord> types;
  std::vector<FieldRecord> fields;
  std::vector<ArrayRecord> arrays;
  std::vector<BufferRecord> buffers;
  // Of nodes .. buffers; by Section number - 1. Blocks and sums: the writer finds theirs from the buffers'.
  std::array<PartEnds, 8> ends;
  std::uint32_t model_root = kNone, program_root = kNone, metadata_root = kNone;

  // The current column lengths become the end of the model or program part.
  void end_model();
  void end_program();
};

// Places arrays in buffers, in node order: segments for large ones, arenas for small ones (format.md 6).
class BufferPlanner {
 public:
  explicit BufferPlanner(Columns& columns) : columns_(columns) {}
  struct Place {
    std::uint32_t buffer;
    std::uint64_t offset;
  };
  // For a run of `bytes` > 0 raw bytes. An arena gets its id when it begins, and is written at that place in the file
  // with all that is added later: so ids, blocks and file offsets rise together. Throws Error: too_large (ids used up).
  Place add(std::uint64_t bytes);
  // Closes the open arena and numbers the blocks so far: at the end of the model, program and metadata parts, before
  // end_model() and end_program() of the columns. Throws Error: too_large.
  void end_part();

 private:
  Columns& columns_;
  std::uint32_t arena_ = kNone;
  std::size_t numbered_ = 0;  // buffers whose first block is known
  std::uint64_t blocks_ = 0;
};

}  // namespace mere::format
