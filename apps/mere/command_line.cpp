#include "command_line.hpp"

#include <unistd.h>
#include <map>
#include <memory>

#include <CLI/CLI.hpp>

#include "commands.hpp"
#include "option_words.hpp"
#include "printable_text.hpp"

namespace mere::command {

namespace {

// One subcommand being described: its words, its examples, and what it will do.
struct Description {
  CLI::App* app;
  std::string examples;
};

// Collects what the options say. Commands live as long as this, which the returned action holds.
struct Words {
  CLI::App app{"Models in files that are mapped, never parsed and never executed."};
  Manners manners;
  std::map<const CLI::App*, std::string> examples;
  std::map<const CLI::App*, std::function<int(Output&)>> actions;

  ConvertCommand convert;
  AuditCommand audit;
  InfoCommand info;
  ListCommand list;
  GetCommand get;
  VerifyCommand verify;
  DiffCommand diff;
  ExportCommand exported;
  PredictCommand predict;
  CheckCommand check;
  CacheCommand cache;
  std::string cache_action = "list";
  ShareCommand share;
  BenchCommand bench;
  std::vector<std::string> metadata;
  bool no_filters = false;
};

void add_manners(CLI::App* app, Manners& manners) {
  app->add_flag("--json", manners.json, "print the result as JSON (shapes: man mere)")->group("Manners");
  app->add_flag("-q,--quiet", manners.quiet, "no messages and no progress, only errors")->group("Manners");
  app->add_flag("-v,--verbose", manners.verbose, "more messages")->group("Manners");
}

template <class Command>
CLI::App* add_command(Words& words, const char* name, const char* description, const char* examples, Command& command) {
  CLI::App* app = words.app.add_subcommand(name, description);
  words.examples[app] = examples;
  words.actions[app] = [&words, &command](Output& out) {
    command.manners = words.manners;
    return run(command, out);
  };
  return app;
}

CLI::Option* add_file(CLI::App* app, const char* name, std::string& target, const char* description) {
  return app->add_option(name, target, description)->required()->type_name("");
}

void describe_convert(Words& words) {
  ConvertCommand& command = words.convert;
  CLI::App* app =
      add_command(words, "convert", "Make a .mere file of a joblib, pickle, skops, safetensors, npy, npz or .mere file",
                  "  mere convert forest.joblib forest.mere\n"
                  "  mere convert --codec zlib --metadata trained=2026-11-21 forest.mere small.mere\n"
                  "  curl -s https://example.org/forest.pkl | mere convert - forest.mere\n",
                  command);
  add_file(app, "IN", command.in, "the file to read; - is standard input");
  add_file(app, "OUT", command.out, "the file to write; - is standard output");
  DumpOptions& dump = command.options.dump;
  add_word_option(app, "--codec", dump.codec, find_codec, {"none", "lz4", "lz4hc", "zlib", "zstd", "smallest"},
                  "how arrays are compressed (default none: mapped as they are)");
  app->add_option("--level", dump.level, "level of the codec (default: its own)")->type_name("N");
  app->add_flag("--no-filters", words.no_filters, "compress arrays as they are, without filters");
  add_size_option(app, "--align", dump.alignment,
                  "alignment of large arrays, a power of two from 4K to 1G (default 4K)");
  app->add_option("--trust", command.options.trusted, "admit this full name, module.Class, as data (repeatable)")
      ->type_name("NAME")
      ->allow_extra_args(false);
  app->add_option("--trust-file", command.trust_files, "admit the names in this file, one a line (repeatable)")
      ->type_name("FILE")
      ->allow_extra_args(false);
  app->add_option_function<std::vector<std::string>>(
         "--alias",
         [&command](const std::vector<std::string>& pairs) {
           for (const std::string& pair : pairs) {
             const std::size_t sign = pair.find('=');
             if (sign == 0 || sign == std::string::npos || sign + 1 == pair.size()) {
               throw CLI::ValidationError("--alias", "'" + pair + "' is not NAME=CLASS");
             }
             command.options.aliases[pair.substr(0, sign)] = pair.substr(sign + 1);
           }
         },
         "lower this class, a subclass of one's own, as another one, and admit it as data (repeatable)")
      ->type_name("NAME=CLASS")
      ->allow_extra_args(false);
  app->add_flag_callback(
      "--no-source-digest", [&command] { command.options.source_digest = false; },
      "do not take the source's SHA-256 for the metadata");
  app->add_option("--training-data", command.options.training_data, "metadata: which data the model was fitted to")
      ->type_name("TEXT");
  app->add_option("--source-code", command.source_code, "metadata: the text of this file, which fitted the model")
      ->type_name("FILE");
  app->add_option_function<std::string>(
         "--cv-score",
         [&command](const std::string& text) {
           command.options.cv_score = CvScore::parse(text);
           if (!command.options.cv_score) {
             throw CLI::ValidationError(
                 "--cv-score",
                 "'" + text + "' is not METRIC:MEAN:STD or METRIC:MEAN:STD:N_SPLITS, such as accuracy:0.93:0.01:5");
           }
         },
         "metadata: the cross-validation score")
      ->type_name("METRIC:MEAN:STD[:N_SPLITS]");
  app->add_option("--metadata", words.metadata, "add this to the metadata (repeatable)")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  add_word_option(app, "--program", command.options.program, find_store_program, {"auto", "with", "only", "none"},
                  "store what predicts from the map beside the model, or instead (default auto: for ensembles, and for "
                  "what is larger than 1 MB)");
  add_word_option(app, "--durability", dump.durability, find_durability, {"full", "none"},
                  "none: do not wait for the disk (default full)");
  app->add_option("--threads", dump.threads,
                  "threads that pack trees, compress and sum (default: processors, at most 4)")
      ->type_name("N");
  add_foreign_limit_options(app, command.options.limits);
}

void describe_audit(Words& words) {
  AuditCommand& command = words.audit;
  CLI::App* app = add_command(words, "audit", "Tell every type and function that a file names, and who vouches for it",
                              "  mere audit forest.joblib\n"
                              "  mere audit --trust my.models.Net --json model.pkl\n"
                              "  mere audit -q model.skops || echo do not load it\n"
                              "  curl -s https://example.org/forest.pkl | mere audit -\n",
                              command);
  add_file(app, "FILE", command.file, "the file: .mere, or any that convert reads; - is standard input");
  app->add_option("--trust", command.options.trusted, "vouch for this full name, module.Class (repeatable)")
      ->type_name("NAME")
      ->allow_extra_args(false);
  app->add_option("--trust-file", command.trust_files, "vouch for the names in this file, one a line (repeatable)")
      ->type_name("FILE")
      ->allow_extra_args(false);
  add_foreign_limit_options(app, command.options.limits);
}

void describe_info(Words& words) {
  InfoCommand& command = words.info;
  CLI::App* app = add_command(words, "info", "Print what a file is: sizes, counts, ids, metadata",
                              "  mere info forest.mere\n"
                              "  mere info --json --sha256 forest.mere\n"
                              "  mere info --requirements forest.mere > requirements.txt\n",
                              command);
  add_file(app, "FILE", command.file, "the file; - is standard input");
  app->add_flag("--sha256", command.sha256, "also the SHA-256 of the file, which reads it all");
  app->add_flag("--requirements", command.requirements, "only the packages that the file records, as pip reads them");
  add_open_options(app, command.open, false);
  add_content_id_option(app, command.open.content_id, "fail unless the file has this content id")
      ->group("Open options");
}

void describe_ls(Words& words) {
  ListCommand& command = words.list;
  CLI::App* app = add_command(words, "ls", "Show the graph as a tree, its arrays, or the map of the file",
                              "  mere ls forest.mere\n"
                              "  mere ls forest.mere 'estimators_[3].tree_'\n"
                              "  mere ls --arrays forest.mere\n"
                              "  mere ls --map forest.mere\n",
                              command);
  add_file(app, "FILE", command.file, "the file; - is standard input");
  app->add_option("PATH", command.path, "where to begin, such as estimators_[3].tree_ (default: the root)")
      ->type_name("");
  CLI::Option* arrays = app->add_flag("--arrays", command.arrays, "only the arrays, as a table");
  app->add_flag("--map", command.map, "draw the file's segments, and which pages are in memory")->excludes(arrays);
  app->add_option("--depth", command.depth, "how deep to go (default 100)")->type_name("N");
  app->add_flag("--all", command.all, "show long lists in full");
  add_open_options(app, command.open, false);
  add_content_id_option(app, command.open.content_id, "fail unless the file has this content id")
      ->group("Open options");
}

void describe_get(Words& words) {
  GetCommand& command = words.get;
  CLI::App* app = add_command(words, "get", "Print one node: an array as .npy, all else as JSON",
                              "  mere get forest.mere n_estimators\n"
                              "  mere get forest.mere 'estimators_[3].tree_.nodes' -o nodes.npy\n"
                              "  mere get --json forest.mere classes_\n",
                              command);
  add_file(app, "FILE", command.file, "the file; - is standard input");
  app->add_option("PATH", command.path, "the node, such as estimators_[3].tree_.nodes; '' is the root")
      ->required()
      ->type_name("");
  app->add_option("-o,--output", command.out, "write to this file (default: standard output)")->type_name("OUT");
  add_open_options(app, command.open, false);
  add_content_id_option(app, command.open.content_id, "fail unless the file has this content id")
      ->group("Open options");
}

void describe_verify(Words& words) {
  VerifyCommand& command = words.verify;
  CLI::App* app = add_command(words, "verify", "Check every sum and every record of a file",
                              "  mere verify forest.mere\n"
                              "  mere verify --sha256 $(cut -c-64 forest.mere.sha256) forest.mere\n",
                              command);
  add_file(app, "FILE", command.file, "the file; - is standard input");
  app->add_option_function<std::string>(
         "--sha256",
         [&command](const std::string& text) {
           const std::optional<std::string> hex = find_hex(text, 64);
           if (!hex) throw CLI::ValidationError("--sha256", "'" + text + "' is not 64 hexadecimal digits");
           command.sha256 = *hex;
         },
         "compare the file's SHA-256; exit 1 if it differs")
      ->type_name("HEX");
  add_content_id_option(app, command.content_id, "compare the content id; exit 1 if it differs");
  app->add_flag("--populate", command.open.populate, "read all pages in when opening")->group("Open options");
  app->add_flag("--huge-pages", command.open.huge_pages, "ask for huge pages")->group("Open options");
  app->add_option("--threads", command.open.threads, "threads that verify (default: processors, at most 4)")
      ->type_name("N")
      ->group("Open options");
  add_limit_options(app, command.open.limits);
}

void describe_diff(Words& words) {
  DiffCommand& command = words.diff;
  CLI::App* app = add_command(words, "diff", "Tell which arrays and parameters of two models differ, and by how much",
                              "  mere diff monday.mere tuesday.mere\n"
                              "  mere diff -q a.mere b.mere && echo the same\n",
                              command);
  add_file(app, "A", command.a, "one file; - is standard input");
  add_file(app, "B", command.b, "the other; - is standard input");
  app->add_flag("--ignore-sharing", command.ignore_sharing, "one object twice, or two equal ones, is no difference");
  app->add_option("--limit", command.limit, "how many differences to describe (default 1000)")->type_name("N");
  add_open_options(app, command.open, false);
}

void describe_export(Words& words) {
  ExportCommand& command = words.exported;
  CLI::App* app = add_command(words, "export", "Write a model as a joblib, pickle, skops, safetensors, npz or npy file",
                              "  mere export forest.mere forest.joblib\n"
                              "  mere export --compress lz4 forest.mere forest.joblib\n"
                              "  mere export --path 'estimators_[3].tree_.nodes' forest.mere nodes.npy\n"
                              "  mere export --to pickle --protocol 4 forest.joblib - | ssh host 'cat > forest.pkl'\n",
                              command);
  add_file(app, "FILE", command.in, "the file to read: .mere, or any that convert reads; - is standard input");
  add_file(app, "OUT", command.out, "the file to write; - is standard output");
  ExportOptions& options = command.options;
  add_word_option(app, "--to", options.format, find_export_format,
                  {"joblib", "pickle", "skops", "safetensors", "npz", "npy"},
                  "the format (default: by the extension of OUT)");
  add_word_option(app, "--compress", options.compression, find_compression,
                  {"none", "zlib", "gzip", "lz4", "xz", "bz2"},
                  "compress a joblib file, or by zlib an npz or skops file");
  app->add_option("--level", options.level, "level of the compression, 1 to 9 (default: the format's own)")
      ->type_name("N");
  app->add_option("--protocol", options.protocol, "of a pickle, 2 to 5 (default 5), or joblib file (default 4)")
      ->type_name("N");
  app->add_flag("--numpy2-names", options.numpy2_names,
                "numpy._core in pickles, which NumPy before 1.26 does not know");
  app->add_option("--path", options.path, "the node to write, such as estimators_[3] (default: all)")
      ->type_name("PATH");
  app->add_option("--trust", options.trusted, "admit this full name, module.Class (repeatable)")
      ->type_name("NAME")
      ->allow_extra_args(false);
  app->add_option("--trust-file", command.trust_files, "admit the names in this file, one a line (repeatable)")
      ->type_name("FILE")
      ->allow_extra_args(false);
  add_word_option(app, "--durability", options.durability, find_durability, {"full", "none"},
                  "none: do not wait for the disk (default full)");
  add_foreign_limit_options(app, options.limits);
}

void describe_predict(Words& words) {
  PredictCommand& command = words.predict;
  CLI::App* app = add_command(words, "predict", "Say what the model predicts for the rows of a file",
                              "  mere predict forest.mere X.npy -o y.npy\n"
                              "  mere predict --method predict_proba --csv forest.mere patients.csv\n",
                              command);
  add_file(app, "FILE", command.file, "the model");
  add_file(app, "X", command.x, "the rows: .npy, .npz, or CSV with a header; - is standard input");
  app->add_option("--method", command.method, "predict (the default), predict_proba, decision_function, transform, ...")
      ->type_name("NAME");
  app->add_option("-o,--output", command.out,
                  "write an .npy file, or CSV with --csv (default: text to standard output; -: .npy to it)")
      ->type_name("OUT");
  app->add_flag("--csv", command.csv, "write CSV with a header line");
  app->add_option("-j,--jobs", command.threads, "threads that predict, 0 for all processors (default 1)")
      ->type_name("N");
  add_open_options(app, command.open, true);
  add_content_id_option(app, command.open.content_id, "fail unless the file has this content id")
      ->group("Open options");
}

void describe_check(Words& words) {
  CheckCommand& command = words.check;
  CLI::App* app = add_command(words, "check", "Score the model on known data, against the score that it keeps",
                              "  mere convert --cv-score accuracy:0.93:0.01 forest.joblib forest.mere\n"
                              "  mere check forest.mere X_test.npy y_test.npy\n",
                              command);
  add_file(app, "FILE", command.file, "the model, with a cv_score in its metadata");
  add_file(app, "X", command.x, "the rows: .npy, .npz, or CSV with a header; - is standard input");
  add_file(app, "Y", command.y, "what is true for each row: .npy, .npz, or CSV with a header");
  app->add_option("--tolerance", command.tolerance,
                  "how far the score may be from the one kept (default: three of its standard deviations)")
      ->type_name("NUMBER")
      ->check(CLI::NonNegativeNumber);
  app->add_option("-j,--jobs", command.threads, "threads that predict, 0 for all processors (default 1)")
      ->type_name("N");
  add_open_options(app, command.open, true);
  add_content_id_option(app, command.open.content_id, "fail unless the file has this content id")
      ->group("Open options");
}

void describe_cache(Words& words) {
  CacheCommand& command = words.cache;
  CLI::App* app = add_command(words, "cache", "List or clear the expanded copies of compressed files",
                              "  mere cache list\n"
                              "  mere cache clear\n",
                              command);
  app->add_option_function<std::string>(
         "ACTION",
         [&command](const std::string& word) {
           if (word != "list" && word != "clear") {
             const std::string near = nearest_word(word, {"list", "clear"});
             throw CLI::ValidationError("ACTION", "'" + word + "' is neither list nor clear" +
                                                      (near.empty() ? "" : "; did you mean '" + near + "'?"));
           }
           command.clear = word == "clear";
         },
         "list (the default), or clear")
      ->type_name("");
  app->add_option_function<std::string>(
         "DIGEST",
         [&command](const std::string& text) {
           const std::optional<std::string> hex = find_hex(text, 64);
           if (!hex) throw CLI::ValidationError("DIGEST", "'" + text + "' is not 64 hexadecimal digits");
           command.digest = *hex;
         },
         "clear: only the copy of the file with this SHA-256")
      ->type_name("");
}

void describe_share(Words& words) {
  ShareCommand& command = words.share;
  CLI::App* app =
      add_command(words, "share", "Measure the memory of several processes that each open and read the model",
                  "  mere share --workers 8 forest.mere\n"
                  "  mere share --workers 8 --predict X.npy forest.mere\n",
                  command);
  add_file(app, "FILE", command.file, "the file");
  app->add_option("--workers", command.workers, "how many processes (default 4)")
      ->type_name("N")
      ->check(CLI::Range(1u, 4096u));
  app->add_option("--predict", command.predict,
                  "each predicts for these rows (.npy, .npz, CSV) instead of reading the whole model")
      ->type_name("X");
  add_open_options(app, command.open, true);
  add_content_id_option(app, command.open.content_id, "fail unless the file has this content id")
      ->group("Open options");
}

void describe_bench(Words& words) {
  BenchCommand& command = words.bench;
  CLI::App* app = add_command(words, "bench", "Measure how fast the model opens and reads",
                              "  mere bench forest.mere\n"
                              "  mere bench --json forest.mere 'estimators_[3].tree_.nodes'\n"
                              "  mere bench --rows 10000 forest.mere\n",
                              command);
  add_file(app, "FILE", command.file, "the file");
  app->add_option("PATH", command.path, "the array to find after opening (default: one in the middle)")->type_name("");
  app->add_option("--repetitions", command.repetitions, "how often to open, 1000 at least (default 2000)")
      ->type_name("N")
      ->check(CLI::Range(1000u, 10000000u));
  app->add_option("--rows", command.rows, "also predict for so many rows, one by one and together")
      ->type_name("N")
      ->check(CLI::Range(std::size_t{1}, std::size_t{10000000}));
  add_open_options(app, command.open, true);
  add_content_id_option(app, command.open.content_id, "fail unless the file has this content id")
      ->group("Open options");
}

std::string version_text() {
  std::string codecs;
  for (const Codec codec : {Codec::none, Codec::lz4, Codec::lz4hc, Codec::zlib, Codec::zstd}) {
    if (has_codec(codec)) codecs += (codecs.empty() ? "" : " ") + std::string(to_text(codec));
  }
  return "mere " MERE_VERSION "\nfile format 1.0; codecs: " + codecs + "\n";
}

constexpr char kGeneralExamples[] =
    "  mere convert forest.joblib forest.mere     make a file that is mapped, not loaded\n"
    "  mere ls forest.mere                        look inside\n"
    "  mere share --workers 4 forest.mere         see four processes hold one copy\n";

std::string help_text(const Words& words) {
  std::string text = words.app.help();
  const std::vector<const CLI::App*> chosen =
      words.app.get_subcommands([](const CLI::App* app) { return app->count() > 0; });
  while (!text.empty() && text.back() == '\n') text.pop_back();
  // CLI11 leaves one or two empty lines between its groups, depending on its version.
  for (std::size_t at; (at = text.find("\n\n\n")) != std::string::npos;) text.erase(at, 1);
  text += "\n\nExamples:\n";
  text += chosen.empty() ? kGeneralExamples : words.examples.at(chosen.back());
  return text + "\nmere(1) has the rest: man mere\n";
}

std::vector<std::string> option_names(const CLI::App* app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app->get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

// What is wrong, in our words where we can tell, else in CLI11's.
std::string usage_message(const Words& words, const CLI::ParseError& error) {
  const std::vector<const CLI::App*> chosen =
      words.app.get_subcommands([](const CLI::App* app) { return app->count() > 0; });
  const CLI::App* app = chosen.empty() ? &words.app : chosen.back();
  const std::string subject = chosen.empty() ? "mere" : "mere " + app->get_name();
  std::string message = error.what();
  for (const std::string& word : words.app.remaining(true)) {
    const bool option = word.size() > 1 && word[0] == '-';
    std::vector<std::string> known;
    if (option) {
      known = option_names(app);
    } else if (chosen.empty()) {
      for (const CLI::App* sub : words.app.get_subcommands([](const CLI::App*) { return true; }))
        known.push_back(sub->get_name());
    }
    const std::string name = word.substr(0, word.find('='));
    const std::string near = nearest_word(name, known);
    message = std::string(option           ? "no option '"
                          : chosen.empty() ? "no subcommand '"
                                           : "too many arguments: '") +
              printable(name) + "'" + (near.empty() ? "" : "; did you mean '" + near + "'?");
    break;
  }
  while (!message.empty() && message.back() == '\n') message.pop_back();
  return printable(message) + "\n" + "Try '" + subject + " --help'.";
}

CommandLine printing(std::string text) {
  return {{}, [text = std::move(text)](Output& out) {
            out.write(text);
            return kExitOk;
          }};
}

// What CLI11 does not check by itself.
void finish(Words& words, const CLI::App* chosen) {
  if (chosen->get_name() == "convert") {
    DumpOptions& dump = words.convert.options.dump;
    dump.filters = !words.no_filters;
    const std::uint64_t alignment = dump.alignment;
    if (alignment < 4096 || alignment > (std::uint64_t{1} << 30) || (alignment & (alignment - 1)) != 0) {
      throw UsageError("--align: " + std::to_string(alignment) + " is no power of two from 4096 to 1073741824");
    }
    for (const std::string& entry : words.metadata) {
      const std::size_t equals = entry.find('=');
      if (equals == std::string::npos || equals == 0) {
        throw UsageError("--metadata: '" + printable(entry) + "' is not KEY=VALUE");
      }
      if (!is_text(entry)) throw UsageError("--metadata: '" + printable(entry) + "' is not UTF-8");
      dump.metadata[entry.substr(0, equals)] = entry.substr(equals + 1);
    }
    if (words.convert.out == "-" && is_terminal(STDOUT_FILENO)) {
      throw UsageError("OUT is a terminal, and a model is not for reading: name a file or redirect");
    }
  }
  if (chosen->get_name() == "export") {
    const ExportCommand& command = words.exported;
    if (command.out == "-" && is_terminal(STDOUT_FILENO)) {
      throw UsageError("OUT is a terminal, and a model is not for reading: name a file or redirect");
    }
    if (!command.options.format && !find_export_format_of(command.out)) {
      throw UsageError(printable(command.out) + ": its extension names no format; say which by --to");
    }
    if (command.options.protocol != 0 && (command.options.protocol < 2 || command.options.protocol > 5)) {
      throw UsageError("--protocol: " + std::to_string(command.options.protocol) + " is none from 2 to 5");
    }
    if (command.options.level < 0 || command.options.level > 9) {
      throw UsageError("--level: " + std::to_string(command.options.level) + " is none from 1 to 9");
    }
  }
  if (chosen->get_name() == "cache" && !words.cache.digest.empty() && !words.cache.clear) {
    throw UsageError("DIGEST goes with clear");
  }
}

}  // namespace

CommandLine parse_command_line(int argc, const char* const* argv) {
  const auto words = std::make_shared<Words>();
  words->app.name("mere");
  words->app.require_subcommand(1);
  words->app.set_help_flag("-h,--help", "print this help");
  words->app.set_version_flag("--version", version_text(),
                              "print the version, the format's and the codecs of this build");
  add_manners(&words->app, words->manners);
  describe_convert(*words);
  describe_audit(*words);
  describe_info(*words);
  describe_ls(*words);
  describe_get(*words);
  describe_verify(*words);
  describe_diff(*words);
  describe_export(*words);
  describe_predict(*words);
  describe_check(*words);
  describe_cache(*words);
  describe_share(*words);
  describe_bench(*words);
  for (CLI::App* app : words->app.get_subcommands([](CLI::App*) { return true; })) {
    app->set_help_flag("-h,--help", "print this help");
    add_manners(app, words->manners);
  }
  try {
    words->app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return printing(help_text(*words));
  } catch (const CLI::CallForVersion&) {
    return printing(version_text());
  } catch (const CLI::ParseError& error) {
    throw UsageError(usage_message(*words, error));
  }
  const CLI::App* chosen = words->app.get_subcommands().front();
  finish(*words, chosen);
  return {words->manners, [words, chosen](Output& out) { return words->actions.at(chosen)(out); }};
}

}  // namespace mere::command
