#pragma once
// Graphs of every kind of node, cycles, shared nodes and views among them, from a seed.

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include <mere/graph.hpp>

namespace mere::test {

// The memory of a graph's arrays lives as long as this.
class RandomGraph {
 public:
  // pickle: what a pickle can say. Names have modules, immutable nodes hold themselves only by way of mutable ones,
  // arrays do not overlap, and nothing is opaque.
  enum class Purpose : std::uint8_t { any, pickle };
  explicit RandomGraph(std::uint64_t seed, std::size_t nodes = 60, Purpose purpose = Purpose::any)
      : random_(seed), purpose_(purpose), base_(4096) {
    for (std::byte& b : base_) b = static_cast<std::byte>(random_());
    while (ids_.size() < nodes) ids_.push_back(make());
    for (const NodeId id : containers_) fill(id);
    graph.model_root = graph.list(ids_);
    if (pick(2) == 0) graph.program_root = graph.list(some());
    if (pick(2) == 0) {
      const std::pair<NodeId, NodeId> entries[] = {{graph.text("source"), any()}};
      graph.metadata_root = graph.dict(entries);
    }
  }

  Graph graph;

 private:
  std::uint64_t pick(std::uint64_t below) { return random_() % below; }
  bool is_pickle() const { return purpose_ == Purpose::pickle; }
  NodeId any() { return ids_.empty() ? graph.null() : ids_[pick(ids_.size())]; }
  // Of those made before `limit`.
  NodeId any_before(NodeId limit) {
    const auto end = std::lower_bound(ids_.begin(), ids_.end(), limit);
    return end == ids_.begin() ? graph.null() : ids_[pick(static_cast<std::uint64_t>(end - ids_.begin()))];
  }
  std::vector<NodeId> some(std::uint64_t least = 0, NodeId limit = kNoNode) {
    std::vector<NodeId> members;
    for (std::uint64_t n = least + pick(5); n > 0; --n) members.push_back(any_before(limit));
    return members;
  }
  std::string word() {
    constexpr std::string_view letters[] = {
        "a", "b", "_", "\xc3\xa9", "\"", "\\", "\n", "9", " ", "\xed\xa0\x81", "\xf0\x9f\x98\x80"};
    std::string text;
    for (std::uint64_t n = pick(4); n > 0; --n) text += letters[pick(std::size(letters))];
    return text;
  }
  NodeId leaf() {
    switch (pick(9)) {
      case 0: return graph.null();
      case 1: return graph.boolean(pick(2) == 0);
      case 2: return graph.integer(static_cast<std::int64_t>(pick(5)) - 2);
      case 3: return graph.real(static_cast<double>(pick(3)));
      case 4: return graph.unsigned_integer(UINT64_MAX - pick(2));
      case 5: return graph.complex({1.0, static_cast<double>(pick(2))});
      case 6: return graph.bytes(std::span(base_).first(pick(3)));
      case 7: return graph.ellipsis();
      default: return graph.text(word());
    }
  }
  Dtype dtype() {
    switch (pick(6)) {
      case 0: return Dtype::of<std::int32_t>();
      case 1: return Dtype::parse(">f8");
      case 2: return Dtype::of<std::uint8_t>();
      case 3:
        return Dtype::record({{"x", Dtype::of<std::int8_t>(), 0, {}}, {"y", Dtype::of<double>(), 8, "why"}}, 16, true);
      case 4: return Dtype::subarray(Dtype::of<std::int16_t>(), {3});
      default: return Dtype::of<double>();
    }
  }
  // Without gaps in C or Fortran order, or with every second element left out, or backwards.
  NodeId dense_array() {
    Dtype type = dtype();
    while (type.type_class() == TypeClass::subarray) type = dtype();
    std::vector<std::int64_t> shape(pick(4)), strides(shape.size());
    const std::uint64_t layout = pick(4);
    std::int64_t step = static_cast<std::int64_t>(type.itemsize()) * (layout == 2 ? 2 : 1);
    for (std::size_t i = 0; i < shape.size(); ++i) {
      const std::size_t d = layout == 1 ? i : shape.size() - 1 - i;
      shape[d] = static_cast<std::int64_t>(pick(5));
      strides[d] = step;
      step *= std::max<std::int64_t>(shape[d], 1);
    }
    auto own = std::make_shared<std::vector<std::byte>>(static_cast<std::size_t>(step) + 16);
    for (std::byte& b : *own) b = static_cast<std::byte>(random_());
    const std::byte* first = own->data();
    if (layout == 3 && !shape.empty() && shape[0] > 0) {
      first += (shape[0] - 1) * strides[0];
      strides[0] = -strides[0];
    }
    return graph.array(type, shape, strides, {first, own});
  }
  NodeId array() {
    if (is_pickle()) return dense_array();
    const Dtype type = dtype();
    std::vector<std::int64_t> shape, strides;
    std::int64_t reach = static_cast<std::int64_t>(type.itemsize()), low = 0;
    for (std::uint64_t d = pick(4); d > 0; --d) {
      shape.push_back(static_cast<std::int64_t>(pick(5)));
      strides.push_back((static_cast<std::int64_t>(pick(9)) - 4) *
                        static_cast<std::int64_t>(pick(2) == 0 ? type.itemsize() : 3));
      const std::int64_t span = shape.back() == 0 ? 0 : (shape.back() - 1) * strides.back();
      if (span < 0) low += span;
      reach += span < 0 ? -span : span;
    }
    const std::int64_t at = static_cast<std::int64_t>(pick(base_.size() - static_cast<std::size_t>(reach)));
    if (pick(3) == 0) {
      auto own = std::make_shared<std::vector<std::byte>>(static_cast<std::size_t>(reach), std::byte{7});
      const std::byte* first = own->data() - low;
      return graph.array(type, shape, strides, {first, own});
    }
    return graph.array(type, shape, strides, {base_.data() + at - low, nullptr});
  }
  NodeId make() {
    switch (pick(16)) {
      case 0: return array();
      case 1: return array();
      case 2: return graph.scalar(Dtype::of<std::int16_t>(), std::span(base_).first(2));
      case 3: return graph.dtype(dtype());
      case 4: return graph.name(pick(2) == 0 && !is_pickle() ? "" : "m.n", "Q" + std::to_string(pick(3)));
      case 5: return graph.slice(any(), any(), any());
      case 6: {
        const NodeId i = graph.integer(1);
        return graph.range(i, graph.integer(9), i);
      }
      case 7: return is_pickle() ? leaf() : graph.opaque(graph.dict(), std::span(base_).first(pick(9)));
      case 8: return graph.bytearray(std::span(base_).first(pick(9)));
      case 9: {
        const std::int64_t shape[] = {2, 1};
        const NodeId elements[] = {any(), any()};
        return graph.object_array(shape, elements);
      }
      case 10: {
        const Kind kinds[] = {Kind::list, Kind::tuple, Kind::set, Kind::frozenset, Kind::dict};
        containers_.push_back(graph.reserve(kinds[pick(5)]));
        return containers_.back();
      }
      case 11: containers_.push_back(graph.reserve_object()); return containers_.back();
      case 12: return graph.tuple(some());
      default: return leaf();
    }
  }
  std::vector<NodeId> distinct_keys() {
    std::vector<NodeId> keys;
    const std::uint64_t count = pick(3) == 0 ? 20 : pick(6);
    for (std::uint64_t i = 0; i < count; ++i) {
      keys.push_back(pick(8) == 0 ? graph.integer(static_cast<std::int64_t>(i) + 1000)
                                  : graph.text(word() + std::to_string(i)));
    }
    return keys;
  }
  NodeId dict() {
    std::vector<NodeId> members;
    for (const NodeId key : distinct_keys()) {
      members.push_back(key);
      members.push_back(any());
    }
    const NodeId id = graph.dict();
    graph.fill(id, members);
    return id;
  }
  void fill(NodeId id) {
    if (graph.kind(id) == Kind::object) {
      ObjectParts parts;
      parts.type = graph.name("m", "T");
      const auto form = pick(2) == 0 ? ObjectForm::construct : ObjectForm::call;
      const bool plain = !is_pickle();
      if (pick(2) == 0) parts.args = graph.tuple(plain ? some() : some(1, id));
      if (pick(4) == 0 && plain) parts.kwargs = dict();
      if (pick(4) == 0 && !plain && form == ObjectForm::construct) {
        const std::pair<NodeId, NodeId> entries[] = {{graph.text("keyword"), any_before(id)}};
        parts.kwargs = graph.dict(entries);
      }
      if (pick(4) != 0) parts.state = pick(5) == 0 ? any() : dict();
      if (pick(8) == 0) {
        const NodeId both[] = {dict(), dict()};
        parts.state = graph.tuple(both);
      }
      if (pick(4) == 0) parts.items = graph.list(plain ? some() : some(1));
      if (pick(4) == 0) parts.entries = dict();
      if (!plain && parts.entries != kNoNode && graph.members(parts.entries).empty()) parts.entries = kNoNode;
      if (pick(6) == 0 && (plain || parts.state != kNoNode)) parts.setter = graph.name("m", "set");
      graph.fill_object(id, form, parts);
    } else if (graph.kind(id) == Kind::dict) {
      std::vector<NodeId> members;
      for (const NodeId key : distinct_keys()) {
        members.push_back(key);
        members.push_back(any());
      }
      graph.fill(id, members);
    } else if (graph.kind(id) == Kind::list || !is_pickle()) {
      graph.fill(id, some());
    } else {
      graph.fill(id, some(0, id));
    }
  }

  std::mt19937_64 random_;
  Purpose purpose_;
  std::vector<std::byte> base_;
  std::vector<NodeId> ids_, containers_;
};

}  // namespace mere::test
