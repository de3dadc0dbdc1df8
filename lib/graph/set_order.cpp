#include "graph/set_order.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "codec/checksum.hpp"
#include "graph/dtype_parts.hpp"
#include "graph/strided_copy.hpp"

namespace mere::graph {

namespace {

using Node = Graph::Store::Node;

constexpr std::uint32_t kDone = 0xffffffff;

bool is_leaf(Kind kind) {
  return kind < Kind::list || (kind >= Kind::scalar && kind <= Kind::name) || kind == Kind::ellipsis;
}

void add_text(codec::Xxh3_128& sum, std::string_view text) {
  sum.update(std::as_bytes(std::span(text)));
}

void add_number(codec::Xxh3_128& sum, std::uint64_t value) {
  sum.update(std::as_bytes(std::span(&value, 1)));
}

// Numbers of all sizes in one order: sign, then length, then bytes from the highest.
bool integer_less(std::string_view a, std::string_view b) {
  const bool a_negative = (static_cast<unsigned char>(a.back()) & 0x80) != 0;
  const bool b_negative = (static_cast<unsigned char>(b.back()) & 0x80) != 0;
  if (a_negative != b_negative) return a_negative;
  if (a.size() != b.size()) return (a.size() < b.size()) != a_negative;
  for (std::size_t i = a.size(); i-- > 0;) {
    if (a[i] != b[i]) return static_cast<unsigned char>(a[i]) < static_cast<unsigned char>(b[i]);
  }
  return false;
}

}  // namespace

bool SetOrder::leaf_less(const Node& a, const Node& b) const {
  if (a.kind != b.kind) return a.kind < b.kind;
  switch (a.kind) {
    case Kind::integer:
      // A big one lies beyond all small ones, on the side of its sign.
      if (a.flags & b.flags & Graph::Store::kBig) return integer_less(store_.text_of(a), store_.text_of(b));
      if (a.flags & Graph::Store::kBig) return (static_cast<unsigned char>(store_.text_of(a).back()) & 0x80) != 0;
      if (b.flags & Graph::Store::kBig) return (static_cast<unsigned char>(store_.text_of(b).back()) & 0x80) == 0;
      return static_cast<std::int64_t>(a.b) < static_cast<std::int64_t>(b.b);
    case Kind::real: {
      const auto x = std::bit_cast<double>(a.b), y = std::bit_cast<double>(b.b);
      if (x < y || x > y) return x < y;
      if (std::isnan(x) != std::isnan(y)) return std::isnan(y);
      return a.b < b.b;
    }
    case Kind::boolean: return a.b < b.b;
    case Kind::dtype: return store_.types[a.a].to_text() < store_.types[b.a].to_text();
    case Kind::scalar:
      if (a.a != b.a) return store_.types[a.a].to_text() < store_.types[b.a].to_text();
      return store_.text_of(a) < store_.text_of(b);
    case Kind::complex:
    case Kind::text:
    case Kind::bytes:
    case Kind::bytearray:
    case Kind::name: return store_.text_of(a) < store_.text_of(b);
    default: return false;
  }
}

std::span<const NodeId> SetOrder::sort(const Node& set) {
  sorted_.clear();
  for (const NodeId member : store_.links_of(set)) sorted_.push_back(same_[member]);
  const auto rest =
      std::stable_partition(sorted_.begin(), sorted_.end(), [&](NodeId id) { return is_leaf(store_.nodes[id].kind); });
  std::stable_sort(sorted_.begin(), rest,
                   [&](NodeId a, NodeId b) { return leaf_less(store_.nodes[a], store_.nodes[b]); });
  if (sorted_.end() - rest > 1) {
    for (auto at = rest; at != sorted_.end(); ++at) digest_from(*at);
    std::stable_sort(rest, sorted_.end(), [&](NodeId a, NodeId b) { return digests_[a] < digests_[b]; });
  }
  // A member given twice stays once. Nodes that share a digest may stand between its places.
  std::vector<NodeId> once(sorted_);
  std::sort(once.begin(), once.end());
  if (std::adjacent_find(once.begin(), once.end()) != once.end()) {
    std::vector<NodeId> kept;
    std::vector<bool> taken(once.size());
    for (const NodeId id : sorted_) {
      const auto at = static_cast<std::size_t>(std::lower_bound(once.begin(), once.end(), id) - once.begin());
      if (!taken[at]) kept.push_back(id);
      taken[at] = true;
    }
    sorted_.swap(kept);
  }
  return sorted_;
}

SetOrder::Digest SetOrder::leaf_digest(const Node& node) const {
  codec::Xxh3_128 sum;
  add_number(sum, static_cast<std::uint64_t>(node.kind) | std::uint64_t{node.flags} << 8);
  switch (node.kind) {
    case Kind::boolean:
    case Kind::real: add_number(sum, node.b); break;
    case Kind::integer:
      if (node.flags & Graph::Store::kBig) {
        add_text(sum, store_.text_of(node));
      } else {
        add_number(sum, node.b);
      }
      break;
    case Kind::dtype: add_text(sum, store_.types[node.a].to_text()); break;
    case Kind::scalar:
      add_text(sum, store_.types[node.a].to_text());
      add_text(sum, store_.text_of(node));
      break;
    case Kind::name:
      add_number(sum, node.form);
      add_text(sum, store_.text_of(node));
      break;
    case Kind::complex:
    case Kind::text:
    case Kind::bytes:
    case Kind::bytearray: add_text(sum, store_.text_of(node)); break;
    case Kind::array: {
      const Graph::Store::Array& array = store_.arrays[node.a];
      const Dtype& type = store_.types[array.type];
      add_text(sum, type.to_text());
      const std::span<const std::int64_t> extents(store_.extents.data() + array.extent, 2u * array.ndim);
      sum.update(std::as_bytes(extents.first(array.ndim)));
      if (array.span == 0) break;
      const std::vector<ByteRange> covered = type.has_holes() ? covered_bytes(type) : std::vector<ByteRange>();
      const StridedBytes bytes(array.first, extents.first(array.ndim), extents.subspan(array.ndim), type.itemsize(),
                               false, covered);
      // The ends tell arrays apart well enough, and many large ones over the same memory cannot make this long.
      const std::uint64_t total = array.elements * type.itemsize();
      std::array<std::byte, 4096> end;
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(total, end.size()));
      for (const std::uint64_t offset : {std::uint64_t{0}, total - size}) {
        bytes.gather(offset, std::span(end).first(size));
        sum.update(std::span(end).first(size));
      }
      break;
    }
    default: break;
  }
  const codec::Xxh3_128::Sum made = sum.finish();
  return {made.low, made.high};
}

