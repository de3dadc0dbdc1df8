// What an open model tells of itself and its file.

#include <algorithm>
#include <set>

#include "codec/block_codec.hpp"
#include "codec/sha256.hpp"
#include "format/verify.hpp"
#include "graph/verify_graph.hpp"
#include "model/guarded.hpp"
#include "model/model_state.hpp"
#include "os/worker_team.hpp"
#include "trust/validators.hpp"

namespace mere {

namespace {

using format::Image;
using format::Section;
using model::guarded;
using model::guarded_read;

const Image& image_of(const Model& model) {
  return *Model::State::of(model).image;
}

constexpr std::string_view kSectionWords[] = {"nodes",  "links",  "heap",    "extents", "types",
                                              "fields", "arrays", "buffers", "blocks",  "sums"};

// "columns+zlib": filters in the order they were applied, then the codec.
std::string codec_words(const Image& image, const format::BlockRecord& block) {
  std::string words;
  for (const std::uint8_t id : block.filters) {
    if (id == 0) break;
    const codec::Filter* filter = image.filter_table().find(id);
    const codec::GroupFilter* group = image.filter_table().find_group(id);
    words += filter ? std::string(filter->name()) : group ? std::string(group->name()) : "filter " + std::to_string(id);
    words += '+';
  }
  return words + std::string(codec::to_text(static_cast<codec::CodecId>(block.codec)));
}

// Blocks of a group share their stored bytes: only the first one's count.
std::uint64_t own_stored_bytes(const format::BlockRecord& block) {
  const bool follower = block.group != 0 && (block.group & format::kGroupLeader) == 0;
  return follower ? 0 : block.stored_bytes;
}

struct ArrayFacts {
  std::uint64_t bytes = 0;          // sum over the model's arrays; stops at the largest number
  std::vector<bool> holds_segment;  // a flag a buffer: an array of a segment's size lies in it
};

ArrayFacts array_facts(const Image& image, bool all_parts) {
  ArrayFacts facts;
  facts.holds_segment.resize(image.section(Section::buffers).count);
  const format::SectionView& nodes = image.section(Section::nodes);
  const std::uint64_t end = all_parts ? nodes.count : nodes.model_end;
  Size bytes = 0;
  for (std::uint64_t id = 0; id < end; ++id) {
    const format::NodeRecord node = image.node(static_cast<std::uint32_t>(id));
    if (node.kind != static_cast<std::uint8_t>(Kind::array)) continue;
    if (node.flags == static_cast<std::uint8_t>(format::Layout::objects)) continue;
    const std::uint64_t size = ArrayView(&image, static_cast<std::uint32_t>(id)).nbytes();
    bytes = bytes + size;
    const std::uint32_t buffer = image.array(node.a).buffer;
    if (size >= format::kSegmentBytes && buffer < facts.holds_segment.size()) facts.holds_segment[buffer] = true;
  }
  facts.bytes = bytes.valid() ? bytes.get("arrays") : UINT64_MAX;
  return facts;
}

}  // namespace

Node Model::root() const& {
  const Image& image = image_of(*this);
  return Node(&image, image.footer().model_root);
}

Node Model::at(std::string_view path) const& {
  return guarded_read(image_of(*this), [&] { return root().at(path); });
}

std::optional<Node> Model::find_at(std::string_view path) const& {
  return guarded_read(image_of(*this), [&] { return root().find_at(path); });
}

std::optional<Node> Model::program() const& {
  const Image& image = image_of(*this);
  if (image.footer().program_root == format::kNone) return std::nullopt;
  return Node(&image, image.footer().program_root);
}

std::optional<Node> Model::metadata() const& {
  const Image& image = image_of(*this);
  if (image.footer().metadata_root == format::kNone) return std::nullopt;
  return Node(&image, image.footer().metadata_root);
}

ContentId Model::content_id() const {
  const format::Footer& footer = image_of(*this).footer();
  return {footer.content_low, footer.content_high};
}

std::string Model::name() const {
  return State::of(*this).name;
}

std::span<const std::byte> Model::bytes() const& {
  return image_of(*this).bytes();
}

int Model::descriptor() const {
  return State::of(*this).mapped.get();
}

bool Model::faulted() const {
  return State::of(*this).map.faulted();
}

bool Model::expanded() const {
  return State::of(*this).is_expanded;
}

std::vector<bool> Model::resident_pages() const {
  return guarded([&] { return State::of(*this).map.resident_pages(); });
}

ModelInfo Model::info() const {
  return guarded_read(image_of(*this), [&] {
    const State& state = State::of(*this);
    const Image& image = *state.image;
    const format::Footer& footer = image.footer();
    ModelInfo info;
    info.name = state.name;
    info.major = image.header().major;
    info.minor = image.header().minor;
    info.file_bytes = image.bytes().size();
    info.alignment = image.alignment();
    info.content_id = content_id();
    info.has_program = footer.program_root != format::kNone;
    info.has_metadata = footer.metadata_root != format::kNone;
    if (info.has_program) info.program_id = ContentId{footer.program_low, footer.program_high};
    info.nodes = image.section(Section::nodes).model_end;
    info.arrays = image.section(Section::arrays).model_end;
    info.array_bytes = array_facts(image, false).bytes;
    info.buffers = image.section(Section::buffers).count;
    info.blocks = image.section(Section::blocks).count;
    info.manifest_bytes = image.bytes().size() - format::kFooterBytes - image.data_end();
    std::set<std::string> codecs, filters;
    for (std::uint64_t id = 0; id < info.blocks; ++id) {
      const format::BlockRecord block = image.block(static_cast<std::uint32_t>(id));
      info.stored_bytes += own_stored_bytes(block);
      info.raw_bytes += block.raw_bytes;
      std::string words = codec_words(image, block);
      for (std::size_t plus; (plus = words.find('+')) != std::string::npos; words.erase(0, plus + 1)) {
        filters.insert(words.substr(0, plus));
      }
      codecs.insert(std::move(words));
    }
    info.codecs.assign(codecs.begin(), codecs.end());
    info.filters.assign(filters.begin(), filters.end());
    image.check_faults();
    return info;
  });
}

std::vector<SegmentInfo> Model::segments() const {
  return guarded_read(image_of(*this), [&] {
    const Image& image = image_of(*this);
    const ArrayFacts facts = array_facts(image, true);
    std::vector<SegmentInfo> out;
    const std::uint64_t buffers = image.section(Section::buffers).count;
    for (std::uint64_t id = 0; id < buffers; ++id) {
      const format::BufferRecord buffer = image.buffer(static_cast<std::uint32_t>(id));
      const char* what = facts.holds_segment[id] ? "segment" : "arena";
      std::uint64_t left = buffer.raw_bytes;
      for (std::uint64_t block_id = buffer.first_block; left > 0; ++block_id) {
        if (block_id > UINT32_MAX)
          throw Error(Reason::bad_segment, image.name() + ": buffer " + std::to_string(id) + ": too few blocks");
        const format::BlockRecord block = image.block(static_cast<std::uint32_t>(block_id));
        if (block.raw_bytes == 0 || block.raw_bytes > left) {
          throw Error(Reason::bad_segment, image.name() + ": block " + std::to_string(block_id) + ": " +
                                               std::to_string(block.raw_bytes) + " raw bytes, in a buffer that has " +
                                               std::to_string(left) + " more");
        }
        left -= block.raw_bytes;
        out.push_back({what, block.offset, own_stored_bytes(block), block.raw_bytes, codec_words(image, block)});
      }
    }
    for (std::size_t i = 0; i < format::kSectionCount; ++i) {
      const format::SectionView& section = image.section(static_cast<Section>(i + 1));
      const auto offset = static_cast<std::uint64_t>(section.data - image.bytes().data());
      const std::uint64_t bytes = section.count * section.record_bytes;
      out.push_back({std::string(kSectionWords[i]), offset, bytes, bytes, "none"});
    }
    image.check_faults();
    return out;
  });
}

std::string Model::sha256() const {
  return guarded([&] {
    const State& state = State::of(*this);
    if (!state.source_sha256.empty()) return state.source_sha256;
    const std::span<const std::byte> bytes = state.image->bytes();
    codec::Sha256 digest;
    for (std::size_t at = 0; at < bytes.size(); at += format::kBlockBytes) {
      digest.update(bytes.subspan(at, std::min<std::size_t>(format::kBlockBytes, bytes.size() - at)));
    }
    state.image->check_faults();
    return codec::Sha256::to_hex(digest.finish());
  });
}

void Model::verify(unsigned threads, const std::function<void(std::uint64_t, std::uint64_t)>& progress) const {
  guarded_read(image_of(*this), [&] {
    const Image& image = image_of(*this);
    format::VerifyOptions options;
    options.threads = os::thread_count(threads);
    options.progress = progress;
    format::verify(image, options);
    graph::verify_graph(image);
    trust::validate_states(graph::ImageReader(image), image.name());
    image.check_faults();
  });
}

}  // namespace mere
