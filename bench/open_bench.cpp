// What does it cost to open a file and find an array, and does that grow with the model?
//
//   open_bench FOREST_MERE FOLDER       FOLDER takes the two files of small arrays (about 70 MB)

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <sys/resource.h>

#include <mere/dump.hpp>
#include <mere/model.hpp>
#include "rounds.hpp"

namespace {

namespace fs = std::filesystem;

// A dict of `count` arrays of 64 bytes; array i holds i in all its eight places.
void write_small_arrays(const fs::path& path, std::size_t count) {
  std::vector<std::int64_t> values(8 * count);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::int64_t>(i / 8);
  mere::Graph graph;
  std::vector<std::pair<mere::NodeId, mere::NodeId>> entries;
  // Copies apart from each other in memory, so that they are no views of one buffer.
  auto spaced = std::make_shared<std::vector<std::int64_t>>(16 * count);
  for (std::size_t i = 0; i < count; ++i) {
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(8 * i), 8,
                spaced->begin() + static_cast<std::ptrdiff_t>(16 * i));
    const mere::ArraySource source{reinterpret_cast<const std::byte*>(spaced->data() + 16 * i), spaced};
    entries.emplace_back(graph.text("k" + std::to_string(i)),
                         graph.array(mere::Dtype::of<std::int64_t>(), mere::Dims{8}, mere::Graph::Order::c, source));
  }
  graph.model_root = graph.dict(entries);
  mere::dump(graph, path, {.durability = mere::Durability::none});
}

// Constructor, at(), destructor.
std::uint64_t open_and_find(const fs::path& path, const std::string& array) {
  const mere::Model model(path);
  return model.at(array).array().nbytes();
}

std::vector<double> open_times(const fs::path& path, const std::string& array, int repeats) {
  std::vector<double> seconds;
  std::uint64_t bytes = 0;
  for (int i = -100; i < repeats; ++i) {
    const double start = bench::now_s();
    bytes += open_and_find(path, array);
    const double end = bench::now_s();
    if (i >= 0) seconds.push_back(end - start);
  }
  bench::require(bytes > 0, "the array is empty");
  return seconds;
}

std::size_t open_descriptors() {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}
std::size_t maps_of(const fs::path& path) {
  std::ifstream maps("/proc/self/maps");
  std::size_t count = 0;
  for (std::string line; std::getline(maps, line);) count += line.ends_with(fs::canonical(path).string());
  return count;
}

void run(const fs::path& forest, const fs::path& folder) {
  const std::string array = "estimators_[500].tree_.nodes";
  {
    const mere::Model model(forest);
    model.verify();
    const mere::Node tree = model.at("estimators_[500].tree_");
    bench::require(static_cast<std::uint64_t>(tree["node_count"].integer()) == tree["nodes"].array().size(),
                   "a tree has as many nodes as it says");
  }
  const std::string size = bench::mb(fs::file_size(forest));
  const std::vector<double> times = open_times(forest, array, 1000);
  const double p50 = bench::median(times) * 1e6;
  bench::print_samples("open F, find an array by path, close: p50", size, times, 1e6, false, "us",
                       bench::at_most(p50, 25));
  bench::print_line("open F, find an array by path, close: p99", size, bench::quantile(times, 0.99) * 1e6, 0, "us");

  const fs::path few = folder / "arrays_4001.mere", many = folder / "arrays_400100.mere";
  if (!fs::exists(few)) write_small_arrays(few, 4001);
  if (!fs::exists(many)) write_small_arrays(many, 400100);
  for (const auto& [path, count] : {std::pair{few, 4001}, std::pair{many, 400100}}) {
    const mere::Model model(path);
    model.verify();
    bench::require(model.info().arrays == static_cast<std::uint64_t>(count), "the file has its arrays");
    bench::require(model.at("k" + std::to_string(count / 2)).array().span<std::int64_t>()[7] == count / 2,
                   "an array holds its number");
  }
  // Interleaved in slices, so that both see the same machine.
  std::vector<double> few_times, many_times;
  for (int slice = 0; slice < 10; ++slice) {
    for (double s : open_times(few, "k2000", 100)) few_times.push_back(s);
    for (double s : open_times(many, "k200050", 100)) many_times.push_back(s);
  }
  const double ratio = bench::median(many_times) / bench::median(few_times);
  bench::print_samples("open 4,001 arrays of 64 bytes: p50", bench::mb(fs::file_size(few)), few_times, 1e6, false,
                       "us");
  bench::print_samples("open 400,100 arrays of 64 bytes: p50", bench::mb(fs::file_size(many)), many_times, 1e6, false,
                       "us");
  bench::print_line("100 x the arrays: time to open", "", ratio, 0, "x", bench::at_most(ratio, 1.2));

  const std::size_t descriptors_before = open_descriptors();
  const mere::Model held(forest);
  bench::require(held.at(array).array().nbytes() > 0, "the array is empty");
  const auto descriptors = static_cast<double>(open_descriptors() - descriptors_before);
  bench::print_line("descriptors held by an open file", "", descriptors, 0, "", bench::at_most(descriptors, 0));
  const auto maps = static_cast<double>(maps_of(forest));
  bench::print_line("maps held by an open file", "", maps, 0, "", bench::at_most(maps, 1));

  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = 64;
  setrlimit(RLIMIT_NOFILE, &limit);
  std::vector<mere::Model> models;
  while (models.size() < 1000) models.emplace_back(forest);
  bench::print_line("models held open at ulimit -n 64", "", static_cast<double>(models.size()), 0, "",
                    bench::at_least(static_cast<double>(models.size()), 1000));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: open_bench FOREST_MERE FOLDER\n");
    return 2;
  }
  return bench::run_program([&] { run(argv[1], argv[2]); });
}
