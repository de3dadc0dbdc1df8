#pragma once
// Foreign files to .mere, without running them.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mere/array.hpp>
#include <mere/dump.hpp>

namespace mere {

// A cross-validation score, as scikit-learn's guide asks to keep with a model.
struct CvScore {
  std::string metric;  // "accuracy"
  double mean = 0, std = 0;
  std::optional<std::uint32_t> n_splits{};
  // METRIC:MEAN:STD or METRIC:MEAN:STD:N_SPLITS; the metric may hold colons. Nothing if it is not that, a number is not
  // finite, STD is negative or N_SPLITS is less than 2.
  MERE_API static std::optional<CvScore> parse(std::string_view text);
};

// Whether a model's program, what predicts from the map, is stored with it (docs/operators.md).
//   automatic  beside the model, for ensembles of trees, and for all else that can be lowered and is larger than 1 MB
//   with       beside the model; what cannot be lowered is an error
//   only       instead of the model
//   none       not at all
enum class StoreProgram : std::uint8_t { automatic, with, only, none };
// "auto", "with", "only", "none".
MERE_API std::string_view to_text(StoreProgram value) noexcept;
MERE_API std::optional<StoreProgram> find_store_program(std::string_view word) noexcept;

struct ConvertOptions {
  DumpOptions dump{};
  StoreProgram program = StoreProgram::automatic;
  std::vector<std::string> trusted{};  // full names admitted as data beside the shipped lists
  // Classes of one's own, by full name, that predict as another one does: a subclass and what it derives from. The
  // program is made so, on the caller's word, and the name is admitted as data; the model keeps its class.
  std::map<std::string, std::string> aliases{};
  Limits limits{};
  // What a foreign file's conversion writes into the metadata beside the source's format, codec, protocol and length,
  // and the versions of the libraries found in it (docs/importers.md, Provenance).
  bool source_digest = true;                   // the source's SHA-256, taken by a thread of its own meanwhile
  std::optional<std::string> training_data{};  // which data the model was fitted to
  std::optional<std::string> source_code{};    // the text of the program that fitted it
  std::optional<CvScore> cv_score{};
  // Of expanding a source that is compressed, by its bytes; dump.progress is of writing. As that one.
  std::function<void(const Progress&)> read_progress{};
};

struct ConvertResult {
  DumpResult dump;
  std::string source_format;  // "joblib", "pickle", "npy", "npz", "mere"
  bool has_program = false;   // of the file written
  std::string no_program;     // StoreProgram::automatic: why there is none, if lowering was tried
};

// Converts a .joblib, .pkl, .npy, .npz or .mere file, told by its bytes. A .mere keeps its content id and metadata.
// Throws Error: forbidden_global (all untrusted names, the offset of the first), unknown_format, corrupt, ...
MERE_API ConvertResult convert(const std::filesystem::path& in, const std::filesystem::path& out,
                               const ConvertOptions& options = {});

// The same to a descriptor that stays the caller's: a file at its position, a pipe or a socket.
MERE_API ConvertResult convert_to_descriptor(const std::filesystem::path& in, int fd,
                                             const ConvertOptions& options = {});

// The graph of a foreign file; arrays lie in its map, which the graph holds.
MERE_API Graph import_file(const std::filesystem::path& in, const ConvertOptions& options = {});

// Writes an array as an .npy file (numpy.load reads it): version 1.0, later ones only where they must be; Fortran order
// stays. Types that NumPy lacks are written as raw bytes. Throws Error: not_supported (arrays of objects; fields that
// overlap or are not in the order of their bytes), system_call, and what reading the array throws.
MERE_API void write_npy(const ArrayView& array, std::ostream& out);

}  // namespace mere
