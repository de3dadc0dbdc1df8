// NumPy's random generators: positions in their buffers are used unchecked (numpy/random/src).

#include "trust/object_state.hpp"

namespace mere::trust {

namespace {

constexpr std::int64_t kTwisterWords = 624;
constexpr std::int64_t kPhiloxWords = 4;

void check_words(const ObjectState& state, NodeId id, std::int64_t words, std::string_view what) {
  const graph::ArrayState array = state.array_of(id, what, 1);
  state.require_equal(array.shape[0], words, "the length of " + std::string(what));
  const TypeClass kind = array.dtype.type_class();
  if (kind != TypeClass::unsigned_integer && kind != TypeClass::integer)
    state.fail(std::string(what) + " holds " + array.dtype.to_text() + ", expected whole numbers");
}

// The "state" of a bit generator: a dict, by what it has, whatever it is called.
void check_generator(const ObjectState& state, NodeId dict) {
  const graph::NodeReader& reader = state.reader();
  const auto find = [&](NodeId in, std::string_view key) {
    return reader.kind(in) == Kind::dict ? reader.find(in, key) : kNoNode;
  };
  state.spend(reader.child_count(dict));
  const NodeId named = find(dict, "bit_generator");
  if (named == kNoNode || reader.kind(named) != Kind::text)
    state.fail_schema("a state without the name of its bit generator");
  const std::string generator(reader.text(named).substr(0, 100));
  const NodeId inner = find(dict, "state");
  if (inner == kNoNode) state.fail_schema("a state of " + generator + " without \"state\"");
  const auto need = [&](NodeId in, std::string_view key) {
    const NodeId id = find(in, key);
    if (id == kNoNode) state.fail_schema("a state of " + generator + " without \"" + std::string(key) + "\"");
    return id;
  };
  if (generator == "MT19937") {
    check_words(state, need(inner, "key"), kTwisterWords, "key");
    state.require_range(state.integer_of(need(inner, "pos"), "pos"), 0, kTwisterWords, "pos");
  } else if (generator == "Philox") {
    check_words(state, need(inner, "counter"), 4, "counter");
    check_words(state, need(inner, "key"), 2, "key");
    check_words(state, need(dict, "buffer"), kPhiloxWords, "buffer");
    state.require_range(state.integer_of(need(dict, "buffer_pos"), "buffer_pos"), 0, kPhiloxWords, "buffer_pos");
  } else if (generator == "SFC64") {
    check_words(state, need(inner, "state"), 4, "state");
  } else if (generator == "PCG64" || generator == "PCG64DXSM") {
    for (const std::string_view key : {"state", "inc"}) {
      if (reader.kind(need(inner, key)) != Kind::integer)
        state.fail_schema(std::string(key) + " of " + generator + " is no int");
    }
  } else {
    state.fail("a bit generator called \"" + generator + "\", of which nothing is known");
  }
  // Half of a number of 64 bits that is kept for the next call.
  if (const NodeId kept = find(dict, "has_uint32"); kept != kNoNode)
    state.require_range(state.integer_of(kept, "has_uint32"), 0, 1, "has_uint32");
  if (const NodeId half = find(dict, "uinteger"); half != kNoNode)
    state.require_range(state.integer_of(half, "uinteger"), 0, UINT32_MAX, "uinteger");
}

}  // namespace

// RandomState, Generator and bit generators: made by name or from another one, then given a state.
void validate_random(const ObjectState& state) {
  const graph::NodeReader& reader = state.reader();
  for (std::uint64_t i = 0; i < state.argument_count(); ++i) {
    const NodeId argument = state.argument(i, "a bit generator");
    const Kind kind = reader.kind(argument);
    if (kind != Kind::text && kind != Kind::name && kind != Kind::object)
      state.fail_schema("made from " + std::string(to_text(kind)) + ", expected a bit generator or its name");
    // A type is called.
    if (kind == Kind::name && !reader.name(argument).first.starts_with("numpy.random"))
      state.fail("made from " + reader.full_name(argument) + ", expected a bit generator");
  }
  const NodeId held = state.parts().state;
  if (held == kNoNode || reader.kind(held) == Kind::null) return;
  if (reader.kind(held) == Kind::dict) return check_generator(state, held);
  if (reader.kind(held) != Kind::tuple) state.fail_schema("its state is " + std::string(to_text(reader.kind(held))));
  const std::uint64_t members = state.state_members();
  // Bit generators since NumPy 1.24: (state, seed sequence).
  if (members == 2) {
    const NodeId first = state.state_member(0, "state");
    if (reader.kind(first) != Kind::dict)
      state.fail_schema("its state begins with " + std::string(to_text(reader.kind(first))));
    return check_generator(state, first);
  }
  // RandomState before NumPy 1.17: ("MT19937", key, pos, has_gauss, cached_gaussian).
  check_words(state, state.state_member(1, "key"), kTwisterWords, "key");
  state.require_range(state.integer_of(state.state_member(2, "pos"), "pos"), 0, kTwisterWords, "pos");
}

namespace {

// Whole numbers of any size: one, or a list, tuple or array of them. NumPy makes words of 32 bits of them.
void check_entropy(const ObjectState& state, NodeId id, std::string_view what, int depth = 0) {
  const graph::NodeReader& reader = state.reader();
  const Kind kind = reader.kind(id);
  if (kind == Kind::null || kind == Kind::integer || kind == Kind::scalar) return;
  if (kind == Kind::array && !reader.is_object_array(id)) {
    state.integers_of(id, what);
    return;
  }
  if ((kind != Kind::list && kind != Kind::tuple) || depth > 2)
    state.fail_schema(std::string(what) + " holds " + std::string(to_text(kind)) + ", expected whole numbers");
  for (const NodeId member : state.members_of(id, what)) check_entropy(state, member, what, depth + 1);
}

constexpr std::int64_t kFewestWords = 4, kMostWords = 1 << 20;

}  // namespace

// SeedSequence(entropy, spawn_key=, pool_size=, n_children_spawned=), or what makes one without: a state of attributes
// in the order of their names, entropy, n_children_spawned, pool, pool_size, spawn_key, set or given to
// __pyx_unpickle_SeedSequence(class, checksum, state).
void validate_seed_sequence(const ObjectState& state) {
  const graph::NodeReader& reader = state.reader();
  if (!state.is_made_by_function() && state.argument_count() > 0)
    check_entropy(state, state.argument(0, "entropy"), "entropy");
  if (const NodeId named = state.parts().kwargs; named != kNoNode) {
    for (const char* key : {"entropy", "spawn_key"}) {
      if (const NodeId id = reader.find(named, key); id != kNoNode) check_entropy(state, id, key);
    }
    if (const NodeId id = reader.find(named, "pool_size"); id != kNoNode)
      state.require_range(state.integer_of(id, "pool_size"), kFewestWords, kMostWords, "pool_size");
    if (const NodeId id = reader.find(named, "n_children_spawned"); id != kNoNode)
      state.require_range(state.integer_of(id, "n_children_spawned"), 0, UINT32_MAX, "n_children_spawned");
  }
  NodeId tuple = state.parts().state;
  if ((tuple == kNoNode || reader.kind(tuple) == Kind::null) && state.is_made_by_function() &&
      state.argument_count() > 2)
    tuple = state.argument(2, "state");
  if (tuple == kNoNode || reader.kind(tuple) == Kind::null) return;
  const std::vector<NodeId> members = state.members_of(tuple, "its state");
  if (members.size() < 5) state.fail_schema("its state has " + std::to_string(members.size()) + " members, expected 5");
  check_entropy(state, members[0], "entropy");
  state.require_range(state.integer_of(members[1], "n_children_spawned"), 0, UINT32_MAX, "n_children_spawned");
  const std::int64_t words = state.integer_of(members[3], "pool_size");
  state.require_range(words, kFewestWords, kMostWords, "pool_size");
  check_words(state, members[2], words, "pool");
  check_entropy(state, members[4], "spawn_key");
}

}  // namespace mere::trust
