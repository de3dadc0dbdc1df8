#include "interrupt.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <mere/error.hpp>

namespace mere::command {

namespace {

constexpr int kPatienceMs = 1000;

// Signal handlers reach only these; all are lock-free.
std::atomic<int> came{0};
std::atomic<int> gate_pipe{-1};  // its writing end, while a gate lives
std::atomic<const char*> temporary{nullptr};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<const char*>::is_always_lock_free);

extern "C" void on_interrupt(int signal) {
  came = signal;
  const int pipe = gate_pipe.load();
  if (pipe >= 0) {
    const int saved = errno;
    if (::write(pipe, "i", 1) < 0) {
    }  // full of interrupts: one is enough
    errno = saved;
    return;
  }
  if (const char* path = temporary.load()) ::unlink(path);
  ::_exit(128 + signal);
}

// Removes the hidden files in `directory` that this process is writing: temporaries, whatever their names.
void remove_open_temporaries(const std::filesystem::path& directory) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", error)) {
    const std::filesystem::path file = std::filesystem::read_symlink(entry.path(), error);
    if (error || file.parent_path() != directory || !file.filename().native().starts_with('.')) continue;
    const int flags = ::fcntl(std::atoi(entry.path().filename().c_str()), F_GETFL);
    if (flags >= 0 && (flags & O_ACCMODE) != O_RDONLY) ::unlink(file.c_str());
  }
}

// Waits for an interrupt ("i") or the end of the gate, which closes the pipe.
void watch(int pipe, const std::filesystem::path& directory) {
  // Signals are for the other threads, so that a wait here ends only for its own reasons.
  sigset_t all;
  sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  char byte = 0;
  while (::read(pipe, &byte, 1) < 0 && errno == EINTR) {
  }
  if (byte == 'i') {
    pollfd next{pipe, POLLIN, 0};
    if (::poll(&next, 1, kPatienceMs) <= 0 || ::read(pipe, &byte, 1) == 1) {
      remove_open_temporaries(directory);
      ::_exit(interrupt_exit_code());
    }
  }
  ::close(pipe);
}

}  // namespace

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM}) {
    // A signal that the parent had us ignore (nohup, a background job) stays ignored.
    struct sigaction old {};
    if (::sigaction(signal, nullptr, &old) == 0 && old.sa_handler != SIG_IGN) ::sigaction(signal, &action, nullptr);
  }
}

InterruptGate::InterruptGate(const std::string& target) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw Error(Reason::system_call, std::string("pipe: ") + std::strerror(errno));
  ::fcntl(ends[1], F_SETFL, O_NONBLOCK);  // a handler must not wait
  std::error_code error;
  const std::filesystem::path parent = std::filesystem::path(target).parent_path();
  const std::filesystem::path directory = std::filesystem::canonical(parent.empty() ? "." : parent, error);
  watcher_ = std::thread(watch, ends[0], directory);
  gate_pipe = ends[1];
}

InterruptGate::~InterruptGate() {
  ::close(gate_pipe.exchange(-1));
  watcher_.join();
}

void stop_if_interrupted() {
  if (came.load() != 0) throw Error(Reason::interrupted, "stopped on request; nothing was left behind");
}

int interrupt_exit_code() noexcept {
  const int signal = came.load();
  return signal == 0 ? 0 : 128 + signal;
}

void remove_when_interrupted(const char* path) noexcept {
  temporary = path;
}

}  // namespace mere::command
