#include "format/expand.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <type_traits>

#include "format/block_reader.hpp"
#include "format/verify.hpp"

namespace mere::format {

namespace {

// The records of a section, without what a newer minor version added to them.
template <class Records>
void copy_section(const Image& image, Section which, Records& out) {
  using Record = typename Records::value_type;
  const SectionView& section = image.section(which);
  out.resize(section.count);
  if (section.record_bytes == sizeof(Record)) {
    if (section.count != 0) std::memcpy(out.data(), section.data, section.count * sizeof(Record));
    return;
  }
  if constexpr (sizeof(Record) > 1) {
    for (std::uint64_t i = 0; i < section.count; ++i) {
      out[i] = load_once<Record>(section.data + i * section.record_bytes);
    }
  }
}

// The buffers of an image, decoded by whoever asks.
class ImageSource final : public BufferSource {
 public:
  ImageSource(const Image& image, const Columns& columns) : image_(image), columns_(columns), sampler_(image) {}

  std::span<const std::byte> find_direct(std::uint32_t buffer, std::uint64_t offset,
                                         std::uint64_t length) const override {
    const auto mapped = image_.find_mapped(buffer);
    if (!mapped) return {};
    if (!range_fits(offset, length, mapped->size())) throw_changed(buffer);
    return mapped->subspan(offset, length);
  }

  void read(std::uint32_t buffer, std::uint64_t offset, std::span<std::byte> out) const override {
    const std::uint64_t raw_bytes = columns_.buffers[buffer].raw_bytes;
    if (offset % kBlockBytes != 0 || out.size() != std::min(kBlockBytes, raw_bytes - offset)) {
      // A sample to plan a segment by. These are few, and decode a block beside the result: one at a time is enough.
      const std::lock_guard lock(sample_mutex_);
      sampler_.read(buffer, offset, out);
      return;
    }
    std::unique_ptr<BlockReader> reader;
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        reader = std::move(idle_.back());
        idle_.pop_back();
      }
    }
    if (!reader) reader = std::make_unique<BlockReader>(image_);
    reader->read_block(buffer, offset / kBlockBytes, out, false);  // the writer compares the sum
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(reader));
  }

  std::optional<std::uint64_t> expected_sum(std::uint32_t block) const override { return image_.block_sum(block); }

  std::uint32_t read_together(std::uint32_t buffer) const override {
    const std::uint32_t first = columns_.buffers[buffer].first_block, group = image_.block(first).group;
    if ((group & kGroupLeader) == 0) return 1;
    std::uint32_t count = 1;
    while (buffer + count < columns_.buffers.size() &&
           columns_.buffers[buffer + count].first_block - first < (group & ~kGroupLeader)) {
      ++count;
    }
    return count;
  }

 private:
  [[noreturn]] void throw_changed(std::uint32_t buffer) const {
    throw Error(Reason::file_changed,
                image_.name() + ": buffer " + std::to_string(buffer) + " changed while it was read");
  }

  const Image& image_;
  const Columns& columns_;
  mutable std::mutex mutex_, sample_mutex_;
  mutable std::vector<std::unique_ptr<BlockReader>> idle_;
  mutable BlockReader sampler_;
};

}  // namespace

Columns copy_columns(const Image& image) {
  Columns columns;
  try {
    copy_section(image, Section::nodes, columns.nodes);
    copy_section(image, Section::links, columns.links);
    copy_section(image, Section::heap, columns.heap);
    copy_section(image, Section::extents, columns.extents);
    copy_section(image, Section::types, columns.types);
    copy_section(image, Section::fields, columns.fields);
    copy_section(image, Section::arrays, columns.arrays);
    copy_section(image, Section::buffers, columns.buffers);
  } catch (const std::bad_alloc&) {
    throw Error::out_of_memory();
  }
  for (std::size_t i = 0; i < columns.ends.size(); ++i) {
    const SectionView& section = image.section(static_cast<Section>(i + 1));
    columns.ends[i] = {section.model_end, section.program_end};
  }
  columns.model_root = image.footer().model_root;
  columns.program_root = image.footer().program_root;
  columns.metadata_root = image.footer().metadata_root;
  std::uint64_t blocks = 0;
  const std::uint64_t most = image.section(Section::blocks).count;
  for (std::size_t i = 0; i < columns.buffers.size(); ++i) {
    const BufferRecord& buffer = columns.buffers[i];
    const std::uint64_t count = block_count(buffer.raw_bytes);
    if (count == 0 || buffer.first_block != blocks || count > most - blocks) {
      throw Error(Reason::bad_segment, image.name() + ": buffer " + std::to_string(i) + " (record at offset " +
                                           std::to_string(image.file_offset(Section::buffers, i)) + ") of " +
                                           std::to_string(buffer.raw_bytes) + " bytes begins with block " +
                                           std::to_string(buffer.first_block) + "; expected " + std::to_string(blocks));
    }
    blocks += count;
  }
  if (blocks != most) {
    throw Error(Reason::bad_segment, image.name() + ": " + std::to_string(most) +
                                         " blocks, of which the buffers have " + std::to_string(blocks));
  }
  return columns;
}

WriteResult rewrite(const Image& image, const WriteOptions& options, os::Sink& sink, std::uint64_t limit_bytes) {
  try {
    VerifyOptions checks;
    checks.data = false;  // the writer holds every block against its sum
    checks.threads = options.threads;
    verify(image, checks);
    std::uint64_t raw_bytes = 0;
    const std::uint64_t buffers = image.section(Section::buffers).count;
    for (std::uint64_t i = 0; i < buffers; ++i) {
      const std::uint64_t more = image.buffer(static_cast<std::uint32_t>(i)).raw_bytes;
      if (more > limit_bytes - raw_bytes) {
        throw Error(Reason::too_large, image.name() + ": its arrays take more than " + std::to_string(limit_bytes) +
                                           " bytes expanded, which is the limit");
      }
      raw_bytes += more;
    }
    const Columns columns = copy_columns(image);
    const ImageSource source(image, columns);
    const WriteResult result = write_file(columns, source, options, sink);
    image.check_faults();
    return result;
  } catch (const std::bad_alloc&) {
    throw Error::out_of_memory();
  } catch (const Error& error) {
    image.check_faults();  // if a page failed, that is why
    if (error.reason() == Reason::checksum && error.message().find(image.name()) == std::string_view::npos) {
      throw error.with_context(image.name());
    }
    throw;
  }
}

std::uint64_t expanded_bytes(const Image& image) {
  Size total = kHeaderBytes + kFooterBytes + kSectionAlignment;
  const std::uint64_t buffers = image.section(Section::buffers).count;
  for (std::uint64_t i = 0; i < buffers; ++i) {
    const BufferRecord buffer = image.buffer(static_cast<std::uint32_t>(i));
    const bool arena = (buffer.flags & kArenaBuffer) != 0;
    const std::uint64_t alignment =
        arena ? kArrayAlignment : std::max(kMinAlignment, std::min(image.alignment(), buffer.raw_bytes));
    total = total + buffer.raw_bytes + alignment;
  }
  for (std::size_t i = 0; i < kSectionCount; ++i) {
    const SectionView& section = image.section(static_cast<Section>(i + 1));
    total = total + Size(section.count) * section.record_bytes + kSectionAlignment;
  }
  return total.get("expanded size", Reason::too_large);
}

}  // namespace mere::format
