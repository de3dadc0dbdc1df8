// Every record by itself: kinds, types, ranges. docs/format.md 4 and 5.

#include <algorithm>
#include <bit>
#include <vector>

#include "codec/checksum.hpp"
#include "format/text_form.hpp"
#include "format/verify_parts.hpp"
#include "os/worker_team.hpp"

namespace mere::format {

namespace {

constexpr std::uint64_t kTaskRecords = 1 << 16;
constexpr std::uint8_t kLastKind = 21, kLastClass = 22;
constexpr std::uint8_t kObjectClass = 12, kRecordClass = 13, kSubarrayClass = 14, kOtherClass = 22;

// What a record of the model, the program or the metadata may refer to: nothing of a later part, or an id would not say
// what the part holds.
struct Reach {
  std::uint64_t nodes, links, heap, extents, types, fields, arrays, buffers;
};

enum class Part : std::uint8_t { model, program, metadata };

Reach reach_of(const Image& image, Part part) {
  const auto end = [&](Section which) {
    const SectionView& s = image.section(which);
    return part == Part::model ? s.model_end : part == Part::program ? s.program_end : s.count;
  };
  return {end(Section::nodes), end(Section::links),  end(Section::heap),   end(Section::extents),
          end(Section::types), end(Section::fields), end(Section::arrays), end(Section::buffers)};
}

// What many records may claim together. Ranges that did not overlap would fit; more is a file that makes small bytes
// into much work.
class Claims {
 public:
  explicit Claims(std::uint64_t most) : most_(most) {}
  // False once the sum passes the limit.
  bool add(std::uint64_t count) noexcept {
    const std::uint64_t before = claimed_.fetch_add(std::min(count, most_ + 1), std::memory_order_relaxed);
    return before <= most_ && count <= most_ - before;
  }

 private:
  const std::uint64_t most_;
  std::atomic<std::uint64_t> claimed_{0};
};

class RecordCheck {
 public:
  explicit RecordCheck(const Image& image)
      : image_(image),
        links_(image.section(Section::links).count),
        fields_(image.section(Section::fields).count),
        texts_(64 * (image.bytes().size() - image.data_end())),
        reaches_{reach_of(image, Part::model), reach_of(image, Part::program), reach_of(image, Part::metadata)} {}

  void check_roots() const {
    const Footer& footer = image_.footer();
    if (footer.model_root >= reaches_[0].nodes ||
        (footer.program_root != kNone && footer.program_root >= reaches_[1].nodes)) {
      throw Error(Reason::bad_header, image_.name() + ": a root is a node of a later part");
    }
  }

  void check_type(std::uint32_t id);
  void check_array(std::uint32_t id) const;
  void check_node(std::uint32_t id);

 private:
  const Reach& reach(Section section, std::uint64_t index) const {
    const SectionView& s = image_.section(section);
    return reaches_[index < s.model_end ? 0 : index < s.program_end ? 1 : 2];
  }
  std::span<const std::byte> heap(Section section, std::uint64_t index, std::uint64_t offset, std::uint64_t length);
  void check_utf8(Section section, std::uint64_t index, std::uint64_t offset, std::uint64_t length, bool surrogates);
  void check_plain_type(std::uint32_t id, const TypeRecord& type) const;
  void check_record_type(std::uint32_t id, const TypeRecord& type);
  void check_subarray_type(std::uint32_t id, const TypeRecord& type) const;
  void check_bytes_node(std::uint32_t id, const NodeRecord& node);
  void check_members(std::uint32_t id, const NodeRecord& node, std::uint64_t count);
  void check_array_node(std::uint32_t id, const NodeRecord& node);
  void check_strides(std::uint32_t id, const NodeRecord& node, const ArrayRecord& array, std::uint64_t itemsize,
                     std::uint64_t raw_bytes) const;
  [[noreturn]] void fail_node(std::uint32_t id, Reason reason, const std::string& problem) const {
    fail_record(image_, Section::nodes, id, reason, problem);
  }
  [[noreturn]] void fail_type(std::uint32_t id, Reason reason, const std::string& problem) const {
    fail_record(image_, Section::types, id, reason, problem);
  }

