#include "cache/cache.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache/cache_fixture.hpp"
#include "os/child_process.hpp"
#include "os/mapping.hpp"

using namespace mere;
using namespace std::chrono_literals;
using test::bytes_of;
using test::ChildProcess;
using test::reason_of;
using test::text_of;
using Fixture = test::CacheFixture;

TEST_CASE("cache: the first open expands, later ones map the same copy") {
  const Fixture f;
  const auto path = f.source("a", "hello");
  const cache::Expanded first = f.open(path);
  CHECK(first.made);
  CHECK(text_of(first.file.get()) == "hellohello");
  CHECK(first.bytes == 10);
  // sha256sum of "hello"
  CHECK(first.digest == "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
  const cache::Expanded second = f.open(path);
  CHECK_FALSE(second.made);
  CHECK(os::stamp_of(first.file.get(), "").inode == os::stamp_of(second.file.get(), "").inode);
  CHECK(f.expansions() == 1);
  struct stat facts {};
  CHECK(stat((f.options.directory).c_str(), &facts) == 0);
  CHECK((facts.st_mode & 07777) == 0700);
  CHECK(fstat(first.file.get(), &facts) == 0);
  CHECK((facts.st_mode & 07777) == 0400);
}

TEST_CASE("cache: a copy of the compressed file under another name shares the expansion") {
  const Fixture f;
  f.open(f.source("a", "same"));
  CHECK_FALSE(f.open(f.source("b", "same")).made);
  CHECK(f.open(f.source("c", "other")).made);
}

TEST_CASE("cache: eight processes that open at once make one expansion") {
  for (int round = 0; round < 5; ++round) {
    const Fixture f;
    const auto path = f.source("a", "eight");
    std::vector<ChildProcess> children;
    for (int i = 0; i < 8; ++i) {
      children.emplace_back([&] { return text_of(f.open(path, 20ms).file.get()) == "eighteight" ? 0 : 1; });
    }
    for (ChildProcess& child : children) CHECK(child.wait() == 0);
    CHECK(f.expansions() == 1);
    CHECK(f.count(".tmp") == 0);
  }
}

TEST_CASE("cache: threads of one process make one expansion too") {
  const Fixture f;
  const auto path = f.source("a", "threads");
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&] { good += text_of(f.open(path, 20ms).file.get()) == "threadsthreads"; });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(good == 6);
  CHECK(f.expansions() == 1);
}

TEST_CASE("cache: if the expander is killed in the middle, one of those who wait takes over") {
  const Fixture f;
  const auto path = f.source("a", "takeover");
  ChildProcess first([&] {
    f.open(path, 60s);
    return 0;
  });
  while (f.expansions() == 0) std::this_thread::sleep_for(1ms);
  std::vector<ChildProcess> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.emplace_back([&] { return text_of(f.open(path).file.get()) == "takeovertakeover" ? 0 : 1; });
  }
  std::this_thread::sleep_for(50ms);
  CHECK(f.expansions() == 1);
  first.kill(SIGKILL);
  for (ChildProcess& child : waiting) CHECK(child.wait() == 0);
  CHECK(f.expansions() == 2);
  CHECK(f.count(".tmp") == 0);
}

