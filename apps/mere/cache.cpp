// mere cache: the expanded copies of compressed files that processes of this user share.

#include <algorithm>
#include <ctime>

#include "commands.hpp"
#include "json_writer.hpp"
#include "printable_text.hpp"

namespace mere::command {

namespace {

std::string date_text(std::int64_t unix_s) {
  const auto time = static_cast<std::time_t>(unix_s);
  std::tm parts{};
  char text[64];
  if (::gmtime_r(&time, &parts) == nullptr || std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts) == 0) {
    return std::to_string(unix_s);
  }
  return text;
}

void list(const CacheCommand& command, Output& out) {
  const std::vector<CacheEntry> entries = cache_list();
  std::uint64_t bytes = 0;
  for (const CacheEntry& entry : entries) bytes += entry.bytes;
  if (command.manners.json) {
    JsonWriter json(out);
    json.begin_object();
    json.member("directory", cache_directory().string());
    json.member("bytes", bytes);
    json.key("entries");
    json.begin_array();
    for (const CacheEntry& entry : entries) {
      json.begin_object(JsonWriter::Layout::line);
      json.member("digest", entry.digest);
      json.member("bytes", entry.bytes);
      json.member("used_unix_s", entry.used_unix_s);
      json.end();
    }
    json.end();
    json.end();
    return;
  }
  for (const CacheEntry& entry : entries) {
    out.write(printable(entry.digest) + "  " + date_text(entry.used_unix_s) + "  " + size_text(entry.bytes) + "\n");
  }
  if (!command.manners.quiet) {
    print_message(printable(cache_directory().string()) + ": " + count_text(entries.size(), "copy") + ", " +
                  size_text(bytes));
  }
}

void clear(const CacheCommand& command, Output& out) {
  const std::string& digest = command.digest;
  if (!digest.empty()) {
    const std::vector<CacheEntry> entries = cache_list();
    const bool known =
        std::any_of(entries.begin(), entries.end(), [&](const CacheEntry& entry) { return entry.digest == digest; });
    if (!known) throw Error(Reason::no_file, cache_directory().string() + ": no expanded copy of " + digest);
  }
  const std::uint64_t freed = cache_clear(digest);
  if (command.manners.json) {
    JsonWriter json(out);
    json.begin_object();
    json.member("directory", cache_directory().string());
    json.member("freed_bytes", freed);
    json.end();
  } else if (!command.manners.quiet) {
    print_message(printable(cache_directory().string()) + ": " + size_text(freed) + " freed");
  }
}

}  // namespace

int run(const CacheCommand& command, Output& out) {
  command.clear ? clear(command, out) : list(command, out);
  return kExitOk;
}

}  // namespace mere::command
