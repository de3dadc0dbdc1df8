#pragma once
// The subcommands: what the command line asked for, and the functions that do it. Each returns an exit code.

#include <optional>
#include <string>
#include <vector>

#include <mere/audit.hpp>
#include <mere/convert.hpp>
#include <mere/export.hpp>
#include <mere/model.hpp>

#include "output.hpp"
#include "terminal.hpp"

namespace mere::command {

// Exit codes, the same for all subcommands (mere(1), "EXIT STATUS").
inline constexpr int kExitOk = 0, kExitDiffers = 1, kExitUsage = 2, kExitNotFound = 3, kExitCorrupt = 4,
                     kExitUntrusted = 5, kExitFailed = 6, kExitBrokenPipe = 141;

struct ConvertCommand {
  Manners manners;
  std::string in, out;  // "-": standard input, standard output
  ConvertOptions options;
  std::vector<std::string> trust_files;
  std::string source_code;  // a file; empty: none
};
int run(const ConvertCommand& command, Output& out);

struct AuditCommand {
  Manners manners;
  std::string file;  // "-": standard input
  std::vector<std::string> trust_files;
  AuditOptions options;
};
int run(const AuditCommand& command, Output& out);

struct InfoCommand {
  Manners manners;
  std::string file;
  OpenOptions open;
  bool sha256 = false;
  bool requirements = false;
};
int run(const InfoCommand& command, Output& out);

struct ListCommand {
  Manners manners;
  std::string file, path;
  OpenOptions open;
  bool arrays = false, map = false, all = false;
  std::size_t depth = 100;
};
int run(const ListCommand& command, Output& out);

struct GetCommand {
  Manners manners;
  std::string file, path, out;  // out empty or "-": standard output
  OpenOptions open;
};
int run(const GetCommand& command, Output& out);

struct VerifyCommand {
  Manners manners;
  std::string file;
  OpenOptions open;
  std::string sha256;  // empty: not compared
  std::optional<ContentId> content_id;
};
int run(const VerifyCommand& command, Output& out);

struct DiffCommand {
  Manners manners;
  std::string a, b;
  OpenOptions open;
  bool ignore_sharing = false;
  std::size_t limit = 1000;  // differences to describe
};
int run(const DiffCommand& command, Output& out);

struct PredictCommand {
  Manners manners;
  std::string file, x, out;  // x: "-" is standard input; out: empty is standard output as text, "-" as .npy
  std::string method = "predict";
  OpenOptions open;
  unsigned threads = 1;
  bool csv = false;
};
int run(const PredictCommand& command, Output& out);

struct ExportCommand {
  Manners manners;
  std::string in, out;  // "-": standard input, standard output
  ExportOptions options;
  std::vector<std::string> trust_files;
};
int run(const ExportCommand& command, Output& out);

struct CheckCommand {
  Manners manners;
  std::string file, x, y;  // x or y may be "-": standard input
  OpenOptions open;
  std::optional<double> tolerance;  // nothing: three standard deviations of the score that the file keeps
  unsigned threads = 1;
};
int run(const CheckCommand& command, Output& out);

struct CacheCommand {
  Manners manners;
  bool clear = false;
  std::string digest;  // clear: empty for all
};
int run(const CacheCommand& command, Output& out);

struct ShareCommand {
  Manners manners;
  std::string file;
  OpenOptions open;
  unsigned workers = 4;
  std::string predict;  // rows to predict for instead of reading all; empty: none
};
int run(const ShareCommand& command, Output& out);

struct BenchCommand {
  Manners manners;
  std::string file, path;  // path empty: of an array in the middle
  OpenOptions open;
  unsigned repetitions = 2000;
  std::size_t rows = 0;  // to predict for; 0: no predictions
};
int run(const BenchCommand& command, Output& out);

// Opens `file`, "-" for standard input: mapped if that is a file, read to its end if not. Says how long it took, if
// `manners` are verbose.
Model open_model(const std::string& file, const OpenOptions& options, const Manners& manners);

// `file` as messages show it.
std::string shown_name(const std::string& file);

}  // namespace mere::command
