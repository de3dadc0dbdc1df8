#include <doctest/doctest.h>

#include "expect_error.hpp"
#include "file_forger.hpp"
#include "format/verify.hpp"
#include "sample_model.hpp"

namespace mere::format {
namespace {

using namespace testing;

Bytes small_file() {
  SampleModel model;
  fill_with_arrays(model, {random_bytes(800, 1), random_bytes(20000, 2), small_numbers(4096, 3)});
  return write_to_memory(model);
}

std::string open_reason(std::span<const std::byte> bytes, std::string* message = nullptr) {
  return word(reason_of([&] { const Image image(bytes, "a.mere"); }, message));
}

TEST_CASE("open: a good file is opened, at any address") {
  const Bytes file = small_file();
  for (std::size_t shift = 0; shift < 9; ++shift) {
    Bytes moved(file.size() + shift);
    std::memcpy(moved.data() + shift, file.data(), file.size());
    const std::span<const std::byte> bytes = std::span(moved).subspan(shift);
    const Image image(bytes, "a.mere");
    CHECK(image.node(image.footer().model_root).kind == 8);
    CHECK(image.node(image.footer().metadata_root).kind == 5);
    CHECK(image.array(1).type == 0);
    CHECK(image.find_mapped(1).has_value());
    verify(image, {});
    CHECK(read_all(image).size() == 2);
  }
}

TEST_CASE("open: a file cut at any length is truncated, or no .mere file") {
  const Bytes file = small_file();
  for (std::size_t length = 0; length < file.size(); ++length) {
    // A copy of its own, so that a sanitizer sees a read behind it.
    const Bytes cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(length));
    std::string message;
    const std::string reason = open_reason(cut, &message);
    CHECK_MESSAGE(reason == "truncated", "at length ", length, ": ", message);
  }
}

TEST_CASE("open: whatever the zeros of a page that could not be read lead to, the fault is the reason") {
  const Bytes file = small_file();
  const std::size_t ends[][2] = {{0, 64}, {file.size() - 64, file.size()}, {0, file.size()}};
  for (const auto& [begin, end] : ends) {
    Bytes zeroed = file;
    std::fill(zeroed.begin() + static_cast<std::ptrdiff_t>(begin), zeroed.begin() + static_cast<std::ptrdiff_t>(end),
              std::byte{0});
    CHECK(open_reason(zeroed) != "fault");
    const auto open = [&] { Image(zeroed, "a.mere", codec::array_filters(), [] { return true; }); };
    CHECK(word(reason_of(open)) == "fault");
  }
}

TEST_CASE("open: bytes behind the footer are an error") {
  Bytes file = small_file();
  for (int i = 0; i < 70; ++i) {
    file.push_back(std::byte{0});
    CHECK(open_reason(file) != "no error");
  }
}

TEST_CASE("open: other magic, a swapped magic and another version have reasons of their own") {
  const Bytes file = small_file();
  Bytes bad = file;
  bad[0] = std::byte{'P'};
  std::string message;
  CHECK(open_reason(bad, &message) == "bad_magic");
  CHECK(message.find("a.mere") != std::string::npos);
  CHECK(message.find("50 4d 45 52") != std::string::npos);
  CHECK(open_reason(std::as_bytes(std::span("short"))) == "bad_magic");
  bad = file;
  std::reverse(bad.begin(), bad.begin() + 8);
  CHECK(open_reason(bad) == "endianness");
  FileForger newer(file);
  newer.header.major = 2;
  CHECK(open_reason(newer.build(), &message) == "unsupported_version");
  CHECK(message.find("2.0") != std::string::npos);
  FileForger minor(file);
  minor.header.minor = 77;
  CHECK(open_reason(minor.build()) == "no error");
}

TEST_CASE("open: a wrong sum of header or footer is named") {
  const Bytes file = small_file();
  Bytes bad = file;
  bad[60] ^= std::byte{1};
  std::string message;
  CHECK(open_reason(bad, &message) == "checksum");
  CHECK(message.find("header") != std::string::npos);
  bad = file;
  bad[file.size() - 100] ^= std::byte{1};
  CHECK(open_reason(bad, &message) == "checksum");
  CHECK(message.find("footer") != std::string::npos);
}

TEST_CASE("open: header fields outside their range are bad, reserved bytes are zero") {
  const Bytes file = small_file();
  for (const int log2 : {0, 11, 31, 255}) {
    FileForger forger(file);
    forger.header.alignment_log2 = static_cast<std::uint8_t>(log2);
    CHECK(open_reason(forger.build()) == "bad_header");
  }
  FileForger reserved(file);
  reserved.header.reserved[42] = 1;
  CHECK(open_reason(reserved.build()) == "bad_padding");
  FileForger footer(file);
  footer.footer.reserved[51] = 1;
  CHECK(open_reason(footer.build()) == "bad_padding");
}

TEST_CASE("open: a directory that lies about places is a bad segment, with right sums too") {
  const Bytes file = small_file();
  const auto with = [&](const std::function<void(Footer&)>& change) {
    FileForger forger(file);
    forger.last_change = change;
    return open_reason(forger.build());
  };
  const std::uint64_t wrap = ~std::uint64_t{0} - 63;
  CHECK(with([](Footer& f) { f.sections[1].offset += 8; }) == "bad_segment");     // unaligned
  CHECK(with([](Footer& f) { f.sections[0].offset = 0; }) == "bad_segment");      // inside the header
  CHECK(with([&](Footer& f) { f.sections[9].offset = wrap; }) == "bad_segment");  // wraps
  CHECK(with([](Footer& f) { f.sections[9].offset = f.file_bytes / 64 * 64; }) == "bad_segment");
  CHECK(with([](Footer& f) { f.sections[9].count += 1000; }) == "bad_segment");                         // past the end
  CHECK(with([](Footer& f) { f.sections[0].count = (std::uint64_t{1} << 60) + 1; }) == "bad_segment");  // 16 x wraps
  CHECK(with([](Footer& f) { f.sections[3].offset = f.sections[1].offset; }) == "bad_segment");         // overlap
  CHECK(with([](Footer& f) { std::swap(f.sections[3].offset, f.sections[4].offset); }) == "bad_segment");
  CHECK(with([](Footer& f) { f.sections[0].record_bytes = 8; }) == "bad_header");  // narrower
  CHECK(with([](Footer& f) { f.sections[0].record_bytes = 0; }) == "bad_header");
  CHECK(with([](Footer& f) { f.sections[2].record_bytes = 2; }) == "bad_header");  // the heap's is 1
  CHECK(with([](Footer& f) { f.sections[0].model_end = f.sections[0].count + 1; }) == "bad_header");
  CHECK(with([](Footer& f) { f.sections[0].program_end = 0; }) == "bad_header");
  CHECK(with([](Footer& f) {
          f.sections[9].count -= 1;
          f.sections[9].program_end = f.sections[9].model_end = 0;
        }) == "bad_header");  // fewer sums than blocks
  CHECK(with([](Footer& f) { std::swap(f.sections[3].number, f.sections[4].number); }) == "bad_header");
  CHECK(with([](Footer& f) { f.sections[9].number = 9; }) == "bad_header");
  CHECK(with([](Footer& f) { f.sections[9].number = 0; }) == "bad_header");
  CHECK(with([](Footer& f) { f.section_count = 9; }) == "bad_header");
  CHECK(with([](Footer& f) { f.section_count = 17; }) == "bad_header");
  CHECK(with([](Footer& f) { f.sections[12].count = 1; }) == "bad_padding");
  CHECK(with([](Footer& f) { f.sections[3].reserved[1] = 1; }) == "bad_padding");
  CHECK(with([](Footer& f) { f.sections[3].flags = 2; }) == "bad_header");
  CHECK(with([](Footer& f) { f.flags = 2; }) == "bad_header");
  CHECK(with([](Footer& f) { f.model_root = kNone; }) == "bad_header");
  CHECK(with([](Footer& f) { f.metadata_root = static_cast<std::uint32_t>(f.sections[0].count); }) == "bad_header");
  CHECK(with([](Footer& f) { f.file_bytes += 64; }) == "truncated");
  CHECK(with([](Footer& f) { f.file_bytes -= 64; }) == "bad_header");
}

TEST_CASE("open: an unknown section is an error unless it is marked optional") {
  const Bytes file = small_file();
  for (const std::size_t position : {0, 4, 10}) {
    FileForger needed(file);
    needed.add_section(900, 0, position);
    CHECK(open_reason(needed.build()) == "unknown_section");
    FileForger optional(file);
    optional.add_section(900, kOptionalSection, position);
    const Bytes bytes = optional.build();
    const Image image(bytes, "a.mere");
    verify(image, {});
    CHECK(image.link(0) == 1);
    FileForger twice(file);
    twice.add_section(900, kOptionalSection, position);
    twice.add_section(900, kOptionalSection, position);
    CHECK(open_reason(twice.build()) == "bad_header");
  }
}

TEST_CASE("a newer minor version: records that grew are read by what we know of them") {
  const Bytes file = small_file();
  const Image before(file, "a.mere");
  for (std::uint16_t s = 1; s <= kSectionCount; ++s) {
    if (s == static_cast<std::uint16_t>(Section::heap)) continue;
    for (const std::uint32_t more : {1U, 4U, 8U, 24U}) {
      FileForger forger(file);
      forger.header.minor = 3;
      forger.widen(static_cast<Section>(s), more);
      const Bytes bytes = forger.build();
      const Image image(bytes, "b.mere");
      verify(image, {});
      for (std::uint32_t i = 0; i < image.section(Section::nodes).count; ++i) {
        CHECK(image.node(i).b == before.node(i).b);
      }
      CHECK(image.link(2) == before.link(2));
      CHECK(image.extent(1) == before.extent(1));
      CHECK(image.block_sum(1) == before.block_sum(1));
      CHECK(read_all(image) == read_all(before));
    }
  }
}

TEST_CASE("use: ids, indexes and ranges past the end of their column are errors") {
  const Bytes file = small_file();
  const Image image(file, "a.mere");
  CHECK(word(reason_of([&] { image.node(1000); })) == "bad_node");
  CHECK(word(reason_of([&] { image.node(kNone); })) == "bad_node");
  CHECK(word(reason_of([&] { image.link(~std::uint64_t{0}); })) == "out_of_bounds");
  CHECK(word(reason_of([&] { image.check_links(1, ~std::uint64_t{0}); })) == "out_of_bounds");
  CHECK(word(reason_of([&] { image.check_extents(4, 1); })) == "out_of_bounds");
  CHECK(word(reason_of([&] { image.heap(3, ~std::uint64_t{0} - 1); })) == "out_of_bounds");
  CHECK(word(reason_of([&] { image.block_sum(99); })) == "out_of_bounds");
  CHECK(word(reason_of([&] { image.find_mapped(99); })) == "out_of_bounds");
  Bytes out(100);
  CHECK(word(reason_of([&] { image.read_buffer(0, ~std::uint64_t{0} - 50, out); })) == "out_of_bounds");
}

TEST_CASE("use: a mapped buffer outside the data, or not at a multiple of 64, is a bad segment") {
  const Bytes file = small_file();
  const auto with = [&](const std::function<void(BlockRecord&)>& change) {
    FileForger forger(file);
    forger.edit<BlockRecord>(Section::blocks, 1, change);
    const Bytes bytes = forger.build();
    const Image image(bytes, "a.mere");
    const std::string mapped = word(reason_of([&] { image.find_mapped(1); }));
    CHECK(word(reason_of([&] { verify(image, {}); })) != "no error");
    Bytes out(20000);
    CHECK(word(reason_of([&] { image.read_buffer(1, 0, out); })) != "no error");
    return mapped;
  };
  CHECK(with([](BlockRecord& b) { b.offset = 0; }) == "bad_segment");
  CHECK(with([](BlockRecord& b) { b.offset += 8; }) == "bad_segment");
  CHECK(with([](BlockRecord& b) { b.offset = ~std::uint64_t{0} - 63; }) == "bad_segment");
  CHECK(with([](BlockRecord& b) { b.offset += 1 << 20; }) == "bad_segment");
  CHECK(with([&](BlockRecord& b) { b.offset = (file.size() - kFooterBytes) / 64 * 64; }) == "bad_segment");
}

TEST_CASE("every single-bit flip of header, manifest and footer gives an error or equal data") {
  const Bytes file = small_file();
  const Image good(file, "a.mere");
  const std::uint64_t manifest = good.data_end();
  Bytes bad = file;
  int unnoticed = 0;
  for (std::size_t at = 0; at < file.size(); ++at) {
    if (at == kHeaderBytes) at = manifest;
    for (int bit = 0; bit < 8; ++bit) {
      bad[at] ^= static_cast<std::byte>(1 << bit);
      const auto reason = reason_of([&] {
        const Image image(bad, "a.mere");
        verify(image, {});
      });
      if (!reason) ++unnoticed;
      bad[at] = file[at];
    }
  }
  CHECK(unnoticed == 0);
}

TEST_CASE("every single-bit flip, not verified: whatever is read is read inside the file") {
  const Bytes file = small_file();
  Bytes bad = file;
  const Image good(file, "a.mere");
  for (std::size_t at = good.data_end(); at < file.size() - kFooterBytes; ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      bad[at] ^= static_cast<std::byte>(1 << bit);
      const Image image(bad, "a.mere");
      for (std::uint32_t i = 0; i < 2; ++i) {
        Bytes out(std::min<std::uint64_t>(image.buffer(i).raw_bytes, 50000));
        reason_of([&] { image.read_buffer(i, 0, out); });
      }
      bad[at] = file[at];
    }
  }
}

}  // namespace
}  // namespace mere::format
