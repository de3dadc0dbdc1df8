// mere share: the memory of several processes that each open and read the whole model, or predict with it.

#include <fcntl.h>
#include <unistd.h>
#include <cerrno>
#include <chrono>
#include <cstring>

#include <mere/predictor.hpp>
#include <mere/process.hpp>

#include "command_line.hpp"
#include "commands.hpp"
#include "json_writer.hpp"
#include "matrix_file.hpp"
#include "printable_text.hpp"
#include "whole_model.hpp"
#include "worker_processes.hpp"

namespace mere::command {

namespace {

using Clock = std::chrono::steady_clock;

// Where a worker's numbers stand in its report.
enum ReportNumber : std::size_t { kOpenNs, kReadNs, kSum, kMappedBytes, kServingBytes, kColdBytes };

struct Measured {
  pid_t pid = 0;
  MemoryUsage before, after;
  double open_us = 0, read_s = 0;
};

struct Sharing {
  std::uint64_t file_bytes = 0, mapped_bytes = 0;
  std::uint64_t serving_bytes = 0, cold_bytes = 0;  // of predicting
  std::vector<Measured> workers;

  std::uint64_t total(std::uint64_t MemoryUsage::*figure, MemoryUsage Measured::*when) const {
    std::uint64_t sum = 0;
    for (const Measured& worker : workers) sum += (worker.*when).*figure;
    return sum;
  }
  double ratio() const {
    const auto after = static_cast<double>(total(&MemoryUsage::pss_bytes, &Measured::after));
    const auto before = static_cast<double>(total(&MemoryUsage::pss_bytes, &Measured::before));
    return (after - before) / static_cast<double>(file_bytes);
  }
};

std::uint64_t nanoseconds(Clock::duration duration) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count());
}

WorkerReport open_and_read(const ShareCommand& command, std::vector<std::function<void()>>& keep) {
  const Clock::time_point begin = Clock::now();
  const Model model(command.file, command.open);
  const Clock::time_point opened = Clock::now();
  const WholeModel whole = read_whole_model(model);
  WorkerReport report;
  report.numbers[kOpenNs] = nanoseconds(opened - begin);
  report.numbers[kReadNs] = nanoseconds(Clock::now() - opened);
  report.numbers[kSum] = whole.sum;
  report.numbers[kMappedBytes] = model.bytes().size();
  keep.push_back([model] {});
  return report;
}

// Opens the model and predicts for all rows, one at a time and together, as a server does; the rows are of the process
// that forked this one.
WorkerReport open_and_predict(const ShareCommand& command, const LoadedRows& x,
                              std::vector<std::function<void()>>& keep) {
  const Clock::time_point begin = Clock::now();
  const Model model(command.file, command.open);
  const Predictor predictor = model.predictor();
  const Clock::time_point opened = Clock::now();
  std::uint64_t sum = 0;
  for (const char* method : {"predict", "predict_proba", "decision_function"}) {
    if (!predictor.has(method)) continue;
    const auto out = std::visit([&](const auto& rows) { return predictor.run(method, rows); }, x.view);
    sum += word_sum(std::as_bytes(std::span(out)));
  }
  WorkerReport report;
  report.numbers[kOpenNs] = nanoseconds(opened - begin);
  report.numbers[kReadNs] = nanoseconds(Clock::now() - opened);
  report.numbers[kSum] = sum;
  report.numbers[kMappedBytes] = model.bytes().size();
  report.numbers[kServingBytes] = predictor.serving_bytes();
  report.numbers[kColdBytes] = predictor.cold_bytes();
  keep.push_back([model, predictor] {});
  return report;
}

// Pages that wait to be written are counted like any others, but the kernel may hold them twice: write them first.
std::uint64_t sync_file(const std::string& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    throw Error(errno == ENOENT ? Reason::no_file : Reason::system_call, "open " + file + ": " + std::strerror(errno));
  }
  const off_t size = ::lseek(fd, 0, SEEK_END);
  ::fsync(fd);  // a file that cannot be synced can be read all the same
  ::close(fd);
  return size > 0 ? static_cast<std::uint64_t>(size) : 0;
}

Sharing measure(const ShareCommand& command) {
  Sharing sharing;
  sharing.file_bytes = sync_file(command.file);
  LoadedRows x;
  if (!command.predict.empty()) {
    const Predictor predictor = Model(command.file, command.open).predictor();
    x = load_rows(command.predict, predictor, command.open.limits, command.manners);
  }
  WorkerProcesses processes(command.workers, [&](std::vector<std::function<void()>>& keep) {
    return command.predict.empty() ? open_and_read(command, keep) : open_and_predict(command, x, keep);
  });
  for (const pid_t pid : processes.pids()) {
    Measured worker;
    worker.pid = pid;
    worker.before = memory_usage(pid);
    sharing.workers.push_back(worker);
  }
  const std::vector<WorkerReport> reports = processes.start();
  for (std::size_t i = 0; i < reports.size(); ++i) {
    Measured& worker = sharing.workers[i];
    worker.after = memory_usage(worker.pid);
    worker.open_us = static_cast<double>(reports[i].numbers[kOpenNs]) * 1e-3;
    worker.read_s = static_cast<double>(reports[i].numbers[kReadNs]) * 1e-9;
    sharing.mapped_bytes = reports[i].numbers[kMappedBytes];
    sharing.serving_bytes = reports[i].numbers[kServingBytes];
    sharing.cold_bytes = reports[i].numbers[kColdBytes];
    if (reports[i].numbers[kSum] != reports[0].numbers[kSum]) {
      throw Error(Reason::file_changed, command.file + ": two workers read different numbers");
    }
  }
  return sharing;
}

