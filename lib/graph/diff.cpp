#include <mere/diff.hpp>

#include <bit>
#include <charconv>
#include <cstring>
#include <unordered_map>
#include <unordered_set>

#include "graph/array_diff.hpp"
#include "graph/path.hpp"
#include "graph/read.hpp"
#include "graph/same_nodes.hpp"
#include "graph/type_reader.hpp"
#include "graph/visit_budget.hpp"

namespace mere {

namespace {

using format::Image;
using format::kNone;
using format::NodeRecord;

constexpr std::uint64_t kAbsent = UINT64_MAX;
constexpr std::size_t kTextBytes = 60;
constexpr std::uint32_t kKeyDepth = 16;
constexpr std::size_t kKeyBytes = 4096;

std::string number_text(double value) {
  char text[40];
  const auto [end, error] = std::to_chars(text, text + sizeof text, value);
  return error == std::errc() ? std::string(text, end) : "?";
}

// A text cut to what a line holds, at the begin of a character.
std::string shortened(std::string_view text) {
  if (text.size() <= kTextBytes) return std::string(text);
  std::size_t end = kTextBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

std::string bytes_text(std::span<const std::byte> bytes) {
  constexpr char hex[] = "0123456789abcdef";
  std::string text = std::to_string(bytes.size()) + " bytes";
  if (!bytes.empty()) text += " ";
  for (std::size_t i = 0; i < bytes.size() && i < 16; ++i) {
    text += hex[std::to_integer<unsigned>(bytes[i]) >> 4];
    text += hex[std::to_integer<unsigned>(bytes[i]) & 15];
  }
  return bytes.size() > 16 ? text + "..." : text;
}

std::string value_text(const Node& node) {
  switch (node.kind()) {
    case Kind::boolean: return node.boolean() ? "true" : "false";
    case Kind::integer:
      if (node.is_big() && node.integer_bytes().size() > 64) return bytes_text(node.integer_bytes());
      return shortened(node.integer_text());
    case Kind::real: return number_text(node.real());
    case Kind::complex: return number_text(node.complex().real()) + " + " + number_text(node.complex().imag()) + "i";
    case Kind::text: return "\"" + shortened(node.text()) + "\"";
    case Kind::bytes:
    case Kind::bytearray: return bytes_text(node.bytes());
    case Kind::name: return shortened(node.name());
    case Kind::dtype: return shortened(node.dtype().to_text());
    case Kind::scalar: {
      const Dtype type = node.dtype();
      long double real, imaginary;
      std::string text = shortened(type.to_text()) + " ";
      if (!graph::read_number(type, node.scalar_bytes().data(), real, imaginary))
        return text + bytes_text(node.scalar_bytes());
      text += number_text(static_cast<double>(real));
      return imaginary == 0 ? text : text + " + " + number_text(static_cast<double>(imaginary)) + "i";
    }
    default: return std::string(to_text(node.kind()));
  }
}

// What tells an immutable key from others, whatever file it is in: false if it is no such key, or too large for one.
bool append_key(const Image& image, std::uint32_t id, std::uint32_t depth, std::string& key) {
  const NodeRecord record = image.node(id);
  const Kind kind = graph::kind_of(image, id, record);
  if (depth > kKeyDepth || key.size() > kKeyBytes) return false;
  key += static_cast<char>('A' + record.kind);
  const auto add = [&](std::span<const std::byte> bytes) {
    key += std::to_string(bytes.size()) + ":";
    key.append(reinterpret_cast<const char*>(bytes.data()), std::min(bytes.size(), kKeyBytes));
    return bytes.size() <= kKeyBytes;
  };
  switch (kind) {
    case Kind::null:
    case Kind::ellipsis: return true;
    case Kind::boolean:
    case Kind::real: return add(std::as_bytes(std::span(&record.b, 1)));
    case Kind::integer:
      key += record.flags ? 'b' : 's';
      return record.flags ? add(graph::heap_of(image, record)) : add(std::as_bytes(std::span(&record.b, 1)));
    case Kind::complex:
    case Kind::text:
    case Kind::bytes:
    case Kind::name: return add(graph::heap_of(image, record));
    case Kind::dtype:
    case Kind::scalar: {
      // Records are not told by what they are: a type of many fields would have to be read for every key.
      const std::uint8_t type_class = image.type(record.a).type_class;
      if (type_class == static_cast<std::uint8_t>(TypeClass::record) ||
          type_class == static_cast<std::uint8_t>(TypeClass::subarray)) {
        return false;
      }
      key += graph::read_dtype(image, record.a).to_text();
      return kind == Kind::dtype || add(image.heap(record.b, image.type(record.a).itemsize));
    }
    case Kind::tuple: {
      const graph::Children members = graph::children_of(image, id, record);
      for (std::uint64_t i = 0; i < members.count; ++i) {
        if (!append_key(image, image.link(members.first + i), depth + 1, key)) return false;
      }
      key += ')';
      return true;
    }
    default: return false;
  }
}

class Differ {
 public:
  Differ(const Node& first, const Node& second, const DiffOptions& options)
      : a_(*first.image()),
        b_(*second.image()),
        options_(options),
        a_budget_(a_),
        b_budget_(b_),
        a_types_(a_),
        b_types_(b_),
        bytes_left_(raw_bytes(a_) + raw_bytes(b_)) {}

  DiffResult run(std::uint32_t first, std::uint32_t second) {
    compare(first, second);
    while (!stack_.empty()) {
      Frame& frame = stack_.back();
      if (frame.next == frame.pairs.size()) {
        stack_.pop_back();
        continue;
      }
      const Pair pair = frame.pairs[frame.next++];
      if (pair.b == kAbsent) {
        const std::uint32_t child = a_.link(frame.a_children.first + pair.a);
        report(Change::removed, [&](Difference& made) { made.first = value_text(Node(&a_, child)); });
      } else if (pair.a == kAbsent) {
        const std::uint32_t child = b_.link(frame.b_children.first + pair.b);
        report(Change::added, [&](Difference& made) { made.second = value_text(Node(&b_, child)); });
      } else {
        compare(a_.link(frame.a_children.first + pair.a), b_.link(frame.b_children.first + pair.b));
      }
    }
    a_.check_faults();
    b_.check_faults();
    return std::move(result_);
  }

 private:
  struct Pair {
    std::uint64_t a, b;  // numbers of children, or kAbsent
  };
  struct Frame {
    std::uint32_t a, b;
    graph::Children a_children, b_children;
    std::vector<Pair> pairs;
    std::size_t next = 0;
  };

  // Broadcast arrays can claim more elements than anybody can compare.
  static std::uint64_t raw_bytes(const Image& image) {
    std::uint64_t sum = 1 << 24;
    for (std::uint64_t i = 0; i < image.section(format::Section::buffers).count; ++i) {
      const Size more = Size(sum) + Size(16) * image.buffer(static_cast<std::uint32_t>(i)).raw_bytes;
      sum = more.fits(UINT64_MAX / 4) ? more.get("buffers") : UINT64_MAX / 4;
    }
    return sum;
  }

  template <class Describe>
  void report(Change change, Describe describe) {
    ++result_.count;
    if (result_.differences.size() >= options_.limit) return;
    Difference made;
    made.change = change;
    std::vector<graph::ChainLink> chain;
    const bool in_b = change == Change::added;
    for (const Frame& frame : stack_) {
      const Pair& pair = frame.pairs[frame.next - 1];
      chain.push_back({in_b ? frame.b : frame.a, in_b ? pair.b : pair.a});
    }
    graph::append_chain(in_b ? b_ : a_, chain, made.path);
    describe(made);
    result_.differences.push_back(std::move(made));
  }

  void compare(std::uint32_t a, std::uint32_t b);
  bool leaves_equal(const NodeRecord& x, const NodeRecord& y);
  // Each pair of types is compared once.
  bool types_equal(std::uint32_t a, std::uint32_t b);
  void compare_arrays(std::uint32_t a, std::uint32_t b);
  // False if the pair has been compared before.
  bool enter(std::uint32_t a, std::uint32_t b, Kind kind);
  void push(std::uint32_t a, std::uint32_t b, const NodeRecord& x, const NodeRecord& y, Kind kind);
  void match_dicts(Frame& frame, const NodeRecord& x, const NodeRecord& y);
  void match_sets(Frame& frame) const;
  static void match_places(Frame& frame);

  const Image& a_;
  const Image& b_;
  const DiffOptions& options_;
  graph::VisitBudget a_budget_, b_budget_;
  graph::TypeReader a_types_, b_types_;
  std::unordered_map<std::uint64_t, bool> equal_types_;
  std::uint64_t bytes_left_;
  std::vector<Frame> stack_;
  std::unordered_set<std::uint64_t> compared_;
  std::unordered_map<std::uint32_t, std::uint32_t> partner_of_a_, partner_of_b_;
  DiffResult result_;
};

bool Differ::types_equal(std::uint32_t a, std::uint32_t b) {
  const auto [known, is_new] = equal_types_.emplace(std::uint64_t{a} << 32 | b, false);
  if (is_new) known->second = a_types_.read(a) == b_types_.read(b);
  return known->second;
}

bool Differ::leaves_equal(const NodeRecord& x, const NodeRecord& y) {
  const auto same_bytes = [](std::span<const std::byte> p, std::span<const std::byte> q) {
    return p.size() == q.size() && std::memcmp(p.data(), q.data(), p.size()) == 0;
  };
  switch (static_cast<Kind>(x.kind)) {
    case Kind::null:
    case Kind::ellipsis: return true;
    case Kind::boolean:
    case Kind::real: return x.b == y.b;
    case Kind::integer:
      if (x.flags != y.flags) return false;
      return x.flags ? same_bytes(graph::heap_of(a_, x), graph::heap_of(b_, y)) : x.b == y.b;
    case Kind::dtype: return types_equal(x.a, y.a);
    case Kind::scalar:
      return types_equal(x.a, y.a) &&
             same_bytes(a_.heap(x.b, a_.type(x.a).itemsize), b_.heap(y.b, b_.type(y.a).itemsize));
    case Kind::name: return x.form == y.form && same_bytes(graph::heap_of(a_, x), graph::heap_of(b_, y));
    default: return same_bytes(graph::heap_of(a_, x), graph::heap_of(b_, y));
  }
}

bool Differ::enter(std::uint32_t a, std::uint32_t b, Kind kind) {
  // Tuples cannot change, so that whether they are shared is seen by nobody.
  if (kind != Kind::tuple) {
    const auto [in_a, a_is_new] = partner_of_a_.emplace(a, b);
    const auto [in_b, b_is_new] = partner_of_b_.emplace(b, a);
    if (!options_.ignore_sharing && (in_a->second != b || in_b->second != a))
      report(Change::sharing, [](Difference&) {});
  }
  return compared_.insert(std::uint64_t{a} << 32 | b).second;
}

void Differ::compare(std::uint32_t a, std::uint32_t b) {
  const NodeRecord x = a_.node(a);
  const NodeRecord y = b_.node(b);
  const Kind kind = graph::kind_of(a_, a, x);
  const Kind other = graph::kind_of(b_, b, y);
  if (kind != other) {
    report(Change::kind, [&](Difference& made) {
      made.first = to_text(kind);
      made.second = to_text(other);
    });
    return;
  }
  if (graph::is_immutable_leaf(kind) || kind == Kind::bytearray) {
    if (kind == Kind::bytearray && !enter(a, b, kind)) return;
    if (leaves_equal(x, y)) return;
    report(Change::value, [&](Difference& made) {
      made.first = value_text(Node(&a_, a));
      made.second = value_text(Node(&b_, b));
    });
    return;
  }
  if (!enter(a, b, kind)) return;
  constexpr auto objects = static_cast<std::uint8_t>(format::Layout::objects);
  if (kind == Kind::array && (x.flags != objects || y.flags != objects)) {
    if (x.flags == objects || y.flags == objects) {
      report(Change::type, [&](Difference& made) {
        made.first = Node(&a_, a).dtype().to_text();
        made.second = Node(&b_, b).dtype().to_text();
      });
    } else {
      compare_arrays(a, b);
    }
    return;
  }
  push(a, b, x, y, kind);
}

void Differ::compare_arrays(std::uint32_t a, std::uint32_t b) {
  const ArrayView first(&a_, a), second(&b_, b);
  if (!types_equal(a_.array(a_.node(a).a).type, b_.array(b_.node(b).a).type)) {
    report(Change::type, [&](Difference& made) {
      made.first = first.dtype().to_text();
      made.second = second.dtype().to_text();
    });
    return;
  }
  const Dims a_shape = first.shape(), b_shape = second.shape();
  if (!(a_shape == b_shape)) {
    report(Change::shape, [&](Difference& made) {
      made.first = a_shape.to_text();
      made.second = b_shape.to_text();
    });
    return;
  }
  if (first.nbytes() > bytes_left_)
    throw Error(Reason::too_large, a_.name() + ": arrays have more elements than 16 times their bytes");
  bytes_left_ -= first.nbytes();
  std::vector<ElementDifference> elements = graph::diff_elements(first, second);
  if (!elements.empty()) report(Change::elements, [&](Difference& made) { made.elements = std::move(elements); });
}

void Differ::push(std::uint32_t a, std::uint32_t b, const NodeRecord& x, const NodeRecord& y, Kind kind) {
  Frame frame{a, b, graph::children_of(a_, a, x), graph::children_of(b_, b, y), {}};
  a_budget_.spend(frame.a_children.count);
  b_budget_.spend(frame.b_children.count);
  if (kind == Kind::array) {
    const Node first(&a_, a), second(&b_, b);
    const auto a_shape = first.object_array_shape(), b_shape = second.object_array_shape();
    if (a_shape != b_shape) {
      const auto text = [](const std::vector<std::int64_t>& shape) {
        Dims dims(shape.size());
        std::copy(shape.begin(), shape.end(), dims.data());
        return dims.to_text();
      };
      report(Change::shape, [&](Difference& made) {
        made.first = text(a_shape);
        made.second = text(b_shape);
      });
      return;
    }
  }
  if (kind == Kind::dict) {
    match_dicts(frame, x, y);
  } else if (kind == Kind::set || kind == Kind::frozenset) {
    match_sets(frame);
  } else if (kind == Kind::object) {
    if (x.form != y.form) {
      constexpr std::string_view words[] = {"construct", "call", "record"};
      report(Change::value, [&](Difference& made) {
        made.first = x.form < 3 ? words[x.form] : "?";
        made.second = y.form < 3 ? words[y.form] : "?";
      });
    }
    std::uint64_t i = 0, k = 0;
    for (unsigned bit = 1; bit < 0x80; bit <<= 1) {
      const bool in_a = (x.flags & bit) != 0, in_b = (y.flags & bit) != 0;
      if (in_a || in_b) frame.pairs.push_back({in_a ? i : kAbsent, in_b ? k : kAbsent});
      i += in_a;
      k += in_b;
    }
  } else {
    match_places(frame);
  }
  stack_.push_back(std::move(frame));
}

void Differ::match_places(Frame& frame) {
  const std::uint64_t a = frame.a_children.count, b = frame.b_children.count;
  for (std::uint64_t i = 0; i < std::max(a, b); ++i) frame.pairs.push_back({i < a ? i : kAbsent, i < b ? i : kAbsent});
}

void Differ::match_dicts(Frame& frame, const NodeRecord& x, const NodeRecord& y) {
  std::vector<bool> found(y.a);
  // Keys that are no texts, of b: by what they are; those that cannot be told so, in their order.
  std::unordered_map<std::string, std::uint64_t> others;
  std::vector<std::uint64_t> unlike;
  std::size_t next_unlike = 0;
  for (std::uint64_t i = 0; i < y.a; ++i) {
    const std::uint32_t id = b_.link(y.b + 2 * i);
    std::string key;
    if (b_.node(id).kind == static_cast<std::uint8_t>(Kind::text)) continue;
    if (append_key(b_, id, 0, key)) {
      others.emplace(std::move(key), i);
    } else {
      unlike.push_back(i);
    }
  }
  bool in_order = true;
  std::uint64_t last = 0;
  for (std::uint64_t i = 0; i < x.a; ++i) {
    const std::uint32_t id = a_.link(x.b + 2 * i);
    const NodeRecord key_record = a_.node(id);
    std::uint64_t match = y.a;
    if (key_record.kind == static_cast<std::uint8_t>(Kind::text)) {
      match = graph::find_entry(b_, frame.b, y, graph::text_of(a_, key_record));
    } else {
      std::string key;
      if (!append_key(a_, id, 0, key)) {
        if (next_unlike < unlike.size()) {
          match = unlike[next_unlike++];
          frame.pairs.push_back({2 * i, 2 * match});
        }
      } else if (const auto other = others.find(key); other != others.end()) {
        match = other->second;
      }
    }
    if (match == y.a) {
      frame.pairs.push_back({2 * i + 1, kAbsent});
      continue;
    }
    in_order = in_order && (match >= last);
    last = match;
    found[match] = true;
    frame.pairs.push_back({2 * i + 1, 2 * match + 1});
  }
  for (std::uint64_t i = 0; i < y.a; ++i) {
    if (!found[i]) frame.pairs.push_back({kAbsent, 2 * i + 1});
  }
  if (!in_order) report(Change::order, [](Difference&) {});
}

void Differ::match_sets(Frame& frame) const {
  std::unordered_map<std::string, std::uint64_t> members;
  std::vector<std::uint64_t> unlike;
  std::size_t next_unlike = 0;
  std::vector<bool> found(frame.b_children.count);
  for (std::uint64_t i = 0; i < frame.b_children.count; ++i) {
    std::string key;
    if (append_key(b_, b_.link(frame.b_children.first + i), 0, key)) {
      members.emplace(std::move(key), i);
    } else {
      unlike.push_back(i);
    }
  }
  for (std::uint64_t i = 0; i < frame.a_children.count; ++i) {
    std::string key;
    std::uint64_t match = kAbsent;
    if (!append_key(a_, a_.link(frame.a_children.first + i), 0, key)) {
      if (next_unlike < unlike.size()) match = unlike[next_unlike++];
    } else if (const auto other = members.find(key); other != members.end()) {
      match = other->second;
    }
    if (match != kAbsent) found[match] = true;
    frame.pairs.push_back({i, match});
  }
  for (std::uint64_t i = 0; i < found.size(); ++i) {
    if (!found[i]) frame.pairs.push_back({kAbsent, i});
  }
}

}  // namespace

std::string_view to_text(Change change) noexcept {
  constexpr std::string_view words[] = {"added", "removed",  "kind",  "value",  "type",
                                        "shape", "elements", "order", "sharing"};
  return static_cast<std::size_t>(change) < std::size(words) ? words[static_cast<std::size_t>(change)] : "unknown";
}

DiffResult diff(const Node& first, const Node& second, const DiffOptions& options) {
  if (first.image() == nullptr || second.image() == nullptr)
    throw Error(Reason::bad_argument, "diff of a node of no model");
  return Differ(first, second, options).run(first.id(), second.id());
}

}  // namespace mere
