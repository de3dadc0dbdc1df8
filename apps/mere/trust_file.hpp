#pragma once
// Lists of trusted names in a file: one full name a line; empty lines and what follows a # are left out.

#include <string>
#include <vector>

namespace mere::command {

// Appends the names in the file at `path`. Throws Error: no_file, not_regular, system_call, too_large, bad_argument (a
// line that holds more than a name, with its number).
void read_trust_file(const std::string& path, std::vector<std::string>& names);

}  // namespace mere::command
