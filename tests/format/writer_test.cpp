#include <doctest/doctest.h>

#include <sstream>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/checksum.hpp"
#include "expect_error.hpp"
#include "format/verify.hpp"
#include "os/descriptor.hpp"
#include "sample_model.hpp"

namespace mere::format {
namespace {

using namespace testing;

std::vector<Bytes> mixed_contents() {
  std::vector<Bytes> contents;
  for (std::uint64_t i = 0; i < 300; ++i) contents.push_back(random_bytes(8 * (1 + i * 37 % 2000), i));
  contents.push_back(small_numbers(3 << 20, 1));
  contents.push_back(random_bytes((2 << 20) + 8, 2));
  for (std::uint64_t i = 0; i < 40; ++i) contents.push_back(small_numbers(16384 + 8 * i, i));
  contents.push_back({});
  contents.push_back(random_bytes(kBlockBytes, 3));
  contents.push_back(small_numbers(kBlockBytes + 8, 4));
  return contents;
}

WriteOptions with_codec(codec::CodecId id, unsigned threads = 1) {
  WriteOptions options;
  options.codec.codec = id;
  options.filter_table = codec::array_filters();
  options.threads = threads;
  return options;
}

void check_holds(const Bytes& file, const SampleModel& model) {
  const Image image(file, "a.mere");
  verify(image, {});
  CHECK(read_all(image) == model.buffers);
}

TEST_CASE("write: what was written is read back equal, verified, whatever the codec") {
  SampleModel model;
  fill_with_arrays(model, mixed_contents());
  for (const codec::CodecId id :
       {codec::CodecId::none, codec::CodecId::lz4, codec::CodecId::zlib, codec::CodecId::zstd}) {
    if (!codec::has_codec(id)) continue;
    for (const bool filters : {true, false}) {
      WriteOptions options = with_codec(id);
      options.filters = filters;
      const Bytes file = write_to_memory(model, options);
      check_holds(file, model);
      const Image image(file, "a.mere");
      CHECK(image.has_encoded_blocks() == (id != codec::CodecId::none));
    }
  }
}

TEST_CASE("write: the bytes depend neither on threads nor on whether arrays have to be gathered") {
  SampleModel model;
  fill_with_arrays(model, mixed_contents());
  for (const codec::CodecId id : {codec::CodecId::none, codec::CodecId::lz4, codec::CodecId::zlib}) {
    const Bytes one = write_to_memory(model, with_codec(id, 1));
    for (const unsigned threads : {1U, 2U, 4U}) {
      for (const bool direct : {true, false}) {
        model.direct = direct;
        CHECK(write_to_memory(model, with_codec(id, threads)) == one);
      }
    }
    model.direct = true;
  }
}

TEST_CASE("write: file, pipe, stream and memory get the same bytes") {
  SampleModel model;
  fill_with_arrays(model, mixed_contents());
  const WriteOptions options = with_codec(codec::CodecId::lz4, 2);
  for (const WriteOptions& chosen : {options, with_codec(codec::CodecId::none, 2)}) {
    const Bytes expected = write_to_memory(model, chosen);
    std::ostringstream stream;
    os::StreamSink to_stream(stream);
    write_file(model.columns, model, chosen, to_stream);
    const std::string text = stream.str();
    CHECK(text.size() == expected.size());
    CHECK(std::memcmp(text.data(), expected.data(), expected.size()) == 0);

    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    const os::Descriptor from(ends[0]);
    os::Descriptor to(ends[1]);
    Bytes piped(expected.size() + 1);
    std::size_t received = 0;
    std::thread reader([&] {
      for (;;) {
        const std::size_t n = os::read_some(from.get(), piped.data() + received, piped.size() - received, "pipe");
        if (n == 0) break;
        received += n;
      }
    });
    os::DescriptorSink to_pipe(to.get(), "pipe");
    write_file(model.columns, model, chosen, to_pipe);
    to = os::Descriptor();
    reader.join();
    piped.resize(received);
    CHECK(piped == expected);

    const os::Descriptor file = os::anonymous_file("writer_test");
    os::DescriptorSink to_file(file.get(), "file");
    write_file(model.columns, model, chosen, to_file);
    Bytes filed(expected.size() + 1);
    filed.resize(os::read_at(file.get(), filed.data(), filed.size(), 0, "file"));
    CHECK(filed == expected);
  }
}

TEST_CASE("write: the expected size is the size when nothing is encoded") {
  struct Asking : os::MemorySink {
    std::uint64_t expected = 0;
    void expect(std::uint64_t bytes) override { expected = bytes; }
  };
  SampleModel model;
  fill_with_arrays(model, mixed_contents());
  Asking sink;
  WriteOptions options;
  options.alignment = 1 << 16;
  const WriteResult result = write_file(model.columns, model, options, sink);
  CHECK(sink.expected == result.file_bytes);
  CHECK(sink.take().size() == result.file_bytes);
}

TEST_CASE("write: segments stand at the alignment or the largest power of two in their length, arenas at 64") {
  SampleModel model;
  fill_with_arrays(model, mixed_contents());
  for (const std::uint64_t alignment : {std::uint64_t{4096}, std::uint64_t{1} << 16, std::uint64_t{1} << 21}) {
    WriteOptions options;
    options.alignment = alignment;
    const Bytes file = write_to_memory(model, options);
    const Image image(file, "a.mere");
    verify(image, {});
    for (std::uint32_t i = 0; i < model.columns.buffers.size(); ++i) {
      const BufferRecord& buffer = model.columns.buffers[i];
      const std::uint64_t own =
          (buffer.flags & kArenaBuffer) != 0 ? 64 : std::min(alignment, std::bit_floor(buffer.raw_bytes));
      const std::uint64_t offset = image.block(buffer.first_block).offset;
      CHECK(offset % own == 0);
    }
  }
  WriteOptions options;
  for (const std::uint64_t bad : {std::uint64_t{0}, std::uint64_t{2048}, std::uint64_t{5000}, std::uint64_t{1} << 31}) {
    options.alignment = bad;
    CHECK(word(reason_of([&] { write_to_memory(model, options); })) == "bad_argument");
  }
}

TEST_CASE("write: content and program id do not depend on codec or alignment, and differ with the model") {
  SampleModel model;
  fill_with_arrays(model, mixed_contents());
  os::MemorySink first, second;
  const WriteResult raw = write_file(model.columns, model, {}, first);
  WriteOptions options = with_codec(codec::CodecId::zlib, 2);
  options.alignment = 1 << 20;
  const WriteResult encoded = write_file(model.columns, model, options, second);
  CHECK(raw.content_low == encoded.content_low);
  CHECK(raw.content_high == encoded.content_high);
  CHECK(raw.program_low == encoded.program_low);
  CHECK(raw.program_low != 0);
  CHECK(encoded.file_bytes < raw.file_bytes);

  model.buffers[0][0] ^= std::byte{1};
  os::MemorySink third;
  CHECK(write_file(model.columns, model, {}, third).content_low != raw.content_low);
  model.buffers[0][0] ^= std::byte{1};
  // What only the metadata holds is in neither id.
  model.columns.heap[model.columns.heap.size() - 1] = 'X';
  os::MemorySink fourth;
  const WriteResult other_metadata = write_file(model.columns, model, {}, fourth);
  CHECK(other_metadata.content_low == raw.content_low);
  CHECK(other_metadata.program_low == raw.program_low);
}

TEST_CASE("write: an array that does not shrink stays raw and mapped among encoded ones") {
  SampleModel model;
  fill_with_arrays(
      model, {random_bytes(200000, 1), small_numbers(200000, 2), random_bytes(3 << 20, 3), small_numbers(3 << 20, 4)});
  const Bytes file = write_to_memory(model, with_codec(codec::CodecId::lz4));
  const Image image(file, "a.mere");
  CHECK(image.find_mapped(0).has_value());
  CHECK(!image.find_mapped(1).has_value());
  CHECK(image.find_mapped(2).has_value());
  CHECK(!image.find_mapped(3).has_value());
  CHECK(image.has_encoded_blocks());
  check_holds(file, model);
}

TEST_CASE("write: a block that does not shrink is stored as it is among those that do") {
  SampleModel model;
  Bytes half = small_numbers(4 << 20, 1);
  const Bytes noise = random_bytes(1 << 20, 2);
  std::copy(noise.begin(), noise.end(), half.begin() + (1 << 20));
  fill_with_arrays(model, {half});
  const Bytes file = write_to_memory(model, with_codec(codec::CodecId::lz4));
  const Image image(file, "a.mere");
  CHECK(image.block(0).stored_bytes < kBlockBytes / 2);
  CHECK(image.block(1).codec == 0);
  CHECK(image.block(1).stored_bytes == kBlockBytes);
  check_holds(file, model);
}

TEST_CASE("write: smallest is no larger than any codec, and none by array stays none") {
  SampleModel model;
  fill_with_arrays(model, {small_numbers(300000, 1), small_numbers((1 << 20) + 80000, 2), random_bytes(50000, 3)});
  WriteOptions smallest = with_codec(codec::CodecId::none);
  smallest.try_harder = true;
  const Bytes best = write_to_memory(model, smallest);
  check_holds(best, model);
  for (const codec::CodecId id : {codec::CodecId::lz4, codec::CodecId::zlib, codec::CodecId::zstd}) {
    if (codec::has_codec(id)) CHECK(best.size() <= write_to_memory(model, with_codec(id)).size());
  }
  WriteOptions chosen = with_codec(codec::CodecId::none);
  chosen.codec_for = [](std::uint32_t buffer) {
    return codec::EncodeChoice{buffer == 1 ? codec::CodecId::zlib : codec::CodecId::none, false, 0};
  };
  const Bytes mixed = write_to_memory(model, chosen);
  const Image image(mixed, "a.mere");
  CHECK(image.find_mapped(0).has_value());
  CHECK(!image.find_mapped(1).has_value());
  check_holds(mixed, model);
}

TEST_CASE("write: progress rises to the total, from the calling thread, and may stop the write") {
  SampleModel model;
  fill_with_arrays(model, mixed_contents());
  for (const unsigned threads : {1U, 2U}) {
    WriteOptions options = with_codec(codec::CodecId::lz4, threads);
    const auto caller = std::this_thread::get_id();
    std::uint64_t last = 0, total = 0;
    options.progress = [&](std::uint64_t done, std::uint64_t all) {
      CHECK(std::this_thread::get_id() == caller);
      CHECK(done >= last);
      last = done;
      total = all;
    };
    write_to_memory(model, options);
    CHECK(last == total);
    CHECK(total > (8 << 20));
    options.progress = [](std::uint64_t, std::uint64_t) { throw Error(Reason::interrupted, "enough"); };
    CHECK(word(reason_of([&] { write_to_memory(model, options); })) == "interrupted");
  }
}

TEST_CASE("write: bytes of the source are released once, after they were written, all but the last few") {
  SampleModel model;
  std::vector<Bytes> contents = mixed_contents();
  for (std::uint64_t i = 0; i < 8; ++i) contents.push_back(random_bytes((5 << 20) + 8 * i, i));
  fill_with_arrays(model, contents);
  std::uint64_t direct = 0;
  for (std::uint32_t i = 0; i < model.buffers.size(); ++i) {
    if ((model.columns.buffers[i].flags & kArenaBuffer) == 0) direct += model.buffers[i].size();
  }
  struct Counter : os::Sink {
    std::uint64_t bytes = 0;
    void write(std::span<const std::byte> more) override { bytes += more.size(); }
  };
  for (const codec::CodecId id : {codec::CodecId::none, codec::CodecId::lz4}) {
    for (const unsigned threads : {1U, 3U}) {
      Counter sink;
      std::uint64_t released = 0;
      bool early = false;
      WriteOptions options = with_codec(id, threads);
      options.release = [&](std::span<const std::byte> bytes) {
        released += bytes.size();
        early = early || (id == codec::CodecId::none && released > sink.bytes);
      };
      write_file(model.columns, model, options, sink);
      CHECK(released <= direct);
      CHECK(released + (12 << 20) > direct);
      CHECK(!early);
    }
  }
}

TEST_CASE("write: an empty model, without program and metadata, is a file of columns alone") {
  SampleModel model;
  model.columns.model_root = model.node(0);
  model.end_model();
  model.finish();
  const Bytes file = write_to_memory(model);
  const Image image(file, "a.mere");
  verify(image, {});
  CHECK(image.footer().program_root == kNone);
  CHECK(image.footer().program_low == 0);
  CHECK(image.data_end() == kHeaderBytes);
}

TEST_CASE("write: buffers that are not numbered are the caller's mistake") {
  SampleModel model;
  fill_with_arrays(model, {small_numbers(20000, 1), small_numbers(20000, 1)});
  model.columns.buffers[1].first_block = 7;
  CHECK(word(reason_of([&] { write_to_memory(model); })) == "bad_argument");
}

}  // namespace
}  // namespace mere::format
