#pragma once
// From objects of this process to a graph: a pickle stream (protocol 5) that the process itself has just written, and
// what the stream refers to by number instead of holding it. For bindings; files come in by import_file(), which knows
// no such references. One machine reads both: docs/importers.md, "What becomes what".

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <mere/convert.hpp>
#include <mere/graph.hpp>

namespace mere {

// What persistent ids stand for, by number: 0, 1, 2 ... in the order of the calls. Not safe to share while it grows.
class MERE_API StreamParts {
 public:
  StreamParts();
  ~StreamParts();
  StreamParts(StreamParts&&) noexcept;
  StreamParts& operator=(StreamParts&&) noexcept;
  StreamParts(const StreamParts&) = delete;
  StreamParts& operator=(const StreamParts&) = delete;

  // An array over the caller's memory; `strides` in bytes, `data` at element 0...0. Elements are read when the graph is
  // dumped, and are the caller's to keep until then. Arrays that overlap become views of one buffer.
  std::uint64_t add_array(const Dtype& dtype, std::span<const std::int64_t> shape,
                          std::span<const std::int64_t> strides, const std::byte* data);
  // A function or class by value: the pickle of it alone, as cloudpickle writes it; the caller's to keep until the
  // graph is made. It becomes an opaque node.
  std::uint64_t add_opaque(std::span<const std::byte> pickle);
  std::uint64_t size() const;

  struct Content;
  const Content& content() const { return *content_; }

 private:
  std::unique_ptr<Content> content_;
};

// The graph of a stream of the pair (model, metadata): the metadata is a dict or None. Bytes in the stream are held by
// `owner`, or are the caller's to keep until the graph is dumped. No name is refused: it is this process that named it.
// Throws Error: bad_record (a number without a part, a root that is no such pair), not_supported, too_large, and what
// reading a pickle throws.
MERE_API Graph read_object_stream(std::span<const std::byte> stream, const StreamParts& parts,
                                  std::shared_ptr<const void> owner = nullptr);

struct AddedProgram {
  bool added = false;
  std::string why_not;  // StoreProgram::automatic: why there is none, if lowering was tried
};

// Adds the program of the graph's model, as convert() does. The library's version is what its estimators state.
// `threads`: 0: as many as there are processors, at most 4. The program does not depend on it.
// Throws Error: not_lowerable, schema, bad_record.
MERE_API AddedProgram add_program(Graph& graph, StoreProgram mode, unsigned threads = 0);

}  // namespace mere
