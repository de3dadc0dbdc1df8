#pragma once
// What the terminal can do, and words for people: colours, sizes, durations.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mere::command {

// What every subcommand takes.
struct Manners {
  bool json = false;
  bool quiet = false;
  bool verbose = false;
};

bool is_terminal(int fd);
// A terminal, TERM is not "dumb" and NO_COLOR is not set (https://no-color.org).
bool takes_colour(int fd);
// A terminal whose lines can be written again, for a progress bar.
bool takes_progress(int fd);
// Columns of the terminal behind `fd`, or 80.
std::size_t terminal_width(int fd);
// The character set of the locale is UTF-8, so that lines and blocks can be drawn.
bool draws_lines();

enum class Style { plain, bold, dim, red, green, yellow, cyan };
// `text` in that style if `on`, unchanged else.
std::string styled(std::string_view text, Style style, bool on);

std::string size_text(std::uint64_t bytes);                          // "633 MB", "4.18 kB", "17 bytes": powers of 1000
std::string duration_text(double seconds);                           // "25.3 us", "1.20 s", "2 min 5 s"
std::string count_text(std::uint64_t count, std::string_view noun);  // "1 array", "4,001 arrays"
std::string number_text(std::uint64_t count);                        // "4,001"
std::string ratio_text(double ratio);                                // "1.003"

// A message for the person at the keyboard, on standard error: "mere: <text>". Escapes are the caller's.
void print_message(std::string_view text);

}  // namespace mere::command
