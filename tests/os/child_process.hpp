#pragma once
// Forked processes for tests: what runs in one tells its result by its exit status.

#include <exception>
#include <stdexcept>
#include <utility>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mere::test {

class ChildProcess {
 public:
  // Runs `body` in a fork; its result is the exit status. An exception is status 99.
  template <class Body>
  explicit ChildProcess(const Body& body) {
    pid_ = fork();
    if (pid_ < 0) throw std::runtime_error("fork");
    if (pid_ != 0) return;
    // Sanitizers' and doctest's handlers must not turn a signal into a report; a child's own are for its children too.
    if (!std::exchange(is_child_, true)) {
      for (const int signal : {SIGBUS, SIGSEGV, SIGXFSZ, SIGPIPE, SIGTERM}) ::signal(signal, SIG_DFL);
    }
    int status = 99;
    try {
      status = body();
    } catch (...) {
    }
    _exit(status);
  }
  ~ChildProcess() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      wait();
    }
  }
  ChildProcess(ChildProcess&& other) noexcept : pid_(std::exchange(other.pid_, 0)), status_(other.status_) {}
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  void kill(int signal) const { ::kill(pid_, signal); }
  int pid() const { return pid_; }
  // The exit status, or minus the signal that ended it.
  int wait() {
    if (pid_ > 0) {
      int status = 0;
      while (waitpid(pid_, &status, 0) < 0) {
      }
      pid_ = 0;
      status_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }
    return status_;
  }

 private:
  static inline bool is_child_ = false;
  pid_t pid_ = 0;
  int status_ = 0;
};

}  // namespace mere::test
