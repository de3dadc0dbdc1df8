#pragma once
// Timing for the programs of bench/: interleaved rounds, medians, and one printed line a case.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench {

inline double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// The value below which `fraction` of the samples lie.
inline double quantile(std::vector<double> samples, double fraction) {
  std::sort(samples.begin(), samples.end());
  return samples[std::min(samples.size() - 1,
                          static_cast<std::size_t>(fraction * static_cast<double>(samples.size())))];
}
inline double median(const std::vector<double>& samples) {
  return quantile(samples, 0.5);
}

struct Case {
  std::string name;
  std::function<void()> prepare;  // before each run, not timed; may be empty
  std::function<void()> run;
  std::vector<double> seconds;
};

// One unmeasured round, then `rounds` in which each case runs once: what disturbs the machine disturbs all alike.
inline void run_rounds(std::vector<Case>& cases, int rounds = 15) {
  for (int round = -1; round < rounds; ++round) {
    for (Case& c : cases) {
      if (c.prepare) c.prepare();
      const double start = now_s();
      c.run();
      const double seconds = now_s() - start;
      if (round >= 0) c.seconds.push_back(seconds);
    }
  }
}

// name, size, median, spread (of the middle half), unit, and the reach if there is one.
inline void print_line(const std::string& name, const std::string& size, double middle, double spread,
                       const std::string& unit, const std::string& reach = "") {
  std::printf("%-58s %12s %12.4g  +-%-9.3g %-6s %s\n", name.c_str(), size.c_str(), middle, spread, unit.c_str(),
              reach.c_str());
  std::fflush(stdout);
}

// A line whose figure is `scale / seconds` (a rate) or `scale * seconds` (a time), by `rate`.
inline void print_samples(const std::string& name, const std::string& size, std::vector<double> samples, double scale,
                          bool rate, const std::string& unit, const std::string& reach = "") {
  for (double& s : samples) s = rate ? scale / s : scale * s;
  print_line(name, size, median(samples), (quantile(samples, 0.75) - quantile(samples, 0.25)) / 2, unit, reach);
}

// "reach: at most 1.2, met"
inline std::string at_most(double value, double limit) {
  char text[64];
  std::snprintf(text, sizeof text, "reach: <= %g  %s", limit, value <= limit ? "met" : "MISSED");
  return text;
}
inline std::string at_least(double value, double limit) {
  char text[64];
  std::snprintf(text, sizeof text, "reach: >= %g  %s", limit, value >= limit ? "met" : "MISSED");
  return text;
}

inline std::string mb(std::uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MB", static_cast<double>(bytes) / 1e6);
  return text;
}

// Results are checked before they are timed.
inline void require(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error("wrong result, nothing timed: " + what);
}

// main() of a program: prints what went wrong.
inline int run_program(const std::function<void()>& program) {
  try {
    program();
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}

}  // namespace bench
