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

// Small and without destructors: a dump of many arrays fills and moves little else before it writes.
struct StreamParts::Content {
  static constexpr std::uint32_t kOpaque = 0xffffffff;
  struct Part {
    const std::byte* data = nullptr;  // element 0...0 of an array, or the bytes of a pickle
    std::uint64_t at = 0;             // where its shape and then its strides stand in `extents`; of a pickle its length
    std::uint32_t type = 0;
    std::uint32_t ndim = kOpaque;
  };
  std::vector<Part> parts;
  std::vector<std::int64_t> extents;
  std::vector<Dtype> types;  // one for each run of arrays of a type
};

StreamParts::StreamParts() : content_(std::make_unique<Content>()) {}
StreamParts::~StreamParts() = default;
StreamParts::StreamParts(StreamParts&&) noexcept = default;
StreamParts& StreamParts::operator=(StreamParts&&) noexcept = default;

std::uint64_t StreamParts::add_array(const Dtype& dtype, std::span<const std::int64_t> shape,
                                     std::span<const std::int64_t> strides, const std::byte* data) {
  if (shape.size() != strides.size())
    throw Error(Reason::bad_argument, "an array with as many strides as dimensions is expected");
  if (content_->types.empty() || content_->types.back() != dtype) content_->types.push_back(dtype);
  Content::Part part;
  part.data = data;
  part.at = content_->extents.size();
  part.type = static_cast<std::uint32_t>(content_->types.size() - 1);
  part.ndim = static_cast<std::uint32_t>(shape.size());
  for (const std::int64_t extent : shape) content_->extents.push_back(extent);
  for (const std::int64_t stride : strides) content_->extents.push_back(stride);
  content_->parts.push_back(part);
  return content_->parts.size() - 1;
}

std::uint64_t StreamParts::add_opaque(std::span<const std::byte> pickle) {
  content_->parts.push_back(Content::Part{.data = pickle.data(), .at = pickle.size()});
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
    if (!reserved_) values.expect_arrays(content_.parts.size());
    reserved_ = true;
    ValueId& value = values_[static_cast<std::size_t>(number)];
    if (value == importers::pickle::kNoValue) value = make(values, content_.parts[static_cast<std::size_t>(number)]);
    return value;
  }

 private:
  ValueId make(importers::pickle::Values& values, const StreamParts::Content::Part& part) {
    if (part.ndim == StreamParts::Content::kOpaque) {
      const std::span<const std::byte> pickle(part.data, static_cast<std::size_t>(part.at));
      // A stream of its own, read into the same values; the builder tells by its calls that it is opaque.
      const importers::pickle::Outcome outcome = Machine(pickle, 0, values, false).run();
      if (outcome.end != pickle.size())
        throw Error(Reason::trailing_bytes, "bytes follow the pickle of a function or class by value");
      return outcome.root;
    }
    const auto first = static_cast<std::size_t>(part.at);
    const std::span<const std::int64_t> shape = std::span(content_.extents).subspan(first, part.ndim);
    const std::span<const std::int64_t> strides = std::span(content_.extents).subspan(first + part.ndim, part.ndim);
    RawArray array;
    array.dtype = content_.types[part.type];
    array.shape.assign(shape.begin(), shape.end());
    if (!without_gaps(shape, strides, array.dtype.itemsize())) array.strides.assign(strides.begin(), strides.end());
    array.bytes = {part.data, 0};
    return values.array(std::move(array));
  }

  // Are these the strides that elements in C order have? Without elements no strides are like others.
  static bool without_gaps(std::span<const std::int64_t> shape, std::span<const std::int64_t> strides,
                           std::uint64_t itemsize) {
    std::uint64_t expected = itemsize;
    for (std::size_t i = shape.size(); i-- > 0;) {
      if (shape[i] <= 0 || strides[i] < 0 || static_cast<std::uint64_t>(strides[i]) != expected) return false;
      expected *= static_cast<std::uint64_t>(shape[i]);
    }
    return true;
  }

  const StreamParts::Content& content_;
  std::vector<ValueId> values_;
  bool reserved_ = false;
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
