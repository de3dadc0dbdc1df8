#include "format/verify.hpp"

#include <algorithm>
#include <new>

#include "codec/checksum.hpp"
#include "format/content_id.hpp"
#include "format/verify_parts.hpp"
#include "os/worker_team.hpp"

namespace mere::format {

namespace {

std::array<IdRecords, 9> id_records(const Image& image, bool program) {
  std::array<IdRecords, 9> records;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const SectionView& s = image.section(kIdSections[i]);
    const std::uint64_t first = program ? s.model_end : 0;
    const std::uint64_t count = program ? s.program_end - s.model_end : s.model_end;
    records[i] = {count, {s.data + first * s.record_bytes, static_cast<std::size_t>(count * s.record_bytes)}};
  }
  return records;
}

void check_id(const Image& image, std::string_view what, codec::Xxh3_128::Sum found, std::uint64_t low,
              std::uint64_t high) {
  if (found.low == low && found.high == high) return;
  throw Error(Reason::checksum, image.name() + ": the " + std::string(what) + " id is not that of its records");
}

}  // namespace

void fail_record(const Image& image, Section section, std::uint64_t index, Reason reason, const std::string& problem) {
  throw Error(reason, image.name() + ": " + std::string(to_text(section)) + " " + std::to_string(index) +
                          " (record at offset " + std::to_string(image.file_offset(section, index)) + "): " + problem);
}

void check_zero(const Image& image, std::uint64_t from, std::uint64_t to) {
  const std::span<const std::byte> bytes = image.bytes().subspan(from, to - from);
  const auto bad = std::find_if(bytes.begin(), bytes.end(), [](std::byte b) { return b != std::byte{0}; });
  if (bad == bytes.end()) return;
  throw Error(Reason::bad_padding, image.name() + ": the byte at offset " +
                                       std::to_string(from + static_cast<std::uint64_t>(bad - bytes.begin())) +
                                       " belongs to nothing and is not zero");
}

void verify_sections(const Image& image, unsigned threads) {
  const Footer& footer = image.footer();
  const std::uint64_t footer_at = image.bytes().size() - kFooterBytes;
  for (std::size_t i = 0; i < footer.section_count; ++i) {
    const DirectoryEntry& entry = footer.sections[i];
    const std::uint64_t end = entry.offset + entry.count * entry.record_bytes;
    const std::uint64_t next = i + 1 < footer.section_count ? footer.sections[i + 1].offset : footer_at;
    if (next - end >= kSectionAlignment) {
      throw Error(Reason::bad_segment, image.name() + ": " + std::to_string(next - end) + " bytes behind section " +
                                           std::to_string(entry.number) + ", at offset " + std::to_string(end) +
                                           ", belong to nothing");
    }
    check_zero(image, end, next);
  }
  // One column a task; the two ids are tasks too, and the longest.
  os::parallel_for(footer.section_count + 2, threads, [&](std::size_t task, unsigned) {
    if (task == 0) {
      check_id(image, "content", id_over(kModelIdText, footer.model_root, id_records(image, false)), footer.content_low,
               footer.content_high);
    } else if (task == 1) {
      codec::Xxh3_128::Sum id{0, 0};
      if (footer.program_root != kNone) id = id_over(kProgramIdText, footer.program_root, id_records(image, true));
      check_id(image, "program", id, footer.program_low, footer.program_high);
    } else {
      const DirectoryEntry& entry = footer.sections[task - 2];
      const std::uint64_t sum = codec::xxh3_64(image.bytes().subspan(entry.offset, entry.count * entry.record_bytes));
      if (sum == entry.sum) return;
      throw Error(Reason::checksum, image.name() + ": section " + std::to_string(entry.number) + " at offset " +
                                        std::to_string(entry.offset) + " has the sum " + std::to_string(sum) +
                                        ", recorded is " + std::to_string(entry.sum));
    }
  });
}

void verify(const Image& image, const VerifyOptions& options) {
  const unsigned threads = os::thread_count(options.threads);
  try {
    verify_sections(image, threads);
    verify_records(image, threads);
    verify_layout(image, options.data);
    if (options.data) verify_data(image, options);
  } catch (const std::bad_alloc&) {
    throw Error::out_of_memory();
  } catch (const Error&) {
    image.check_faults();  // if a page failed, that is why
    throw;
  }
  image.check_faults();
}

}  // namespace mere::format
