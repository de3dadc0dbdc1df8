#pragma once
// A line on standard error that shows how far a long job is: after half a second, on a terminal, with rate and time
// left.

#include <chrono>
#include <cstdint>
#include <string>

#include "terminal.hpp"

namespace mere::command {

class ProgressBar {
 public:
  // `verb` says what is done: "writing". Shows nothing if `manners` are quiet or standard error is no terminal.
  ProgressBar(std::string verb, const Manners& manners);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // total_bytes 0: not known. Cheap: draws at most ten times a second.
  void update(std::uint64_t done_bytes, std::uint64_t total_bytes);
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  std::string verb_;
  bool on_;
  bool drawn_ = false;
  Clock::time_point begin_, last_;
};

// The line itself, `width` columns at most: "writing  42 % [#####.......]  1.20 GB/s  3 s left".
std::string progress_line(const std::string& verb, std::uint64_t done_bytes, std::uint64_t total_bytes, double seconds,
                          std::size_t width);

}  // namespace mere::command
