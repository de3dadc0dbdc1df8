#pragma once
// What a model names, before anybody trusts it: every type and function, the parts that hold code, what it could make a
// program do, and whether somebody has vouched for each. Nothing is loaded, looked up or run. docs/trust.md

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <mere/array.hpp>
#include <mere/model.hpp>

namespace mere {

struct AuditOptions {
  // Full names that are vouched for beside the shipped lists: of types and functions ("my.models.Net"), of parts that
  // hold code ("__main__.<lambda>") and of capabilities ("sklearn.pipeline.Pipeline.memory").
  std::vector<std::string> trusted{};
  Limits limits{};
};

// A type or function that the file names.
struct AuditedName {
  std::string name;                     // "sklearn.tree._tree.Tree"
  std::uint64_t uses = 0;               // how often it is named
  std::optional<std::uint64_t> offset;  // foreign files: of the first use, in the (expanded) stream
  std::string path;                     // .mere files: of the first node that has it
  bool trusted = false;
  std::string by;  // who vouches for it: "scikit-learn 1.1.3 to 1.9.1", "--trust"; empty if nobody does
};

// A part that is carried as it is, because it holds code: a function, lambda or class by value.
struct AuditedOpaque {
  std::string path;    // of the node
  std::string format;  // "cloudpickle"
  std::string name;    // "__main__.<lambda>", where known
  std::string file;    // where its source was, where known
  std::optional<std::int64_t> line;
  std::uint64_t bytes = 0;
  bool trusted = false;
};

// Something that an object of a listed type would do beyond computing: touch files, or call a function it is given.
struct AuditedCapability {
  std::string name;    // what trusts it: "sklearn.pipeline.Pipeline.memory"
  std::string word;    // "caches_to_disk", "reads_files", "calls_method", "calls_function"
  std::string detail;  // the folder, the function
  std::string path;    // of the node that holds it
  bool trusted = false;
};

struct AuditReport {
  std::string format;           // "mere", "pickle", "joblib", "npy", ...
  std::string codec;            // of the file as a whole: "none", "zlib", ...; .mere: those of its blocks
  std::optional<int> protocol;  // of a pickle
  std::uint64_t file_bytes = 0;
  std::vector<AuditedName> names;  // untrusted ones first, then in the order of first use
  std::vector<AuditedOpaque> opaque;
  std::vector<AuditedCapability> capabilities;
  // Library and version, as the file states them; several that differ are one text: "1.2.1, 1.5.0".
  std::vector<std::pair<std::string, std::string>> versions;
  // Why the rest of the file could not be read, if its names could: the names above are all there are, but opaque parts
  // and capabilities are not known.
  std::string damage;
  // The names that would have to be trusted for nothing to be left untrusted.
  std::vector<std::string> needed;

  bool all_trusted() const { return needed.empty(); }
};

// Audits a foreign file by the importer of its bytes, without reading the elements of its arrays, or a .mere file,
// whose manifest is verified first. Throws Error: unknown_format, corrupt, ... if not even the names can be told.
MERE_API AuditReport audit(const std::filesystem::path& path, const AuditOptions& options = {});
MERE_API AuditReport audit(const Model& model, const AuditOptions& options = {});

// The full names in a file, if all of them and its capabilities are vouched for and no part holds code; nothing
// otherwise, and then audit() says what is not. In one pass over the nodes, for whoever is about to load. Throws as
// that.
MERE_API std::optional<std::vector<std::string>> names_if_trusted(const Model& model, const AuditOptions& options = {});

}  // namespace mere
