#include "made_file.hpp"

#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <optional>

#include "commands.hpp"
#include "input_file.hpp"
#include "interrupt.hpp"
#include "printable_text.hpp"

namespace mere::command {

double make_file(const std::string& in, const std::string& out, std::uint64_t limit_bytes, const Manners& manners,
                 const std::function<void(const std::string& path)>& make) {
  const auto begin = std::chrono::steady_clock::now();
  const InputFile input(in, limit_bytes, manners);
  // Standard output has no temporary: there an interrupt may end the process at once.
  std::optional<InterruptGate> gate;
  if (out != "-") gate.emplace(out);
  make(input.path());
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void report_file(const std::string& out, const Manners& manners, Output& output,
                 const std::function<void(JsonWriter& json)>& members, const std::function<std::string()>& message) {
  if (manners.json) {
    std::string text;
    JsonWriter json(text);
    json.begin_object();
    members(json);
    json.end();
    if (out != "-") return output.write(text);
    if (::write(STDERR_FILENO, text.data(), text.size()) < 0) return;
    return;
  }
  if (!manners.quiet) print_message(message());
}

std::string from_to(const std::string& in, const std::string& in_note, const std::string& out,
                    const std::string& out_note) {
  return shown_name(in) + in_note + " -> " + (out == "-" ? "standard output" : printable(out)) + out_note;
}

std::string rate_text(std::uint64_t bytes, double seconds) {
  return size_text(static_cast<std::uint64_t>(static_cast<double>(bytes) / std::max(seconds, 1e-9))) + "/s";
}

}  // namespace mere::command
