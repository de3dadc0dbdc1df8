#pragma once
// Standard input as a file that can be mapped, for subcommands that read whole files.

#include <cstdint>
#include <string>

#include "terminal.hpp"

namespace mere::command {

// Standard input itself if it is a file, else an unnamed copy in the temporary directory, or in memory where there is
// none. Gone when the descriptor is closed.
class InputFile {
 public:
  // `in`: a path, or "-". Throws Error: too_large (a stream longer than the limit), system_call.
  InputFile(const std::string& in, std::uint64_t limit_bytes, const Manners& manners);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& path() const { return path_; }

 private:
  void spool(std::uint64_t limit_bytes, const Manners& manners);

  std::string path_;
  int fd_ = -1;
};

}  // namespace mere::command
