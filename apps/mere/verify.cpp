// mere verify: every sum and every record of a file, and what it should be.

#include <chrono>

#include "commands.hpp"
#include "interrupt.hpp"
#include "json_writer.hpp"
#include "progress_bar.hpp"

namespace mere::command {

namespace {

// Something the file should be, and what it is.
struct Comparison {
  const char* name;
  std::string expected, found;
  bool same() const { return expected == found; }
};

std::vector<Comparison> compare(const VerifyCommand& command, const Model& model) {
  std::vector<Comparison> comparisons;
  if (command.content_id) {
    comparisons.push_back({"content_id", command.content_id->to_text(), model.content_id().to_text()});
  }
  if (!command.sha256.empty()) comparisons.push_back({"sha256", command.sha256, model.sha256()});
  return comparisons;
}

}  // namespace

int run(const VerifyCommand& command, Output& out) {
  OpenOptions open = command.open;
  open.expand = Expand::lazy;
  const auto begin = std::chrono::steady_clock::now();
  const Model model = open_model(command.file, open, command.manners);
  {
    ProgressBar bar("verifying", command.manners);
    model.verify(open.threads, [&bar](std::uint64_t done, std::uint64_t total) {
      stop_if_interrupted();
      bar.update(done, total);
    });
  }
  const std::vector<Comparison> comparisons = compare(command, model);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  bool same = true;
  for (const Comparison& comparison : comparisons) same = same && comparison.same();
  if (command.manners.json) {
    JsonWriter json(out);
    json.begin_object();
    json.member("file", command.file);
    json.member("ok", same);
    json.member("file_bytes", model.info().file_bytes);
    json.member("content_id", model.content_id().to_text());
    json.member("seconds", seconds);
    json.key("compared");
    json.begin_array();
    for (const Comparison& comparison : comparisons) {
      json.begin_object(JsonWriter::Layout::line);
      json.member("what", comparison.name);
      json.member("expected", comparison.expected);
      json.member("found", comparison.found);
      json.member("same", comparison.same());
      json.end();
    }
    json.end();
    json.end();
    return same ? kExitOk : kExitDiffers;
  }
  for (const Comparison& comparison : comparisons) {
    if (comparison.same()) continue;
    print_message(shown_name(command.file) + ": " + comparison.name + " is " + comparison.found + ", expected " +
                  comparison.expected);
  }
  if (same && !command.manners.quiet) {
    out.write(shown_name(command.file) + ": sound, " + size_text(model.info().file_bytes) + " in " +
              duration_text(seconds) + "\n");
  }
  return same ? kExitOk : kExitDiffers;
}

}  // namespace mere::command