SetOrder::Digest SetOrder::container_digest(NodeId id) const {
  const Node& node = store_.nodes[id];
  const bool is_set = node.kind == Kind::set || node.kind == Kind::frozenset;
  std::vector<NodeId> members;
  for (const NodeId child : store_.links_of(node)) members.push_back(same_[child]);
  if (is_set) {
    // A member that was given twice counts once.
    std::sort(members.begin(), members.end());
    members.erase(std::unique(members.begin(), members.end()), members.end());
  }
  std::vector<Digest> children;
  for (const NodeId member : members) children.push_back(digests_[member]);
  if (is_set) std::sort(children.begin(), children.end());
  codec::Xxh3_128 sum;
  add_number(sum,
             static_cast<std::uint64_t>(node.kind) | std::uint64_t{node.flags} << 8 | std::uint64_t{node.form} << 16);
  if (node.kind == Kind::array) {
    sum.update(std::as_bytes(std::span(store_.extents.data() + node.a, node.form)));
  }
  add_number(sum, children.size());
  sum.update(std::as_bytes(std::span(children)));
  const codec::Xxh3_128::Sum made = sum.finish();
  return {made.low, made.high};
}

// Nodes that reach each other have no order in which to make their digests. Each begins with what it is; then, in
// rounds, all take in those of their children, until a round tells no more of them apart.
void SetOrder::digest_component(std::span<const NodeId> component) {
  if (component.size() == 1) {
    const NodeId id = component[0];
    const Node& node = store_.nodes[id];
    const bool array_of_numbers = node.kind == Kind::array && !(node.flags & Graph::Store::kObjects);
    digests_[id] = is_leaf(node.kind) || array_of_numbers ? leaf_digest(node) : container_digest(id);
    const std::span<const NodeId> links =
        is_leaf(node.kind) || array_of_numbers ? std::span<const NodeId>() : store_.links_of(node);
    if (std::none_of(links.begin(), links.end(), [&](NodeId child) { return same_[child] == id; })) return;
  }
  for (const NodeId id : component) {
    const Node& node = store_.nodes[id];
    digests_[id] = {static_cast<std::uint64_t>(node.kind) | std::uint64_t{node.flags} << 8, 0};
  }
  std::vector<Digest> next(component.size());
  std::vector<Digest> distinct;
  std::size_t told_apart = 0;
  for (int round = 0; round < 64; ++round) {
    for (std::size_t i = 0; i < component.size(); ++i) next[i] = container_digest(component[i]);
    for (std::size_t i = 0; i < component.size(); ++i) digests_[component[i]] = next[i];
    distinct = next;
    std::sort(distinct.begin(), distinct.end());
    const auto count = static_cast<std::size_t>(std::unique(distinct.begin(), distinct.end()) - distinct.begin());
    if (count == told_apart) break;
    told_apart = count;
  }
}

// Tarjan's strongly connected components (SIAM J. Comput. 1, 1972), with a stack of our own.
void SetOrder::digest_from(NodeId start) {
  if (seen_.empty()) {
    seen_.resize(store_.nodes.size());
    digests_.resize(store_.nodes.size());
  }
  if (seen_[start] == kDone) return;
  struct Frame {
    NodeId id;
    std::uint32_t number, lowest;
    std::size_t next_child;
  };
  std::vector<Frame> stack;
  std::vector<NodeId> open;
  std::uint32_t last_number = 0;
  const auto enter = [&](NodeId id) {
    seen_[id] = ++last_number;
    open.push_back(id);
    stack.push_back({id, last_number, last_number, 0});
  };
  enter(start);
  while (!stack.empty()) {
    Frame& frame = stack.back();
    const Node& node = store_.nodes[frame.id];
    const bool leaf = is_leaf(node.kind) || (node.kind == Kind::array && !(node.flags & Graph::Store::kObjects));
    const std::span<const NodeId> links = leaf ? std::span<const NodeId>() : store_.links_of(node);
    if (frame.next_child < links.size()) {
      const NodeId child = same_[links[frame.next_child++]];
      if (seen_[child] == 0) {
        enter(child);
      } else if (seen_[child] != kDone) {
        frame.lowest = std::min(frame.lowest, seen_[child]);
      }
      continue;
    }
    const Frame done = frame;
    stack.pop_back();
    if (!stack.empty()) stack.back().lowest = std::min(stack.back().lowest, done.lowest);
    if (done.lowest != done.number) continue;
    const auto first =
        static_cast<std::size_t>(std::find(open.rbegin(), open.rend(), done.id).base() - open.begin()) - 1;
    digest_component(std::span(open).subspan(first));
    for (std::size_t i = first; i < open.size(); ++i) seen_[open[i]] = kDone;
    open.resize(first);
  }
}

}  // namespace mere::graph
