#pragma once
// Texts as values of a program: a number in a column of texts stands for one. NaN is a missing text; 0 and above are
// cells of the input, below 0 are texts that the program itself has.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mere::program {

// Safe to share between threads.
class Texts {
 public:
  Texts() = default;
  virtual ~Texts() = default;
  Texts(const Texts&) = delete;
  Texts& operator=(const Texts&) = delete;

  // Nothing for a missing text, and for a number that stands for none (a program may have computed with it).
  virtual std::optional<std::string_view> find(double number) const noexcept = 0;

  // What stands for text `i` of Program::texts, and back.
  static double constant(std::size_t i) { return -1 - static_cast<double>(i); }
};

// Of a number below 0.
std::optional<std::string_view> constant_text(const std::vector<std::string>& texts, double number) noexcept;

}  // namespace mere::program
