#include "cache/cache.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <functional>
#include <string>

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache/cache_fixture.hpp"
#include "os/child_process.hpp"

using namespace mere;
using test::ChildProcess;
using test::reason_of;
using Fixture = test::CacheFixture;

namespace {

// The root user's files are safe from nobody else, so that most checks of owners need root to set the scene.
bool is_root() {
  return geteuid() == 0;
}

}  // namespace

TEST_CASE("cache: a directory that others could write, or that is a link, is refused") {
  Fixture f;
  const auto path = f.source("a", "unsafe");
  const auto mine = f.options.directory;
  SUBCASE("group-writable") {
    mkdir(mine.c_str(), 0700);
    chmod(mine.c_str(), 0720);
  }
  SUBCASE("world-writable, sticky") {
    mkdir(mine.c_str(), 0700);
    chmod(mine.c_str(), 01777);
  }
  SUBCASE("a link") {
    mkdir((f.scratch / "real").c_str(), 0700);
    std::filesystem::create_symlink(f.scratch / "real", mine);
  }
  SUBCASE("parent writable by others") {
    mkdir((f.scratch / "open").c_str(), 0700);
    chmod((f.scratch / "open").c_str(), 0777);
    f.options.directory = f.scratch / "open" / "cache";
  }
  SUBCASE("parent writable by others, behind a link") {
    mkdir((f.scratch / "open").c_str(), 0700);
    chmod((f.scratch / "open").c_str(), 0777);
    mkdir((f.scratch / "open" / "cache").c_str(), 0700);
    std::filesystem::create_symlink(f.scratch / "open" / "cache", f.scratch / "link");
    f.options.directory = f.scratch / "link" / "cache";
  }
  CHECK(reason_of([&] { f.open(path); }) == Reason::unsafe_directory);
  CHECK(f.expansions() == 0);
}

TEST_CASE("cache: a directory of another user, or one in a directory of his, is refused") {
  if (!is_root()) {
    MESSAGE("skipped: needs root to give a directory away");
    return;
  }
  Fixture f;
  const auto path = f.source("a", "theirs");
  SUBCASE("the directory") {
    mkdir(f.options.directory.c_str(), 0700);
    CHECK(chown(f.options.directory.c_str(), 12345, 12345) == 0);
  }
  SUBCASE("its parent") {
    mkdir((f.scratch / "theirs").c_str(), 0700);
    f.options.directory = f.scratch / "theirs" / "cache";
    mkdir(f.options.directory.c_str(), 0700);
    CHECK(chown((f.scratch / "theirs").c_str(), 12345, 12345) == 0);
  }
  CHECK(reason_of([&] { f.open(path); }) == Reason::unsafe_directory);
  CHECK(f.expansions() == 0);
}

TEST_CASE("cache: a parent that is sticky, as /tmp is, will do, and a home behind a link") {
  Fixture f;
  mkdir((f.scratch / "sticky").c_str(), 0700);
  chmod((f.scratch / "sticky").c_str(), 01777);
  std::filesystem::create_symlink(f.scratch / "sticky", f.scratch / "home");
  f.options.directory = f.scratch / "home" / "new" / "cache";
  CHECK(f.open(f.source("a", "sticky")).made);
}

TEST_CASE("cache: where nothing can be written it is no_cache, not a private copy") {
  Fixture f;
  const auto path = f.source("a", "nowhere");
  SUBCASE("the directory is a file") {
    test::write_file(f.options.directory, "");
  }
  SUBCASE("no home") {
    ChildProcess child([&] {
      unsetenv("HOME");
      unsetenv("XDG_CACHE_HOME");
      unsetenv("MERE_CACHE_DIR");
      f.options.directory.clear();
      return reason_of([&] { f.open(path); }) == Reason::no_cache ? 0 : 1;
    });
    CHECK(child.wait() == 0);
    return;
  }
  SUBCASE("relative MERE_CACHE_DIR") {
    ChildProcess child([&] {
      setenv("MERE_CACHE_DIR", "some/where", 1);
      f.options.directory.clear();
      return reason_of([&] { f.open(path); }) == Reason::no_cache ? 0 : 1;
    });
    CHECK(child.wait() == 0);
    return;
  }
  SUBCASE("made up by the kernel") {
    f.options.directory = "/proc/self/cache";
  }
  CHECK(reason_of([&] { f.open(path); }) == Reason::no_cache);
}