TEST_CASE("cache: expanders killed at random moments leave nothing that is served, and nothing for long") {
  const Fixture f;
  std::string text(300'000, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 7 + (i >> 8));
  const auto path = f.source("a", text);
  std::mt19937 random(20);
  for (int round = 0; round < 150; ++round) {
    // Half of the time from the beginning, half over what earlier ones left.
    if (round % 2 == 0) cache::clear(f.options);
    ChildProcess child([&] {
      f.open(path, 1ms);
      return 0;
    });
    usleep(static_cast<useconds_t>(random() % 6000));
    child.kill(SIGKILL);
    child.wait();
    if (round % 10 == 9) CHECK(text_of(f.open(path).file.get()) == text + text);
  }
  CHECK(text_of(f.open(path).file.get()) == text + text);
  cache::clear(f.options);
  CHECK(text_of(f.open(path).file.get()) == text + text);
  CHECK(f.count(".tmp") == 0);
}

TEST_CASE("cache: a forked child that still holds a dead expander's lock does not keep others from a finished copy") {
  const Fixture f;
  const auto path = f.source("a", "forked");
  f.open(path);
  const os::Descriptor lock(::open((f.cached(".lock")).c_str(), O_RDWR | O_CLOEXEC));
  const os::Descriptor source = os::open_regular(path);
  ChildProcess holder([&] {
    while (true) pause();
    return 0;
  });
  CHECK_FALSE(f.open(path).made);
}

TEST_CASE("cache: a planted file is not served in place of a copy") {
  const Fixture f;
  const auto path = f.source("a", "planted");
  f.open(path);
  const auto copy = f.cached(".mere");
  SUBCASE("another file under its name") {
    const std::string mark = "!!!!!!!!!!!!!!";
    test::write_file(f.scratch / "plant", mark);
    chmod((f.scratch / "plant").c_str(), 0400);
    std::filesystem::rename(f.scratch / "plant", copy);
  }
  SUBCASE("overwritten in place, same length") {
    chmod(copy.c_str(), 0600);
    const os::Descriptor file(::open(copy.c_str(), O_WRONLY | O_CLOEXEC));
    CHECK(::pwrite(file.get(), "!!!!!!!!!!!!!!", 14, 0) == 14);
    chmod(copy.c_str(), 0400);
  }
  SUBCASE("made writable") {
    chmod(copy.c_str(), 0600);
  }
  SUBCASE("a second name for it") {
    std::filesystem::create_hard_link(copy, f.scratch / "second");
  }
  SUBCASE("a link to another file") {
    test::write_file(f.scratch / "plant", "!!!!!!!!!!!!!!");
    std::filesystem::remove(copy);
    std::filesystem::create_symlink(f.scratch / "plant", copy);
  }
  SUBCASE("truncated") {
    chmod(copy.c_str(), 0600);
    CHECK(truncate(copy.c_str(), 3) == 0);
    chmod(copy.c_str(), 0400);
  }
  SUBCASE("a pipe") {
    std::filesystem::remove(copy);
    CHECK(mkfifo(copy.c_str(), 0400) == 0);
  }
  const cache::Expanded again = f.open(path);
  CHECK(again.made);
  CHECK(text_of(again.file.get()) == "plantedplanted");
}

TEST_CASE("cache: a copy that fails the caller's checks is removed and made again, once") {
  const Fixture f;
  const auto path = f.source("a", "checked");
  f.open(path);
  int calls = 0;
  const auto again = f.open(path, 0ms, [&](int, const std::string&) {
    if (++calls <= 2) throw Error(Reason::bad_magic, "damaged");
  });
  CHECK(again.made);
  CHECK(f.expansions() == 2);
  CHECK(reason_of([&] {
          f.open(path, 0ms, [](int, const std::string&) { throw Error(Reason::bad_magic, "always"); });
        }) == Reason::bad_magic);
  CHECK(f.count(".mere") == 0);
  // An error that is not about the copy leaves it alone.
  f.open(path);
  CHECK(reason_of([&] {
          f.open(path, 0ms, [](int, const std::string&) { throw Error(Reason::content_differs, "other id"); });
        }) == Reason::content_differs);
  CHECK(f.count(".mere") == 1);
}

TEST_CASE("cache: a settled file is not read again, and a replaced or changed one is") {
  const Fixture f;
  const auto path = f.source("a", "first");
  f.open(path);
  CHECK(f.count("at.") == 0);  // too young: it could change again within one tick of its times
  std::this_thread::sleep_for(2100ms);
  f.open(path);
  CHECK(f.count("at.") == 1);
  SUBCASE("the alias is what is used") {
    // Leads the alias of this file to another copy: only a reader of aliases can be misled so.
    f.open(f.source("b", "other"));
    const auto alias = [&] {
      for (const auto& entry : std::filesystem::directory_iterator(f.options.directory)) {
        if (entry.path().filename().string().starts_with("at.")) return entry.path();
      }
      return std::filesystem::path();
    }();
    const std::string other = f.open(f.scratch / "b").digest;
    std::filesystem::remove(alias);
    std::filesystem::create_symlink(other, alias);
    CHECK(text_of(f.open(path).file.get()) == "otherother");
  }
  SUBCASE("replaced") {
    const auto fresh = f.source("fresh", "newer");
    std::filesystem::rename(fresh, path);
    CHECK(text_of(f.open(path).file.get()) == "newernewer");
  }
  SUBCASE("overwritten with the same length and its old mtime put back") {
    struct stat before {};
    CHECK(stat(path.c_str(), &before) == 0);
    test::write_file(path, "FIRST");
    const timespec times[2] = {before.st_atim, before.st_mtim};
    CHECK(utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
    CHECK(text_of(f.open(path).file.get()) == "FIRSTFIRST");
  }
}

TEST_CASE("cache: a file that changes while it is expanded is an error, and no copy of it is kept under a wrong name") {
  const Fixture f;
  const auto path = f.source("a", "before");
  const os::Descriptor file = os::open_regular(path);
  const cache::Source source{{file.get(), 0, 6}, path.string(), 12};
  CHECK(reason_of([&] {
          cache::open_expanded(source, f.options,
                               [&](const cache::SourceRange&, os::Sink& out) {
                                 std::this_thread::sleep_for(20ms);
                                 test::write_file(path, "after!");
                                 out.write(bytes_of("after!after!"));
                               },
                               {});
        }) == Reason::file_changed);
  CHECK(f.count(".mere") == 0);
}

TEST_CASE("cache: bytes that others can change are copied before they are hashed and expanded") {
  const Fixture f;
  const auto path = f.source("a", "shared");
  chmod(path.c_str(), 0666);
  const os::Descriptor file = os::open_regular(path);
  const cache::Source source{{file.get(), 0, 6}, path.string(), 12};
  bool other_file = false;
  cache::open_expanded(source, f.options,
                       [&](const cache::SourceRange& range, os::Sink& out) {
                         other_file = range.fd != file.get() && text_of(range.fd) == "shared";
                         out.write(bytes_of("sharedshared"));
                       },
                       {});
  CHECK(other_file);
}

TEST_CASE("cache: a range of a file is a source of its own") {
  const Fixture f;
  const auto path = f.source("a", "....inside....");
  const os::Descriptor file = os::open_regular(path);
  const cache::Source source{{file.get(), 4, 6}, path.string(), 12};
  const auto copy = cache::open_expanded(source, f.options,
                                         [&](const cache::SourceRange& range, os::Sink& out) {
                                           CHECK(range.offset == 4);
                                           out.write(bytes_of("insideinside"));
                                         },
                                         {});
  CHECK(text_of(copy.file.get()) == "insideinside");
  CHECK_FALSE(f.open(f.source("b", "inside")).made);
}

TEST_CASE("cache: the longest unused copies go when the limit is reached") {
  Fixture f;
  f.options.limit_bytes = 40'000;  // a copy takes 12 kB: at most three
  const auto text = [](char c) { return std::string(6000, c); };
  for (const char c : std::string("abc")) f.open(f.source(std::string(1, c), text(c)));
  f.open(f.scratch / "a");  // used again: b is now the oldest
  f.open(f.source("d", text('d')));
  CHECK(cache::list(f.options).size() == 3);
  CHECK_FALSE(f.open(f.scratch / "a").made);
  CHECK_FALSE(f.open(f.scratch / "c").made);
  CHECK_FALSE(f.open(f.scratch / "d").made);
  CHECK(f.open(f.scratch / "b").made);
  // Oldest first: a went for b.
  const std::vector<cache::StoredCopy> copies = cache::list(f.options);
  REQUIRE(copies.size() == 3);
  CHECK(copies.back().bytes == 12'000);
  CHECK(copies[0].used_ns <= copies[1].used_ns);
  CHECK(f.open(f.scratch / "a").made);
  std::uint64_t sum = 0;
  for (const cache::StoredCopy& copy : cache::list(f.options)) sum += copy.bytes;
  CHECK(sum <= f.options.limit_bytes);
}

TEST_CASE("cache: a copy that is open or mapped is not evicted, and a map of a cleared one lives on") {
  Fixture f;
  f.options.limit_bytes = 30'000;
  const std::string text(6000, 'x');
  const auto path = f.source("a", text);
  // The lock is of the open file, which a map holds without a descriptor, also one that a fork has inherited.
  os::Mapping map = [&] {
    const cache::Expanded held = f.open(path);
    return os::Mapping(held.file.get(), 0, held.bytes, {}, held.path);
  }();
  const auto evicted = [&] {
    f.open(f.source("b", text + "b"));
    f.open(f.source("c", text + "c"));
    return f.open(path).made;
  };
  CHECK_FALSE(evicted());
  // What is in use and what is wanted do not fit together.
  cache::clear(f.options);
  map = {};
  const cache::Expanded held = f.open(path);
  f.options.limit_bytes = 15'000;
  CHECK(reason_of([&] { f.open(f.scratch / "b"); }) == Reason::no_cache);
  map = os::Mapping(held.file.get(), 0, held.bytes, {}, held.path);
  CHECK(cache::clear(f.options) == 12'000);
  CHECK(f.count(".mere") == 0);
  CHECK(std::string(reinterpret_cast<const char*>(map.bytes().data()), map.bytes().size()) == text + text);
  CHECK(f.open(f.scratch / "b").made);
}

TEST_CASE("cache: an expansion larger than the limit, or than announced, is no_cache and names the alternatives") {
  Fixture f;
  f.options.limit_bytes = 9;
  try {
    f.open(f.source("a", "hello"));
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.reason() == Reason::no_cache);
    const std::string message(error.message());
    CHECK(message.find("Expand::in_memory") != std::string::npos);
    CHECK(message.find("MERE_CACHE_DIR") != std::string::npos);
    CHECK(message.find("MERE_CACHE_LIMIT") != std::string::npos);
  }
  f.options.limit_bytes = 1 << 20;
  const os::Descriptor file = os::open_regular(f.scratch / "a");
  const cache::Source source{{file.get(), 0, 5}, "a", 9};
  CHECK(reason_of([&] {
          cache::open_expanded(source, f.options,
                               [](const cache::SourceRange&, os::Sink& out) { out.write(bytes_of("hellohello")); }, {});
        }) == Reason::no_cache);
  CHECK(f.count(".tmp") == 0);
}

TEST_CASE("cache: an error of the expander passes unchanged and leaves nothing") {
  const Fixture f;
  const auto path = f.source("a", "broken");
  const os::Descriptor file = os::open_regular(path);
  const cache::Source source{{file.get(), 0, 6}, path.string(), 12};
  CHECK(reason_of([&] {
          cache::open_expanded(source, f.options,
                               [](const cache::SourceRange&, os::Sink&) { throw Error(Reason::checksum, "block 3"); },
                               {});
        }) == Reason::checksum);
  CHECK(f.count(".tmp") == 0);
  CHECK(f.count(".mere") == 0);
}

TEST_CASE("cache: clear removes one digest or all, and counts what it gave back") {
  const Fixture f;
  CHECK(cache::list(f.options).empty());
  CHECK(cache::clear(f.options) == 0);
  CHECK_FALSE(std::filesystem::exists(f.options.directory));  // asking makes nothing
  const std::string digest = f.open(f.source("a", std::string(3000, 'a'))).digest;
  f.open(f.source("b", std::string(4000, 'b')));
  CHECK(cache::clear(f.options, digest) == 6000);
  CHECK(cache::list(f.options).size() == 1);
  CHECK(cache::clear(f.options) == 8000);
  CHECK(cache::list(f.options).empty());
  CHECK(f.count(".lock") <= 1);  // room.lock
}
