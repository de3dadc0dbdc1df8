#pragma once
// Takes a good file apart, lets a test lie in its fields, and puts it together with right sums: only so do tests reach
// what stands behind the sums.

#include <cstring>
#include <functional>
#include <vector>

#include "codec/checksum.hpp"
#include "format/content_id.hpp"
#include "format/image.hpp"

namespace mere::format::testing {

class FileForger {
 public:
  struct Column {
    DirectoryEntry entry;
    std::vector<std::byte> bytes;
  };
  Header header;
  std::vector<std::byte> data;  // from the end of the header to the manifest
  std::vector<Column> columns;
  Footer footer;
  std::function<void(Footer&)> last_change;  // after layout and sums, before the footer is sealed
  bool seal_ids = true;

  explicit FileForger(std::span<const std::byte> good) {
    std::memcpy(&header, good.data(), sizeof header);
    std::memcpy(&footer, good.data() + good.size() - kFooterBytes, sizeof footer);
    data.assign(good.begin() + kHeaderBytes, good.begin() + static_cast<std::ptrdiff_t>(footer.sections[0].offset));
    for (std::size_t i = 0; i < footer.section_count; ++i) {
      const DirectoryEntry& entry = footer.sections[i];
      const auto from = good.begin() + static_cast<std::ptrdiff_t>(entry.offset);
      columns.push_back({entry, {from, from + static_cast<std::ptrdiff_t>(entry.count * entry.record_bytes)}});
    }
  }

  Column& column(Section section) { return columns[static_cast<std::size_t>(section) - 1]; }

  // A record of a column, to be read, changed by `change` and put back.
  template <class Record>
  void edit(Section section, std::uint64_t index, const std::function<void(Record&)>& change) {
    Record record;
    std::byte* at = column(section).bytes.data() + index * column(section).entry.record_bytes;
    std::memcpy(&record, at, sizeof record);
    change(record);
    std::memcpy(at, &record, sizeof record);
  }

  // What a newer minor version might write: records with more behind them.
  void widen(Section section, std::uint32_t more) {
    Column& c = column(section);
    const std::uint32_t before = c.entry.record_bytes;
    std::vector<std::byte> wide;
    for (std::uint64_t i = 0; i < c.entry.count; ++i) {
      wide.insert(wide.end(), c.bytes.begin() + static_cast<std::ptrdiff_t>(i * before),
                  c.bytes.begin() + static_cast<std::ptrdiff_t>((i + 1) * before));
      wide.insert(wide.end(), more, std::byte{0xa5});
    }
    c.bytes = std::move(wide);
    c.entry.record_bytes += more;
  }

  void add_section(std::uint16_t number, std::uint16_t flags, std::size_t position) {
    Column extra{};
    extra.entry.number = number;
    extra.entry.flags = flags;
    extra.entry.record_bytes = 3;
    extra.entry.count = 7;
    extra.bytes.assign(21, std::byte{9});
    columns.insert(columns.begin() + static_cast<std::ptrdiff_t>(position), extra);
  }

  std::vector<std::byte> build() {
    std::vector<std::byte> file(kHeaderBytes);
    header.sum = codec::xxh3_64(std::as_bytes(std::span(&header, 1)).first(offsetof(Header, sum)));
    std::memcpy(file.data(), &header, sizeof header);
    file.insert(file.end(), data.begin(), data.end());
    footer.sections = {};
    footer.section_count = static_cast<std::uint32_t>(columns.size());
    for (std::size_t i = 0; i < columns.size(); ++i) {
      Column& c = columns[i];
      file.resize((file.size() + 63) / 64 * 64);
      c.entry.offset = file.size();
      c.entry.sum = codec::xxh3_64(c.bytes);
      if (i < kDirectorySlots) footer.sections[i] = c.entry;
      file.insert(file.end(), c.bytes.begin(), c.bytes.end());
    }
    file.resize((file.size() + 63) / 64 * 64);
    if (seal_ids) seal_content();
    footer.file_bytes = file.size() + kFooterBytes;
    if (last_change) last_change(footer);
    footer.sum = codec::xxh3_64(std::as_bytes(std::span(&footer, 1)).first(offsetof(Footer, sum)));
    const auto end = std::as_bytes(std::span(&footer, 1));
    file.insert(file.end(), end.begin(), end.end());
    return file;
  }

 private:
  void seal_content() {
    for (const bool program : {false, true}) {
      std::array<IdRecords, 9> records;
      std::size_t i = 0;
      for (const Section which : kIdSections) {
        for (const Column& c : columns) {
          if (c.entry.number != static_cast<std::uint16_t>(which)) continue;
          const std::uint64_t first = program ? c.entry.model_end : 0;
          const std::uint64_t last = program ? c.entry.program_end : c.entry.model_end;
          if (first > last || last > c.entry.count || c.bytes.size() != c.entry.count * c.entry.record_bytes) return;
          records[i++] = {last - first, std::span(c.bytes).subspan(first * c.entry.record_bytes,
                                                                   (last - first) * c.entry.record_bytes)};
        }
      }
      codec::Xxh3_128::Sum id{0, 0};
      if (!program || footer.program_root != kNone) {
        id = id_over(program ? kProgramIdText : kModelIdText, program ? footer.program_root : footer.model_root,
                     records);
      }
      (program ? footer.program_low : footer.content_low) = id.low;
      (program ? footer.program_high : footer.content_high) = id.high;
    }
  }
};

}  // namespace mere::format::testing
