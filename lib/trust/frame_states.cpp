// Frames and series of pandas: blocks of columns of one kind, each with the places of its columns in the frame.
// Compiled code writes at these places and reads the blocks they lead to (pandas/_libs/internals.pyx).

#include "trust/pandas_parts.hpp"

namespace mere::trust {

namespace {

struct Block {
  NodeId values = kNoNode, places = kNoNode;
  std::optional<std::int64_t> dimensions;
};

// _unpickle_block(values, places, ndim); partial(new_block, ndim=...)(values, places) in pandas 1.3; a dict in states.
Block block_of(const ObjectState& state, NodeId id) {
  const graph::NodeReader& reader = state.reader();
  if (reader.kind(id) == Kind::dict) {
    const Block block{reader.find(id, "values"), reader.find(id, "mgr_locs"), std::nullopt};
    if (block.values == kNoNode || block.places == kNoNode) state.fail_schema("a block without values or mgr_locs");
    return block;
  }
  if (reader.kind(id) != Kind::object) state.fail_schema("a block is " + std::string(to_text(reader.kind(id))));
  const ObjectState made = state.at(id);
  if (made.module() == "operator" && made.qualname() == "call")
    return {made.argument(1, "values"), made.argument(2, "places"), std::nullopt};
  if (!is_of_pandas(made.module()) || (made.qualname() != "_unpickle_block" && made.qualname() != "new_block"))
    state.fail_schema("a block is made by " + made.module() + "." + made.qualname());
  Block block{made.argument(0, "values"), made.argument(1, "places"), std::nullopt};
  if (made.argument_count() > 2) block.dimensions = made.integer_of(made.argument(2, "ndim"), "ndim");
  return block;
}

// The places of a block's columns: a slice, or an array of numbers.
class Places {
 public:
  Places(const ObjectState& state, NodeId id) {
    const graph::NodeReader& reader = state.reader();
    if (reader.kind(id) != Kind::slice) {
      listed_ = state.integers_of(id, "the places of a block");
      if (listed_.shape().size() != 1)
        state.fail("the places of a block have shape " + listed_.shape().to_text() + ", expected one dimension");
      count_ = static_cast<std::int64_t>(listed_.size());
      is_list_ = true;
      return;
    }
    const NodeId stop = reader.child(id, 1);
    start_ = state.integer_of(reader.child(id, 0), "the start of a slice");
    step_ = state.integer_of(reader.child(id, 2), "the step of a slice");
    if (step_ == 0) state.fail("the step of a slice is 0");
    state.require_range(start_, 0, INT64_MAX, "the start of a slice");
    // Downwards to the first one: None, since -1 would be counted from the end.
    const bool open = reader.kind(stop) == Kind::null;
    if (open && step_ > 0) state.fail_schema("a slice without end");
    const std::int64_t end = open ? -1 : state.integer_of(stop, "the end of a slice");
    state.require_range(end, open ? -1 : 0, INT64_MAX, "the end of a slice");
    const std::int64_t way = step_ > 0 ? end - start_ : start_ - end;
    // No overflow: neither is below -1.
    if (way > 0) count_ = 1 + (step_ > 0 ? (way - 1) / step_ : (way - 1) / (step_ == INT64_MIN ? INT64_MAX : -step_));
  }
  std::int64_t count() const { return count_; }
  std::int64_t operator[](std::int64_t i) const {
    return is_list_ ? listed_[static_cast<std::uint64_t>(i)] : start_ + i * step_;
  }

