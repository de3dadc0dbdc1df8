#include "graph/path.hpp"

#include <algorithm>
#include <vector>

#include "graph/read.hpp"
#include "graph/visit_budget.hpp"

namespace mere::graph {

using format::Image;
using format::kNone;
using format::NodeRecord;

namespace {

// The node that one step leads to, or none.
std::uint32_t take(const Image& image, std::uint32_t id, const PathStep& step) {
  const NodeRecord record = image.node(id);
  const Kind kind = kind_of(image, id, record);
  switch (step.how) {
    case PathStep::How::name:
      if (kind == Kind::dict) return find_in_dict(image, id, record, step.name);
      return kind == Kind::object ? find_in_state(image, id, record, step.name) : kNone;
    case PathStep::How::part:
      if (step.part == kPartInfo || step.part == kPartBytes) {
        return kind == Kind::opaque
                   ? image.link(children_of(image, id, record).first + (step.part == kPartBytes ? 1 : 0))
                   : kNone;
      }
      return kind == Kind::object ? find_part(image, id, record, step.part) : kNone;
    case PathStep::How::index: {
      if (kind == Kind::object) {
        const std::uint32_t items = find_part(image, id, record, format::kPartItems);
        if (items == kNone || image.node(items).kind != static_cast<std::uint8_t>(Kind::list)) return kNone;
        return take(image, items, step);
      }
      if (kind == Kind::dict || kind == Kind::set || kind == Kind::frozenset || kind == Kind::opaque) return kNone;
      const Children members = children_of(image, id, record);
      return step.index < members.count ? image.link(members.first + step.index) : kNone;
    }
    case PathStep::How::entry:
    case PathStep::How::key: {
      const bool key = step.how == PathStep::How::key;
      if (kind == Kind::object) {
        const std::uint32_t entries = find_part(image, id, record, format::kPartEntries);
        if (entries == kNone || image.node(entries).kind != static_cast<std::uint8_t>(Kind::dict)) return kNone;
        return take(image, entries, step);
      }
      if (kind == Kind::dict) {
        if (step.index >= record.a) return kNone;
        return image.link(record.b + 2 * step.index + (key ? 0 : 1));
      }
      if (key || (kind != Kind::set && kind != Kind::frozenset)) return kNone;
      return step.index < record.a ? image.link(record.b + step.index) : kNone;
    }
  }
  return kNone;
}

}  // namespace

std::optional<Node> walk_path(const Node& start, std::string_view path, bool must) {
  const Image& image = *start.image();
  PathReader reader(path);
  std::uint32_t id = start.id();
  const std::string_view root = reader.take_root();
  if (!root.empty()) id = root == "program" ? image.footer().program_root : image.footer().metadata_root;
  PathStep step;
  std::size_t good = 0;
  while (id != kNone) {
    good = reader.taken().size();
    if (!reader.take_step(step)) return Node(&image, id);
    id = take(image, id, step);
  }
  while (reader.take_step(step)) {
  }  // what is no path is an error of its own
  if (!must) return std::nullopt;
  throw Error(Reason::no_path, image.name() + ": nothing at \"" + std::string(path.substr(0, 300)) +
                                   "\"; the way ends after \"" +
                                   std::string(path.substr(0, std::min<std::size_t>(good, 300))) + "\"");
}

namespace {

// Where the search met a node first: the child number `child` of `via`, one step away from `from`. These two differ
// where a step leads through an object's state, items or entries.
struct Met {
  std::uint32_t from = kNone, via = kNone;
  std::uint64_t child = 0;
};

class Search {
 public:
  Search(const Image& image, std::uint32_t wanted)
      : image_(image), wanted_(wanted), budget_(image), met_(image.section(format::Section::nodes).count) {}

  bool run(std::uint32_t root) {
    met_[root].from = root;
    queue_.push_back(root);
    for (std::size_t i = 0; i < queue_.size() && met_[wanted_].from == kNone; ++i) expand(queue_[i]);
    return met_[wanted_].from != kNone;
  }

  std::string path(std::uint32_t root, std::string text) const {
    std::vector<ChainLink> chain;  // backwards
    for (std::uint32_t id = wanted_; id != root; id = met_[id].from) {
      const Met& met = met_[id];
      chain.push_back({met.via, met.child});
      if (met.via != met.from) append_way_inside(met.from, met.via, chain);
    }
    std::reverse(chain.begin(), chain.end());
    append_chain(image_, chain, text);
    return text;
  }

