#include "graph/array_plan.hpp"

#include <algorithm>

#include "graph/strided_copy.hpp"

namespace mere::graph {

namespace {

std::uintptr_t low_address(const Graph::Store::Array& array) {
  return reinterpret_cast<std::uintptr_t>(array.first) + static_cast<std::uintptr_t>(array.low);
}

// Elements that need more bytes than they reach lie on top of each other (zero strides, sliding windows).
bool overlaps_itself(const Graph::Store::Array& array, std::uint64_t itemsize) {
  return array.elements * itemsize > array.span;
}

}  // namespace

std::uint32_t ArrayPlan::type_id(std::uint32_t store_type) {
  std::uint32_t& id = type_ids_[store_type];
  if (id == format::kNone) {
    const Dtype& type = store_.types[store_type];
    id = types_.add(type);
    if (type.has_holes()) runs_.covered[store_type] = covered_bytes(type);
  }
  return id;
}

void ArrayPlan::place_part(std::span<const Reached> reached) {
  for (const Reached& r : reached) {
    if (!r.objects()) type_id(store_.arrays[r.array].type);
  }
  const std::size_t first_array = columns_.arrays.size();
  if (first_array + reached.size() >= format::kNone) throw Error(Reason::too_large, "more than 2^32 - 1 arrays");
  columns_.arrays.resize(first_array + reached.size());
  for (std::size_t i = 0; i < reached.size(); ++i) {
    columns_.nodes[reached[i].node].a = static_cast<std::uint32_t>(first_array + i);
  }
  runs_.runs.reserve(runs_.runs.size() + reached.size());
  if (!reached.empty()) join_written();
  find_groups(reached);
  for (std::size_t i = 0; i < reached.size(); ++i) {
    if (reached[i].objects()) {
      columns_.arrays[first_array + i] = {types_.add(Dtype(TypeClass::object, 8)), format::kNone,
                                          reached[i].first_link};
      continue;
    }
    const Graph::Store::Array& array = store_.arrays[reached[i].array];
    if (array.span == 0) {
      set_record(reached[i], format::kNone, 0, false);
      continue;
    }
    if (!written_.empty()) {
      const std::uintptr_t low = low_address(array);
      if (const Written* held = find_written({low, low + array.span, i})) {
        set_record(reached[i], held->buffer, held->offset + (reinterpret_cast<std::uintptr_t>(array.first) - held->low),
                   true);
        continue;
      }
    }
    if (group_of_[i] == format::kNone) {
      write_alone(reached[i]);
    } else {
      Group& group = groups_[group_of_[i]];
      if (group.buffer == format::kNone) write_group(reached, group);
      set_record(reached[i], group.buffer, group.offset + (reinterpret_cast<std::uintptr_t>(array.first) - group.low),
                 true);
    }
  }
  planner_.end_part();
}

// What earlier parts wrote as it lies, in order of address; made only if a later part has arrays too.
void ArrayPlan::join_written() {
  if (joined_runs_ == runs_.runs.size()) return;
  for (; joined_runs_ < runs_.runs.size(); ++joined_runs_) {
    const BufferRun& run = runs_.runs[joined_runs_];
    if (run.direct == nullptr) continue;
    const auto low = reinterpret_cast<std::uintptr_t>(run.direct);
    written_.push_back({low, low + run.bytes, run.buffer, run.offset});
  }
  std::sort(written_.begin(), written_.end(), [](const Written& a, const Written& b) { return a.low < b.low; });
}

const ArrayPlan::Written* ArrayPlan::find_written(const Range& range) const {
  // Ranges written whole by one part do not overlap; those of several parts may, then the last that begins before is
  // tried.
  const auto after = std::upper_bound(written_.begin(), written_.end(), range.low,
                                      [](std::uintptr_t low, const Written& w) { return low < w.low; });
  if (after == written_.begin()) return nullptr;
  const Written& candidate = *(after - 1);
  return candidate.high >= range.high ? &candidate : nullptr;
}

void ArrayPlan::find_groups(std::span<const Reached> reached) {
  ranges_.clear();
  groups_.clear();
  grouped_.clear();
  ranges_.reserve(reached.size());
  group_of_.assign(reached.size(), format::kNone);
  bool sorted = true;
  for (std::size_t i = 0; i < reached.size(); ++i) {
    if (reached[i].objects()) continue;
    const Graph::Store::Array& array = store_.arrays[reached[i].array];
    if (array.span == 0) continue;
    const std::uintptr_t low = low_address(array);
    const Range range{low, low + array.span, i};
    if (!written_.empty() && find_written(range) != nullptr) continue;
    sorted = sorted && (ranges_.empty() || ranges_.back().high <= low);
    ranges_.push_back(range);
    if (overlaps_itself(array, store_.types[array.type].itemsize())) sorted = false;
  }
  if (sorted) return;  // and apart
  std::sort(ranges_.begin(), ranges_.end(),
            [](const Range& a, const Range& b) { return a.low != b.low ? a.low < b.low : a.index < b.index; });
  for (std::size_t i = 0; i < ranges_.size();) {
    std::uintptr_t high = ranges_[i].high;
    std::size_t end = i + 1;
    while (end < ranges_.size() && ranges_[end].low < high) high = std::max(high, ranges_[end++].high);
    const Graph::Store::Array& array = store_.arrays[reached[ranges_[i].index].array];
    if (end - i > 1 || overlaps_itself(array, store_.types[array.type].itemsize())) {
      Group group{.low = ranges_[i].low, .high = high, .first = grouped_.size(), .count = end - i};
      for (std::size_t k = i; k < end; ++k) {
        grouped_.push_back(ranges_[k].index);
        group_of_[ranges_[k].index] = static_cast<std::uint32_t>(groups_.size());
      }
      std::sort(grouped_.begin() + static_cast<std::ptrdiff_t>(group.first), grouped_.end());
      groups_.push_back(group);
    }
    i = end;
  }
}

void ArrayPlan::write_alone(const Reached& reached) {
  const Graph::Store::Array& array = store_.arrays[reached.array];
  const std::uint64_t bytes = array.elements * store_.types[array.type].itemsize();
  const format::BufferPlanner::Place place = planner_.add(bytes);
  set_record(reached, place.buffer, place.offset, false);
  BufferRun run{.offset = place.offset, .bytes = bytes, .buffer = place.buffer, .member = reached.array};
  if ((array.c_order || array.f_order) && !has_holes(array.type)) {
    run.direct = reinterpret_cast<const std::byte*>(low_address(array));
  }
  runs_.runs.push_back(run);
}

void ArrayPlan::write_group(std::span<const Reached> reached, Group& group) {
  BufferRun run{
      .bytes = group.high - group.low, .member = static_cast<std::uint32_t>(runs_.shared.size()), .shared = true};
  SharedRun shared{.low = group.low, .first_member = runs_.members.size(), .member_count = group.count};
  std::uint64_t alignment = 1;
  std::uint64_t steps = 0;
  for (std::size_t k = 0; k < group.count; ++k) {
    const std::uint32_t id = reached[grouped_[group.first + k]].array;
    const Graph::Store::Array& array = store_.arrays[id];
    runs_.members.push_back(id);
    const Dtype& type = store_.types[array.type];
    // Padding in front keeps the array that asks for most alignment at a multiple of it. Only distances inside the
    // group count, not addresses, so that the bytes do not depend on where the memory happened to be.
    const std::uint64_t own = natural_alignment(type);
    const std::uint64_t distance = low_address(array) - group.low;
    if (own > alignment) {
      alignment = own;
      shared.padding = (own - distance % own) % own;
    }
    if ((array.c_order || array.f_order) && !has_holes(array.type) && distance == 0 && array.span == run.bytes) {
      run.direct = reinterpret_cast<const std::byte*>(group.low);
    }
    const std::span<const std::int64_t> extents(store_.extents.data() + array.extent, 2u * array.ndim);
    const StridedBytes bytes(array.first, extents.first(array.ndim), extents.subspan(array.ndim), type.itemsize(),
                             false, runs_.covered[array.type]);
    if (!(Size(steps) + bytes.scatter_steps()).fits(UINT64_MAX)) throw_size(Reason::too_large, "arrays that overlap");
    steps += bytes.scatter_steps();
  }
  // A few strides can visit the same bytes over and over again; nobody's arrays do.
  if (run.direct == nullptr && steps / 64 > run.bytes + 65536) {
    throw Error(Reason::too_large,
                "arrays over the same " + std::to_string(run.bytes) + " bytes overlap more than 64 times");
  }
  run.bytes += shared.padding;
  if (shared.padding != 0 && run.direct != nullptr) run.direct = nullptr;
  const format::BufferPlanner::Place place = planner_.add(run.bytes);
  run.buffer = group.buffer = place.buffer;
  run.offset = place.offset;
  group.offset = place.offset + shared.padding;
  runs_.runs.push_back(run);
  runs_.shared.push_back(shared);
}

void ArrayPlan::set_record(const Reached& reached, std::uint32_t buffer, std::uint64_t offset, bool strides_kept) {
  const Graph::Store::Array& array = store_.arrays[reached.array];
  format::NodeRecord& node = columns_.nodes[reached.node];
  const std::span<const std::int64_t> shape(store_.extents.data() + array.extent, array.ndim);
  format::Layout layout = format::Layout::c;
  if (array.f_order && !array.c_order) layout = format::Layout::fortran;
  if (strides_kept && !array.c_order && !array.f_order) layout = format::Layout::strided;
  if (layout == format::Layout::strided) {
    // The stride of a dimension of one element means nothing.
    Dims strides(array.ndim);
    for (std::size_t d = 0; d < array.ndim; ++d) {
      strides[d] = shape[d] == 1 ? 0 : store_.extents[array.extent + array.ndim + d];
    }
    node.b = extents_.add(shape, strides);
  } else {
    node.b = extents_.add(shape, {});
  }
  node.flags = static_cast<std::uint8_t>(layout);
  columns_.arrays[node.a] = {type_id(array.type), buffer, offset};
}

BufferRuns ArrayPlan::take_runs() {
  // Runs were made in node order; inside a buffer they already stand by offset.
  const std::size_t buffers = columns_.buffers.size();
  runs_.starts.assign(buffers + 1, 0);
  for (const BufferRun& run : runs_.runs) ++runs_.starts[run.buffer + 1];
  for (std::size_t i = 0; i < buffers; ++i) runs_.starts[i + 1] += runs_.starts[i];
  const auto by_buffer = [](const BufferRun& a, const BufferRun& b) { return a.buffer < b.buffer; };
  if (std::is_sorted(runs_.runs.begin(), runs_.runs.end(), by_buffer)) return std::move(runs_);
  std::vector<std::size_t> next(runs_.starts.begin(), runs_.starts.end() - 1);
  std::vector<BufferRun> sorted(runs_.runs.size());
  for (const BufferRun& run : runs_.runs) sorted[next[run.buffer]++] = run;
  runs_.runs.swap(sorted);
  return std::move(runs_);
}

}  // namespace mere::graph
