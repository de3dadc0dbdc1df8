// mere bench: how fast a model opens, and how fast its arrays are read.

#include <algorithm>
#include <chrono>

#include <mere/predictor.hpp>

#include "command_line.hpp"
#include "commands.hpp"
#include "json_writer.hpp"
#include "printable_text.hpp"
#include "whole_model.hpp"

namespace mere::command {

namespace {

using Clock = std::chrono::steady_clock;

constexpr unsigned kUnmeasured = 100;
constexpr unsigned kReadRounds = 5;
// Reading takes as many rounds as fit in this time, one at least.
constexpr double kReadSeconds = 20;

struct Result {
  std::string path;
  double open_us_p50 = 0, open_us_p99 = 0;
  double read_gb_s = 0, reread_gb_s = 0;
  std::uint64_t read_bytes = 0;
  // Of predictions, if they were asked for.
  std::string method, kernels;
  double predict_us_p50 = 0, predict_us_p99 = 0;  // one row
  double us_per_row = 0;                          // of all rows at once
};

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// The path of the array in the middle of the walk, the root's if there is none.
std::string middle_array(const Model& model) {
  const std::uint64_t middle = model.info().arrays / 2;
  std::uint64_t met = 0;
  for (Walk walk(model.root()); walk.next();) {
    const Node node = walk.node();
    if (node.kind() != Kind::array || node.dtype().type_class() == TypeClass::object) continue;
    if (met++ == middle) return walk.path();
  }
  return "";
}

// The value below which a part `q` of the sorted `values` lies.
double quantile(const std::vector<double>& values, double q) {
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1) + 0.5)];
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return quantile(values, 0.5);
}

void measure_open(const BenchCommand& command, Result& result) {
  std::vector<double> us;
  us.reserve(command.repetitions);
  NodeId found = kNoNode;
  for (unsigned i = 0; i < kUnmeasured + command.repetitions; ++i) {
    const Clock::time_point begin = Clock::now();
    {
      const Model model(command.file, command.open);
      found = model.at(result.path).id();
    }
    if (i >= kUnmeasured) us.push_back(seconds_since(begin) * 1e6);
  }
  // The result is checked, and by that cannot be optimised away.
  const Model model(command.file, command.open);
  if (model.at(result.path).id() != found)
    throw Error(Reason::file_changed, command.file + " changed while it was measured");
  std::sort(us.begin(), us.end());
  result.open_us_p50 = quantile(us, 0.5);
  result.open_us_p99 = quantile(us, 0.99);
}

void measure_read(const BenchCommand& command, Result& result) {
  std::vector<double> first, again;
  const Clock::time_point begin = Clock::now();
  std::uint64_t sum = 0;
  for (unsigned round = 0; round < kReadRounds && (round == 0 || seconds_since(begin) < kReadSeconds); ++round) {
    const Model model(command.file, command.open);
    for (std::vector<double>* rates : {&first, &again}) {
      const Clock::time_point start = Clock::now();
      const WholeModel whole = read_whole_model(model);
      rates->push_back(static_cast<double>(whole.array_bytes) / seconds_since(start) * 1e-9);
      if (!first.empty() && round > 0 && whole.sum != sum) {
        throw Error(Reason::file_changed, command.file + " changed while it was measured");
      }
      sum = whole.sum;
      result.read_bytes = whole.array_bytes;
    }
  }
  result.read_gb_s = median(first);
  result.reread_gb_s = median(again);
}

// Rows that take many ways through trees: each column its own mixture of small and large numbers, the same each time.
std::vector<double> made_rows(std::size_t rows, std::size_t columns) {
  std::vector<double> x(rows * columns);
  std::uint64_t state = 0x9e3779b97f4a7c15;
  for (double& value : x) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    value = (static_cast<double>(state >> 11) * 0x1p-53 - 0.5) * 8;
  }
  return x;
}

// The method that serving calls most, of those there are.
std::string served_method(const Predictor& predictor) {
  for (const char* method : {"predict_proba", "predict", "transform"}) {
    if (predictor.has(method)) return method;
  }
  return predictor.methods().at(0).name;
}

