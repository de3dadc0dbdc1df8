#pragma once
// Files and byte strings given to the importers, and what comes of them.

#include <doctest/doctest.h>

#include <pthread.h>

#include <zlib.h>

#include <cstddef>
#include <ctime>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/written.hpp"
#include "importers/registry.hpp"
#include "os/scratch_directory.hpp"
#include "trust/policy.hpp"

namespace mere::test {

inline std::filesystem::path data_directory() {
  return std::filesystem::path(MERE_TEST_DATA) / "importers";
}

// Of tests/data/pickle.
inline std::string pickle_fixture(std::string_view name) {
  return read_file(std::filesystem::path(MERE_TEST_DATA) / "pickle" / name);
}
inline std::string fixture(std::string_view name) {
  return read_file(data_directory() / name);
}

// Everything is trusted unless a policy is given.
inline importers::Imported import_bytes(std::string_view bytes, const importers::ImportOptions& options = {}) {
  auto kept = std::make_shared<const std::string>(bytes);
  const auto span = std::as_bytes(std::span(*kept));
  return importers::import_source({span, kept, "", {}}, options);
}

inline importers::Imported import_trusting(std::string_view bytes, const std::vector<std::string>& trusted = {}) {
  const trust::Policy policy(trusted);
  importers::ImportOptions options;
  options.admit = [&](std::span<const container::ForeignName> names) { policy.require(names); };
  return import_bytes(bytes, options);
}

// The graph as a reader of the written file sees it.
inline Written import_written(std::string_view bytes) {
  return write(import_bytes(bytes).graph);
}

// Why these bytes are refused; nothing if they are not. Any exception but Error ends the test.
inline std::optional<Reason> refusal(std::string_view bytes, const importers::ImportOptions& options = {}) {
  try {
    import_bytes(bytes, options);
    return std::nullopt;
  } catch (const Error& error) {
    return error.reason();
  }
}
inline std::string refusal_text(std::string_view bytes) {
  try {
    import_bytes(bytes);
    return "";
  } catch (const Error& error) {
    return std::string(error.message());
  }
}

// Processor time: a busy machine is no slow reader.
inline double seconds_since(std::clock_t begin) {
  return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

// A number as `width` little-endian bytes.
inline std::string little(std::uint64_t value, int width) {
  std::string out;
  for (int i = 0; i < width; ++i) out += static_cast<char>(value >> (8 * i));
  return out;
}

// Text with NULs in it.
template <std::size_t N>
std::string raw(const char (&text)[N]) {
  return std::string(text, N - 1);
}

// Runs `work` on a thread with a stack of 256 kB.
template <class Work>
void with_small_stack(Work work) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 256 * 1024);
  pthread_t thread;
  const auto run = [](void* given) -> void* {
    (*static_cast<Work*>(given))();
    return nullptr;
  };
  REQUIRE(pthread_create(&thread, &attributes, run, &work) == 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

}  // namespace mere::test
