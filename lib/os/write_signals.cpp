#include "os/write_signals.hpp"

#include <cerrno>
#include <ctime>

namespace mere::os {

WriteSignals::WriteSignals() noexcept {
  const int saved = errno;
  sigset_t pending;
  sigemptyset(&ours_);
  sigpending(&pending);
  // A signal that is pending already is blocked already, and is not ours to take.
  for (const int signal : {SIGXFSZ, SIGPIPE}) {
    if (sigismember(&pending, signal) == 0) sigaddset(&ours_, signal);
  }
  pthread_sigmask(SIG_BLOCK, &ours_, &before_);
  errno = saved;
}

WriteSignals::~WriteSignals() {
  const int saved = errno;
  const timespec no_wait{};
  while (sigtimedwait(&ours_, nullptr, &no_wait) > 0) {
  }
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  errno = saved;
}

}  // namespace mere::os
