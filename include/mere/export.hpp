#pragma once
// Models as files of other libraries: what joblib, pickle, NumPy, skops and safetensors load without mere.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mere/dump.hpp>
#include <mere/graph.hpp>
#include <mere/model.hpp>

namespace mere {

enum class ExportFormat : std::uint8_t { joblib, pickle, skops, safetensors, npz, npy };
// Of a joblib file as a whole, or of the members of an npz or skops file (none and zlib alone).
enum class Compression : std::uint8_t { none, zlib, gzip, lz4, xz, bz2 };
// The words: "joblib", "pickle", ...; "none", "zlib", ...
MERE_API std::string_view to_text(ExportFormat value) noexcept;
MERE_API std::string_view to_text(Compression value) noexcept;
MERE_API std::optional<ExportFormat> find_export_format(std::string_view word) noexcept;
MERE_API std::optional<Compression> find_compression(std::string_view word) noexcept;
MERE_API bool has_compression(Compression compression) noexcept;  // in this build
// The format that an extension stands for: .joblib; .pkl, .pickle; .skops; .safetensors; .npz; .npy.
MERE_API std::optional<ExportFormat> find_export_format_of(const std::filesystem::path& path) noexcept;

struct ExportOptions {
  std::optional<ExportFormat> format{};  // nothing: by the extension of the path
  Compression compression = Compression::none;
  int level = 0;              // of the compression; 0: 3, as joblib
  int protocol = 0;           // of pickle and joblib, 2 to 5; 0: 4 in joblib files, 5 in pickles
  bool numpy2_names = false;  // numpy._core for numpy.core, which NumPy 1.26 and later know, older ones do not
  std::string path{};         // the node to write (docs/format.md 8); empty: all of the model
  // Full names admitted beside the shipped lists. A pickle that names a function can run it when it is loaded: names on
  // no list are refused, and so are opaque parts, unless their full names stand here.
  std::vector<std::string> trusted{};
  Durability durability = Durability::full;
  Limits limits{};
  std::function<void(const Progress&)> progress{};  // array bytes; called from the calling thread; may throw to stop
};

struct ExportResult {
  ExportFormat format = ExportFormat::joblib;
  std::uint64_t file_bytes = 0;
  std::uint64_t arrays = 0;
  std::uint64_t array_bytes = 0;  // before compression
};

// Writes the model of `graph`, or of an open file, to a path: as dump() does, whole or not at all. Streams: holds a few
// MiB beside the graph. Objects keep every part of their reduction; arrays that are views of each other are written as
// copies, an array in two places once.
// Throws Error: not_supported (naming the path of what the format cannot hold), forbidden_global, bad_argument (options
// that contradict each other), no_path, system_call.
MERE_API ExportResult export_model(const Graph& graph, const std::filesystem::path& out,
                                   const ExportOptions& options = {});
MERE_API ExportResult export_model(const Model& model, const std::filesystem::path& out,
                                   const ExportOptions& options = {});
MERE_API ExportResult export_model(const Graph& graph, std::ostream& out, const ExportOptions& options);
MERE_API ExportResult export_model(const Model& model, std::ostream& out, const ExportOptions& options);
// To a descriptor that stays the caller's: a file at its position, a pipe or a socket.
MERE_API ExportResult export_to_descriptor(const Model& model, int fd, const ExportOptions& options);

// From a file: a .mere, or any that convert() reads, told by its bytes.
MERE_API ExportResult export_file(const std::filesystem::path& in, const std::filesystem::path& out,
                                  const ExportOptions& options = {});
MERE_API ExportResult export_file_to_descriptor(const std::filesystem::path& in, int fd, const ExportOptions& options);

}  // namespace mere
