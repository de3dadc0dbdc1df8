// The command: mere SUBCOMMAND ... This is the one place that catches.

#include <poll.h>
#include <unistd.h>
#include <csignal>
#include <cstring>
#include <exception>
#include <new>

#include <mere/error.hpp>
#include <mere/model.hpp>

#include "command_line.hpp"
#include "commands.hpp"
#include "interrupt.hpp"
#include "json_writer.hpp"
#include "opened_models.hpp"
#include "printable_text.hpp"

namespace {

using namespace mere;
using namespace mere::command;

int exit_code(const Error& error) {
  if (error.reason() == Reason::interrupted && interrupt_exit_code() != 0) return interrupt_exit_code();
  switch (error.code()) {
    case Errc::corrupt: return kExitCorrupt;
    case Errc::untrusted: return kExitUntrusted;
    case Errc::not_found: return kExitNotFound;
    case Errc::unsupported:
    case Errc::mismatch:
    case Errc::limit:
    case Errc::io: return kExitFailed;
  }
  return kExitFailed;
}

// With --json an error is JSON too: {"error": {"code": ..., "reason": ..., "message": ...}}.
void print_error(bool json, std::string_view code, std::string_view reason, std::string_view message) {
  if (!json) {
    const bool usage = code == "usage";
    print_message(usage ? std::string(message)
                        : std::string(code) + " (" + std::string(reason) + "): " + printable(message));
    return;
  }
  std::string text;
  JsonWriter writer(text);
  writer.begin_object(JsonWriter::Layout::line);
  writer.key("error");
  writer.begin_object();
  writer.member("code", code);
  writer.member("reason", reason);
  writer.member("message", message);
  writer.end();
  writer.end();
  if (::write(STDERR_FILENO, text.data(), text.size()) < 0) return;  // nobody left to tell
}

// True if whoever read our standard output has gone: as with other commands, no reason for a message.
bool output_closed() {
  pollfd out{STDOUT_FILENO, POLLOUT, 0};
  return ::poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

bool asks_for_json(int argc, char** argv) {
  for (int i = 1; i < argc && std::strcmp(argv[i], "--") != 0; ++i) {
    if (std::strcmp(argv[i], "--json") == 0) return true;
  }
  return false;
}

int run_command(int argc, char** argv) {
  const CommandLine line = parse_command_line(argc, argv);
  catch_interrupts();
  guard_faults();
  Output out(STDOUT_FILENO, "standard output");
  try {
    const int code = line.action(out);
    out.flush();
    return code;
  } catch (const Error&) {
    check_opened_models();  // if a page could not be read, that is why
    throw;
  }
}

}  // namespace

int main(int argc, char** argv) {
  // A reader that goes away ends a write with EPIPE, so that what is half made can be removed first; a file larger than
  // the limit of the process ends one with EFBIG.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  const bool json = asks_for_json(argc, argv);
  try {
    return run_command(argc, argv);
  } catch (const UsageError& error) {
    print_error(json, "usage", "usage", error.what());
    return kExitUsage;
  } catch (const Error& error) {
    if (error.code() == Errc::io && error.reason() != Reason::interrupted && output_closed()) return kExitBrokenPipe;
    print_error(json, to_text(error.code()), to_text(error.reason()), error.message());
    return exit_code(error);
  } catch (const std::bad_alloc&) {
    print_error(json, "limit", "out_of_memory", "memory could not be had");
    return kExitFailed;
  } catch (const std::exception& error) {
    print_error(json, "failed", "internal", error.what());
    return kExitFailed;
  }
}
