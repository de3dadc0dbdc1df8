// mere check: does the model still score as it did when it was made?

#include <cmath>

#include <mere/score.hpp>

#include "commands.hpp"
#include "json_writer.hpp"
#include "matrix_file.hpp"
#include "printable_text.hpp"

namespace mere::command {

namespace {

// The score that the metadata keeps.
struct KeptScore {
  std::string metric;
  double mean = 0, std = 0;
};

KeptScore kept_score(const Model& model, const std::string& file) {
  const std::optional<Node> metadata = model.metadata();
  const std::optional<Node> score =
      metadata && metadata->kind() == Kind::dict ? metadata->find("cv_score") : std::nullopt;
  if (!score || score->kind() != Kind::dict) {
    throw Error(Reason::no_path,
                shown_name(file) + ": the metadata keeps no score; 'mere convert --cv-score METRIC:MEAN:STD' does");
  }
  return {std::string((*score)["metric"].text()), (*score)["mean"].real(), (*score)["std"].real()};
}

std::string shown(double value) {
  // JSON ends with a line of its own.
  std::string text;
  JsonWriter(text).value(value);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace

int run(const CheckCommand& command, Output& out) {
  const Model model = open_model(command.file, command.open, command.manners);
  const KeptScore kept = kept_score(model, command.file);
  const Predictor predictor = model.predictor();
  const LoadedRows x = load_rows(command.x, predictor, command.open.limits, command.manners);
  const Targets y = load_targets(command.y, command.open.limits, command.manners);
  PredictOptions options;
  options.threads = command.threads;
  const double found =
      std::visit([&](const auto& rows) { return score(predictor, kept.metric, rows, y, options); }, x.view);
  const double tolerance = command.tolerance.value_or(3 * kept.std);
  const bool within = std::fabs(found - kept.mean) <= tolerance;  // a NaN is not
  if (command.manners.json) {
    JsonWriter json(out);
    json.begin_object();
    json.member("file", command.file);
    json.member("metric", kept.metric);
    json.member("rows", static_cast<std::uint64_t>(x.rows()));
    json.member("score", found);
    json.member("kept_mean", kept.mean);
    json.member("kept_std", kept.std);
    json.member("tolerance", tolerance);
    json.member("within", within);
    json.end();
  } else if (!command.manners.quiet) {
    out.write(printable(kept.metric) + " " + shown(found) + (within ? ", within " : ", outside ") + shown(kept.mean) +
              " +- " + shown(tolerance) + "\n");
  }
  return within ? kExitOk : kExitDiffers;
}

}  // namespace mere::command
