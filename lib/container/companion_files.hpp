#pragma once
// The files that belong to a foreign file and lie beside it, such as the arrays of joblib before 0.10. Opened in its
// folder and nowhere else.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "container/expanded_file.hpp"
#include "os/descriptor.hpp"

namespace mere::container {

class CompanionFiles {
 public:
  // `directory`: of the file that names them; empty if it came without one.
  explicit CompanionFiles(std::filesystem::path directory) : directory_(std::move(directory)) {}

  // The bytes of the file `name`, mapped; the same name twice is the same map. `name` comes from a file.
  // Throws Error: bad_record (it is no plain file name), no_file (also: there is no directory), not_regular,
  // file_changed, system_call.
  const HeldBytes& open(const std::string& name);

  // What was opened, by name.
  struct Opened {
    HeldBytes held;
    os::FileStamp stamp;
  };
  const std::map<std::string, Opened>& opened() const { return opened_; }
  // Throws Error: file_changed, fault (since they were opened).
  void check_unchanged() const;

 private:
  std::filesystem::path directory_;
  std::map<std::string, Opened> opened_;
};

}  // namespace mere::container
