#pragma once
// Ctrl-C and SIGTERM: leave nothing half made behind, exit with 130 (143).

#include <string>
#include <thread>

namespace mere::command {

// What an interrupt does from now on: end the process at once, after removing the file of remove_when_interrupted().
void catch_interrupts();

// While one lives, an interrupt asks first: stop_if_interrupted() throws, and the library removes its own temporary
// file on the way out. If that takes longer than a second, or at a second interrupt, the process removes the
// temporary itself and ends.
class InterruptGate {
 public:
  // `target` is what the library writes by way of a temporary in the same directory.
  explicit InterruptGate(const std::string& target);
  ~InterruptGate();
  InterruptGate(const InterruptGate&) = delete;
  InterruptGate& operator=(const InterruptGate&) = delete;

 private:
  std::thread watcher_;
};

// Throws Error(interrupted) if an interrupt came while a gate lives.
void stop_if_interrupted();

// The exit code of the interrupt that came, 130 or 143; 0 if none did.
int interrupt_exit_code() noexcept;

// A file to remove before the process ends by an interrupt; null: none. The name stays the caller's until then.
void remove_when_interrupted(const char* path) noexcept;

}  // namespace mere::command
