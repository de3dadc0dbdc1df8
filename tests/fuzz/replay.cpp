// Runs a fuzz target without libFuzzer: every file of a corpus as it is, then mutated copies of it, the same ones each
// time. Prints one TAP line a file. With --runs it goes on with random mutations: a plain fuzzer without feedback.
//
//   replay_NAME [--mutations N] [--runs N] [--seed N] [--only FILE:N] CORPUS_OR_FILE...
//
// A target that does not return ends the process; what was being run stands on stderr before that, so that
// `--only FILE:N` can repeat it.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>
#include <csignal>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Bytes = std::vector<std::uint8_t>;

// What is being run now, for the signal handler: fixed memory, no allocation.
char running[512];

void report_and_die(int signal_number) {
  const auto length = std::char_traits<char>::length(running);
  [[maybe_unused]] auto written = ::write(2, running, length);
  written = ::write(2, "\n", 1);
  std::signal(signal_number, SIG_DFL);
  std::raise(signal_number);
}

Bytes read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(in), {});
}

// Copy number `n` of a file, the same for the same n: cut short, or with some bytes changed the way damage and
// attackers do (one bit, a whole number at an aligned place, a range copied elsewhere).
Bytes mutate(const Bytes& original, std::uint64_t n) {
  static constexpr std::uint64_t kEdges[] = {0,          1,          0x7f,       0x80,       0xff,
                                             0x7fff,     0xffff,     0x7fffffff, 0x80000000, 0xffffffff,
                                             0xfffffffe, 1ull << 32, 1ull << 48, ~0ull >> 1, ~0ull};
  std::mt19937_64 random(n * 0x9e3779b97f4a7c15 + original.size());
  Bytes bytes = original;
  if (bytes.empty()) return Bytes(random() % 64, static_cast<std::uint8_t>(random()));
  const auto below = [&](std::size_t bound) { return static_cast<std::size_t>(random() % bound); };
  for (std::size_t changes = 1 + below(3); changes > 0 && !bytes.empty(); --changes) {
    const std::size_t at = below(bytes.size());
    switch (random() % 8) {
      case 0: bytes.resize(at); break;
      case 1:
      case 2: bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ (1u << (random() % 8))); break;
      case 3: bytes[at] = static_cast<std::uint8_t>(random()); break;
      case 4:
      case 5: {
        const std::size_t width = std::size_t{1} << below(4);
        const std::size_t aligned = at / width * width;
        const std::uint64_t value = kEdges[below(std::size(kEdges))];
        for (std::size_t i = 0; i < width && aligned + i < bytes.size(); ++i) {
          bytes[aligned + i] = static_cast<std::uint8_t>(value >> (8 * i));
        }
        break;
      }
      case 6: {
        const std::size_t from = below(bytes.size());
        const std::size_t count = std::min({below(64) + 1, bytes.size() - from, bytes.size() - at});
        std::copy_n(Bytes(bytes.begin() + static_cast<std::ptrdiff_t>(from),
                          bytes.begin() + static_cast<std::ptrdiff_t>(from + count))
                        .begin(),
                    count, bytes.begin() + static_cast<std::ptrdiff_t>(at));
        break;
      }
      default: {
        const std::size_t count = std::min(below(32) + 1, bytes.size() - at);
        bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                    bytes.begin() + static_cast<std::ptrdiff_t>(at + count));
        break;
      }
    }
  }
  return bytes;
}

// Runs one input from memory of exactly its size, so that a sanitizer sees a read past its end.
bool run(const Bytes& bytes, const std::string& name, std::string_view variant) {
  std::snprintf(running, sizeof running, "while running %s:%.*s", name.c_str(), static_cast<int>(variant.size()),
                variant.data());
  const Bytes exact(bytes);
  try {
    LLVMFuzzerTestOneInput(exact.data(), exact.size());
    return true;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s: %s\n", running, e.what());
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t mutations = 0, runs = 0, seed = 1;
  std::string only;
  std::vector<std::filesystem::path> files;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word.starts_with("--") && i + 1 < argc) {
      const char* value = argv[++i];
      if (word == "--mutations") mutations = std::strtoull(value, nullptr, 10);
      if (word == "--runs") runs = std::strtoull(value, nullptr, 10);
      if (word == "--seed") seed = std::strtoull(value, nullptr, 10);
      if (word == "--only") only = value;
      continue;
    }
    std::error_code failed;
    if (std::filesystem::is_directory(word, failed)) {
      for (const auto& entry : std::filesystem::directory_iterator(word)) {
        if (entry.is_regular_file()) files.push_back(entry.path());
      }
    } else {
      files.emplace_back(word);
    }
  }
  std::sort(files.begin(), files.end());
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) std::signal(number, report_and_die);

  if (!only.empty()) {
    const auto colon = only.rfind(':');
    const std::string path = only.substr(0, colon);
    const std::string variant = colon == std::string::npos ? "original" : only.substr(colon + 1);
    Bytes bytes = read_file(path);
    if (variant != "original") bytes = mutate(bytes, std::strtoull(variant.c_str(), nullptr, 10));
    return run(bytes, path, variant) ? 0 : 1;
  }

  std::printf("1..%zu\n", files.empty() ? 1 : files.size());
  if (files.empty()) {
    std::printf("not ok 1 - the corpus has no file\n");
    return 1;
  }
  bool all_passed = true;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const Bytes original = read_file(files[i]);
    bool passed = run(original, files[i].string(), "original");
    for (std::uint64_t n = 1; n <= mutations; ++n) {
      passed = run(mutate(original, n), files[i].string(), std::to_string(n)) && passed;
    }
    std::printf("%sok %zu - %s and %llu mutations\n", passed ? "" : "not ", i + 1, files[i].filename().c_str(),
                static_cast<unsigned long long>(mutations));
    std::fflush(stdout);
    all_passed = all_passed && passed;
  }
  std::mt19937_64 random(seed);
  std::vector<Bytes> originals;
  for (const auto& file : files) originals.push_back(read_file(file));
  for (std::uint64_t n = 0; n < runs; ++n) {
    const std::size_t file = random() % files.size();
    const std::uint64_t variant = random() >> 1;
    all_passed = run(mutate(originals[file], variant), files[file].string(), std::to_string(variant)) && all_passed;
  }
  return all_passed ? 0 : 1;
}