TEST_CASE("cache: where another user may not write, it is no_cache too") {
  if (!is_root()) {
    MESSAGE("skipped: needs root to become somebody else");
    return;
  }
  const Fixture f;
  const auto path = f.source("a", "nowhere");
  ChildProcess child([&] {
    chmod(f.scratch.path().c_str(), 0755);
    chmod(path.c_str(), 0644);
    if (setresuid(12345, 12345, 12345) != 0) return 2;
    const Reason reason = reason_of([&] { f.open(path); });
    return reason == Reason::no_cache || reason == Reason::unsafe_directory ? 0 : 1;
  });
  CHECK(child.wait() == 0);
}

TEST_CASE("cache: a full disk is no_cache, and copies go before it comes to that") {
  Fixture f;
  mkdir(f.options.directory.c_str(), 0700);
  if (::mount("none", f.options.directory.c_str(), "tmpfs", 0, "size=1m,mode=0700") != 0) {
    MESSAGE("skipped: a tmpfs cannot be mounted here");
    return;
  }
  struct Unmount {
    std::filesystem::path path;
    ~Unmount() { umount2(path.c_str(), MNT_DETACH); }
  } const unmount{f.options.directory};
  f.options.limit_bytes = 1 << 30;
  CHECK(f.open(f.source("a", std::string(300'000, 'a'))).made);
  CHECK(f.open(f.source("b", std::string(300'000, 'b'))).made);  // 600 kB each: a has to go
  CHECK(cache::list(f.options).size() == 1);
  CHECK(reason_of([&] { f.open(f.source("c", std::string(600'000, 'c'))); }) == Reason::no_cache);
  CHECK(f.count(".tmp") == 0);
}

TEST_CASE("cache: MERE_CACHE_DIR, then XDG_CACHE_HOME, then HOME; MERE_CACHE_LIMIT with its units") {
  Fixture f;
  const auto path = f.source("a", "environment");
  f.options.directory.clear();
  const auto in_child = [&](const std::function<int()>& body) { return ChildProcess(body).wait(); };
  CHECK(in_child([&] {
          setenv("MERE_CACHE_DIR", (f.scratch / "one").c_str(), 1);
          f.open(path);
          return std::filesystem::exists(f.scratch / "one" / "room.lock") ? 0 : 1;
        }) == 0);
  CHECK(in_child([&] {
          unsetenv("MERE_CACHE_DIR");
          setenv("XDG_CACHE_HOME", (f.scratch / "xdg").c_str(), 1);
          f.open(path);
          return std::filesystem::exists(f.scratch / "xdg" / "mere" / "room.lock") ? 0 : 1;
        }) == 0);
  CHECK(in_child([&] {
          unsetenv("MERE_CACHE_DIR");
          setenv("XDG_CACHE_HOME", "relative", 1);
          setenv("HOME", f.scratch.path().c_str(), 1);
          f.open(path);
          return std::filesystem::exists(f.scratch / ".cache" / "mere" / "room.lock") ? 0 : 1;
        }) == 0);
  const auto with_limit = [&](const char* limit) {
    return in_child([&] {
      setenv("MERE_CACHE_DIR", (f.scratch / "two").c_str(), 1);
      setenv("MERE_CACHE_LIMIT", limit, 1);
      try {
        cache::clear();
        f.open(path);  // 22 bytes
      } catch (const Error& error) {
        return error.reason() == Reason::no_cache ? 1 : error.reason() == Reason::bad_argument ? 2 : 3;
      }
      return 0;
    });
  };
  CHECK(with_limit("21") == 1);
  CHECK(with_limit("8192") == 0);
  CHECK(with_limit("1K") == 0);
  CHECK(with_limit("2G") == 0);
  CHECK(with_limit("2X") == 2);
  CHECK(with_limit("2GB") == 2);
  CHECK(with_limit("much") == 2);
  CHECK(with_limit("-1") == 2);
  CHECK(with_limit("99999999999999T") == 2);
}
