#include "option_words.hpp"

#include <mere/size.hpp>

namespace mere::command {

std::optional<std::uint64_t> find_size(std::string_view text) {
  std::size_t digits = 0;
  Size value = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
    value = value * Size(10) + Size(static_cast<std::uint64_t>(text[digits++] - '0'));
  }
  if (digits == 0) return std::nullopt;
  const std::string_view unit = text.substr(digits);
  constexpr std::string_view kUnits = "KMGT";
  if (!unit.empty()) {
    const std::size_t power = kUnits.find(unit[0] >= 'a' ? static_cast<char>(unit[0] - 'a' + 'A') : unit[0]);
    if (power == std::string_view::npos || (unit.size() > 1 && unit.substr(1) != "iB")) return std::nullopt;
    for (std::size_t i = 0; i <= power; ++i) value = value * Size(1024);
  }
  if (!value.valid()) return std::nullopt;
  return value.get(text);
}

std::optional<std::string> find_hex(std::string_view text, std::size_t digits) {
  if (text.size() != digits) return std::nullopt;
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return std::nullopt;
  }
  return lower;
}

CLI::Option* add_size_option(CLI::App* app, const std::string& name, std::uint64_t& target,
                             const std::string& description) {
  const auto set = [&target, name](const std::string& text) {
    const std::optional<std::uint64_t> size = find_size(text);
    if (!size) throw CLI::ValidationError(name, "'" + text + "' is no size (such as 4096, 64K or 2M)");
    target = *size;
  };
  return app->add_option_function<std::string>(name, set, description)->type_name("SIZE");
}

CLI::Option* add_content_id_option(CLI::App* app, std::optional<ContentId>& target, const std::string& description) {
  const auto set = [&target](const std::string& text) {
    const std::optional<ContentId> id = ContentId::parse(text);
    if (!id) throw CLI::ValidationError("--content-id", "'" + text + "' is not 32 hexadecimal digits");
    target = id;
  };
  return app->add_option_function<std::string>("--content-id", set, description)->type_name("HEX");
}

void add_open_options(CLI::App* app, OpenOptions& open, bool may_expand) {
  add_word_option(app, "--verify", open.verify, find_verify, {"none", "manifest", "all"},
                  "what to check when opening, beyond header and footer (default none)")
      ->group("Open options");
  if (may_expand) {
    add_word_option(app, "--expand", open.expand, find_expand, {"shared", "in_memory", "lazy"},
                    "compressed arrays: once for all processes, in this one, or not at all (default shared)")
        ->group("Open options");
  }
  app->add_flag("--copy-on-write", open.copy_on_write, "private writable pages, shared until written")
      ->group("Open options");
  app->add_flag("--populate", open.populate, "read all pages in when opening")->group("Open options");
  app->add_flag("--huge-pages", open.huge_pages, "ask for huge pages")->group("Open options");
  app->add_option("--threads", open.threads, "threads that verify or expand (default: processors, at most 4)")
      ->type_name("N")
      ->group("Open options");
  add_limit_options(app, open.limits);
}

void add_limit_options(CLI::App* app, Limits& limits) {
  add_size_option(app, "--limit-expanded-bytes", limits.expanded_bytes,
                  "most bytes a compressed file may expand to (default 1T)")
      ->group("Limits");
  add_size_option(app, "--limit-memory-bytes", limits.memory_bytes,
                  "most memory to expand or read a stream into (default 64G)")
      ->group("Limits");
}

void add_foreign_limit_options(CLI::App* app, Limits& limits) {
  add_limit_options(app, limits);
  app->add_option("--limit-expand-ratio", limits.expand_ratio,
                  "how many times its size a compressed foreign file may expand to, beyond 64M (default 1000; 0: any)")
      ->type_name("N")
      ->group("Limits");
  add_size_option(app, "--limit-decoder-bytes", limits.decoder_bytes,
                  "most memory that xz and lzma may ask for (default 80M)")
      ->group("Limits");
}

}  // namespace mere::command
