#include "format/writer.hpp"

#include <bit>
#include <cstring>

#include "codec/checksum.hpp"
#include "format/block_writer.hpp"
#include "format/content_id.hpp"
#include "format/output.hpp"

namespace mere::format {

namespace {

// One column as it will be written.
struct ColumnBytes {
  std::uint32_t record_bytes = 0;
  std::uint64_t count = 0;
  std::span<const std::byte> bytes;
  PartEnds ends;
};

template <class T>
ColumnBytes column(const std::vector<T>& records, const PartEnds& ends) {
  return {sizeof(T), records.size(), std::as_bytes(std::span(records)), ends};
}

std::array<ColumnBytes, kSectionCount> columns_of(const Columns& c, const std::vector<BlockRecord>& blocks,
                                                  const std::vector<std::uint64_t>& sums) {
  const auto blocks_before = [&](std::uint64_t buffer) {
    return buffer < c.buffers.size() ? c.buffers[buffer].first_block : blocks.size();
  };
  const PartEnds block_ends{blocks_before(c.ends[7].model), blocks_before(c.ends[7].program)};
  return {column(c.nodes, c.ends[0]),
          column(c.links, c.ends[1]),
          {1, c.heap.size(), std::as_bytes(std::span(c.heap)), c.ends[2]},
          column(c.extents, c.ends[3]),
          column(c.types, c.ends[4]),
          column(c.fields, c.ends[5]),
          column(c.arrays, c.ends[6]),
          column(c.buffers, c.ends[7]),
          column(blocks, block_ends),
          column(sums, block_ends)};
}

std::array<IdRecords, 9> id_records(const std::array<ColumnBytes, kSectionCount>& columns, bool program) {
  std::array<IdRecords, 9> records;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const ColumnBytes& c = columns[static_cast<std::size_t>(kIdSections[i]) - 1];
    const std::uint64_t first = program ? c.ends.model : 0;
    const std::uint64_t count = program ? c.ends.program - c.ends.model : c.ends.model;
    records[i] = {count, c.bytes.subspan(first * c.record_bytes, count * c.record_bytes)};
  }
  return records;
}

template <class Record>
std::span<const std::byte> bytes_of(const Record& record) {
  return std::as_bytes(std::span(&record, 1));
}

}  // namespace

WriteResult write_file(const Columns& columns, const BufferSource& source, const WriteOptions& options,
                       os::Sink& sink) {
  if (!std::has_single_bit(options.alignment) || options.alignment < kMinAlignment ||
      options.alignment > kMaxAlignment) {
    throw Error(Reason::bad_argument,
                "alignment " + std::to_string(options.alignment) + " is not a power of two from 4096 to 1073741824");
  }
  BlockWriter writer(columns, source, options);
  if (writer.all_raw()) {
    std::uint64_t end = writer.raw_end(kHeaderBytes);
    for (const ColumnBytes& c : columns_of(columns, writer.blocks(), writer.sums())) {
      end = (end + kSectionAlignment - 1) / kSectionAlignment * kSectionAlignment + c.bytes.size();
    }
    sink.expect((end + kSectionAlignment - 1) / kSectionAlignment * kSectionAlignment + kFooterBytes);
  }
  Output output(sink);
  Header header{};
  header.magic = kMagic;
  header.major = kMajor;
  header.minor = kMinor;
  header.alignment_log2 = static_cast<std::uint8_t>(std::bit_width(options.alignment) - 1);
  header.sum = codec::xxh3_64(bytes_of(header).first(offsetof(Header, sum)));
  output.add(bytes_of(header));
  writer.run(output);
  if (options.before_manifest) options.before_manifest();

  const auto written = columns_of(columns, writer.blocks(), writer.sums());
  Footer footer{};
  for (std::size_t i = 0; i < kSectionCount; ++i) {
    const ColumnBytes& c = written[i];
    output.pad_to(kSectionAlignment);
    DirectoryEntry& entry = footer.sections[i];
    entry.number = static_cast<std::uint16_t>(i + 1);
    entry.record_bytes = c.record_bytes;
    entry.offset = output.position();
    entry.count = c.count;
    entry.model_end = c.ends.model;
    entry.program_end = c.ends.program;
    entry.sum = codec::xxh3_64(c.bytes);
    output.add(c.bytes);
  }
  output.pad_to(kSectionAlignment);
  WriteResult result;
  result.file_bytes = output.position() + kFooterBytes;
  const auto model = id_over(kModelIdText, columns.model_root, id_records(written, false));
  result.content_low = footer.content_low = model.low;
  result.content_high = footer.content_high = model.high;
  if (columns.program_root != kNone) {
    const auto program = id_over(kProgramIdText, columns.program_root, id_records(written, true));
    result.program_low = footer.program_low = program.low;
    result.program_high = footer.program_high = program.high;
  }
  footer.file_bytes = result.file_bytes;
  footer.model_root = columns.model_root;
  footer.program_root = columns.program_root;
  footer.metadata_root = columns.metadata_root;
  footer.section_count = kSectionCount;
  footer.flags = writer.all_mapped() ? 0 : kHasEncodedBlocks;
  footer.sum = codec::xxh3_64(bytes_of(footer).first(offsetof(Footer, sum)));
  for (std::size_t i = 0; i < kMagic.size(); ++i) footer.end_magic[i] = kMagic[kMagic.size() - 1 - i];
  output.add(bytes_of(footer));
  output.flush_for_lookups();
  return result;
}

}  // namespace mere::format
