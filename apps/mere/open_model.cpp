#include <sys/stat.h>
#include <unistd.h>
#include <chrono>

#include "commands.hpp"
#include "opened_models.hpp"
#include "printable_text.hpp"

namespace mere::command {

namespace {

Model open_quietly(const std::string& file, const OpenOptions& options) {
  if (file != "-") return Model(file, options);
  struct stat status {};
  if (::fstat(STDIN_FILENO, &status) == 0 && S_ISREG(status.st_mode)) {
    return Model::from_descriptor(STDIN_FILENO, 0, {}, options);
  }
  return Model::from_pipe(STDIN_FILENO, options);
}

}  // namespace

Model open_model(const std::string& file, const OpenOptions& options, const Manners& manners) {
  const auto begin = std::chrono::steady_clock::now();
  Model model = open_quietly(file, options);
  remember_opened(model);
  if (manners.verbose) {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    print_message(shown_name(file) + ": opened in " + duration_text(seconds));
  }
  return model;
}

std::string shown_name(const std::string& file) {
  return file == "-" ? "standard input" : printable(file);
}

}  // namespace mere::command
