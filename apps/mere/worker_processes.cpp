#include "worker_processes.hpp"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <new>

#include <mere/error.hpp>

namespace mere::command {

namespace {

// All `size` bytes; false if the other end went away.
bool receive(int fd, void* data, std::size_t size) {
  auto* to = static_cast<char*>(data);
  while (size > 0) {
    const ssize_t got = ::read(fd, to, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    to += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

bool send(int fd, const void* data, std::size_t size) {
  const auto* from = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t sent = ::send(fd, from, size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    from += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

void copy_text(char* to, std::size_t size, std::string_view text) {
  const std::size_t length = std::min(text.size(), size - 1);
  std::copy_n(text.data(), length, to);
  to[length] = 0;
}

WorkerReport failure(std::string_view reason, std::string_view message) {
  WorkerReport report;
  report.failed = true;
  copy_text(report.reason, sizeof report.reason, reason);
  copy_text(report.message, sizeof report.message, message);
  return report;
}

// The life of a worker: a program of its own, so it catches for itself.
[[noreturn]] void live(int control, pid_t parent, const WorkerProcesses::Work& work) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, SIG_DFL);
  char byte = 0;
  if (!send(control, "r", 1) || !receive(control, &byte, 1)) ::_exit(1);
  std::vector<std::function<void()>> keep;
  WorkerReport report;
  try {
    report = work(keep);
  } catch (const Error& error) {
    report = failure(to_text(error.reason()), error.message());
  } catch (const std::bad_alloc&) {
    report = failure(to_text(Reason::out_of_memory), "memory could not be had");
  }
  if (send(control, &report, sizeof report)) receive(control, &byte, 1);
  ::_exit(0);
}

std::string ending(int status) {
  if (WIFSIGNALED(status)) return std::string("by signal ") + std::to_string(WTERMSIG(status));
  return "with exit code " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

WorkerProcesses::WorkerProcesses(unsigned count, const Work& work) {
  const pid_t parent = ::getpid();
  try {
    for (unsigned i = 0; i < count; ++i) {
      int ends[2];
      if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        throw Error(Reason::system_call, std::string("socketpair: ") + std::strerror(errno));
      }
      const pid_t pid = ::fork();
      if (pid == 0) {
        ::close(ends[0]);
        for (const Worker& other : workers_) ::close(other.control);
        live(ends[1], parent, work);
      }
      ::close(ends[1]);
      if (pid < 0) {
        const int error = errno;
        ::close(ends[0]);
        throw Error(Reason::system_call, "fork worker " + std::to_string(i) + ": " + std::strerror(error));
      }
      workers_.push_back({pid, ends[0]});
    }
    for (const Worker& worker : workers_) {
      char byte = 0;
      if (!receive(worker.control, &byte, 1)) throw Error(Reason::system_call, "a worker ended before it began");
    }
  } catch (...) {
    stop();
    throw;
  }
}

WorkerProcesses::~WorkerProcesses() {
  stop();
}

void WorkerProcesses::stop() noexcept {
  for (Worker& worker : workers_) {
    if (worker.control >= 0) ::close(worker.control);
    worker.control = -1;
  }
  for (Worker& worker : workers_) {
    if (worker.pid <= 0) continue;
    ::kill(worker.pid, SIGKILL);  // it may be in the middle of its work
    while (::waitpid(worker.pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    worker.pid = -1;
  }
}

std::vector<pid_t> WorkerProcesses::pids() const {
  std::vector<pid_t> pids;
  for (const Worker& worker : workers_) pids.push_back(worker.pid);
  return pids;
}

std::vector<WorkerReport> WorkerProcesses::start() {
  for (const Worker& worker : workers_) send(worker.control, "g", 1);
  std::vector<WorkerReport> reports(workers_.size());
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    Worker& worker = workers_[i];
    if (receive(worker.control, &reports[i], sizeof reports[i])) continue;
    int status = 0;
    while (::waitpid(worker.pid, &status, 0) < 0 && errno == EINTR) {
    }
    const pid_t pid = worker.pid;
    worker.pid = -1;
    throw Error(Reason::system_call, "worker " + std::to_string(pid) + " ended " + ending(status));
  }
  for (const WorkerReport& report : reports) {
    if (report.failed) throw Error(find_reason(report.reason).value_or(Reason::system_call), report.message);
  }
  return reports;
}

}  // namespace mere::command
