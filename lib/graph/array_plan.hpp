#pragma once
// Where the arrays of a graph go: which share a buffer, which are written without gaps (docs/format.md 5 and 6).

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "format/columns.hpp"
#include "format/writer.hpp"
#include "graph/dtype_parts.hpp"
#include "graph/store.hpp"
#include "graph/type_column.hpp"

namespace mere::graph {

// A run of bytes in a buffer: one array written without gaps, or arrays that overlap, as they lie in memory.
// Small, as there may be one for each array of many.
struct BufferRun {
  std::uint64_t offset = 0, bytes = 0;
  const std::byte* direct = nullptr;  // the run as it lies in memory; null: gathered from the members
  std::uint32_t buffer = 0;
  std::uint32_t member = 0;  // the array of the store, or the index of a SharedRun
  bool shared = false;
};

// What arrays that overlap are gathered from: they lie as in memory, from `low` on, behind `padding` zero bytes.
struct SharedRun {
  std::uintptr_t low = 0;
  std::uint64_t padding = 0;
  std::size_t first_member = 0, member_count = 0;
};

// All runs of a file, for a BufferSource.
struct BufferRuns {
  std::vector<BufferRun> runs;      // by buffer, then by offset
  std::vector<std::size_t> starts;  // the first run of each buffer, and the end
  std::vector<SharedRun> shared;
  std::vector<std::uint32_t> members;           // of shared runs: arrays of the store
  std::vector<std::vector<ByteRange>> covered;  // by type of the store: empty if all bytes hold values
};

class ArrayPlan {
 public:
  ArrayPlan(const Graph::Store& store, format::Columns& columns, ExtentColumn& extents, TypeColumn& types)
      : store_(store),
        columns_(columns),
        extents_(extents),
        types_(types),
        planner_(columns),
        type_ids_(store.types.size(), format::kNone) {
    runs_.covered.resize(store.types.size());
  }

  // A node of the columns whose array is `array` of the store; an array of objects has none, but links.
  struct Reached {
    std::uint32_t node, array;
    std::uint64_t first_link = 0;
    bool objects() const { return array == format::kNone; }
  };
  // Fills the nodes and array records of one part of the graph, given in node order. Arrays of a later part share the
  // buffers of an earlier one if those hold all bytes they reach. Throws Error: too_large.
  void place_part(std::span<const Reached> reached);

  // The id of a type of the store, in the file.
  std::uint32_t type_id(std::uint32_t store_type);

  BufferRuns take_runs();

 private:
  struct Range {
    std::uintptr_t low, high;
    std::size_t index;  // in `reached`
  };
  struct Group {
    std::uintptr_t low = 0, high = 0;
    std::size_t first = 0, count = 0;  // in grouped_
    std::uint32_t buffer = format::kNone;
    std::uint64_t offset = 0;  // of `low`
  };
  // Memory that an earlier part wrote whole, as it lies.
  struct Written {
    std::uintptr_t low, high;
    std::uint32_t buffer;
    std::uint64_t offset;
  };

  void join_written();
  void find_groups(std::span<const Reached> reached);
  const Written* find_written(const Range& range) const;
  void write_alone(const Reached& reached);
  void write_group(std::span<const Reached> reached, Group& group);
  void set_record(const Reached& reached, std::uint32_t buffer, std::uint64_t offset, bool strides_kept);
  bool has_holes(std::uint32_t store_type) const { return !runs_.covered[store_type].empty(); }

  const Graph::Store& store_;
  format::Columns& columns_;
  ExtentColumn& extents_;
  TypeColumn& types_;
  format::BufferPlanner planner_;
  std::vector<std::uint32_t> type_ids_;
  std::vector<Range> ranges_;
  std::vector<Group> groups_;
  std::vector<std::size_t> grouped_;     // indexes in `reached`, by group, in node order inside it
  std::vector<std::uint32_t> group_of_;  // by index in `reached`: none if it is written alone
  std::vector<Written> written_;         // of earlier parts, by address; from the runs before joined_runs_
  std::size_t joined_runs_ = 0;
  BufferRuns runs_;
};

}  // namespace mere::graph
