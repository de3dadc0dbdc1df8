#include "os/worker_team.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include "os/child_process.hpp"
#include "os/descriptor.hpp"
#include "os/file_lock.hpp"
#include "os/scratch_directory.hpp"

using namespace mere;
using namespace std::chrono_literals;

TEST_CASE("thread count: as asked, else the processors this process may use, at most 4") {
  CHECK(os::thread_count(7) == 7);
  CHECK(os::thread_count(0) >= 1);
  CHECK(os::thread_count(0) <= 4);
  test::ChildProcess child([] {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    if (sched_setaffinity(0, sizeof one, &one) != 0) return 0;
    return os::thread_count(0) == 1 ? 0 : 1;
  });
  CHECK(child.wait() == 0);
}

TEST_CASE("parallel_for: every index once, by workers that are told apart") {
  for (const unsigned threads : {1U, 2U, 5U, 16U}) {
    for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{3}, std::size_t{1000}}) {
      std::vector<std::atomic<int>> times(count);
      std::vector<std::atomic<int>> inside(threads);
      os::parallel_for(count, threads, [&](std::size_t i, unsigned worker) {
        CHECK(worker < threads);
        CHECK(inside[worker].fetch_add(1) == 0);  // one at a time in each worker
        ++times[i];
        --inside[worker];
      });
      for (const auto& n : times) CHECK(n == 1);
    }
  }
}

TEST_CASE("parallel_for: the first exception stops the rest and is thrown") {
  std::atomic<std::size_t> done{0};
  CHECK_THROWS_WITH_AS(os::parallel_for(1'000'000, 3,
                                        [&](std::size_t i, unsigned) {
                                          if (i == 20) throw std::runtime_error("twenty");
                                          ++done;
                                        }),
                       "twenty", std::runtime_error);
  CHECK(done < 1'000'000);
}

TEST_CASE("ordered pipeline: takes in order, on the calling thread, never more than `slots` under way") {
  const std::thread::id caller = std::this_thread::get_id();
  for (const unsigned threads : {1U, 2U, 3U, 8U}) {
    for (const std::size_t slots : {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{5}, std::size_t{100}}) {
      for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{300}}) {
        std::vector<std::size_t> slot_of(std::max<std::size_t>(slots, 1), ~std::size_t{0});
        std::vector<std::size_t> taken;
        std::atomic<std::size_t> under_way{0};
        bool good = true;
        std::atomic<bool> made_well{true};
        os::ordered_pipeline(
            count, slots, threads,
            [&](std::size_t index, std::size_t slot) {
              if (++under_way > std::max<std::size_t>(slots, 1)) made_well = false;
              if (slot_of.at(slot) != ~std::size_t{0}) made_well = false;  // still in use
              slot_of[slot] = index;
            },
            [&](std::size_t index, std::size_t slot) {
              good = good && slot_of.at(slot) == index && std::this_thread::get_id() == caller;
              slot_of[slot] = ~std::size_t{0};
              taken.push_back(index);
              --under_way;
            });
        std::vector<std::size_t> expected(count);
        std::iota(expected.begin(), expected.end(), std::size_t{0});
        CHECK(good);
        CHECK(made_well);
        CHECK(taken == expected);
      }
    }
  }
}

TEST_CASE("ordered pipeline: an exception of either side ends it") {
  for (const unsigned threads : {1U, 2U, 4U}) {
    CHECK_THROWS_WITH_AS(os::ordered_pipeline(
                             1000, 4, threads,
                             [](std::size_t i, std::size_t) {
                               if (i == 50) throw std::runtime_error("make");
                             },
                             [](std::size_t i, std::size_t) { CHECK(i < 50); }),
                         "make", std::runtime_error);
    CHECK_THROWS_WITH_AS(os::ordered_pipeline(
                             1000, 4, threads, [](std::size_t, std::size_t) {},
                             [](std::size_t i, std::size_t) {
                               if (i == 50) throw std::runtime_error("take");
                             }),
                         "take", std::runtime_error);
  }
}

TEST_CASE("workers: where no further thread can be had, the calling one does it all") {
  test::ChildProcess child([] {
    // The limit counts all processes of the user, and root is not held to it: another user has none yet.
    const rlimit one{1, 1};
    if (setrlimit(RLIMIT_NPROC, &one) != 0 || (geteuid() == 0 && setresuid(54321, 54321, 54321) != 0)) return 2;
    try {
      std::thread([] {}).join();
      return 2;
    } catch (const std::system_error&) {
    }
    std::atomic<int> sum{0};
    os::parallel_for(100, 4, [&](std::size_t, unsigned) { ++sum; });
    os::ordered_pipeline(
        100, 3, 4, [&](std::size_t, std::size_t) { ++sum; }, [&](std::size_t, std::size_t) { ++sum; });
    return sum == 300 ? 0 : 1;
  });
  const int status = child.wait();
  if (status == 2) {
    MESSAGE("skipped: cannot limit the threads of a process here");
  } else {
    CHECK(status == 0);
  }
}

TEST_CASE("workers: signals of the program are not handled on them, and the caller's mask comes back") {
  sigset_t before, after;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  std::atomic<int> unblocked{0};
  os::parallel_for(64, 3, [&](std::size_t, unsigned worker) {
    if (worker == 0) return;
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    if (sigismember(&mask, SIGINT) == 0 || sigismember(&mask, SIGBUS) == 1) ++unblocked;
    std::this_thread::sleep_for(1ms);
  });
  CHECK(unblocked == 0);
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  CHECK(sigismember(&before, SIGINT) == sigismember(&after, SIGINT));
}

TEST_CASE("file lock: one holder, across opens and processes; gone when the holder is killed") {
  const test::ScratchDirectory scratch;
  test::write_file(scratch / "lock", "");
  const os::Descriptor a = os::open_regular(scratch / "lock");
  const os::Descriptor b = os::open_regular(scratch / "lock");
  CHECK(os::try_lock(a.get(), os::LockKind::shared, "lock"));
  CHECK(os::try_lock(b.get(), os::LockKind::shared, "lock"));
  CHECK_FALSE(os::try_lock(b.get(), os::LockKind::exclusive, "lock"));
  os::unlock(a.get());
  os::unlock(b.get());
  int ready[2];
  REQUIRE(pipe(ready) == 0);
  test::ChildProcess holder([&] {
    const os::Descriptor own = os::open_regular(scratch / "lock");
    os::lock(own.get(), os::LockKind::exclusive, "lock");
    if (::write(ready[1], "x", 1) != 1) return 1;
    while (true) pause();
    return 0;
  });
  char x;
  REQUIRE(::read(ready[0], &x, 1) == 1);
  const auto start = std::chrono::steady_clock::now();
  CHECK_FALSE(os::lock_within(a.get(), os::LockKind::exclusive, 30ms, "lock"));
  CHECK(std::chrono::steady_clock::now() - start >= 30ms);
  holder.kill(SIGKILL);
  CHECK(os::lock_within(a.get(), os::LockKind::exclusive, 5s, "lock"));
  ::close(ready[0]);
  ::close(ready[1]);
}
