// Streams of our own process, by the machine that reads pickle files.

#include <mere/object_stream.hpp>

#include <algorithm>
#include <utility>

#include "importers/pickle/pickle.hpp"
#include "model/guarded.hpp"
#include "model/store_program.hpp"
#include "trust/graph_facts.hpp"

namespace mere {

using importers::pickle::Machine;
using importers::pickle::RawArray;
using importers::pickle::ValueId;
using importers::pickle::ValueKind;

struct StreamParts::Content {
  struct Part {
    // An array: its type, element 0...0, and where its shape and then its strides stand in `extents`.
    Dtype dtype;
    const std::byte* data = nullptr;
    std::size_t first_extent = 0, ndim = 0;
    std::span<const std::byte> pickle;
    bool is_opaque = false;
  };
  std::vector<Part> parts;
  std::vector<std::int64_t> extents;
};

StreamParts::StreamParts() : content_(std::make_unique<Content>()) {}
StreamParts::~StreamParts() = default;
StreamParts::StreamParts(StreamParts&&) noexcept = default;
StreamParts& StreamParts::operator=(StreamParts&&) noexcept = default;

std::uint64_t StreamParts::add_array(const Dtype& dtype, std::span<const std::int64_t> shape,
                                     std::span<const std::int64_t> strides, const std::byte* data) {
  if (shape.size() != strides.size())
    throw Error(Reason::bad_argument, "an array with as many strides as dimensions is expected");
  Content::Part part;
  part.dtype = dtype;
  part.data = data;
  part.first_extent = content_->extents.size();
  part.ndim = shape.size();
  content_->extents.insert(content_->extents.end(), shape.begin(), shape.end());
  content_->extents.insert(content_->extents.end(), strides.begin(), strides.end());
  content_->parts.push_back(std::move(part));
  return content_->parts.size() - 1;
}

std::uint64_t StreamParts::add_opaque(std::span<const std::byte> pickle) {
  Content::Part part;
  part.pickle = pickle;
  part.is_opaque = true;
  content_->parts.push_back(std::move(part));
  return content_->parts.size() - 1;
}

std::uint64_t StreamParts::size() const {
  return content_->parts.size();
}

namespace {

// The values of parts, each made when it is first asked for: one part is one value.
class PartValues {
 public:
  explicit PartValues(const StreamParts::Content& content)
      : content_(content), values_(content.parts.size(), importers::pickle::kNoValue) {}

  ValueId get(importers::pickle::Values& values, ValueId id) {
    const std::int64_t number = values.kind(id) == ValueKind::integer ? values.integer_of(id) : -1;
    if (number < 0 || static_cast<std::uint64_t>(number) >= values_.size())
      throw Error(Reason::bad_record, "a persistent id that no part was given for");
    ValueId& value = values_[static_cast<std::size_t>(number)];
    if (value == importers::pickle::kNoValue) value = make(values, content_.parts[static_cast<std::size_t>(number)]);
    return value;
  }

 private:
  ValueId make(importers::pickle::Values& values, const StreamParts::Content::Part& part) {
    if (part.is_opaque) {
      // A stream of its own, read into the same values; the builder tells by its calls that it is opaque.
      const importers::pickle::Outcome outcome = Machine(part.pickle, 0, values, false).run();
      if (outcome.end != part.pickle.size())
        throw Error(Reason::trailing_bytes, "bytes follow the pickle of a function or class by value");
      return outcome.root;
    }
    const std::span<const std::int64_t> extents = std::span(content_.extents).subspan(part.first_extent, 2 * part.ndim);
    RawArray array;
    array.dtype = part.dtype;
    array.shape.assign(extents.begin(), extents.begin() + static_cast<std::ptrdiff_t>(part.ndim));
    array.strides.assign(extents.begin() + static_cast<std::ptrdiff_t>(part.ndim), extents.end());
    array.bytes = {part.data, 0};
    return values.array(std::move(array));
  }

  const StreamParts::Content& content_;
  std::vector<ValueId> values_;
};

}  // namespace

Graph read_object_stream(std::span<const std::byte> stream, const StreamParts& parts,
                         std::shared_ptr<const void> owner) {
  return model::guarded([&] {
    PartValues made(parts.content());
    importers::Source source;
    source.bytes = stream;
    source.owner = std::move(owner);
    source.name = "object";
    importers::pickle::Surroundings surroundings;
    surroundings.resolve = [&](importers::pickle::Values& values, ValueId id) { return made.get(values, id); };
    Graph graph = std::move(importers::pickle::read_within(source, {}, surroundings).graph);
    const auto pair =
        graph.kind(graph.model_root) == Kind::tuple ? graph.members(graph.model_root) : std::span<const NodeId>();
    if (pair.size() != 2) throw Error(Reason::bad_record, "the stream is not one of a pair: model, metadata");
    const NodeId model = pair[0], metadata = pair[1];
    if (graph.kind(metadata) == Kind::dict) {
      graph.metadata_root = metadata;
    } else if (graph.kind(metadata) != Kind::null) {
      throw Error(Reason::bad_record,
                  "metadata is " + std::string(to_text(graph.kind(metadata))) + "; a dict is expected");
    }
    graph.model_root = model;
    return graph;
  });
}

AddedProgram add_program(Graph& graph, StoreProgram mode, unsigned threads) {
  return model::guarded([&] {
    AddedProgram result;
    if (mode == StoreProgram::none) return result;
    std::string version;
    for (auto& [library, text] : trust::versions_of(graph)) {
      if (library == "scikit-learn") version = text;
    }
    model::StoredProgram stored = model::store_program(graph, mode, version, {}, {}, threads);
    result.added = stored.stored;
    result.why_not = std::move(stored.why_not);
    return result;
  });
}

}  // namespace mere
