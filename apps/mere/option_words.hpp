#pragma once
// Options whose values are words, sizes or ids, on top of CLI11's.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include <mere/model.hpp>

#include "suggestion.hpp"

namespace mere::command {

// "64", "64K", "2MiB", "1G": bytes, with units of 1024. Nothing if it is no size, or passes 64 bits.
std::optional<std::uint64_t> find_size(std::string_view text);

// `text` in lower case, if it is `digits` hexadecimal digits.
std::optional<std::string> find_hex(std::string_view text, std::size_t digits);

// An option that takes one of `words`; `find` turns a word into the value.
template <class T, class Find>
CLI::Option* add_word_option(CLI::App* app, const std::string& name, T& target, Find find,
                             std::vector<std::string> words, const std::string& description) {
  const auto set = [&target, find, words, name](const std::string& word) {
    const auto value = find(word);
    if (!value) {
      const std::string near = nearest_word(word, words);
      throw CLI::ValidationError(name, "'" + word + "' is none of " + CLI::detail::join(words, ", ") +
                                           (near.empty() ? "" : "; did you mean '" + near + "'?"));
    }
    target = *value;
  };
  return app->add_option_function<std::string>(name, set, description)->type_name(CLI::detail::join(words, "|"));
}

CLI::Option* add_size_option(CLI::App* app, const std::string& name, std::uint64_t& target,
                             const std::string& description);
CLI::Option* add_content_id_option(CLI::App* app, std::optional<ContentId>& target, const std::string& description);

// The options of opening, the same words everywhere; with --expand where arrays may be expanded.
void add_open_options(CLI::App* app, OpenOptions& open, bool may_expand);
void add_limit_options(CLI::App* app, Limits& limits);
// The same, and those of foreign files.
void add_foreign_limit_options(CLI::App* app, Limits& limits);

}  // namespace mere::command
