// From a name, descriptor, bytes or stream to a Model.

#include <algorithm>
#include <istream>
#include <utility>

#include "format/verify.hpp"
#include "graph/verify_graph.hpp"
#include "model/expand.hpp"
#include "model/guarded.hpp"
#include "model/model_state.hpp"
#include "os/sink.hpp"
#include "os/worker_team.hpp"
#include "trust/validators.hpp"

namespace mere {

namespace {

using model::guarded;

// What every way of opening ends with: the image, its expansion, the checks that were asked for. `source` is where
// `bytes` come from, or has no descriptor.
std::shared_ptr<const Model::State> finish(std::shared_ptr<Model::State> state, std::span<const std::byte> bytes,
                                           const cache::SourceRange& source) {
  const OpenOptions& options = state->options;
  model::read_image(*state, bytes, source);
  if (options.content_id) {
    const format::Footer& footer = state->image->footer();
    const ContentId found{footer.content_low, footer.content_high};
    if (found != *options.content_id) {
      throw Error(Reason::content_differs, state->name + ": content id " + found.to_text() + " found, " +
                                               options.content_id->to_text() + " expected");
    }
  }
  if (state->image->has_encoded_blocks() && options.expand != Expand::lazy) model::expand(*state, source);
  if (options.verify != Verify::none) {
    format::VerifyOptions verify;
    verify.data = options.verify == Verify::all;
    verify.threads = os::thread_count(options.threads);
    model::guarded_read(*state->image, [&] {
      format::verify(*state->image, verify);
      graph::verify_graph(*state->image);
      if (verify.data) trust::validate_states(graph::ImageReader(*state->image), state->image->name());
      state->image->check_faults();
    });
  }
  return state;
}

std::shared_ptr<Model::State> new_state(std::string name, const OpenOptions& options) {
  auto state = std::make_shared<Model::State>();
  state->name = std::move(name);
  state->options = options;
  return state;
}

std::shared_ptr<const Model::State> open_path(const std::filesystem::path& path, const OpenOptions& options) {
  auto state = new_state(path.native(), options);
  state->path = path;
  os::Descriptor file = os::open_regular(path);
  const int fd = file.get();
  state->stamp = os::stamp_of(fd, state->name);
  state->map = os::Mapping(fd, 0, state->stamp->size, model::map_options(options), state->name);
  os::Descriptor closed_at_the_end;
  (options.keep_descriptor ? state->mapped : closed_at_the_end) = std::move(file);
  return finish(state, state->map.bytes(), {fd, 0, state->stamp->size});
}

// Reads `next` to its end into an anonymous file and maps that.
template <class Next>
std::shared_ptr<const Model::State> open_spooled(std::string name, const OpenOptions& options, Next&& next) {
  auto state = new_state(std::move(name), options);
  os::Descriptor file = os::anonymous_file("mere-stream");
  const int fd = file.get();
  os::DescriptorSink sink(fd, state->name);
  std::vector<std::byte> part(1 << 20);
  std::uint64_t length = 0;
  for (;;) {
    const std::size_t got = next(std::span<std::byte>(part));
    if (got == 0) break;
    length += got;
    if (length > options.limits.memory_bytes) {
      throw Error(Reason::too_large, state->name + ": more than " + std::to_string(options.limits.memory_bytes) +
                                         " bytes in the stream (Limits::memory_bytes)");
    }
    sink.write({part.data(), got});
  }
  state->map = os::Mapping(fd, 0, length, model::map_options(options), state->name);
  os::Descriptor closed_at_the_end;
  (options.keep_descriptor ? state->mapped : closed_at_the_end) = std::move(file);
  return finish(state, state->map.bytes(), {fd, 0, length});
}

}  // namespace

const Model::State& Model::State::of(const Model& model) {
  if (!model) throw Error(Reason::bad_argument, "this Model was never opened");
  return *model.state();
}

Model::Model(const std::filesystem::path& path, const OpenOptions& options)
    : state_(guarded([&] { return open_path(path, options); })) {}

Model open(const std::filesystem::path& path, const OpenOptions& options) {
  return Model(path, options);
}

Model Model::from_descriptor(int fd, std::uint64_t offset, std::optional<std::uint64_t> length,
                             const OpenOptions& options) {
  return guarded([&] {
    auto state = new_state("descriptor " + std::to_string(fd), options);
    state->stamp = os::stamp_of(fd, state->name);
    state->descriptor = fd;
    const std::uint64_t size = state->stamp->size;
    const std::uint64_t wanted = length ? *length : size - std::min(offset, size);
    if (!range_fits(offset, wanted, size)) {
      throw Error(Reason::truncated, state->name + ": bytes " + std::to_string(offset) + "+" + std::to_string(wanted) +
                                         " lie outside a file of " + std::to_string(size));
    }
    state->map = os::Mapping(fd, offset, wanted, model::map_options(options), state->name);
    return Model(finish(state, state->map.bytes(), {fd, offset, wanted}));
  });
}

Model Model::from_bytes(std::span<const std::byte> bytes, std::shared_ptr<const void> owner, const OpenOptions& options,
                        std::string name) {
  return guarded([&] {
    auto state = new_state(std::move(name), options);
    state->owner = std::move(owner);
    return Model(finish(state, bytes, {}));
  });
}

Model Model::from_stream(std::istream& in, const OpenOptions& options) {
  return guarded([&] {
    return Model(open_spooled("stream", options, [&](std::span<std::byte> part) {
      in.read(reinterpret_cast<char*>(part.data()), static_cast<std::streamsize>(part.size()));
      if (in.bad()) throw Error(Reason::system_call, "stream: it could not be read to its end");
      return static_cast<std::size_t>(in.gcount());
    }));
  });
}

Model Model::from_pipe(int fd, const OpenOptions& options) {
  return guarded([&] {
    const std::string name = "descriptor " + std::to_string(fd);
    return Model(open_spooled(
        name, options, [&](std::span<std::byte> part) { return os::read_some(fd, part.data(), part.size(), name); }));
  });
}

Model Model::reopen() const {
  const State& state = State::of(*this);
  if (state.path.empty()) {
    throw Error(Reason::bad_argument, state.name + ": opened without a name, so it cannot be opened again");
  }
  return Model(state.path, state.options);
}

bool Model::stale() const {
  const State& state = State::of(*this);
  if (!state.stamp) return false;
  os::FileStamp now;
  if (!state.path.empty()) {
    // Nothing is kept open, and nothing need be: a name that leads to the same inode tells of the mapped file itself,
    // and any other answer means stale.
    if (!os::find_stamp(state.path, now)) return true;
  } else {
    // The descriptor is the caller's, who may have closed it or let another file have its number: then nothing is
    // known.
    try {
      now = os::stamp_of(state.descriptor, state.name);
    } catch (const Error&) {
      return false;
    }
    if (now.device != state.stamp->device || now.inode != state.stamp->inode) return false;
  }
  return now.device != state.stamp->device || now.inode != state.stamp->inode || now.size != state.stamp->size ||
         now.mtime_ns != state.stamp->mtime_ns;
}

void guard_faults() {
  os::guard_faults();
}

}  // namespace mere