void measure_predict(const BenchCommand& command, Result& result) {
  const Model model(command.file, command.open);
  const Predictor predictor = model.predictor();
  result.method = served_method(predictor);
  for (const std::string& kernel : predictor.kernels()) {
    result.kernels += (result.kernels.empty() ? "" : ", ") + kernel;
  }
  const std::size_t columns = predictor.columns();
  const std::vector<double> x = made_rows(command.rows, columns);
  const MatrixView all(x, columns);
  const std::vector<double> expected = predictor.run(result.method, all);
  std::vector<double> out(expected.size());
  const std::size_t width = expected.size() / command.rows;
  std::vector<double> us, rounds;
  for (unsigned i = 0; i < kUnmeasured + command.repetitions; ++i) {
    const std::size_t row = i * std::size_t{7919} % command.rows;
    const MatrixView one(std::span<const double>(x).subspan(row * columns, columns), columns);
    const auto to = std::span<double>(out).subspan(row * width, width);
    const Clock::time_point begin = Clock::now();
    predictor.run(result.method, one, to);
    if (i >= kUnmeasured) us.push_back(seconds_since(begin) * 1e6);
    if (!std::equal(to.begin(), to.end(), expected.begin() + static_cast<std::ptrdiff_t>(row * width),
                    [](double a, double b) { return a == b || (a != a && b != b); })) {
      throw Error(Reason::file_changed, command.file + ": a row alone gave other numbers than among others");
    }
  }
  const Clock::time_point begin = Clock::now();
  for (unsigned round = 0; round < kReadRounds && (round == 0 || seconds_since(begin) < kReadSeconds); ++round) {
    const Clock::time_point start = Clock::now();
    predictor.run(result.method, all, out);
    rounds.push_back(seconds_since(start) * 1e6 / static_cast<double>(command.rows));
  }
  std::sort(us.begin(), us.end());
  result.predict_us_p50 = quantile(us, 0.5);
  result.predict_us_p99 = quantile(us, 0.99);
  result.us_per_row = median(rounds);
}

}  // namespace

int run(const BenchCommand& command, Output& out) {
  if (command.file == "-") throw UsageError("bench needs a file with a name: it opens it many times");
  Result result;
  std::uint64_t file_bytes = 0;
  {
    const Model model(command.file, command.open);
    file_bytes = model.info().file_bytes;
    result.path = command.path.empty() ? middle_array(model) : command.path;
    model.at(result.path);
  }
  measure_open(command, result);
  measure_read(command, result);
  if (command.rows > 0) measure_predict(command, result);
  if (command.manners.json) {
    JsonWriter json(out);
    json.begin_object();
    json.member("file", command.file);
    json.member("file_bytes", file_bytes);
    json.member("path", result.path);
    json.member("repetitions", command.repetitions);
    json.member("open_us_p50", result.open_us_p50);
    json.member("open_us_p99", result.open_us_p99);
    json.member("read_bytes", result.read_bytes);
    json.member("read_gb_s", result.read_gb_s);
    json.member("reread_gb_s", result.reread_gb_s);
    if (command.rows > 0) {
      json.member("method", result.method);
      json.member("kernels", result.kernels);
      json.member("rows", static_cast<std::uint64_t>(command.rows));
      json.member("predict_us_p50", result.predict_us_p50);
      json.member("predict_us_p99", result.predict_us_p99);
      json.member("us_per_row", result.us_per_row);
    }
    json.end();
    return kExitOk;
  }
  const auto gb = [](double gb_s) { return size_text(static_cast<std::uint64_t>(gb_s * 1e9)) + "/s"; };
  out.write("open, find " + (result.path.empty() ? std::string("the root") : printable(result.path)) + ", close: p50 " +
            duration_text(result.open_us_p50 * 1e-6) + ", p99 " + duration_text(result.open_us_p99 * 1e-6) + " (" +
            number_text(command.repetitions) + " times)\n");
  out.write("read " + size_text(result.read_bytes) + ", one thread: " + gb(result.read_gb_s) + " through a new map, " +
            gb(result.reread_gb_s) + " again\n");
  if (command.rows > 0) {
    out.write(printable(result.method) + " (" + result.kernels + "), one thread: one row p50 " +
              duration_text(result.predict_us_p50 * 1e-6) + ", p99 " + duration_text(result.predict_us_p99 * 1e-6) +
              "; " + duration_text(result.us_per_row * 1e-6) + " a row of " + number_text(command.rows) + "\n");
  }
  return kExitOk;
}

}  // namespace mere::command
