#include "progress_bar.hpp"

#include <unistd.h>
#include <algorithm>

namespace mere::command {

namespace {

constexpr std::chrono::milliseconds kSilence{500};
constexpr std::chrono::milliseconds kInterval{100};

void write_error_line(const std::string& text) {
  if (::write(STDERR_FILENO, text.data(), text.size()) < 0) return;  // a bar that cannot be drawn is no error
}

}  // namespace

ProgressBar::ProgressBar(std::string verb, const Manners& manners)
    : verb_(std::move(verb)),
      on_(!manners.quiet && takes_progress(STDERR_FILENO)),
      begin_(Clock::now()),
      last_(begin_) {}

ProgressBar::~ProgressBar() {
  clear();
}

void ProgressBar::update(std::uint64_t done_bytes, std::uint64_t total_bytes) {
  if (!on_) return;
  const Clock::time_point now = Clock::now();
  if (now - begin_ < kSilence || (drawn_ && now - last_ < kInterval)) return;
  last_ = now;
  drawn_ = true;
  const double seconds = std::chrono::duration<double>(now - begin_).count();
  write_error_line("\r\x1b[K" +
                   progress_line(verb_, done_bytes, total_bytes, seconds, terminal_width(STDERR_FILENO) - 1));
}

void ProgressBar::clear() {
  if (drawn_) write_error_line("\r\x1b[K");
  drawn_ = false;
}

std::string progress_line(const std::string& verb, std::uint64_t done_bytes, std::uint64_t total_bytes, double seconds,
                          std::size_t width) {
  const double rate = seconds > 0 ? static_cast<double>(done_bytes) / seconds : 0;
  const std::string speed = size_text(static_cast<std::uint64_t>(rate)) + "/s";
  std::string line;
  if (total_bytes == 0) {
    line = verb + "  " + size_text(done_bytes) + "  " + speed;
  } else {
    const double part = std::min(1.0, static_cast<double>(done_bytes) / static_cast<double>(total_bytes));
    std::string percent = std::to_string(static_cast<int>(part * 100));
    percent.insert(0, 3 - std::min<std::size_t>(3, percent.size()), ' ');
    const double left = rate > 0 ? static_cast<double>(total_bytes - std::min(done_bytes, total_bytes)) / rate : 0;
    const std::string head = verb + " " + percent + " % ";
    const std::string tail = "  " + speed + "  " + duration_text(left) + " left";
    const std::size_t used = head.size() + tail.size() + 2;
    if (used + 5 <= width) {
      const std::size_t cells = std::min<std::size_t>(40, width - used);
      const auto full = static_cast<std::size_t>(part * static_cast<double>(cells));
      line = head + "[" + std::string(full, '#') + std::string(cells - full, '.') + "]" + tail;
    } else {
      line = head + tail;
    }
  }
  return line.substr(0, width);
}

}  // namespace mere::command
