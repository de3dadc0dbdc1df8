#pragma once
// What the words on the command line mean: every subcommand and option is listed in command_line.cpp.

#include <functional>
#include <stdexcept>
#include <string>

#include "output.hpp"
#include "terminal.hpp"

namespace mere::command {

// The words cannot be understood; the message says which, and what was perhaps meant. Exit code 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct CommandLine {
  Manners manners;
  std::function<int(Output&)> action;  // returns the exit code
};

// Throws UsageError.
CommandLine parse_command_line(int argc, const char* const* argv);

}  // namespace mere::command