  const Image& image_;
  Claims links_, fields_, texts_;
  Reach reaches_[3];
};

// Bytes of the heap that a record of `section` names.
std::span<const std::byte> RecordCheck::heap(Section section, std::uint64_t index, std::uint64_t offset,
                                             std::uint64_t length) {
  if (!range_fits(offset, length, reach(section, index).heap)) {
    fail_record(image_, section, index, Reason::out_of_bounds,
                "heap bytes " + std::to_string(offset) + "+" + std::to_string(length) + " of " +
                    std::to_string(reach(section, index).heap));
  }
  return image_.heap(offset, length);
}

void RecordCheck::check_utf8(Section section, std::uint64_t index, std::uint64_t offset, std::uint64_t length,
                             bool surrogates) {
  const std::span<const std::byte> bytes = heap(section, index, offset, length);
  if (!texts_.add(length)) {
    fail_record(image_, section, index, Reason::too_large, "the texts are together 64 times as long as the manifest");
  }
  const TextForm found = text_form({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  if (found == (surrogates ? TextForm::surrogates : TextForm::utf8)) return;
  const char* problem = found == TextForm::broken ? "is not UTF-8"
                        : found == TextForm::utf8 ? "is marked as holding surrogates and has none"
                                                  : "holds surrogates and is not marked so";
  fail_record(image_, section, index, Reason::bad_text, "its text at heap " + std::to_string(offset) + " " + problem);
}

void RecordCheck::check_type(std::uint32_t id) {
  const TypeRecord type = image_.type(id);
  if (type.type_class > kLastClass) fail_type(id, Reason::unknown_type, "class " + std::to_string(type.type_class));
  if (type.reserved != 0) fail_type(id, Reason::bad_padding, "a reserved field is not zero");
  const bool is_record = type.type_class == kRecordClass;
  if (type.flags > (is_record ? 1 : 0))
    fail_type(id, Reason::bad_padding, "unknown flags " + std::to_string(type.flags));
  if (type.type_class != kSubarrayClass && type.base != 0)
    fail_type(id, Reason::bad_padding, "a base, and no subarray");
  if (is_record) return check_record_type(id, type);
  if (type.type_class == kSubarrayClass) return check_subarray_type(id, type);
  check_plain_type(id, type);
  if (type.type_class == kOtherClass) check_utf8(Section::types, id, type.first, type.count, false);
}

void RecordCheck::check_plain_type(std::uint32_t id, const TypeRecord& type) const {
  const std::uint64_t n = type.itemsize;
  bool size_fits = true, ordered = false, is_time = false;
  switch (type.type_class) {
    case 0: size_fits = n == 1; break;
    case 1:
    case 2:
      size_fits = n == 1 || n == 2 || n == 4 || n == 8;
      ordered = n > 1;
      break;
    case 3:
      size_fits = n == 2 || n == 4 || n == 8;
      ordered = true;
      break;
    case 4:
      size_fits = n == 8 || n == 16;
      ordered = true;
      break;
    case 5:
      size_fits = n == 12 || n == 16;
      ordered = true;
      break;
    case 6:
      size_fits = n == 24 || n == 32;
      ordered = true;
      break;
    case 8:
      size_fits = n % 4 == 0;
      ordered = true;
      break;
    case 10:
    case 11:
      size_fits = n == 8;
      ordered = is_time = true;
      break;
    case kObjectClass: size_fits = n == 8; break;
    case 15:
      size_fits = n == 2;
      ordered = true;
      break;
    case 7:
    case 9:
    case kOtherClass: break;
    default: size_fits = n == 1; break;  // the float8 variants
  }
  if (!size_fits)
    fail_type(id, Reason::bad_type, "class " + std::to_string(type.type_class) + " of " + std::to_string(n) + " bytes");
  if (ordered ? type.byte_order > 1 : type.byte_order != 2) {
    fail_type(id, Reason::bad_type,
              "byte order " + std::to_string(type.byte_order) + " in class " + std::to_string(type.type_class));
  }
  if (is_time ? type.unit > 14 || type.unit == 3 || type.count == 0 : type.unit != 0) {
    fail_type(id, Reason::bad_type, "unit " + std::to_string(type.unit) + ", multiple " + std::to_string(type.count));
  }
  if (type.type_class != kOtherClass && (type.first != 0 || (!is_time && type.count != 0))) {
    fail_type(id, Reason::bad_padding, "a reserved field is not zero");
  }
}

void RecordCheck::check_record_type(std::uint32_t id, const TypeRecord& type) {
  if (type.byte_order != 2 || type.unit != 0) fail_type(id, Reason::bad_type, "a byte order or unit of its own");
  if (!range_fits(type.first, type.count, reach(Section::types, id).fields) || !fields_.add(type.count)) {
    fail_type(id, Reason::out_of_bounds,
              "fields " + std::to_string(type.first) + "+" + std::to_string(type.count) + " of " +
                  std::to_string(image_.section(Section::fields).count) + ", or shared with others");
  }
  std::vector<std::uint64_t> names;  // their hashes: texts in the map could change while they are sorted
  for (std::uint64_t i = type.first; i < type.first + type.count; ++i) {
    const FieldRecord field = image_.field(i);
    if (field.reserved != 0)
      fail_record(image_, Section::fields, i, Reason::bad_padding, "a reserved field is not zero");
    if (field.type >= id) {
      fail_record(image_, Section::fields, i, Reason::bad_type,
                  "type " + std::to_string(field.type) + " inside type " + std::to_string(id));
    }
    const std::uint64_t itemsize = image_.type(field.type).itemsize;
    if (!range_fits(field.offset, itemsize, type.itemsize)) {
      fail_record(image_, Section::fields, i, Reason::bad_type,
                  std::to_string(itemsize) + " bytes at " + std::to_string(field.offset) + " of a record of " +
                      std::to_string(type.itemsize));
    }
    check_utf8(Section::fields, i, field.name, field.name_bytes, false);
    if (field.title_bytes != 0) {
      check_utf8(Section::fields, i, field.title, field.title_bytes, false);
    } else if (field.title != 0) {
      fail_record(image_, Section::fields, i, Reason::bad_padding,
                  "a title of no bytes at heap " + std::to_string(field.title));
    }
    names.push_back(codec::xxh3_64(image_.heap(field.name, field.name_bytes)));
  }
  std::sort(names.begin(), names.end());
  if (std::adjacent_find(names.begin(), names.end()) != names.end()) {
    fail_type(id, Reason::bad_type, "two fields have one name");
  }
}

void RecordCheck::check_subarray_type(std::uint32_t id, const TypeRecord& type) const {
  if (type.byte_order != 2 || type.unit != 0) fail_type(id, Reason::bad_type, "a byte order or unit of its own");
  if (type.base >= id) fail_type(id, Reason::bad_type, "base type " + std::to_string(type.base));
  if (type.count > 64 || !range_fits(type.first, type.count, reach(Section::types, id).extents)) {
    fail_type(id, Reason::out_of_bounds,
              "a shape of " + std::to_string(type.count) + " dimensions at extent " + std::to_string(type.first));
  }
  Size bytes = image_.type(type.base).itemsize;
  for (std::uint32_t i = 0; i < type.count; ++i) bytes = bytes * Size::from_signed(image_.extent(type.first + i));
  if (bytes.get(image_.name() + ": type " + std::to_string(id)) != type.itemsize) {
    fail_type(id, Reason::bad_type, std::to_string(type.itemsize) + " bytes, its shape and base make another number");
  }
}

void RecordCheck::check_array(std::uint32_t id) const {
  const ArrayRecord array = image_.array(id);
  const auto fail = [&](Reason reason, const std::string& problem) {
    fail_record(image_, Section::arrays, id, reason, problem);
  };
  const Reach& to = reach(Section::arrays, id);
  if (array.type >= to.types)
    fail(Reason::bad_type, "type " + std::to_string(array.type) + " of " + std::to_string(to.types));
  if (array.buffer == kNone) {
    if (image_.type(array.type).type_class == kObjectClass) return;  // links: with the node, which knows how many
    if (array.offset != 0) fail(Reason::out_of_bounds, "offset " + std::to_string(array.offset) + " in no buffer");
    return;
  }
  if (array.buffer >= to.buffers)
    fail(Reason::out_of_bounds, "buffer " + std::to_string(array.buffer) + " of " + std::to_string(to.buffers));
  if (array.offset > image_.buffer(array.buffer).raw_bytes) {
    fail(Reason::out_of_bounds,
         "offset " + std::to_string(array.offset) + " of buffer " + std::to_string(array.buffer));
  }
}

// str, bytes, bytearray.
void RecordCheck::check_bytes_node(std::uint32_t id, const NodeRecord& node) {
  const bool is_text = node.kind == 5;
  if ((node.flags & ~(is_text ? kSurrogates | kLongText : kLongText)) != 0) {
    fail_node(id, Reason::bad_node, "unknown flags " + std::to_string(node.flags));
  }
  std::uint64_t length = node.a;
  if ((node.flags & kLongText) != 0) {
    if (node.a != 0 || node.b < 8) fail_node(id, Reason::bad_node, "a long text without its length");
    heap(Section::nodes, id, node.b - 8, 8);
    length = load_once<std::uint64_t>(image_.heap(node.b - 8, 8).data());
  }
  if (is_text) {
    check_utf8(Section::nodes, id, node.b, length, (node.flags & kSurrogates) != 0);
  } else {
    heap(Section::nodes, id, node.b, length);
  }
}

// `count` links from b on, each a node that there is.
void RecordCheck::check_members(std::uint32_t id, const NodeRecord& node, std::uint64_t count) {
  const Reach& to = reach(Section::nodes, id);
  if (!range_fits(node.b, count, to.links)) {
    fail_node(id, Reason::out_of_bounds,
              "links " + std::to_string(node.b) + "+" + std::to_string(count) + " of " + std::to_string(to.links));
  }
  if (!links_.add(count)) fail_node(id, Reason::overlap, "the nodes have more links than there are: some are shared");
  for (std::uint64_t i = node.b; i < node.b + count; ++i) {
    const std::uint32_t member = image_.link(i);
    if (member >= to.nodes) {
      fail_record(image_, Section::links, i, Reason::bad_node,
                  "node " + std::to_string(member) + " of " + std::to_string(to.nodes));
    }
  }
}

void RecordCheck::check_node(std::uint32_t id) {
  const NodeRecord node = image_.node(id);
  const auto require = [&](bool holds, const char* expected) {
    if (!holds) {
      fail_node(id, Reason::bad_node,
                "kind " + std::to_string(node.kind) + ", flags " + std::to_string(node.flags) + ", form " +
                    std::to_string(node.form) + ", a " + std::to_string(node.a) + ", b " + std::to_string(node.b) +
                    ": expected " + expected);
    }
  };
  if (node.kind > kLastKind) fail_node(id, Reason::unknown_kind, "kind " + std::to_string(node.kind));
  // Only arrays, names and objects have a form; only some kinds have flags.
  if (node.kind != 16 && node.kind != 19 && node.kind != 20) require(node.form == 0, "no form");
  const auto plain = [&](bool a, bool b) {
    require(node.flags == 0 && (a || node.a == 0) && (b || node.b == 0), "reserved fields of zero");
  };
  switch (node.kind) {
    case 0:
    case 15: plain(false, false); break;
    case 1:
      plain(false, true);
      require(node.b <= 1, "0 or 1");
      break;
    case 2: {
      require(node.flags <= kBigInteger, "no flags but 1");
      if (node.flags == 0) {
        plain(false, true);
        break;
      }
      require(node.a > 8, "more than 8 bytes");
      const auto bytes = heap(Section::nodes, id, node.b, node.a);
      const auto last = static_cast<std::uint8_t>(bytes[node.a - 1]),
                 next = static_cast<std::uint8_t>(bytes[node.a - 2]);
      const bool redundant = (last == 0 && next < 0x80) || (last == 0xff && next >= 0x80);
      require(!redundant, "as few bytes as hold the number");
      break;
    }
    case 3: plain(false, true); break;
    case 4:
      plain(true, true);
      require(node.a == 16, "16 bytes");
      heap(Section::nodes, id, node.b, 16);
      break;
    case 5:
    case 6:
    case 7: check_bytes_node(id, node); break;
    case 8:
    case 9:
    case 10:
    case 11:
      plain(true, true);
      check_members(id, node, node.a);
      break;
    case 12:
      require(node.flags <= kIndexedDict, "no flags but 1");
      check_members(id, node, std::uint64_t{2} * node.a);
      break;
    case 13:
    case 14:
      plain(true, true);
      require(node.a == 3, "3 links");
      check_members(id, node, 3);
      break;
    case 16: check_array_node(id, node); break;
    case 17: {
      plain(true, true);
      require(node.a < reach(Section::nodes, id).types, "a type id");
      const TypeRecord type = image_.type(node.a);
      require(type.type_class != kObjectClass, "a type without objects");
      heap(Section::nodes, id, node.b, type.itemsize);
      break;
    }
    case 18:
      plain(true, false);
      require(node.a < reach(Section::nodes, id).types, "a type id");
      break;
    case 19: {
      require(node.flags == 0, "no flags");
      check_utf8(Section::nodes, id, node.b, node.a, false);
      if (node.form != 0) {
        require(node.form < node.a, "a module part shorter than the name");
        require(image_.heap(node.b, node.a)[node.form] == std::byte{'.'}, "a dot behind the module part");
      }
      break;
    }
    case 20:
      require(node.form <= 2, "form 0, 1 or 2");
      require((node.flags & kPartType) != 0 && (node.flags & 0x80) == 0, "a type, and no unknown part");
      require(node.a == static_cast<std::uint32_t>(std::popcount(node.flags)), "as many links as parts");
      check_members(id, node, node.a);
      break;
    default:
      plain(true, true);
      require(node.a == 2, "2 links");
      check_members(id, node, 2);
      break;  // opaque
  }
}

void RecordCheck::check_array_node(std::uint32_t id, const NodeRecord& node) {
  const Reach& to = reach(Section::nodes, id);
  const bool strided = node.flags == static_cast<std::uint8_t>(Layout::strided);
  const bool objects = node.flags == static_cast<std::uint8_t>(Layout::objects);
  if (node.flags > 3 || node.form > 64) {
    fail_node(id, Reason::bad_node,
              "an array of layout " + std::to_string(node.flags) + " and " + std::to_string(node.form) + " dimensions");
  }
  if (node.a >= to.arrays)
    fail_node(id, Reason::bad_node, "array " + std::to_string(node.a) + " of " + std::to_string(to.arrays));
  const std::uint64_t extents = std::uint64_t{node.form} * (strided ? 2 : 1);
  if (!range_fits(node.b, extents, to.extents)) {
    fail_node(
        id, Reason::out_of_bounds,
        "extents " + std::to_string(node.b) + "+" + std::to_string(extents) + " of " + std::to_string(to.extents));
  }
  const ArrayRecord array = image_.array(node.a);
  const TypeRecord type = image_.type(array.type);
  Size count = 1;
  bool empty = false;
  for (std::uint16_t i = 0; i < node.form; ++i) {
    const std::int64_t n = image_.extent(node.b + i);
    if (n < 0) fail_node(id, Reason::shape_overflow, "dimension " + std::to_string(i) + " is negative");
    empty = empty || n == 0;
    // NumPy's rule: the dimensions that are not zero must not overflow, even if another is zero.
    if (n != 0) count = count * Size::from_signed(n);
  }
  const Size all_bytes = count * type.itemsize;
  if (!all_bytes.fits(INT64_MAX)) fail_node(id, Reason::shape_overflow, "more bytes than can be addressed");
  if ((type.type_class == kObjectClass) != objects) {
    fail_node(id, Reason::bad_type,
              "layout " + std::to_string(node.flags) + " with type class " + std::to_string(type.type_class));
  }
  if (objects) {
    const std::uint64_t members = empty ? 0 : count.get("array of objects");
    if (array.buffer != kNone) fail_node(id, Reason::bad_node, "an array of objects in a buffer");
    NodeRecord links = node;
    links.b = array.offset;
    return check_members(id, links, members);
  }
  const std::uint64_t raw_bytes = empty ? 0 : all_bytes.get("array");
  if ((raw_bytes == 0) != (array.buffer == kNone)) {
    fail_node(id, Reason::out_of_bounds,
              std::to_string(raw_bytes) + " bytes in buffer " + std::to_string(array.buffer));
  }
  if (raw_bytes == 0) return;
  const std::uint64_t length = image_.buffer(array.buffer).raw_bytes;
  if (strided) return check_strides(id, node, array, type.itemsize, length);
  if (!range_fits(array.offset, raw_bytes, length)) {
    fail_node(id, Reason::out_of_bounds,
              std::to_string(raw_bytes) + " bytes at " + std::to_string(array.offset) + " of buffer " +
                  std::to_string(array.buffer) + ", which has " + std::to_string(length));
  }
}

void RecordCheck::check_strides(std::uint32_t id, const NodeRecord& node, const ArrayRecord& array,
                                std::uint64_t itemsize, std::uint64_t raw_bytes) const {
  Size below = 0, above = 0;  // how far elements lie before and behind the first
  for (std::uint16_t i = 0; i < node.form; ++i) {
    const Size steps = Size::from_signed(image_.extent(node.b + i)) - 1;
    const std::int64_t stride = image_.extent(node.b + node.form + i);
    // The magnitude as unsigned, since that of the least number has no signed form.
    const std::uint64_t magnitude =
        stride < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(stride) : static_cast<std::uint64_t>(stride);
    (stride < 0 ? below : above) = (stride < 0 ? below : above) + steps * magnitude;
  }
  const Size end = Size(array.offset) + above + itemsize;
  if (!below.fits(array.offset) || !end.fits(raw_bytes)) {
    fail_node(id, Reason::out_of_bounds,
              "its strides reach outside buffer " + std::to_string(array.buffer) + " of " + std::to_string(raw_bytes) +
                  " bytes, from offset " + std::to_string(array.offset));
  }
}

}  // namespace

void verify_records(const Image& image, unsigned threads) {
  RecordCheck check(image);
  check.check_roots();
  const auto each = [&](Section section, const auto& visit) {
    const std::uint64_t count = image.section(section).count;
    if (count > kNone)
      throw Error(Reason::too_large, image.name() + ": more " + std::string(to_text(section)) + " than ids");
    os::parallel_for((count + kTaskRecords - 1) / kTaskRecords, threads, [&](std::size_t task, unsigned) {
      const std::uint64_t end = std::min(count, (task + 1) * kTaskRecords);
      for (std::uint64_t i = task * kTaskRecords; i < end; ++i) visit(static_cast<std::uint32_t>(i));
    });
  };
  each(Section::types, [&](std::uint32_t id) { check.check_type(id); });
  each(Section::arrays, [&](std::uint32_t id) { check.check_array(id); });
  each(Section::nodes, [&](std::uint32_t id) { check.check_node(id); });
}

}  // namespace mere::format