 private:
  bool is_list_ = false;
  Integers listed_;
  std::int64_t start_ = 0, step_ = 1, count_ = 0;
};

// Rows and columns, as the block holds them: a row for each column of the frame.
void check_block_shape(const ObjectState& state, const Block& block, const Places& places, std::int64_t dimensions,
                       std::optional<std::int64_t> length) {
  const auto known = column_shape(state, block.values, "the values of a block");
  if (!known) return;
  const Dims& shape = *known;
  // Extension arrays have one dimension also in a frame, where they are a column each.
  const bool own_class = state.reader().kind(block.values) == Kind::object;
  if (shape.size() == 1 && (dimensions == 1 || own_class)) {
    if (length) state.require_equal(shape[0], *length, "the length of a block");
    if (dimensions == 1) return state.require_equal(places.count(), shape[0], "the number of places of a block");
    return state.require_equal(places.count(), 1, "the number of places of a block");
  }
  if (shape.size() != 2 || dimensions != 2)
    state.fail("a block has shape " + shape.to_text() + ", expected " + std::to_string(dimensions) + " dimensions");
  state.require_equal(places.count(), shape[0], "the number of places of a block");
  if (length) state.require_equal(shape[1], *length, "the length of a block");
}

// Each column lies in one block, once.
void check_frame_blocks(const ObjectState& state, const std::vector<NodeId>& blocks, std::optional<std::int64_t> named,
                        std::optional<std::int64_t> rows) {
  Size placed;
  for (const NodeId id : blocks) {
    const Block block = block_of(state, id);
    const Places places(state, block.places);
    check_block_shape(state, block, places, 2, rows);
    placed = placed + Size::from_signed(places.count());
  }
  if (!placed.fits(INT64_MAX)) state.fail("more columns than 64 bits can count");
  const auto columns = static_cast<std::int64_t>(placed.get("columns"));
  if (named) state.require_equal(columns, *named, "the number of columns in blocks");
  // Blocks without rows need no memory for their columns: the budget bounds what is allocated here.
  state.spend(static_cast<std::uint64_t>(columns));
  std::vector<bool> met(static_cast<std::size_t>(columns));
  for (const NodeId id : blocks) {
    const Places places(state, block_of(state, id).places);
    for (std::int64_t i = 0; i < places.count(); ++i) {
      const std::int64_t place = places[i];
      if (place < 0 || place >= columns || met[static_cast<std::size_t>(place)]) [[unlikely]] {
        state.fail("a block has place " + std::to_string(place) + ", expected each of 0 to " +
                   std::to_string(columns - 1) + " once");
      }
      met[static_cast<std::size_t>(place)] = true;
    }
  }
}

}  // namespace

// DataFrame and Series: a dict with the manager of blocks, called _mgr or, before pandas 1.1, _data.
void validate_frame(const ObjectState& state) {
  const graph::NodeReader& reader = state.reader();
  require_made_bare(state);
  const NodeId now = state.find("_mgr"), before = state.find("_data");
  if ((now == kNoNode) == (before == kNoNode)) state.fail_schema("expected either \"_mgr\" or \"_data\" in its state");
  const NodeId id = now == kNoNode ? before : now;
  if (reader.kind(id) != Kind::object) state.fail_schema("its blocks are " + std::string(to_text(reader.kind(id))));
  const auto [module, name] = class_of(reader, reader.parts(id));
  const std::string_view expected = state.qualname() == "Series" ? "SingleBlockManager" : "BlockManager";
  if (!is_of_pandas(module) || name != expected)
    state.fail_schema("its blocks are a " + std::string(name) + ", expected a " + std::string(expected));
}

// BlockManager(blocks, axes), or a state of which pandas takes the last member since 0.14.1:
// (axes, values, items, {"0.14.1": {"axes": ..., "blocks": [{"values": ..., "mgr_locs": ...}]}}).
void validate_block_manager(const ObjectState& state) {
  const graph::NodeReader& reader = state.reader();
  const bool single = state.qualname() == "SingleBlockManager";
  const NodeId held = state.parts().state;
  const bool has_state = held != kNoNode && reader.kind(held) != Kind::null;
  NodeId blocks_id = kNoNode, axes_id = kNoNode;
  if (!has_state && !single) {
    if (state.parts().kwargs != kNoNode || state.argument_count() != 2)
      state.fail_schema("made from " + std::to_string(state.argument_count()) + " arguments, expected blocks and axes");
    blocks_id = state.argument(0, "blocks");
    axes_id = state.argument(1, "axes");
  } else {
    require_made_bare(state);
    const NodeId named = state.state_member(3, "what pandas 0.14.1 added");
    const NodeId found = reader.kind(named) == Kind::dict ? reader.find(named, "0.14.1") : kNoNode;
    if (found == kNoNode || reader.kind(found) != Kind::dict) state.fail_schema("a state as before pandas 0.14.1");
    blocks_id = reader.find(found, "blocks");
    axes_id = reader.find(found, "axes");
    if (blocks_id == kNoNode || axes_id == kNoNode) state.fail_schema("a state without blocks or axes");
  }
  const std::vector<NodeId> blocks = state.members_of(blocks_id, "its blocks");
  const std::vector<NodeId> axes = state.members_of(axes_id, "its axes");
  state.require_equal(static_cast<std::int64_t>(axes.size()), single ? 1 : 2, "the number of its axes");
  const auto first = index_length(state, axes[0], "axes[0]");
  if (!single) return check_frame_blocks(state, blocks, first, index_length(state, axes[1], "axes[1]"));
  state.require_equal(static_cast<std::int64_t>(blocks.size()), 1, "the number of its blocks");
  const Block block = block_of(state, blocks[0]);
  const Places places(state, block.places);
  check_block_shape(state, block, places, 1, first);
  state.spend(static_cast<std::uint64_t>(places.count()));
  for (std::int64_t i = 0; i < places.count(); ++i) {
    if (places[i] != i) state.fail("place " + std::to_string(i) + " of its block is " + std::to_string(places[i]));
  }
}

// A block that is made by itself; a manager looks at it again, among the others.
void validate_block(const ObjectState& state) {
  const graph::NodeReader& reader = state.reader();
  if (state.parts().state != kNoNode && reader.kind(state.parts().state) != Kind::null)
    state.fail_schema("a block with a state, expected arguments alone");
  Block block = block_of(state, state.object());
  if (const NodeId named = state.parts().kwargs; named != kNoNode) {
    const NodeId dimensions = reader.find(named, "ndim");
    if (dimensions != kNoNode) block.dimensions = state.integer_of(dimensions, "ndim");
  }
  const std::int64_t dimensions = block.dimensions.value_or(2);
  state.require_range(dimensions, 1, 2, "ndim");
  check_block_shape(state, block, Places(state, block.places), dimensions, std::nullopt);
}

}  // namespace mere::trust
