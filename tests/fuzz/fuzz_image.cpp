// Any bytes as a .mere file: opened, walked record by record, read, verified, and, if all that succeeds, written again
// and compared. Run twice: as they are, and with the sums made right, which damage and fuzzers would hardly ever do.

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "codec/checksum.hpp"
#include "format/content_id.hpp"
#include "format/expand.hpp"
#include "format/image.hpp"
#include "format/row_layouts.hpp"
#include "format/verify.hpp"
#include "os/sink.hpp"

namespace {

using namespace mere;
using namespace mere::format;
using Bytes = std::vector<std::byte>;

// Bounds of what is looked at, since a finding needs few records and errors are slow under sanitizers.
constexpr std::uint64_t kVisits = 24;            // records of a section
constexpr std::uint64_t kReadBytes = 1 << 20;    // of one buffer
constexpr std::uint64_t kLimitBytes = 32 << 20;  // of a file, expanded

void require(bool holds) {
  if (!holds) std::abort();
}

template <class Work>
bool succeeds(const Work& work) {
  try {
    work();
    return true;
  } catch (const Error& error) {
    require(error.what()[0] != 0 && error.message().size() <= 1100);
    return false;
  }
}

// Sums of header, sections and footer, and the ids, over whatever they are.
void seal(Bytes& file) {
  if (file.size() < kHeaderBytes + kFooterBytes) return;
  Header header;
  std::memcpy(&header, file.data(), sizeof header);
  header.magic = kMagic;
  header.sum = codec::xxh3_64(std::as_bytes(std::span(&header, 1)).first(offsetof(Header, sum)));
  std::memcpy(file.data(), &header, sizeof header);
  Footer footer;
  std::byte* const at = file.data() + file.size() - sizeof footer;
  std::memcpy(&footer, at, sizeof footer);
  footer.file_bytes = file.size();
  std::copy(kMagic.rbegin(), kMagic.rend(), footer.end_magic.begin());
  std::array<IdRecords, 9> model, program;
  for (DirectoryEntry& entry : footer.sections) {
    const Size bytes = Size(entry.count) * entry.record_bytes;
    if (!bytes.valid() || !range_fits(entry.offset, bytes.get("section"), file.size())) continue;
    const std::span<const std::byte> column = std::span(file).subspan(entry.offset, bytes.get("section"));
    if (entry.number != 0) entry.sum = codec::xxh3_64(column);
    const auto which = std::find(kIdSections.begin(), kIdSections.end(), static_cast<Section>(entry.number));
    if (which == kIdSections.end() || entry.model_end > entry.program_end || entry.program_end > entry.count) continue;
    const auto i = static_cast<std::size_t>(which - kIdSections.begin());
    const std::uint64_t added = entry.program_end - entry.model_end;
    model[i] = {entry.model_end, column.first(entry.model_end * entry.record_bytes)};
    program[i] = {added, column.subspan(entry.model_end * entry.record_bytes, added * entry.record_bytes)};
  }
  codec::Xxh3_128::Sum id = id_over(kModelIdText, footer.model_root, model);
  footer.content_low = id.low, footer.content_high = id.high;
  id = {0, 0};
  if (footer.program_root != kNone) id = id_over(kProgramIdText, footer.program_root, program);
  footer.program_low = id.low, footer.program_high = id.high;
  footer.sum = codec::xxh3_64(std::as_bytes(std::span(&footer, 1)).first(offsetof(Footer, sum)));
  std::memcpy(at, &footer, sizeof footer);
}

template <class Visit>
void each(const Image& image, Section section, const Visit& visit) {
  const std::uint64_t count = std::min(image.section(section).count, kVisits);
  for (std::uint64_t i = 0; i < count; ++i) visit(static_cast<std::uint32_t>(i));
}

std::vector<Bytes> buffers_of(const Image& image) {
  std::vector<Bytes> buffers;
  for (std::uint32_t i = 0; i < image.section(Section::buffers).count; ++i) {
    buffers.emplace_back(image.buffer(i).raw_bytes);
    image.read_buffer(i, 0, buffers.back());
  }
  return buffers;
}

void run(const Bytes& file) {
  succeeds([&] {
    const Image image(file, "fuzzed");
    const NodeRecord root = image.node(image.footer().model_root);
    require(image.section(Section::nodes).count != 0);
    static_cast<void>(root);
    each(image, Section::nodes, [&](std::uint32_t i) {
      const NodeRecord node = image.node(i);
      succeeds([&] {
        image.check_links(node.b, node.a);
        image.link(node.b);
      });
      succeeds([&] {
        image.check_extents(node.b, node.form);
        image.extent(node.b);
      });
      succeeds([&] { image.type(image.array(node.a).type); });
      succeeds([&] { codec::xxh3_64(image.heap(node.b, std::min<std::uint32_t>(node.a, 1 << 16))); });
    });
    each(image, Section::fields, [&](std::uint32_t i) { image.field(i); });
    std::uint64_t left = 2 * kLimitBytes;
    each(image, Section::buffers, [&](std::uint32_t i) {
      Bytes out(std::min({kReadBytes, image.buffer(i).raw_bytes, left}));
      left -= out.size();
      succeeds([&] { image.read_buffer(i, 0, out); });
      const std::uint64_t middle = image.buffer(i).raw_bytes / 2;
      out.resize(std::min<std::size_t>(out.size(), 100));
      succeeds([&] { image.read_buffer(i, middle, out); });
      succeeds([&] {
        const auto mapped = image.find_mapped(i);
        if (mapped && !mapped->empty()) static_cast<void>(codec::xxh3_64(mapped->last(1)));
      });
    });
    succeeds([&] {
      const Columns columns = copy_columns(image);
      const RowLayouts layouts(columns);
      for (std::uint32_t i = 0; i < std::min<std::size_t>(columns.buffers.size(), 4096); ++i) layouts.of(i);
    });
    succeeds([&] { static_cast<void>(expanded_bytes(image)); });
    const bool sound = succeeds([&] { verify(image, {}); });
    for (const codec::CodecId codec : {codec::CodecId::none, codec::CodecId::lz4}) {
      WriteOptions options;
      options.codec.codec = codec;
      options.filter_table = codec::array_filters();
      os::MemorySink sink;
      Error refused = Error::out_of_memory();
      WriteResult result;
      bool written = false;
      try {
        result = rewrite(image, options, sink, kLimitBytes);
        written = true;
      } catch (const Error& error) {
        refused = error;
      }
      // What verifies can be rewritten, but for its size; what was rewritten is sound and equal.
      if (sound) require(written || refused.reason() == Reason::too_large);
      if (!written) continue;
      const Bytes again = sink.take();
      const Image copy(again, "rewritten");
      verify(copy, {});
      require(buffers_of(copy) == buffers_of(image));
      require(copy.footer().model_root == image.footer().model_root);
      if (codec == codec::CodecId::none) require(again.size() <= expanded_bytes(image));
    }
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  Bytes file(bytes.begin(), bytes.end());
  run(file);
  seal(file);
  run(file);
  return 0;
}
