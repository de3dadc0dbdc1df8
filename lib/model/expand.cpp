#include "model/expand.hpp"

#include <cstdlib>
#include <cstring>

#include "cache/cache_directory.hpp"
#include "format/expand.hpp"
#include "model/filters.hpp"
#include "model/guarded.hpp"
#include "model/model_state.hpp"
#include "os/sink.hpp"
#include "os/worker_team.hpp"

namespace mere::model {

namespace {

format::WriteOptions raw_options(const OpenOptions& options, const format::Image& image) {
  format::WriteOptions write;
  write.filter_table = image.filter_table();
  write.alignment = image.alignment();
  write.threads = os::thread_count(options.threads);
  return write;
}

// Memory at a page's boundary, so that arrays are aligned in it as they would be in a map. Pages that are never written
// are never taken.
class PageMemory : public os::Sink {
 public:
  explicit PageMemory(std::uint64_t capacity)
      : capacity_(static_cast<std::size_t>(Size(capacity).round_up(kPage).get("expanded bytes"))) {
    bytes_.reset(static_cast<std::byte*>(std::aligned_alloc(kPage, capacity_)));
    if (!bytes_) throw Error::out_of_memory();
  }
  void write(std::span<const std::byte> bytes) override {
    if (bytes.size() > capacity_ - size_) {
      throw Error(Reason::too_large, "expansion: more bytes than the directory of the file allows for");
    }
    std::memcpy(bytes_.get() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  std::span<const std::byte> bytes() const { return {bytes_.get(), size_}; }
  std::shared_ptr<const void> release() { return std::shared_ptr<const void>(bytes_.release(), &std::free); }

 private:
  static constexpr std::size_t kPage = 4096;
  struct Free {
    void operator()(void* p) const { std::free(p); }
  };
  std::size_t capacity_, size_ = 0;
  std::unique_ptr<std::byte, Free> bytes_;
};

void expand_in_memory(Model::State& state) {
  const format::Image& image = *state.image;
  const std::uint64_t bytes = format::expanded_bytes(image);
  const std::uint64_t limit = std::min(state.options.limits.memory_bytes, state.options.limits.expanded_bytes);
  if (bytes > limit) {
    throw Error(Reason::too_large, state.name + ": " + std::to_string(bytes) + " bytes expanded, the limit is " +
                                       std::to_string(limit) + " (Limits::memory_bytes, Limits::expanded_bytes)");
  }
  PageMemory memory(bytes);
  format::rewrite(image, raw_options(state.options, image), memory, limit);
  image.check_faults();
  const std::span<const std::byte> expanded = memory.bytes();
  std::shared_ptr<const void> owner = memory.release();
  state.image.reset();
  state.map = os::Mapping();
  state.mapped = os::Descriptor();
  state.owner = std::move(owner);
  read_image(state, expanded);
}

// The image of a copy is that of the source in all but its blocks.
void check_copy(const format::Image& copy, const format::Footer& source) {
  if (copy.has_encoded_blocks() || copy.footer().content_low != source.content_low ||
      copy.footer().content_high != source.content_high) {
    throw Error(Reason::checksum, copy.name() + ": not the expansion of the file it is named for");
  }
}

void expand_shared(Model::State& state, cache::SourceRange range) {
  const format::Footer footer = state.image->footer();
  const OpenOptions& options = state.options;
  os::Descriptor spool;
  if (range.fd < 0) {
    spool = os::anonymous_file("mere-bytes");
    os::DescriptorSink(spool.get(), state.name).write(state.image->bytes());
    range = {spool.get(), 0, state.image->bytes().size()};
  }
  cache::Source source;
  source.range = range;
  source.name = state.name;
  source.expanded_bytes = format::expanded_bytes(*state.image);
  if (source.expanded_bytes > options.limits.expanded_bytes) {
    throw Error(Reason::too_large, state.name + ": " + std::to_string(source.expanded_bytes) +
                                       " bytes expanded, the limit is " +
                                       std::to_string(options.limits.expanded_bytes) + " (Limits::expanded_bytes)");
  }
  const auto make = [&](const cache::SourceRange& from, os::Sink& out) {
    os::MapOptions sequential;
    sequential.sequential = true;
    const os::Mapping map(from.fd, from.offset, from.length, sequential, state.name);
    const format::Image image(map.bytes(), state.name, state.image->filter_table(), [&map] { return map.faulted(); });
    format::rewrite(image, raw_options(options, image), out, options.limits.expanded_bytes);
    image.check_faults();
  };
  const auto check = [&](int fd, const std::string& path) {
    const os::FileStamp stamp = os::stamp_of(fd, path);
    const os::Mapping map(fd, 0, stamp.size, {}, path);
    check_copy(format::Image(map.bytes(), path), footer);
  };
  cache::Expanded copy = cache::open_expanded(source, {}, make, check);
  os::Mapping map(copy.file.get(), 0, os::stamp_of(copy.file.get(), copy.path).size, map_options(options), copy.path);
  // The map keeps the copy's lock after the descriptor is closed: what is in use is not evicted.
  state.image.reset();
  state.map = std::move(map);
  state.mapped = state.options.keep_descriptor ? std::move(copy.file) : os::Descriptor();
  state.owner.reset();
  state.is_expanded = true;
  state.source_sha256 = copy.digest;
  read_image(state, state.map.bytes());
  check_copy(*state.image, footer);
}

}  // namespace

os::MapOptions map_options(const OpenOptions& options) {
  os::MapOptions map;
  map.copy_on_write = options.copy_on_write;
  map.populate = options.populate;
  map.huge_pages = options.huge_pages;
  return map;
}

void read_image(Model::State& state, std::span<const std::byte> bytes, const cache::SourceRange& source) {
  // A pointer into the state, which lives as long as the image in it.
  const os::Mapping* map = &state.map;
  format::FileEnds ends;
  const auto read = [&](void* to, std::size_t size, std::uint64_t at) {
    return os::read_at(source.fd, to, size, source.offset + at, state.name) == size;
  };
  const bool has_ends = source.fd >= 0 && bytes.size() >= format::kHeaderBytes + format::kFooterBytes &&
                        read(&ends.header, sizeof ends.header, 0) &&
                        read(&ends.footer, sizeof ends.footer, bytes.size() - sizeof ends.footer);
  state.image.emplace(
      bytes, state.name, filters(), [map] { return map->faulted(); }, has_ends ? &ends : nullptr);
  state.image->check_faults();
}

void expand(Model::State& state, cache::SourceRange source) {
  if (state.options.expand == Expand::in_memory) {
    expand_in_memory(state);
  } else {
    expand_shared(state, source);
  }
}

}  // namespace mere::model

namespace mere {

std::filesystem::path cache_directory() {
  return model::guarded([] { return cache::default_directory(); });
}

std::vector<CacheEntry> cache_list() {
  return model::guarded([] {
    std::vector<CacheEntry> entries;
    for (const cache::StoredCopy& copy : cache::list()) {
      entries.push_back({copy.digest, copy.bytes, copy.used_ns / 1'000'000'000});
    }
    return entries;
  });
}

std::uint64_t cache_clear(std::string_view digest) {
  return model::guarded([&] { return cache::clear({}, digest); });
}

}  // namespace mere
