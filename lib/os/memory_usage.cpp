#include "os/memory_usage.hpp"

#include <cerrno>
#include <charconv>
#include <string>
#include <string_view>

#include <fcntl.h>

#include "os/descriptor.hpp"

namespace mere::os {

namespace {

// The number of kilobytes on the line that begins with `field`, in bytes. Throws Error(system_call) if there is none.
std::uint64_t bytes_of(std::string_view text, std::string_view field, const std::string& path) {
  for (std::size_t line = 0; line < text.size();) {
    const std::size_t end = std::min(text.find('\n', line), text.size());
    std::string_view row = text.substr(line, end - line);
    line = end + 1;
    if (!row.starts_with(field)) continue;
    row.remove_prefix(field.size());
    row.remove_prefix(std::min(row.find_first_not_of(' '), row.size()));
    std::uint64_t kilobytes = 0;
    if (std::from_chars(row.data(), row.data() + row.size(), kilobytes).ec == std::errc()) return kilobytes * 1024;
  }
  throw Error(Reason::system_call, "read " + path + ": no line " + std::string(field));
}

}  // namespace

MemoryUsage memory_usage(int pid) {
  const std::string path = "/proc/" + (pid == 0 ? std::string("self") : std::to_string(pid)) + "/smaps_rollup";
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) throw_errno(errno, "open", path);
  char buffer[4096];
  std::size_t size = 0;
  while (size < sizeof buffer) {
    const std::size_t n = read_some(file.get(), buffer + size, sizeof buffer - size, path);
    if (n == 0) break;
    size += n;
  }
  const std::string_view text(buffer, size);
  MemoryUsage usage;
  usage.pss_bytes = bytes_of(text, "Pss:", path);
  usage.rss_bytes = bytes_of(text, "Rss:", path);
  usage.private_bytes = bytes_of(text, "Private_Clean:", path) + bytes_of(text, "Private_Dirty:", path);
  return usage;
}

}  // namespace mere::os
