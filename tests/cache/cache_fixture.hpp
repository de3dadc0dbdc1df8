#pragma once
// A cache directory of its own, and opens through it of files whose expansion is their text twice.

#include <chrono>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "cache/cache.hpp"
#include "os/scratch_directory.hpp"

namespace mere::test {

inline std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

inline std::string text_of(int fd) {
  std::string text(1 << 20, '\0');
  text.resize(os::read_at(fd, text.data(), text.size(), 0, "copy"));
  return text;
}

struct CacheFixture {
  ScratchDirectory scratch;
  cache::CacheOptions options;
  std::filesystem::path log = scratch / "expansions";  // a byte for each expansion begun

  CacheFixture() { options.directory = scratch / "cache"; }

  std::filesystem::path source(const std::string& name, const std::string& text) const {
    const std::filesystem::path path = scratch / name;
    write_file(path, text);
    return path;
  }
  std::size_t expansions() const {
    return std::filesystem::exists(log) ? static_cast<std::size_t>(std::filesystem::file_size(log)) : 0;
  }
  void note_expansion() const {
    const os::Descriptor file(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    CHECK(::write(file.get(), "x", 1) == 1);
  }

  cache::Expanded open(const std::filesystem::path& path,
                       std::chrono::milliseconds pause = std::chrono::milliseconds(0),
                       const cache::Check& check = {}) const {
    const os::Descriptor file = os::open_regular(path);
    cache::Source source;
    source.range = {file.get(), 0, os::stamp_of(file.get(), path.string()).size};
    source.name = path.string();
    source.expanded_bytes = 2 * source.range.length;
    const cache::Expand expand = [&](const cache::SourceRange& range, os::Sink& out) {
      note_expansion();
      std::string text(range.length, '\0');
      os::read_at(range.fd, text.data(), text.size(), range.offset, "source");
      out.write(bytes_of(text));
      std::this_thread::sleep_for(pause);
      out.write(bytes_of(text));
    };
    return cache::open_expanded(source, options, expand, check);
  }
  // The only name in the cache directory with this ending.
  std::filesystem::path cached(const std::string& ending) const {
    for (const auto& entry : std::filesystem::directory_iterator(options.directory)) {
      if (entry.path().filename().string().ends_with(ending)) return entry.path();
    }
    return {};
  }
  std::size_t count(const std::string& part) const {
    std::size_t found = 0;
    for (const auto& entry : std::filesystem::directory_iterator(options.directory)) {
      found += entry.path().filename().string().find(part) != std::string::npos;
    }
    return found;
  }
};

inline Reason reason_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.reason();
  }
  FAIL("no error");
  return Reason::bad_magic;
}

}  // namespace mere::test