 private:
  void meet(std::uint32_t from, std::uint32_t via, std::uint64_t child, std::uint32_t id) {
    if (id >= met_.size()) throw_node(image_, via, Reason::bad_node, "a child with id " + std::to_string(id));
    if (met_[id].from != kNone) return;
    met_[id] = {from, via, child};
    queue_.push_back(id);
  }

  void meet_all(std::uint32_t from, std::uint32_t via, const NodeRecord& record, bool names_only) {
    const Children children = children_of(image_, via, record);
    budget_.spend(children.count);
    for (std::uint64_t i = 0; i < children.count; ++i) {
      if (names_only) {
        // A state's values have names if their keys are texts; its keys have none.
        if (i % 2 == 0) continue;
        if (image_.node(image_.link(children.first + i - 1)).kind != static_cast<std::uint8_t>(Kind::text)) continue;
      }
      meet(from, via, i, image_.link(children.first + i));
    }
  }

  void expand(std::uint32_t id) {
    const NodeRecord record = image_.node(id);
    meet_all(id, id, record, false);
    if (record.kind != static_cast<std::uint8_t>(Kind::object)) return;
    const std::uint32_t items = find_part(image_, id, record, format::kPartItems);
    const std::uint32_t entries = find_part(image_, id, record, format::kPartEntries);
    const std::uint32_t state = find_part(image_, id, record, format::kPartState);
    if (state != kNone) {
      const NodeRecord held = image_.node(state);
      if (held.kind == static_cast<std::uint8_t>(Kind::dict)) meet_all(id, state, held, true);
      if (held.kind == static_cast<std::uint8_t>(Kind::tuple)) {
        const Children members = children_of(image_, state, held);
        budget_.spend(members.count);
        for (std::uint64_t i = 0; i < members.count; ++i) {
          const std::uint32_t member = image_.link(members.first + i);
          const NodeRecord dict = image_.node(member);
          if (dict.kind == static_cast<std::uint8_t>(Kind::dict)) meet_all(id, member, dict, true);
        }
      }
    }
    if (items != kNone && image_.node(items).kind == static_cast<std::uint8_t>(Kind::list)) {
      meet_all(id, items, image_.node(items), false);
    }
    if (entries != kNone && image_.node(entries).kind == static_cast<std::uint8_t>(Kind::dict)) {
      meet_all(id, entries, image_.node(entries), false);
    }
  }

  // From an object to a dict or list inside it, backwards.
  void append_way_inside(std::uint32_t object, std::uint32_t via, std::vector<ChainLink>& chain) const {
    const Children parts = children_of(image_, object, image_.node(object));
    for (std::uint64_t p = 0; p < parts.count; ++p) {
      const std::uint32_t part = image_.link(parts.first + p);
      if (part == via) {
        chain.push_back({object, p});
        return;
      }
    }
    for (std::uint64_t p = 0; p < parts.count; ++p) {
      const std::uint32_t part = image_.link(parts.first + p);
      const NodeRecord record = image_.node(part);
      if (record.kind != static_cast<std::uint8_t>(Kind::tuple)) continue;
      const Children members = children_of(image_, part, record);
      for (std::uint64_t i = 0; i < members.count; ++i) {
        if (image_.link(members.first + i) != via) continue;
        if (part != find_part(image_, object, image_.node(object), format::kPartState)) continue;
        chain.push_back({part, i});
        chain.push_back({object, p});
        return;
      }
    }
  }

  const Image& image_;
  std::uint32_t wanted_;
  VisitBudget budget_;
  std::vector<Met> met_;
  std::vector<std::uint32_t> queue_;
};

}  // namespace

std::string search_path(const Node& node) {
  const Image& image = *node.image();
  image.node(node.id());
  const format::SectionView& nodes = image.section(format::Section::nodes);
  std::uint32_t root = image.footer().model_root;
  std::string text;
  if (node.id() >= nodes.program_end) {
    root = image.footer().metadata_root;
    text = "@metadata";
  } else if (node.id() >= nodes.model_end) {
    root = image.footer().program_root;
    text = "@program";
  }
  if (root != kNone) {
    Search search(image, node.id());
    if (search.run(root)) return search.path(root, std::move(text));
  }
  throw Error(Reason::no_path, where(image, node.id()) + ": no path leads to it");
}

}  // namespace mere::graph
