#pragma once
// The models of tests/data/golden: every node kind, element type, layout and way of storing blocks that format 1.0 has.

#include <algorithm>
#include <bit>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "codec/checksum.hpp"
#include "sample_model.hpp"

namespace mere::format::testing {

// A text key's place in the index of a dict (format.md 7), by the rules of that page.
inline void append_key_index(SampleModel& model, std::vector<std::pair<std::string, std::uint32_t>> keys,
                             std::uint32_t entries) {
  const auto hash = [](const std::string& key) { return codec::xxh3_64(std::as_bytes(std::span(key))); };
  std::sort(keys.begin(), keys.end(), [&](const auto& a, const auto& b) {
    return std::pair(hash(a.first), a.first) < std::pair(hash(b.first), b.first);
  });
  const std::uint64_t buckets = std::max<std::uint64_t>(1, std::bit_ceil(keys.size()) / 8);
  const int k = std::countr_zero(buckets);
  std::vector<std::uint32_t>& links = model.columns.links;
  links.push_back(static_cast<std::uint32_t>(keys.size()));
  for (std::uint64_t j = 0; j <= buckets; ++j) {
    const auto first = std::find_if(keys.begin(), keys.end(),
                                    [&](const auto& key) { return (k == 0 ? 0 : hash(key.first) >> (64 - k)) >= j; });
    links.push_back(static_cast<std::uint32_t>(first - keys.begin()));
  }
  const int w = std::bit_width(entries);
  for (const auto& [key, entry] : keys) links.push_back(static_cast<std::uint32_t>(hash(key) << w) | entry);
}

template <class T>
Bytes bytes_of(const std::vector<T>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return {bytes.begin(), bytes.end()};
}

// Every node kind, with the forms it has.
inline void make_kinds(SampleModel& m) {
  const std::uint32_t root = m.node(12, kIndexedDict);
  std::vector<std::uint32_t> entries;
  std::vector<std::pair<std::string, std::uint32_t>> keys;
  const auto add = [&](const std::string& key, const std::function<std::uint32_t()>& make) {
    keys.emplace_back(key, static_cast<std::uint32_t>(entries.size() / 2));
    entries.push_back(m.text(key));
    entries.push_back(make());
  };
  const auto list_of = [&](std::uint8_t kind, const std::vector<std::function<std::uint32_t()>>& members) {
    const std::uint32_t id = m.node(kind);
    std::vector<std::uint32_t> links;
    for (const auto& make : members) links.push_back(make());
    m.link(id, links);
    return id;
  };
  const auto integer = [&](std::int64_t n) {
    return [&m, n] { return m.node(2, 0, 0, 0, static_cast<std::uint64_t>(n)); };
  };
  const auto real = [&](double x) { return [&m, x] { return m.node(3, 0, 0, 0, std::bit_cast<std::uint64_t>(x)); }; };
  std::uint32_t none = 0;
  add("null", [&] { return none = m.node(0); });
  add("bools", [&] { return list_of(8, {[&] { return m.node(1); }, [&] { return m.node(1, 0, 0, 0, 1); }}); });
  add("ints", [&] {
    return list_of(8, {integer(0), integer(1), integer(-1), integer(INT64_MIN), integer(INT64_MAX)});
  });
  add("big ints", [&] {
    const std::string above("\0\0\0\0\0\0\0\0\1", 9), below("\xff\xff\xff\xff\xff\xff\xff\x7f\xff", 9);
    return list_of(
        8, {[&] { return m.bytes_node(2, above, kBigInteger); }, [&] { return m.bytes_node(2, below, kBigInteger); }});
  });
  add("floats", [&] { return list_of(8, {real(0.0), real(-0.0), real(0.1), real(1e308 * 10), real(5e-324)}); });
  add("complex", [&] { return m.bytes_node(4, std::string("\0\0\0\0\0\0\xf8\x3f\0\0\0\0\0\0\0\xc0", 16)); });
  add("texts", [&] {
    return list_of(8, {[&] { return m.text(""); }, [&] { return m.text("gr\xc3\xbc\xc3\x9f \xf0\x9f\x8c\x8a"); },
                       [&] { return m.text(std::string("a\0b", 3)); },
                       [&] { return m.bytes_node(5, "\xed\xa0\x80", kSurrogates); },
                       [&] {
                         const std::uint64_t at = m.heap(std::string("\4\0\0\0\0\0\0\0", 8) + "long");
                         return m.node(5, kLongText, 0, 0, at + 8);
                       }});
  });
  add("bytes", [&] { return m.bytes_node(6, std::string("\0\xff", 2)); });
  add("bytearray", [&] { return m.bytes_node(7, "changes"); });
  add("tuple", [&] { return list_of(9, {integer(2), [&] { return list_of(9, {}); }}); });
  add("set", [&] { return list_of(10, {integer(3), integer(4)}); });
  add("frozenset", [&] { return list_of(11, {integer(5)}); });
  add("small dict", [&] {
    const std::uint32_t dict = m.node(12);
    const std::uint32_t key = list_of(9, {integer(6), integer(7)});
    m.link(dict, {key, m.text("a tuple is the key"), none, none});
    return dict;
  });
  add("slice", [&] { return list_of(13, {integer(8), [&] { return none; }, integer(9)}); });
  add("range", [&] { return list_of(14, {integer(10), integer(20), integer(11)}); });
  add("ellipsis", [&] { return m.node(15); });
  const std::uint32_t real_type = m.plain_type(3, 8), text_type = m.plain_type(8, 12);
  add("array", [&] { return m.array(real_type, {2}, bytes_of<double>({1.5, -2.5})); });
  add("scalars", [&] {
    return list_of(8, {[&] { return m.node(17, 0, 0, real_type, m.heap(std::string("\0\0\0\0\0\0\xf0\x3f", 8))); },
                       [&] { return m.node(17, 0, 0, text_type, m.heap(std::string("a\0\0\0b\0\0\0\0\0\0\0", 12))); }});
  });
  add("dtype", [&] { return m.node(18, 0, 0, text_type); });
  add("name", [&] { return m.bytes_node(19, "collections.OrderedDict", 0, 11); });
  add("object", [&] {
    const std::uint32_t object = m.node(20, 0x7f, 0);
    const std::uint32_t type = m.bytes_node(19, "pkg.mod.Outer.Inner", 0, 7);
    const std::uint32_t args = list_of(9, {integer(12)});
    const std::uint32_t kwargs = m.node(12);
    m.link(kwargs, {m.text("named"), none});
    const std::uint32_t state = m.node(12);
    m.link(state, {m.text("myself"), object});  // a cycle
    const std::uint32_t items = list_of(8, {integer(13)});
    const std::uint32_t with_key = m.node(12);
    m.link(with_key, {m.text("key"), state});  // shared
    const std::uint32_t setter = m.bytes_node(19, "pkg.mod.set_state", 0, 7);
    m.link(object, {type, args, kwargs, state, items, with_key, setter});
    return object;
  });
  add("call", [&] {
    const std::uint32_t object = m.node(20, kPartType | kPartArgs, 1);
    m.link(object, {m.bytes_node(19, "builtins.iter", 0, 8), list_of(9, {})});
    return object;
  });
  add("record", [&] {
    const std::uint32_t object = m.node(20, kPartType | kPartState, 2);
    const std::uint32_t type = m.bytes_node(19, "Forest");
    const std::uint32_t state = m.node(12);
    m.link(state, {m.text("trees"), list_of(8, {})});
    m.link(object, {type, state});
    return object;
  });
  add("opaque", [&] {
    const std::uint32_t opaque = m.node(21);
    const std::uint32_t info = m.node(12);
    m.link(info, {m.text("format"), m.text("pickle")});
    m.link(opaque, {info, m.bytes_node(6, "\x80\x04N.")});
    return opaque;
  });
  add("itself", [&] { return root; });
  m.link(root, entries);
  append_key_index(m, keys, static_cast<std::uint32_t>(entries.size() / 2));
  m.columns.model_root = root;
  m.end_model();
  m.finish();
}

// An array of every element type, and of every layout.
inline void make_types(SampleModel& m) {
  const std::uint32_t root = m.node(8);
  std::vector<std::uint32_t> members;
  const auto add = [&](std::uint32_t type, std::uint64_t itemsize, std::uint64_t seed) {
    Bytes bytes = small_numbers(3 * itemsize, seed);
    members.push_back(m.array(type, {3}, bytes));
  };
  struct Plain {
    std::uint8_t type_class;
    std::uint64_t itemsize;
    bool ordered;
  };
  const std::vector<Plain> plain = {{0, 1, false},  {1, 1, false},  {1, 2, true},   {1, 4, true},   {1, 8, true},
                                    {2, 1, false},  {2, 2, true},   {2, 4, true},   {2, 8, true},   {3, 2, true},
                                    {3, 4, true},   {3, 8, true},   {4, 8, true},   {4, 16, true},  {7, 5, false},
                                    {8, 12, true},  {9, 7, false},  {15, 2, true},  {16, 1, false}, {17, 1, false},
                                    {18, 1, false}, {19, 1, false}, {20, 1, false}, {21, 1, false}};
  for (const Plain& p : plain) {
    if (p.type_class == 0) {
      members.push_back(m.array(m.plain_type(0, 1, 2), {3}, {std::byte{1}, std::byte{0}, std::byte{1}}));
    } else if (p.type_class == 8) {
      for (const std::uint8_t order : {std::uint8_t{0}, std::uint8_t{1}}) {
        Bytes bytes(36);
        for (std::size_t i = 0; i < 9; ++i) bytes[4 * i + (order == 0 ? 0 : 3)] = static_cast<std::byte>('a' + i);
        members.push_back(m.array(m.plain_type(8, 12, order), {3}, bytes));
      }
    } else {
      add(m.plain_type(p.type_class, p.itemsize, p.ordered ? 0 : 2), p.itemsize, p.type_class * 16U + p.itemsize);
      if (p.ordered && p.type_class != 15) add(m.plain_type(p.type_class, p.itemsize, 1), p.itemsize, 99);
    }
  }
  // Long doubles: 1.0 in ten bytes, the rest zero.
  const auto long_doubles = [](std::size_t itemsize, std::size_t count) {
    Bytes bytes(itemsize * count);
    for (std::size_t i = 0; i < count; ++i) {
      bytes[i * itemsize + 7] = std::byte{0x80};
      bytes[i * itemsize + 8] = std::byte{0xff};
      bytes[i * itemsize + 9] = std::byte{0x3f};
    }
    return bytes;
  };
  members.push_back(m.array(m.plain_type(5, 16), {2}, long_doubles(16, 2)));
  members.push_back(m.array(m.plain_type(5, 12), {2}, long_doubles(12, 2)));
  members.push_back(m.array(m.plain_type(6, 32), {1}, long_doubles(16, 2)));
  members.push_back(m.array(m.plain_type(6, 24), {1}, long_doubles(12, 2)));
  members.push_back(m.array(m.type({10, 0, 0, 10, 25, 8, 0, 0, 0}), {2}, bytes_of<std::int64_t>({7, INT64_MIN})));
  members.push_back(m.array(m.type({11, 1, 0, 4, 1, 8, 0, 0, 0}), {1}, bytes_of<std::int64_t>({0x0100000000000000})));
  members.push_back(m.array(m.type({11, 0, 0, 14, 1, 8, 0, 0, 0}), {1}, bytes_of<std::int64_t>({5})));
  const std::uint64_t other = m.heap("float6_e2m3");
  members.push_back(
      m.array(m.type({22, 2, 0, 0, 11, 3, other, 0, 0}), {2}, bytes_of<std::uint8_t>({1, 2, 3, 4, 5, 6})));
  // A record with a gap, a subarray, a nested record and a title.
  const std::uint32_t i16 = m.plain_type(1, 2), f32 = m.plain_type(3, 4);
  const std::uint32_t pair = m.type({14, 2, 0, 0, 2, 16, m.extents({2, 2}), f32, 0});
  const std::uint64_t names = m.heap("idvalueinsidecount"), title = m.heap("the title");
  m.columns.fields.push_back({names + 7, 6, pair, 0, 0, 0, 0});
  const std::uint32_t inner = m.type({13, 2, 0, 0, 1, 16, 0, 0, 0});
  m.columns.fields.push_back({names, 2, i16, 0, 0, 0, 0});
  m.columns.fields.push_back({names + 2, 5, f32, 4, title, 9, 0});
  m.columns.fields.push_back({names + 7, 6, inner, 8, 0, 0, 0});
  const std::uint32_t outer = m.type({13, 2, 1, 0, 3, 24, 1, 0, 0});
  Bytes records(48);
  for (std::size_t i = 0; i < 2; ++i) {
    records[24 * i] = static_cast<std::byte>(i + 1);
    const float values[5] = {0.5F, 1.F, 2.F, 3.F, static_cast<float>(i)};
    std::memcpy(records.data() + 24 * i + 4, values, sizeof values);
  }
  members.push_back(m.array(outer, {2}, records));
  // Layouts: 0-d, empty, Fortran, strided views of one buffer, no dimension of one.
  const std::uint32_t i32 = m.plain_type(1, 4);
  std::vector<std::int32_t> numbers(24);
  for (std::int32_t i = 0; i < 24; ++i) numbers[static_cast<std::size_t>(i)] = i;
  members.push_back(m.array(i32, {}, bytes_of<std::int32_t>({42})));
  members.push_back(m.array(i32, {3, 0, 2}, {}));
  members.push_back(m.array(i32, {2, 3, 4}, bytes_of(numbers), Layout::fortran));
  const std::uint32_t base = m.array(i32, {4, 6}, bytes_of(numbers));
  members.push_back(base);
  const ArrayRecord place = m.columns.arrays[m.columns.nodes[base].a];
  const auto view = [&](std::uint64_t offset, const std::vector<std::int64_t>& shape,
                        const std::vector<std::int64_t>& strides) {
    m.columns.arrays.push_back({i32, place.buffer, place.offset + offset});
    std::vector<std::int64_t> both = shape;
    both.insert(both.end(), strides.begin(), strides.end());
    members.push_back(m.node(16, static_cast<std::uint8_t>(Layout::strided), static_cast<std::uint16_t>(shape.size()),
                             static_cast<std::uint32_t>(m.columns.arrays.size() - 1), m.extents(both)));
  };
  view(0, {6, 4}, {4, 24});  // transposed
  view(92, {24}, {-4});      // backwards
  view(4, {5}, {0});         // one element, five times
  view(8, {2, 3}, {48, 8});  // every other one
  const std::uint32_t objects = m.plain_type(12, 8, 2);
  const std::uint32_t object_array = m.array(objects, {2, 1}, {}, Layout::objects);
  members.push_back(object_array);
  const std::uint32_t text = m.text("an element");
  m.columns.arrays.back().offset = m.columns.links.size();
  m.columns.links.insert(m.columns.links.end(), {text, object_array});
  m.link(root, members);
  m.columns.model_root = root;
  m.end_model();
  m.finish();
}

// Segments and arenas of several blocks, as codecs and filters meet them, with program and metadata.
inline void make_blocks(SampleModel& m) {
  const std::uint32_t root = m.node(8);
  std::vector<std::uint32_t> members;
  std::vector<std::int64_t> rows(180'000);  // more than one block, and not a whole number of them
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int64_t>(i) + 3;
  const std::uint32_t i64 = m.plain_type(1, 8), f64 = m.plain_type(3, 8), big = m.plain_type(2, 4, 1);
  members.push_back(m.array(i64, {180'000}, bytes_of(rows)));
  std::vector<double> matrix(4 * 700);
  for (std::size_t i = 0; i < matrix.size(); ++i)
    matrix[i] = i % 4 == 3 ? 0.1 * static_cast<double>(i % 12) : static_cast<double>(i % 9);
  members.push_back(m.array(f64, {700, 4}, bytes_of(matrix)));
  Bytes swapped(20'000);
  for (std::size_t i = 0; i < swapped.size(); i += 4) swapped[i + 3] = static_cast<std::byte>(i / 400);
  members.push_back(m.array(big, {5'000}, swapped));
  const std::uint64_t names = m.heap("leftfeaturevalue");
  const std::uint32_t i32 = m.plain_type(1, 4);
  m.columns.fields.push_back({names, 4, i64, 0, 0, 0, 0});
  m.columns.fields.push_back({names + 4, 7, i32, 8, 0, 0, 0});
  m.columns.fields.push_back({names + 11, 5, f64, 16, 0, 0, 0});
  const std::uint32_t node = m.type({13, 2, 0, 0, 3, 24, 0, 0, 0});
  Bytes nodes(24 * 2000);
  for (std::int64_t i = 0; i < 2000; ++i) {
    const std::int64_t left = i % 2 == 0 ? -1 : i + 5;
    const auto feature = static_cast<std::int32_t>(i % 2 == 0 ? -2 : i * 7 % 30);
    const double value = static_cast<double>(i % 17) / 16;
    std::memcpy(nodes.data() + 24 * i, &left, 8);
    std::memcpy(nodes.data() + 24 * i + 8, &feature, 4);
    std::memcpy(nodes.data() + 24 * i + 16, &value, 8);
  }
  members.push_back(m.array(node, {2000}, nodes));
  members.push_back(m.array(i64, {2048}, random_bytes(16'384, 5)));  // stays raw
  for (std::uint64_t i = 0; i < 20; ++i) members.push_back(m.array(i64, {10}, small_numbers(80, i)));
  m.link(root, members);
  m.columns.model_root = root;
  m.end_model();
  const std::uint32_t program = m.node(8);
  m.link(program, {members[0], m.array(i64, {4}, small_numbers(32, 77))});
  m.columns.program_root = program;
  m.end_program();
  const std::uint32_t metadata = m.node(12);
  m.link(metadata, {m.text("trained on"), m.text("digits")});
  m.columns.metadata_root = metadata;
  m.finish();
}

// One segment, one arena; few bytes, for fuzzers.
inline void make_small(SampleModel& m) {
  const std::uint32_t root = m.node(8);
  std::vector<std::int64_t> rows(2048);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int64_t>(i * i % 7);
  const std::uint32_t i64 = m.plain_type(1, 8);
  m.link(root, {m.array(i64, {2048}, bytes_of(rows)), m.array(i64, {1024, 2}, bytes_of(rows), Layout::fortran),
                m.array(i64, {200}, Bytes(1600)), m.text("text")});
  m.columns.model_root = root;
  m.end_model();
  m.columns.program_root = m.text("program");
  m.end_program();
  m.columns.metadata_root = m.node(12);
  m.finish();
}

struct Golden {
  const char* name;
  void (*make)(SampleModel&);
  codec::CodecId codec;
  std::uint64_t alignment;
};

inline constexpr Golden kGolden[] = {
    {"kinds", make_kinds, codec::CodecId::none, 4096},      {"types", make_types, codec::CodecId::none, 4096},
    {"aligned", make_types, codec::CodecId::none, 1 << 30}, {"lz4", make_blocks, codec::CodecId::lz4, 4096},
    {"zlib", make_blocks, codec::CodecId::zlib, 8192},      {"zstd", make_blocks, codec::CodecId::zstd, 4096},
};

inline constexpr Golden kSmall[] = {
    {"kinds", make_kinds, codec::CodecId::none, 4096}, {"types", make_types, codec::CodecId::none, 4096},
    {"lz4", make_small, codec::CodecId::lz4, 4096},    {"zlib", make_small, codec::CodecId::zlib, 4096},
    {"zstd", make_small, codec::CodecId::zstd, 4096},
};

inline WriteOptions golden_options(const Golden& golden) {
  WriteOptions options;
  options.codec.codec = golden.codec;
  options.alignment = golden.alignment;
  options.filter_table = codec::array_filters();
  return options;
}

}  // namespace mere::format::testing
