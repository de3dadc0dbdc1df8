#include "os/worker_team.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include <sched.h>

namespace mere::os {

namespace {

constexpr unsigned kMostByDefault = 4;

// The threads of one call. Started with all signals blocked but those of faults: the host's handlers run on the host's
// threads, and a sleeping system call of ours is not interrupted.
class Team {
 public:
  // Fewer threads than asked for if the system has no more to give.
  Team(unsigned threads, const std::function<void(unsigned worker)>& run) {
    sigset_t all, before;
    sigfillset(&all);
    for (const int signal : {SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS}) sigdelset(&all, signal);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      threads_.reserve(threads);
      for (unsigned worker = 1; worker < threads; ++worker) threads_.emplace_back(run, worker);
    } catch (const std::system_error&) {
    } catch (const std::bad_alloc&) {
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  ~Team() { join(); }
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;
  void join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  std::vector<std::thread> threads_;
};

// The first exception of several threads.
class FirstError {
 public:
  void keep_current() noexcept {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::current_exception();
    set_.store(true, std::memory_order_release);
  }
  bool is_set() const noexcept { return set_.load(std::memory_order_acquire); }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::mutex mutex_;
  std::exception_ptr error_;
  std::atomic<bool> set_{false};
};

}  // namespace

unsigned thread_count(unsigned asked) {
  if (asked != 0) return asked;
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  // Machines with more processors than a cpu_set_t holds refuse; they have more than enough.
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return kMostByDefault;
  return std::clamp(static_cast<unsigned>(CPU_COUNT(&allowed)), 1U, kMostByDefault);
}

void parallel_for(std::size_t count, unsigned threads,
                  const std::function<void(std::size_t index, unsigned worker)>& work) {
  threads = static_cast<unsigned>(std::min<std::size_t>(std::max(threads, 1U), std::max<std::size_t>(count, 1)));
  if (threads == 1) {
    for (std::size_t i = 0; i < count; ++i) work(i, 0);
    return;
  }
  std::atomic<std::size_t> next{0};
  FirstError error;
  const std::function<void(unsigned)> run = [&](unsigned worker) {
    try {
      while (!error.is_set()) {
        const std::size_t index = next.fetch_add(1, std::memory_order_relaxed);
        if (index >= count) return;
        work(index, worker);
      }
    } catch (...) {
      error.keep_current();
    }
  };
  Team team(threads, run);
  run(0);
  team.join();
  error.rethrow();
}

namespace {

// State of one ordered_pipeline: index i uses slot i % slots and may be made once i - slots was taken.
class Pipeline {
 public:
  Pipeline(std::size_t count, std::size_t slots, const std::function<void(std::size_t, std::size_t)>& make,
           const std::function<void(std::size_t, std::size_t)>& take)
      : count_(count), slots_(slots), make_(make), take_(take), made_(slots, 0) {}

  // What a further thread does: makes until nothing is left to make.
  void make_all() {
    std::unique_lock lock(mutex_);
    for (;;) {
      room_.wait(lock, [&] { return stopped_ || next_ == count_ || next_ < taken_ + slots_; });
      if (stopped_ || next_ == count_) return;
      if (!make_next(lock)) return;
    }
  }

  // What the calling thread does: takes what is due, else makes, else waits.
  void take_all() {
    std::unique_lock lock(mutex_);
    while (taken_ < count_ && !stopped_) {
      if (made_[taken_ % slots_] != 0) {
        const std::size_t index = taken_;
        lock.unlock();
        try {
          take_(index, index % slots_);
        } catch (...) {
          stop();
          return;
        }
        lock.lock();
        made_[index % slots_] = 0;
        ++taken_;
        room_.notify_one();
      } else if (next_ < count_ && next_ < taken_ + slots_) {
        if (!make_next(lock)) return;
      } else {
        due_.wait(lock, [&] { return stopped_ || made_[taken_ % slots_] != 0; });
      }
    }
  }

  void rethrow() const { error_.rethrow(); }

 private:
  // False if it failed. `lock` is held before and after, unless it failed.
  bool make_next(std::unique_lock<std::mutex>& lock) {
    const std::size_t index = next_++;
    if (next_ == count_) room_.notify_all();  // nothing is left to wait for
    lock.unlock();
    try {
      make_(index, index % slots_);
    } catch (...) {
      stop();
      return false;
    }
    lock.lock();
    made_[index % slots_] = 1;
    if (index == taken_) due_.notify_one();
    return true;
  }

  void stop() {
    error_.keep_current();
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    room_.notify_all();
    due_.notify_all();
  }

  const std::size_t count_, slots_;
  const std::function<void(std::size_t, std::size_t)>& make_;
  const std::function<void(std::size_t, std::size_t)>& take_;
  std::mutex mutex_;
  std::condition_variable room_, due_;
  std::vector<char> made_;
  std::size_t next_ = 0, taken_ = 0;
  bool stopped_ = false;
  FirstError error_;
};

}  // namespace

void ordered_pipeline(std::size_t count, std::size_t slots, unsigned threads,
                      const std::function<void(std::size_t index, std::size_t slot)>& make,
                      const std::function<void(std::size_t index, std::size_t slot)>& take) {
  slots = std::max<std::size_t>(slots, 1);
  threads = static_cast<unsigned>(std::min<std::size_t>(std::max(threads, 1U), std::max<std::size_t>(count, 1)));
  if (threads == 1) {
    for (std::size_t i = 0; i < count; ++i) {
      make(i, i % slots);
      take(i, i % slots);
    }
    return;
  }
  Pipeline pipeline(count, slots, make, take);
  Team team(threads, [&](unsigned) { pipeline.make_all(); });
  pipeline.take_all();
  team.join();
  pipeline.rethrow();
}

}  // namespace mere::os