void print_json(const ShareCommand& command, const Sharing& sharing, Output& out) {
  JsonWriter json(out);
  json.begin_object();
  json.member("file", command.file);
  json.member("workers", command.workers);
  json.member("file_bytes", sharing.file_bytes);
  json.member("mapped_bytes", sharing.mapped_bytes);
  json.member("sum_pss_bytes", sharing.total(&MemoryUsage::pss_bytes, &Measured::after));
  json.member("base_pss_bytes", sharing.total(&MemoryUsage::pss_bytes, &Measured::before));
  json.member("ratio", sharing.ratio());
  if (!command.predict.empty()) {
    json.member("serving_bytes", sharing.serving_bytes);
    json.member("cold_bytes", sharing.cold_bytes);
  }
  json.member("sum_private_bytes", sharing.total(&MemoryUsage::private_bytes, &Measured::after));
  json.member("base_private_bytes", sharing.total(&MemoryUsage::private_bytes, &Measured::before));
  json.key("processes");
  json.begin_array();
  for (const Measured& worker : sharing.workers) {
    json.begin_object(JsonWriter::Layout::line);
    json.member("pid", static_cast<std::int64_t>(worker.pid));
    json.member("pss_bytes", worker.after.pss_bytes);
    json.member("private_bytes", worker.after.private_bytes);
    json.member("rss_bytes", worker.after.rss_bytes);
    json.member("base_pss_bytes", worker.before.pss_bytes);
    json.member("base_private_bytes", worker.before.private_bytes);
    json.member("open_us", worker.open_us);
    json.member("read_s", worker.read_s);
    json.end();
  }
  json.end();
  json.end();
}

std::string column(std::string text, std::size_t width) {
  if (text.size() < width) text.insert(0, width - text.size(), ' ');
  return text;
}

void print_text(const ShareCommand& command, const Sharing& sharing, Output& out) {
  const bool colour = takes_colour(out.descriptor());
  const auto row = [&](const std::string& name, const MemoryUsage& usage, const std::string& open,
                       const std::string& read) {
    out.write(column(name, 10) + column(size_text(usage.pss_bytes), 12) + column(size_text(usage.private_bytes), 12) +
              column(size_text(usage.rss_bytes), 12) + column(open, 12) + column(read, 12) + "\n");
  };
  out.write(styled(column("process", 10) + column("PSS", 12) + column("private", 12) + column("RSS", 12) +
                       column("open", 12) + column("read", 12),
                   Style::bold, colour) +
            "\n");
  for (const Measured& worker : sharing.workers) {
    row(std::to_string(worker.pid), worker.after, duration_text(worker.open_us * 1e-6), duration_text(worker.read_s));
  }
  const auto totals = [&](MemoryUsage Measured::*when) {
    return MemoryUsage{sharing.total(&MemoryUsage::pss_bytes, when), sharing.total(&MemoryUsage::private_bytes, when),
                       sharing.total(&MemoryUsage::rss_bytes, when)};
  };
  row("sum", totals(&Measured::after), "", "");
  row("before", totals(&Measured::before), "", "");
  const std::uint64_t after = sharing.total(&MemoryUsage::pss_bytes, &Measured::after);
  const std::uint64_t before = sharing.total(&MemoryUsage::pss_bytes, &Measured::before);
  const std::uint64_t held = after - std::min(after, before);
  out.write("\n" + number_text(command.workers) + (command.workers == 1 ? " process holds " : " processes hold ") +
            size_text(held) + ": " + ratio_text(sharing.ratio()) + " x the file of " + size_text(sharing.file_bytes) +
            "\n");
  if (!command.predict.empty()) {
    out.write("predicting reaches " + size_text(sharing.serving_bytes) + " of the map, other methods " +
              size_text(sharing.cold_bytes) + " more\n");
  }
  if (sharing.mapped_bytes != sharing.file_bytes) {
    out.write("the file is compressed; expanded, " + size_text(sharing.mapped_bytes) + " are mapped\n");
  }
}

}  // namespace

int run(const ShareCommand& command, Output& out) {
  if (command.file == "-") throw UsageError("share needs a file with a name: each process opens it");
  const Sharing sharing = measure(command);
  command.manners.json ? print_json(command, sharing, out) : print_text(command, sharing, out);
  return kExitOk;
}

}  // namespace mere::command
