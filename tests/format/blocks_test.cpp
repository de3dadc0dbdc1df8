// Encoded blocks, chains of filters and groups; and what lies about them.

#include <doctest/doctest.h>

#include <atomic>

#include "expect_error.hpp"
#include "file_forger.hpp"
#include "format/block_reader.hpp"
#include "format/expand.hpp"
#include "format/verify.hpp"
#include "sample_model.hpp"

namespace mere::format {
namespace {

using namespace testing;

// Stores each byte less the one before: a filter of single blocks for chains.
class DifferenceFilter final : public codec::Filter {
 public:
  std::uint8_t id() const noexcept override { return 99; }
  std::string_view name() const noexcept override { return "difference"; }
  bool encode(std::span<const std::byte> raw, const codec::RowLayout&, const codec::BlockPlace&,
              std::vector<std::byte>& out, codec::FilterScratch&) const override {
    std::uint8_t before = 0;
    for (const std::byte b : raw) {
      out.push_back(static_cast<std::byte>(static_cast<std::uint8_t>(b) - before));
      before = static_cast<std::uint8_t>(b);
    }
    return true;
  }
  std::size_t bound(std::size_t raw_bytes) const noexcept override { return raw_bytes; }
  void decode(std::span<const std::byte> filtered, std::span<std::byte> raw, codec::FilterScratch&) const override {
    if (filtered.size() != raw.size()) throw Error(Reason::bad_stream, "difference: another length");
    std::uint8_t before = 0;
    for (std::size_t i = 0; i < raw.size(); ++i) {
      before = static_cast<std::uint8_t>(before + static_cast<std::uint8_t>(filtered[i]));
      raw[i] = static_cast<std::byte>(before);
    }
  }
};

// A group of two arrays of which the second repeats the first but for its last byte: stores the first, and that byte.
class TwinFilter : public codec::GroupFilter {
 public:
  std::uint8_t id() const noexcept override { return 200; }
  std::string_view name() const noexcept override { return "twins"; }
  std::size_t match(std::span<const codec::RowLayout>,
                    std::span<const std::uint64_t> raw_bytes) const noexcept override {
    return raw_bytes.size() >= 2 && raw_bytes[0] == raw_bytes[1] ? 2 : 0;
  }
  bool encode(std::span<const std::span<const std::byte>> raw, std::span<const codec::RowLayout>,
              std::vector<std::byte>& out, codec::FilterScratch&) const override {
    if (!std::equal(raw[0].begin(), raw[0].end() - 1, raw[1].begin())) return false;
    out.assign(raw[0].begin(), raw[0].end());
    out.push_back(raw[1].back());
    return true;
  }
  void decode(std::span<const std::byte> filtered, std::span<const std::span<std::byte>> raw,
              codec::FilterScratch&) const override {
    if (raw.size() != 2 || raw[0].size() != raw[1].size() || filtered.size() != raw[0].size() + 1) {
      throw Error(Reason::bad_stream, "twins: other lengths");
    }
    std::copy(filtered.begin(), filtered.end() - 1, raw[0].begin());
    std::copy(filtered.begin(), filtered.end() - 1, raw[1].begin());
    raw[1].back() = filtered.back();
  }
};

const DifferenceFilter difference;
const TwinFilter twins;
const codec::Filter* const with_difference[] = {codec::array_filters().filters[0], &difference};
const codec::GroupFilter* const with_twins[] = {&twins};
const codec::FilterTable table{with_difference, with_twins};

WriteOptions lz4_options(const codec::FilterTable& filters = codec::array_filters()) {
  WriteOptions options;
  options.codec.codec = codec::CodecId::lz4;
  options.filter_table = filters;
  return options;
}

TEST_CASE("read: any range of an encoded buffer, decoding only the blocks it touches") {
  SampleModel model;
  fill_with_arrays(model, {small_numbers((5 << 20) / 2, 1), small_numbers(100, 2)});
  Bytes file = write_to_memory(model, lz4_options());
  const Image image(file, "a.mere");
  REQUIRE(!image.find_mapped(0).has_value());
  const Bytes& raw = model.buffers[0];
  for (const std::uint64_t offset : {0UL, 1UL, (1UL << 20) - 1, 1UL << 20, (1UL << 20) + 5, (2UL << 20) + 7}) {
    for (const std::uint64_t length : {0UL, 1UL, 2UL, 4096UL, 1UL << 18}) {
      Bytes out(length);
      image.read_buffer(0, offset, out);
      CHECK(std::equal(out.begin(), out.end(), raw.begin() + static_cast<std::ptrdiff_t>(offset)));
    }
  }
  // The damaged block is the last one: the others are read without it.
  file[image.block(2).offset + 50] ^= std::byte{0x55};
  Bytes out(2 << 20);
  image.read_buffer(0, 0, out);
  CHECK(std::equal(out.begin(), out.end(), raw.begin()));
  out.resize(1);
  CHECK(word(reason_of([&] { image.read_buffer(0, 2 << 20, out); })) != "no error");
}

TEST_CASE("read: an unknown codec or filter is an error when it is touched, and not before") {
  SampleModel model;
  fill_with_arrays(model, {small_numbers(100000, 1), small_numbers(100000, 2)});
  const Bytes file = write_to_memory(model, lz4_options());
  const auto with = [&](const std::function<void(BlockRecord&)>& change) {
    FileForger forger(file);
    forger.edit<BlockRecord>(Section::blocks, 0, change);
    const Bytes bytes = forger.build();
    const Image image(bytes, "a.mere");
    Bytes out(100000);
    image.read_buffer(1, 0, out);
    return word(reason_of([&] { image.read_buffer(0, 0, out); }));
  };
  CHECK(with([](BlockRecord& b) { b.codec = 77; }) == "unknown_codec");
  CHECK(with([](BlockRecord& b) { b.filters[0] = 98; }) == "unknown_filter");
  CHECK(with([](BlockRecord& b) { b.filters[0] = 200; }) == "unknown_filter");
}

TEST_CASE("read: a stream that is cut, damaged or of another length is an error with its offset") {
  SampleModel model;
  fill_with_arrays(model, {small_numbers(100000, 1)});
  for (const codec::CodecId id : {codec::CodecId::lz4, codec::CodecId::zlib, codec::CodecId::zstd}) {
    if (!codec::has_codec(id)) continue;
    for (const bool filters : {false, true}) {
      WriteOptions options = lz4_options();
      options.codec.codec = id;
      options.filters = filters;
      const Bytes file = write_to_memory(model, options);
      const auto with = [&](const std::function<void(BlockRecord&)>& change) {
        FileForger forger(file);
        forger.edit<BlockRecord>(Section::blocks, 0, change);
        const Bytes bytes = forger.build();
        const Image image(bytes, "a.mere");
        CHECK(word(reason_of([&] { verify(image, {}); })) != "no error");
        Bytes out(image.buffer(0).raw_bytes);
        std::string message;
        const std::string reason = word(reason_of([&] { image.read_buffer(0, 0, out); }, &message));
        CHECK(message.find("a.mere") != std::string::npos);
        CHECK(message.find("offset") != std::string::npos);
        return reason;
      };
      CHECK(with([](BlockRecord& b) { b.stored_bytes -= 1; }) == "bad_stream");
      CHECK(with([](BlockRecord& b) { b.stored_bytes = 0; }) == "bad_stream");
      CHECK(with([](BlockRecord& b) {
              b.offset += 1;
              b.stored_bytes -= 1;
            }) != "no error");
      CHECK(with([](BlockRecord& b) { b.raw_bytes += 1; }) == "bad_segment");
      CHECK(with([](BlockRecord& b) { b.raw_bytes = 0; }) == "bad_segment");
      CHECK(with([](BlockRecord& b) { b.stored_bytes = 0xffffffff; }) == "bad_segment");
      CHECK(with([](BlockRecord& b) { b.offset = ~std::uint64_t{0}; }) == "bad_segment");
      CHECK(with([](BlockRecord& b) { b.filtered_bytes += 1; }) != "no error");
      CHECK(with([](BlockRecord& b) {
              b.filtered_bytes = 0xffffffff;
              b.filters[0] = 1;
            }) == "bad_segment");
      CHECK(with([](BlockRecord& b) { b.filters[1] = 1; }) != "no error");
      CHECK(with([](BlockRecord& b) { b.filters[3] = 1; }) == "bad_segment");
      Bytes bad = file;
      const Image image(file, "a.mere");
      const BlockRecord block = image.block(0);
      for (std::uint32_t at = 0; at < block.stored_bytes; at += 1 + block.stored_bytes / 300) {
        bad[block.offset + at] ^= std::byte{0x10};
        const Image damaged(bad, "a.mere");
        Bytes out(image.buffer(0).raw_bytes);
        // Some bits of a stream mean nothing: then the bytes are equal.
        const auto reason = reason_of([&] { damaged.read_buffer(0, 0, out); });
        CHECK((reason || out == model.buffers[0]));
        bad[block.offset + at] = file[block.offset + at];
      }
    }
  }
}

TEST_CASE("read: a buffer that claims a terabyte is refused before memory is taken for it") {
  SampleModel model;
  fill_with_arrays(model, {small_numbers(100000, 1)});
  FileForger forger(write_to_memory(model, lz4_options()));
  forger.edit<BufferRecord>(Section::buffers, 0, [](BufferRecord& b) { b.raw_bytes = std::uint64_t{1} << 40; });
  const Bytes bytes = forger.build();
  const Image image(bytes, "a.mere");
  Bytes out(100);
  CHECK(word(reason_of([&] { image.read_buffer(0, 0, out); })) == "bad_segment");
  CHECK(word(reason_of([&] { verify(image, {}); })) == "bad_segment");
  os::MemorySink sink;
  CHECK(word(reason_of([&] { rewrite(image, {}, sink, 1 << 30); })) == "bad_segment");
}

TEST_CASE("read: a chain of filters is undone from the last to the first") {
  // By hand, since our writer uses one: columns, then difference twice.
  SampleModel model;
  fill_with_arrays(model, {small_numbers(100000, 1)});
  const Bytes& raw = model.buffers[0];
  codec::FilterScratch scratch;
  std::vector<std::byte> stored(raw.begin(), raw.end()), next;
  std::uint32_t before = 0;
  codec::RowLayout layout;
  layout.row_bytes = 8;
  layout.columns = {{0, 8, codec::Column::Content::integer, false}};
  for (const codec::Filter* filter : {with_difference[0], with_difference[1], with_difference[1]}) {
    next.clear();
    REQUIRE(filter->encode(stored, layout, {0}, next, scratch));
    std::vector<std::byte> with_length;
    if (before != 0) {
      const auto length = std::as_bytes(std::span(&before, 1));
      with_length.assign(length.begin(), length.end());
    }
    with_length.insert(with_length.end(), next.begin(), next.end());
    stored = with_length;
    before = static_cast<std::uint32_t>(stored.size());
  }
  FileForger forger(write_to_memory(model));
  // Instead of the raw array.
  const auto make = [&](const std::vector<std::byte>& bytes) {
    forger.data = bytes;
    forger.edit<BlockRecord>(Section::blocks, 0, [&](BlockRecord& b) {
      b.offset = kHeaderBytes;
      b.flags = 0;
      b.stored_bytes = b.filtered_bytes = static_cast<std::uint32_t>(bytes.size());
      b.filters = {1, 99, 99, 0};
    });
    forger.footer.flags = kHasEncodedBlocks;
    return forger.build();
  };
  const Bytes file = make(stored);
  const Image image(file, "a.mere", table);
  CHECK(read_all(image) == model.buffers);
  verify(image, {});
  for (const std::size_t at : {0, 3, 4, 7, 8, 11}) {
    std::vector<std::byte> bad = stored;
    bad[at] ^= std::byte{0x81};
    const Bytes damaged = make(bad);
    CHECK(word(reason_of([&] { read_all(Image(damaged, "a.mere", table)); })) != "no error");
  }
}

TEST_CASE("groups: arrays that a group filter makes shorter are stored as one, and read alone or together") {
  SampleModel model;
  Bytes a = random_bytes((1 << 20) + 40000, 1);
  Bytes b = a;
  b.back() = static_cast<std::byte>(static_cast<std::uint8_t>(b.back()) ^ 1);
  const Bytes other = random_bytes(30000, 9);
  const Bytes small = small_numbers(20000, 3);
  fill_with_arrays(model, {other, a, b, small_numbers(64, 2), small, small});
  WriteOptions options = lz4_options(table);
  const Bytes file = write_to_memory(model, options);
  const Image image(file, "a.mere", table);
  verify(image, {});
  CHECK(image.block(image.buffer(1).first_block).group == (kGroupLeader | 4));
  CHECK(image.block(image.buffer(2).first_block).group == 2);
  CHECK(file.size() < a.size() + other.size() + 100000);
  CHECK(read_all(image) == model.buffers);
  Bytes out(5000);
  image.read_buffer(2, (1 << 20) - 100, out);
  CHECK(std::equal(out.begin(), out.end(), b.begin() + (1 << 20) - 100));
  for (const unsigned threads : {2U, 4U}) {
    options.threads = threads;
    CHECK(write_to_memory(model, options) == file);
  }
  // Without the filter the group cannot be read; all else can.
  const Image plain(file, "a.mere");
  CHECK(word(reason_of([&] { plain.read_buffer(1, 0, out); })) == "unknown_filter");
  plain.read_buffer(0, 0, out);
  // Rewritten without codecs, in parallel, it is the file that would have been written so.
  WriteOptions raw;
  raw.threads = 2;
  os::MemorySink sink;
  rewrite(image, raw, sink, 1 << 30);
  CHECK(sink.take() == write_to_memory(model));
}

// Counts what it decodes.
class CountedTwins final : public TwinFilter {
 public:
  void decode(std::span<const std::byte> filtered, std::span<const std::span<std::byte>> raw,
              codec::FilterScratch& scratch) const override {
    ++decoded;
    TwinFilter::decode(filtered, raw, scratch);
  }
  mutable std::atomic<int> decoded = 0;
};

TEST_CASE("groups: expanding decodes each of them once, with any number of threads") {
  SampleModel model;
  std::vector<Bytes> arrays;
  for (unsigned i = 0; i < 9; ++i) arrays.insert(arrays.end(), 2, random_bytes(300000 + 1000 * i, i));
  fill_with_arrays(model, arrays);
  CountedTwins filter;
  const codec::GroupFilter* const filters[] = {&filter};
  const codec::FilterTable counting{codec::array_filters().filters, filters};
  const Bytes file = write_to_memory(model, lz4_options(counting));
  for (const unsigned threads : {1U, 2U, 4U}) {
    filter.decoded = 0;
    WriteOptions raw;
    raw.threads = threads;
    os::MemorySink sink;
    rewrite(Image(file, "a.mere", counting), raw, sink, 1 << 30);
    CHECK(sink.take() == write_to_memory(model));
    CHECK(filter.decoded == 9);
  }
}

TEST_CASE("groups: large ones are made too, up to 16 MiB") {
  SampleModel model;
  const Bytes large = random_bytes(3 << 20, 1), too_large = random_bytes((8 << 20) + 1, 2);
  fill_with_arrays(model, {large, large, too_large, too_large});
  WriteOptions options = lz4_options(table);
  const Bytes file = write_to_memory(model, options);
  const Image image(file, "a.mere", table);
  CHECK(image.block(0).group == (kGroupLeader | 6));
  CHECK(image.block(image.buffer(2).first_block).group == 0);
  verify(image, {});
  CHECK(read_all(image) == model.buffers);
  options.threads = 3;
  CHECK(write_to_memory(model, options) == file);
}

TEST_CASE("groups: records that lie about them are errors") {
  SampleModel model;
  const Bytes a = random_bytes((1 << 20) + 40000, 1);
  fill_with_arrays(model, {a, a, small_numbers(50000, 1)});
  const Bytes file = write_to_memory(model, lz4_options(table));
  const auto with = [&](std::uint64_t block, const std::function<void(BlockRecord&)>& change) {
    FileForger forger(file);
    forger.edit<BlockRecord>(Section::blocks, block, change);
    const Bytes bytes = forger.build();
    const Image image(bytes, "a.mere", table);
    CHECK(word(reason_of([&] { verify(image, {}); })) != "no error");
    return word(reason_of([&] { read_all(image); }));
  };
  CHECK(with(0, [](BlockRecord& b) { b.group = 0; }) != "no error");
  CHECK(with(0, [](BlockRecord& b) { b.group = kGroupLeader | 5; }) != "no error");
  CHECK(with(0, [](BlockRecord& b) { b.group = kGroupLeader | 3; }) == "bad_segment");
  CHECK(with(0, [](BlockRecord& b) { b.group = kGroupLeader | 0x7fffffff; }) == "bad_segment");
  CHECK(with(0, [](BlockRecord& b) { b.group = kGroupLeader; }) == "bad_segment");
  CHECK(with(0, [](BlockRecord& b) { b.filters[1] = 1; }) == "bad_segment");
  CHECK(with(0, [](BlockRecord& b) { b.filters[0] = 201; }) == "unknown_filter");
  CHECK(with(0, [](BlockRecord& b) { b.filtered_bytes = 0xffffffff; }) == "bad_segment");
  CHECK(with(1, [](BlockRecord& b) { b.group = 2; }) == "bad_segment");
  CHECK(with(1, [](BlockRecord& b) { b.group = 0x7fffffff; }) == "bad_segment");
  CHECK(with(3, [](BlockRecord& b) { b.group = kGroupLeader | 2; }) == "bad_segment");
  CHECK(with(4, [](BlockRecord& b) { b.group = 1; }) != "no error");
}

}  // namespace
}  // namespace mere::format
