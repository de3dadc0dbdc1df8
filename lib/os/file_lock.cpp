#include "os/file_lock.hpp"

#include <algorithm>
#include <cerrno>
#include <thread>

#include <sys/file.h>

#include "os/descriptor.hpp"

namespace mere::os {

namespace {

int operation(LockKind kind) {
  return kind == LockKind::shared ? LOCK_SH : LOCK_EX;
}

}  // namespace

bool try_lock(int fd, LockKind kind, const std::string& name) {
  while (flock(fd, operation(kind) | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return false;
    if (errno != EINTR) throw_errno(errno, "flock", name);
  }
  return true;
}

void lock(int fd, LockKind kind, const std::string& name) {
  while (flock(fd, operation(kind)) != 0) {
    if (errno != EINTR) throw_errno(errno, "flock", name);
  }
}

bool lock_within(int fd, LockKind kind, std::chrono::milliseconds wait, const std::string& name) {
  const auto until = std::chrono::steady_clock::now() + wait;
  // There is no flock with a time limit but by a signal, which a library must not take. From 1 ms up to 50 ms.
  std::chrono::milliseconds pause(1);
  while (!try_lock(fd, kind, name)) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    std::this_thread::sleep_for(std::min(pause, left));
    pause = std::min(pause * 2, std::chrono::milliseconds(50));
  }
  return true;
}

void unlock(int fd) noexcept {
  flock(fd, LOCK_UN);
}

}  // namespace mere::os
