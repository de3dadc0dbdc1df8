#include "trust_file.hpp"

#include <filesystem>
#include <fstream>

#include <mere/error.hpp>

#include "printable_text.hpp"

namespace mere::command {

namespace {
constexpr std::uintmax_t kMostBytes = 16 << 20;
}

void read_trust_file(const std::string& path, std::vector<std::string>& names) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) throw Error(Reason::no_file, "--trust-file " + path + ": no such file");
  if (!std::filesystem::is_regular_file(status))
    throw Error(Reason::not_regular, "--trust-file " + path + ": no regular file");
  if (std::filesystem::file_size(path, error) > kMostBytes || error)
    throw Error(Reason::too_large, "--trust-file " + path + ": longer than 16 MiB");
  std::ifstream in(path);
  if (!in) throw Error(Reason::system_call, "open --trust-file " + path);
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    line.erase(std::min(line.find('#'), line.size()));
    const std::size_t begin = line.find_first_not_of(" \t\r");
    if (begin == std::string::npos) continue;
    const std::string name = line.substr(begin, line.find_last_not_of(" \t\r") + 1 - begin);
    if (name.find_first_of(" \t") != std::string::npos) {
      throw Error(Reason::bad_argument, "--trust-file " + path + ", line " + std::to_string(number) + ": '" +
                                            printable(name, 80) + "' is more than one name");
    }
    names.push_back(name);
  }
  if (in.bad()) throw Error(Reason::system_call, "read --trust-file " + path);
}

}  // namespace mere::command
