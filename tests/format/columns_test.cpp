#include <doctest/doctest.h>

#include "format/columns.hpp"
#include "format/records.hpp"

namespace mere::format {
namespace {

TEST_CASE("planner: small arrays share an arena at multiples of 64, large ones have a buffer each") {
  Columns columns;
  BufferPlanner planner(columns);
  CHECK(planner.add(1).offset == 0);
  const auto second = planner.add(100);
  CHECK(second.buffer == 0);
  CHECK(second.offset == 64);
  CHECK(planner.add(kSegmentBytes).buffer == 1);
  const auto third = planner.add(kSegmentBytes - 1);
  CHECK(third.buffer == 0);
  CHECK(third.offset == 192);
  planner.end_part();
  CHECK(columns.buffers[0].raw_bytes == 192 + kSegmentBytes - 1);
  CHECK(columns.buffers[0].flags == kArenaBuffer);
  CHECK(columns.buffers[1].raw_bytes == kSegmentBytes);
  CHECK(columns.buffers[1].flags == 0);
  CHECK(columns.buffers[1].first_block == 1);
}

TEST_CASE("planner: an arena holds 1 MiB at most, and ends with its part") {
  Columns columns;
  BufferPlanner planner(columns);
  for (int i = 0; i < 128; ++i) CHECK(planner.add(8192).buffer == 0);
  CHECK(planner.add(1).buffer == 1);
  planner.end_part();
  CHECK(columns.buffers[0].raw_bytes == kBlockBytes);
  CHECK(planner.add(1).buffer == 2);
  CHECK(planner.add((3 << 20) + 1).buffer == 3);
  planner.end_part();
  CHECK(planner.add(5).buffer == 4);
  planner.end_part();
  CHECK(columns.buffers[4].first_block == 7);  // 1 + 1 + 1 + 4 before
}

TEST_CASE("columns: the ends of the parts are the lengths they had") {
  Columns columns;
  columns.nodes.resize(3);
  columns.heap = "abc";
  columns.end_model();
  CHECK(columns.ends[0].model == 3);
  CHECK(columns.ends[0].program == 3);
  columns.nodes.resize(5);
  columns.end_program();
  columns.nodes.resize(6);
  CHECK(columns.ends[0].model == 3);
  CHECK(columns.ends[0].program == 5);
  CHECK(columns.ends[2].program == 3);
}

}  // namespace
}  // namespace mere::format
