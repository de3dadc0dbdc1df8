#include <doctest/doctest.h>

#include "codec/checksum.hpp"
#include "expect_error.hpp"
#include "file_forger.hpp"
#include "format/expand.hpp"
#include "format/verify.hpp"
#include "sample_model.hpp"

namespace mere::format {
namespace {

using namespace testing;

std::string verify_reason(std::span<const std::byte> bytes, std::string* message = nullptr) {
  return word(reason_of([&] { verify(Image(bytes, "a.mere"), {}); }, message));
}

// Verifies a model with one list node that holds `make`'s node; `spoil` may change the columns before.
std::string reason_with(const std::function<std::uint32_t(SampleModel&)>& make,
                        const std::function<void(SampleModel&, std::uint32_t)>& spoil = {}) {
  SampleModel model;
  const std::uint32_t root = model.node(8);
  const std::uint32_t subject = make(model);
  model.link(root, {subject});
  model.columns.model_root = root;
  if (spoil) spoil(model, subject);
  model.end_model();
  model.finish();
  const Bytes file = write_to_memory(model);
  std::string message;
  const std::string reason = verify_reason(file, &message);
  if (reason != "no error") CHECK(message.find("a.mere") != std::string::npos);
  return reason;
}

std::string array_reason(const TypeRecord& type, const std::vector<std::int64_t>& shape, Layout layout,
                         const Bytes& bytes, std::uint64_t offset = 0) {
  return reason_with([&](SampleModel& m) {
    const std::uint32_t t = m.type(type);
    const std::uint16_t dims = static_cast<std::uint16_t>(layout == Layout::strided ? shape.size() / 2 : shape.size());
    const std::uint32_t id = m.array(t, shape, bytes, layout);
    m.columns.nodes[id].form = dims;
    m.columns.arrays[0].offset += offset;
    return id;
  });
}

const TypeRecord kUint64{2, 0, 0, 0, 0, 8, 0, 0, 0};

TEST_CASE("verify: shapes whose product wraps, is negative or cannot be addressed") {
  const Bytes bytes(80);
  CHECK(array_reason(kUint64, {10}, Layout::c, bytes) == "no error");
  CHECK(array_reason(kUint64, {(std::int64_t{1} << 61) + 1}, Layout::c, bytes) == "shape_overflow");
  CHECK(array_reason(kUint64, {std::int64_t{1} << 32, std::int64_t{1} << 32}, Layout::c, bytes) == "shape_overflow");
  CHECK(array_reason(kUint64, {0, std::int64_t{1} << 62}, Layout::c, {}) == "shape_overflow");
  CHECK(array_reason(kUint64, {0, 7}, Layout::c, {}) == "no error");
  CHECK(array_reason(kUint64, {0, 7}, Layout::c, bytes) == "out_of_bounds");  // no bytes, yet a buffer
  CHECK(array_reason(kUint64, {-1}, Layout::c, bytes) == "shape_overflow");
  CHECK(array_reason(kUint64, {11}, Layout::c, bytes) == "out_of_bounds");
  CHECK(array_reason(kUint64, {10}, Layout::c, bytes, 1) == "out_of_bounds");
  CHECK(array_reason(kUint64, std::vector<std::int64_t>(64, 1), Layout::c, Bytes(8)) == "no error");
  CHECK(array_reason(kUint64, std::vector<std::int64_t>(65, 1), Layout::c, Bytes(8)) == "bad_node");
  CHECK(array_reason({9, 2, 0, 0, 0, std::uint64_t{2} << 30, 0, 0, 0}, {2}, Layout::c, bytes) == "out_of_bounds");
  CHECK(array_reason({9, 2, 0, 0, 0, 0, 0, 0, 0}, {std::int64_t{1} << 40}, Layout::c, {}) == "no error");
}

TEST_CASE("verify: strides inside the buffer are valid, whatever their sign; outside they are out of bounds") {
  const Bytes bytes(80);
  const std::int64_t least = INT64_MIN, greatest = INT64_MAX;
  CHECK(array_reason(kUint64, {10, 0}, Layout::strided, bytes) == "no error");  // one element, ten times
  CHECK(array_reason(kUint64, {10, 8}, Layout::strided, bytes) == "no error");
  CHECK(array_reason(kUint64, {10, -8}, Layout::strided, bytes, 72) == "no error");
  CHECK(array_reason(kUint64, {10, -8}, Layout::strided, bytes, 71) == "out_of_bounds");
  CHECK(array_reason(kUint64, {10, -8}, Layout::strided, bytes) == "out_of_bounds");
  CHECK(array_reason(kUint64, {24, 3}, Layout::strided, bytes, 3) == "no error");
  CHECK(array_reason(kUint64, {24, 3}, Layout::strided, bytes, 4) == "out_of_bounds");
  CHECK(array_reason(kUint64, {2, greatest}, Layout::strided, bytes) == "out_of_bounds");
  CHECK(array_reason(kUint64, {2, least}, Layout::strided, bytes) == "out_of_bounds");
  CHECK(array_reason(kUint64, {3, 3, greatest, greatest}, Layout::strided, bytes) == "out_of_bounds");
  CHECK(array_reason(kUint64, {3, 3, greatest, least}, Layout::strided, bytes) == "out_of_bounds");
  CHECK(array_reason(kUint64, {1, greatest}, Layout::strided, bytes) == "no error");  // never stepped
  CHECK(array_reason(kUint64, {0, greatest}, Layout::strided, {}) == "no error");
}

TEST_CASE("verify: texts are UTF-8 unless flagged, and flagged only then") {
  const auto text = [](std::string_view bytes, std::uint8_t flags) {
    return reason_with([&](SampleModel& m) { return m.bytes_node(5, bytes, flags); });
  };
  CHECK(text("gr\xc3\xbc\xc3\x9f", 0) == "no error");
  CHECK(text(std::string_view("a\0b", 3), 0) == "no error");
  CHECK(text("\xed\xa0\x80", kSurrogates) == "no error");
  CHECK(text("\xed\xa0\x80", 0) == "bad_text");
  CHECK(text("plain", kSurrogates) == "bad_text");
  CHECK(text("\xff", 0) == "bad_text");
  CHECK(text("\xff", kSurrogates) == "bad_text");
  CHECK(text("", 4) == "bad_node");
  CHECK(reason_with([](SampleModel& m) { return m.bytes_node(5, "abc"); },
                    [](SampleModel& m, std::uint32_t id) { m.columns.nodes[id].a = 4; }) == "out_of_bounds");
  CHECK(reason_with([](SampleModel& m) { return m.bytes_node(6, "abc"); },
                    [](SampleModel& m, std::uint32_t id) { m.columns.nodes[id].b = ~std::uint64_t{0}; }) ==
        "out_of_bounds");
}

TEST_CASE("verify: a long text has its length before it") {
  const auto long_text = [](std::uint64_t length, std::uint64_t back) {
    return reason_with([&](SampleModel& m) {
      std::string bytes(8, '\0');
      std::memcpy(bytes.data(), &length, 8);
      const std::uint64_t at = m.heap(bytes + "abc");
      return m.node(6, kLongText, 0, 0, at + 8 - back);
    });
  };
  CHECK(long_text(3, 0) == "no error");
  CHECK(long_text(4, 0) == "out_of_bounds");
  CHECK(long_text(~std::uint64_t{0}, 0) == "out_of_bounds");
  CHECK(long_text(3, 5) == "bad_node");
}

TEST_CASE("verify: each kind of node has its own shape") {
  const auto node = [](std::uint8_t kind, std::uint8_t flags, std::uint16_t form, std::uint32_t a, std::uint64_t b) {
    return reason_with([&](SampleModel& m) {
      m.plain_type(2, 8);
      m.heap(std::string(100, 'x'));
      return m.node(kind, flags, form, a, b);
    });
  };
  CHECK(node(0, 0, 0, 0, 0) == "no error");
  CHECK(node(0, 1, 0, 0, 0) == "bad_node");
  CHECK(node(0, 0, 1, 0, 0) == "bad_node");
  CHECK(node(0, 0, 0, 1, 0) == "bad_node");
  CHECK(node(0, 0, 0, 0, 1) == "bad_node");
  CHECK(node(1, 0, 0, 0, 1) == "no error");
  CHECK(node(1, 0, 0, 0, 2) == "bad_node");
  CHECK(node(2, 0, 0, 0, ~std::uint64_t{0}) == "no error");
  CHECK(node(2, 0, 0, 1, 0) == "bad_node");
  CHECK(node(2, 1, 0, 9, 0) == "no error");
  CHECK(node(2, 1, 0, 8, 0) == "bad_node");
  CHECK(node(2, 2, 0, 0, 0) == "bad_node");
  CHECK(node(3, 0, 0, 0, ~std::uint64_t{0}) == "no error");
  CHECK(node(4, 0, 0, 16, 84) == "no error");
  CHECK(node(4, 0, 0, 16, 85) == "out_of_bounds");
  CHECK(node(4, 0, 0, 15, 0) == "bad_node");
  CHECK(node(8, 0, 0, 2, 0) == "out_of_bounds");
  CHECK(node(8, 0, 0, 1, 0) == "overlap");  // the only link is the root's
  CHECK(node(8, 0, 0, 0, ~std::uint64_t{0}) == "out_of_bounds");
  CHECK(node(8, 1, 0, 0, 0) == "bad_node");
  CHECK(node(12, 2, 0, 0, 0) == "bad_node");
  CHECK(node(12, 0, 0, 0xffffffff, 0) == "out_of_bounds");
  CHECK(node(13, 0, 0, 2, 0) == "bad_node");
  CHECK(node(14, 0, 0, 3, 0) == "out_of_bounds");
  CHECK(node(15, 0, 0, 0, 0) == "no error");
  CHECK(node(16, 4, 0, 0, 0) == "bad_node");
  CHECK(node(16, 0, 0, 0, 0) == "bad_node");  // there are no arrays
  CHECK(node(17, 0, 0, 0, 92) == "no error");
  CHECK(node(17, 0, 0, 0, 93) == "out_of_bounds");
  CHECK(node(17, 0, 0, 1, 0) == "bad_node");
  CHECK(node(18, 0, 0, 0, 0) == "no error");
  CHECK(node(18, 0, 0, 1, 0) == "bad_node");
  CHECK(node(19, 0, 0, 9, 0) == "no error");
  CHECK(node(19, 0, 4, 9, 0) == "bad_node");  // no dot there
  CHECK(node(19, 0, 9, 9, 0) == "bad_node");
  CHECK(node(20, 1, 0, 2, 0) == "bad_node");
  CHECK(node(20, 2, 0, 1, 0) == "bad_node");
  CHECK(node(20, 129, 0, 2, 0) == "bad_node");
  CHECK(node(20, 1, 3, 1, 0) == "bad_node");
  CHECK(node(21, 0, 0, 3, 0) == "bad_node");
  CHECK(node(22, 0, 0, 0, 0) == "unknown_kind");
  CHECK(node(255, 0, 0, 0, 0) == "unknown_kind");
}

TEST_CASE("verify: a link to no node, an id of no array, type or buffer") {
  const auto good = [](SampleModel& m) { return m.array(m.plain_type(2, 8), {2}, Bytes(16)); };
  CHECK(reason_with(good) == "no error");
  CHECK(reason_with(good, [](SampleModel& m, std::uint32_t) { m.columns.links[0] = 2; }) == "bad_node");
  CHECK(reason_with(good, [](SampleModel& m, std::uint32_t) { m.columns.links[0] = kNone; }) == "bad_node");
  CHECK(reason_with(good, [](SampleModel& m, std::uint32_t id) { m.columns.nodes[id].a = 1; }) == "bad_node");
  CHECK(reason_with(good, [](SampleModel& m, std::uint32_t id) { m.columns.nodes[id].b = 1; }) == "out_of_bounds");
  CHECK(reason_with(good, [](SampleModel& m, std::uint32_t) { m.columns.arrays[0].type = 1; }) == "bad_type");
  CHECK(reason_with(good, [](SampleModel& m, std::uint32_t) { m.columns.arrays[0].buffer = 1; }) == "out_of_bounds");
  CHECK(reason_with(good, [](SampleModel& m, std::uint32_t) { m.columns.arrays[0].buffer = kNone; }) ==
        "out_of_bounds");
  CHECK(reason_with(good, [](SampleModel& m, std::uint32_t) { m.columns.arrays[0].offset = 17; }) == "out_of_bounds");
}

TEST_CASE("verify: arrays of objects have a link an element, of the type object, and no buffer") {
  const auto objects = [](std::int64_t count, std::uint64_t first, std::uint8_t type_class) {
    return reason_with([&](SampleModel& m) {
      const std::uint32_t type = m.plain_type(type_class, 8, type_class == 12 ? 2 : 0);
      const std::uint32_t id = m.array(type, {count}, {}, Layout::objects);
      m.columns.arrays[0].offset = first;
      m.columns.links = {id, id};
      return id;
    });
  };
  CHECK(objects(2, 0, 12) == "no error");
  CHECK(objects(3, 1, 12) == "out_of_bounds");
  CHECK(objects(std::int64_t{1} << 60, 0, 12) == "shape_overflow");
  CHECK(objects(2, 0, 2) == "bad_type");
  CHECK(array_reason({12, 2, 0, 0, 0, 8, 0, 0, 0}, {1}, Layout::c, Bytes(8)) == "bad_type");
}

TEST_CASE("verify: plain element types have the sizes and orders of their class") {
  const auto type = [](TypeRecord record) {
    return reason_with([&](SampleModel& m) { return m.node(18, 0, 0, m.type(record)); });
  };
  CHECK(type({0, 2, 0, 0, 0, 1, 0, 0, 0}) == "no error");
  CHECK(type({0, 2, 0, 0, 0, 2, 0, 0, 0}) == "bad_type");
  CHECK(type({0, 0, 0, 0, 0, 1, 0, 0, 0}) == "bad_type");
  CHECK(type({1, 2, 0, 0, 0, 1, 0, 0, 0}) == "no error");
  CHECK(type({1, 1, 0, 0, 0, 4, 0, 0, 0}) == "no error");
  CHECK(type({1, 2, 0, 0, 0, 4, 0, 0, 0}) == "bad_type");
  CHECK(type({3, 0, 0, 0, 0, 3, 0, 0, 0}) == "bad_type");
  CHECK(type({8, 0, 0, 0, 0, 10, 0, 0, 0}) == "bad_type");
  CHECK(type({10, 0, 0, 10, 25, 8, 0, 0, 0}) == "no error");
  CHECK(type({10, 0, 0, 3, 1, 8, 0, 0, 0}) == "bad_type");
  CHECK(type({10, 0, 0, 15, 1, 8, 0, 0, 0}) == "bad_type");
  CHECK(type({10, 0, 0, 5, 0, 8, 0, 0, 0}) == "bad_type");
  CHECK(type({16, 2, 0, 0, 0, 1, 0, 0, 0}) == "no error");
  CHECK(type({16, 2, 0, 0, 0, 2, 0, 0, 0}) == "bad_type");
  CHECK(type({22, 2, 0, 0, 1, 5, 0, 0, 0}) == "out_of_bounds");  // its name is in no heap
  CHECK(type({23, 2, 0, 0, 0, 1, 0, 0, 0}) == "unknown_type");
  CHECK(type({3, 0, 1, 0, 0, 8, 0, 0, 0}) == "bad_padding");
  CHECK(type({3, 0, 0, 0, 0, 8, 1, 0, 0}) == "bad_padding");
  CHECK(type({3, 0, 0, 0, 0, 8, 0, 1, 0}) == "bad_padding");
  CHECK(type({3, 0, 0, 0, 0, 8, 0, 0, 1}) == "bad_padding");
  CHECK(type({3, 0, 0, 0, 1, 8, 0, 0, 0}) == "bad_padding");
}

TEST_CASE("verify: records and subarrays refer to earlier types, and their parts fit") {
  const auto record = [](const std::function<void(SampleModel&, TypeRecord&)>& change) {
    return reason_with([&](SampleModel& m) {
      const std::uint32_t real = m.plain_type(3, 8);
      const std::uint64_t names = m.heap("xyxy");
      m.columns.fields.push_back({names, 1, real, 0, 0, 0, 0});
      m.columns.fields.push_back({names + 1, 1, real, 8, 0, 0, 0});
      TypeRecord type{13, 2, 1, 0, 2, 16, 0, 0, 0};
      change(m, type);
      return m.node(18, 0, 0, m.type(type));
    });
  };
  CHECK(record([](SampleModel&, TypeRecord&) {}) == "no error");
  CHECK(record([](SampleModel&, TypeRecord& t) { t.itemsize = 15; }) == "bad_type");
  CHECK(record([](SampleModel&, TypeRecord& t) { t.count = 3; }) == "out_of_bounds");
  CHECK(record([](SampleModel&, TypeRecord& t) { t.first = ~std::uint64_t{0}; }) == "out_of_bounds");
  CHECK(record([](SampleModel&, TypeRecord& t) { t.flags = 2; }) == "bad_padding");
  CHECK(record([](SampleModel& m, TypeRecord&) { m.columns.fields[1].type = 1; }) == "bad_type");  // itself
  CHECK(record([](SampleModel& m, TypeRecord&) { m.columns.fields[1].type = 77; }) == "bad_type");
  CHECK(record([](SampleModel& m, TypeRecord&) { m.columns.fields[1].offset = ~std::uint64_t{0} - 3; }) == "bad_type");
  CHECK(record([](SampleModel& m, TypeRecord&) { m.columns.fields[1].name += 1; }) == "bad_type");  // x twice
  CHECK(record([](SampleModel& m, TypeRecord&) { m.columns.fields[1].name_bytes = 4; }) == "out_of_bounds");
  CHECK(record([](SampleModel& m, TypeRecord&) { m.columns.fields[1].reserved = 4; }) == "bad_padding");
  const auto subarray = [&](std::uint64_t itemsize, std::vector<std::int64_t> shape, std::uint32_t base) {
    return record([&](SampleModel& m, TypeRecord& t) {
      m.columns.fields.clear();
      t = {14, 2, 0, 0, static_cast<std::uint32_t>(shape.size()), itemsize, m.extents(shape), base, 0};
    });
  };
  CHECK(subarray(48, {2, 3}, 0) == "no error");
  CHECK(subarray(47, {2, 3}, 0) == "bad_type");
  CHECK(subarray(48, {2, 3}, 1) == "bad_type");
  CHECK(subarray(48, {-2, -3}, 0) == "shape_overflow");
  CHECK(subarray(0, {std::int64_t{1} << 40, std::int64_t{1} << 40}, 0) == "shape_overflow");
}

TEST_CASE("verify: small manifests that ask for much work are refused") {
  // A million fields' worth of types that share one field, and texts that share one long run of the heap.
  CHECK(reason_with([](SampleModel& m) {
          const std::uint32_t real = m.plain_type(3, 8);
          m.columns.fields.push_back({m.heap("x"), 1, real, 0, 0, 0, 0});
          m.type({13, 2, 0, 0, 1, 8, 0, 0, 0});
          return m.node(18, 0, 0, m.type({13, 2, 0, 0, 1, 8, 0, 0, 0}));
        }) == "out_of_bounds");
  CHECK(reason_with([](SampleModel& m) {
          const std::uint64_t at = m.heap(std::string(100000, 'x'));
          for (int i = 0; i < 1000; ++i) m.node(5, 0, 0, 100000, at);
          return m.node(5, 0, 0, 100000, at);
        }) == "too_large");
}

TEST_CASE("verify: the model refers to nothing of later parts") {
  SampleModel model;
  const std::uint32_t root = model.node(8);
  model.link(root, {0});
  model.columns.model_root = root;
  model.end_model();
  model.columns.program_root = model.text("program");
  model.end_program();
  model.columns.metadata_root = model.text("metadata");
  model.finish();
  model.columns.links[0] = 1;
  CHECK(verify_reason(write_to_memory(model)) == "bad_node");
  model.columns.links[0] = 0;
  CHECK(verify_reason(write_to_memory(model)) == "no error");
  model.columns.nodes[1].b += 4;
  CHECK(verify_reason(write_to_memory(model)) == "out_of_bounds");
  model.columns.nodes[1].b -= 4;
  model.columns.model_root = 2;
  CHECK(verify_reason(write_to_memory(model)) == "bad_header");
}

struct DataFile {
  SampleModel model;
  Bytes file;
  DataFile() {
    fill_with_arrays(model, {small_numbers(100, 1), random_bytes(20000, 2), random_bytes((1 << 20) + 16384, 3)});
    file = write_to_memory(model);
  }
  std::string with_block(std::uint64_t index, const std::function<void(BlockRecord&)>& change) const {
    FileForger forger(file);
    forger.edit<BlockRecord>(Section::blocks, index, change);
    return verify_reason(forger.build());
  }
};

TEST_CASE("verify: blocks overlap, leave gaps, lie unaligned or outside") {
  const DataFile data;
  REQUIRE(verify_reason(data.file) == "no error");
  CHECK(data.with_block(0, [](BlockRecord& b) { b.offset = 0; }) == "overlap");
  CHECK(data.with_block(1, [](BlockRecord& b) { b.offset = 64; }) == "overlap");
  CHECK(data.with_block(1, [](BlockRecord& b) { b.offset += 64; }) == "bad_alignment");
  CHECK(data.with_block(1, [](BlockRecord& b) { b.offset += 4096; }) == "bad_segment");
  CHECK(data.with_block(2, [](BlockRecord& b) { b.offset = ~std::uint64_t{0} - 4095; }) == "bad_segment");
  CHECK(data.with_block(3, [](BlockRecord& b) { b.offset += 64; }) == "bad_segment");
  CHECK(data.with_block(3, [](BlockRecord& b) { b.offset -= 64; }) == "overlap");
}

TEST_CASE("verify: block records that contradict their buffer or themselves") {
  const DataFile data;
  CHECK(data.with_block(1, [](BlockRecord& b) { b.flags = 0; }) != "no error");  // the footer says all are mapped
  CHECK(data.with_block(3, [](BlockRecord& b) { b.flags = 1; }) == "bad_segment");
  CHECK(data.with_block(1, [](BlockRecord& b) { b.flags = 3; }) == "bad_padding");
  CHECK(data.with_block(1, [](BlockRecord& b) { b.reserved = 1; }) == "bad_padding");
  CHECK(data.with_block(1, [](BlockRecord& b) { b.raw_bytes -= 1; }) == "bad_segment");
  CHECK(data.with_block(1, [](BlockRecord& b) { b.stored_bytes -= 1; }) == "bad_segment");
  CHECK(data.with_block(1, [](BlockRecord& b) { b.codec = 1; }) == "bad_segment");
  CHECK(data.with_block(1, [](BlockRecord& b) { b.filters[0] = 1; }) == "bad_segment");
  CHECK(data.with_block(1, [](BlockRecord& b) { b.filters[2] = 1; }) == "bad_segment");
  CHECK(data.with_block(1, [](BlockRecord& b) { b.group = 1; }) == "bad_segment");
  CHECK(data.with_block(1, [](BlockRecord& b) { b.filtered_bytes = 1; }) == "bad_segment");
  const auto with_buffer = [&](std::uint64_t index, const std::function<void(BufferRecord&)>& change) {
    FileForger forger(data.file);
    forger.edit<BufferRecord>(Section::buffers, index, change);
    return verify_reason(forger.build());
  };
  CHECK(with_buffer(0, [](BufferRecord& b) { b.flags = 0; }) == "bad_segment");
  CHECK(with_buffer(0, [](BufferRecord& b) { b.flags = 2; }) == "bad_padding");
  CHECK(with_buffer(1, [](BufferRecord& b) { b.flags = 1; }) != "no error");
  CHECK(with_buffer(2, [](BufferRecord& b) { b.first_block = 1; }) == "bad_segment");
  CHECK(with_buffer(2, [](BufferRecord& b) { b.raw_bytes -= 16384; }) != "no error");
  CHECK(with_buffer(2, [](BufferRecord& b) { b.raw_bytes += 1 << 20; }) != "no error");
  CHECK(with_buffer(1, [](BufferRecord& b) { b.raw_bytes = 0; }) != "no error");
}

TEST_CASE("verify: padding between blocks and sections is zero") {
  const DataFile data;
  const Image image(data.file, "a.mere");
  for (const std::uint64_t at : {image.block(1).offset - 1, image.block(0).offset + 100, image.block(2).offset - 5}) {
    Bytes bad = data.file;
    bad[at] = std::byte{1};
    std::string message;
    CHECK(verify_reason(bad, &message) == "bad_padding");
    CHECK(message.find("offset " + std::to_string(at)) != std::string::npos);
    VerifyOptions manifest;
    manifest.data = false;
    CHECK(!reason_of([&] { verify(Image(bad, "a.mere"), manifest); }));
  }
  const std::uint64_t links_end = image.file_offset(Section::links, image.section(Section::links).count);
  Bytes bad = data.file;
  bad[links_end] = std::byte{1};
  CHECK(verify_reason(bad) == "bad_padding");
}

TEST_CASE("verify: damage to any byte of the data is found and named") {
  const DataFile data;
  const Image good(data.file, "a.mere");
  for (std::uint64_t at = kHeaderBytes; at < good.data_end(); at += 4093) {
    Bytes bad = data.file;
    bad[at] ^= std::byte{0x20};
    std::string message;
    const std::string reason = verify_reason(bad, &message);
    CHECK((reason == "checksum" || reason == "bad_padding"));
    CHECK(message.find("offset") != std::string::npos);
    for (const unsigned threads : {2U, 4U}) {
      VerifyOptions options;
      options.threads = threads;
      CHECK(reason_of([&] { verify(Image(bad, "a.mere"), options); }).has_value());
    }
  }
}

TEST_CASE("verify: sums of sections, and both ids") {
  const DataFile data;
  for (std::size_t section = 0; section < kSectionCount; ++section) {
    FileForger forger(data.file);
    forger.last_change = [&](Footer& f) { f.sections[section].sum ^= 1; };
    std::string message;
    CHECK(verify_reason(forger.build(), &message) == "checksum");
    CHECK(message.find("section " + std::to_string(section + 1)) != std::string::npos);
  }
  for (const int which : {0, 1}) {
    FileForger forger(data.file);
    forger.last_change = [&](Footer& f) { ++(which == 0 ? f.content_high : f.program_low); };
    CHECK(verify_reason(forger.build()) == "checksum");
  }
}

TEST_CASE("verify: progress ends at the total") {
  const DataFile data;
  for (const unsigned threads : {1U, 2U}) {
    VerifyOptions options;
    options.threads = threads;
    std::uint64_t last = 0, all = 1;
    options.progress = [&](std::uint64_t done, std::uint64_t total) {
      last = done;
      all = total;
    };
    verify(Image(data.file, "a.mere"), options);
    CHECK(last == all);
    CHECK(all == 100 + 20000 + (1 << 20) + 16384);
  }
}

TEST_CASE("verify: a page that failed while it ran is the error") {
  const DataFile data;
  const Image image(data.file, "a.mere", codec::array_filters(), [] { return true; });
  CHECK(word(reason_of([&] { verify(image, {}); })) == "fault");
  Bytes out(100);
  CHECK(word(reason_of([&] { image.read_buffer(1, 0, out); })) == "fault");
}

}  // namespace
}  // namespace mere::format
