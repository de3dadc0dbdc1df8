#include "os/descriptor.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstring>
#include <functional>
#include <string>
#include <thread>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/child_process.hpp"
#include "os/mapping.hpp"
#include "os/memory_usage.hpp"
#include "os/scratch_directory.hpp"

using namespace mere;
using test::ChildProcess;
using test::ScratchDirectory;

namespace {

Reason reason_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.reason();
  }
  return Reason::interrupted;  // none
}

}  // namespace

TEST_CASE("open_regular: a FIFO, directory, device, socket or kernel file is not_regular at once") {
  const ScratchDirectory scratch;
  mkfifo((scratch / "fifo").c_str(), 0600);
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, (scratch / "socket").c_str(), sizeof address.sun_path - 1);
  REQUIRE(bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  std::filesystem::create_symlink("/dev/null", scratch / "link");
  const auto start = std::chrono::steady_clock::now();
  for (const std::string& path :
       {(scratch / "fifo").string(), scratch.path().string(), std::string("/dev/zero"), std::string("/dev/tty"),
        (scratch / "socket").string(), (scratch / "link").string(), std::string("/proc/self/maps"),
        std::string("/proc/cpuinfo"), std::string("/proc/self/mem"),
        std::string("/sys/kernel/mm/transparent_hugepage/enabled")}) {
    if (!std::filesystem::exists(path)) continue;
    CAPTURE(path);
    CHECK(reason_of([&] { os::open_regular(path); }) == Reason::not_regular);
  }
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(1));
  ::close(listener);
}

TEST_CASE("open_regular: a name that leads nowhere is no_file, and the message names call and path") {
  const ScratchDirectory scratch;
  test::write_file(scratch / "file", "x");
  CHECK(reason_of([&] { os::open_regular(scratch / "absent"); }) == Reason::no_file);
  CHECK(reason_of([&] { os::open_regular(scratch / "file" / "below"); }) == Reason::no_file);
  std::filesystem::create_symlink("nowhere", scratch / "dangling");
  CHECK(reason_of([&] { os::open_regular(scratch / "dangling"); }) == Reason::no_file);
  std::filesystem::create_symlink("loop", scratch / "loop");
  CHECK(reason_of([&] { os::open_regular(scratch / "loop"); }) == Reason::system_call);
  try {
    os::open_regular(scratch / "absent");
  } catch (const Error& error) {
    CHECK(error.message() == "open " + (scratch / "absent").string() + ": No such file or directory");
  }
}

TEST_CASE("open_regular: a file of 1 TB without blocks opens and maps at once") {
  const ScratchDirectory scratch;
  test::write_file(scratch / "sparse", "");
  if (truncate((scratch / "sparse").c_str(), off_t{1} << 40) != 0) {
    MESSAGE("skipped: this file system has no files of 1 TB");
    return;
  }
  const auto start = std::chrono::steady_clock::now();
  const os::Descriptor file = os::open_regular(scratch / "sparse");
  const os::Mapping map(file.get(), 0, std::uint64_t{1} << 40, {}, "sparse");
  CHECK(map.bytes().back() == std::byte{0});
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(1));
}

TEST_CASE("open_regular: descriptors are not inherited by programs that are started") {
  const ScratchDirectory scratch;
  test::write_file(scratch / "file", "x");
  const os::Descriptor file = os::open_regular(scratch / "file");
  CHECK((fcntl(file.get(), F_GETFD) & FD_CLOEXEC) != 0);
  CHECK((fcntl(os::anonymous_file("x").get(), F_GETFD) & FD_CLOEXEC) != 0);
}

TEST_CASE("open_regular: the limit of descriptors is too_many_files and is named") {
  const ScratchDirectory scratch;
  test::write_file(scratch / "file", "x");
  ChildProcess child([&] {
    const rlimit none{3, 3};
    if (setrlimit(RLIMIT_NOFILE, &none) != 0) return 1;
    try {
      os::open_regular(scratch / "file");
    } catch (const Error& error) {
      const bool named = error.message().find("RLIMIT_NOFILE") != std::string_view::npos;
      return error.reason() == Reason::too_many_files && named ? 0 : 2;
    }
    return 3;
  });
  CHECK(child.wait() == 0);
}

TEST_CASE("stamp: tells one state of a file from another, and nothing from no file") {
  const ScratchDirectory scratch;
  test::write_file(scratch / "a", "one");
  os::FileStamp before, after;
  REQUIRE(os::find_stamp(scratch / "a", before));
  CHECK(before == os::stamp_of(os::open_regular(scratch / "a").get(), "a"));
  CHECK(before.size == 3);
  test::write_file(scratch / "b", "two");
  std::filesystem::rename(scratch / "b", scratch / "a");
  REQUIRE(os::find_stamp(scratch / "a", after));
  CHECK_FALSE(before == after);
  CHECK_FALSE(os::find_stamp(scratch / "absent", after));
  CHECK_FALSE(os::find_stamp(scratch.path(), after));
}

TEST_CASE("anonymous file: takes bytes, maps, and has no name") {
  const os::Descriptor file = os::anonymous_file("spool");
  REQUIRE(::write(file.get(), "spooled", 7) == 7);
  const os::Mapping map(file.get(), 0, 7, {}, "spool");
  CHECK(std::memcmp(map.bytes().data(), "spooled", 7) == 0);
  char text[16];
  CHECK(os::read_at(file.get(), text, sizeof text, 3, "spool") == 4);  // up to the end
  CHECK(std::string(text, 4) == "oled");
}

TEST_CASE("read_some: waits on an empty non-blocking pipe, and tells its end") {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
  std::thread writer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    CHECK(::write(ends[1], "late", 4) == 4);
    ::close(ends[1]);
  });
  char text[16];
  CHECK(os::read_some(ends[0], text, sizeof text, "pipe") == 4);
  writer.join();
  CHECK(os::read_some(ends[0], text, sizeof text, "pipe") == 0);
  ::close(ends[0]);
}

TEST_CASE("descriptor: move leaves one owner, close() reports") {
  os::Descriptor a(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int fd = a.get();
  os::Descriptor b = std::move(a);
  CHECK_FALSE(a);
  CHECK(b.get() == fd);
  b.close("null");
  CHECK(fcntl(fd, F_GETFD) == -1);
  os::Descriptor wrong(fd);
  CHECK(reason_of([&] { wrong.close("closed twice"); }) == Reason::system_call);
  CHECK_FALSE(wrong);
}

TEST_CASE("memory usage: of this process and another; no such process is no_file") {
  const os::MemoryUsage own = os::memory_usage();
  CHECK(own.rss_bytes >= own.pss_bytes);
  CHECK(own.pss_bytes > 0);
  CHECK(own.private_bytes <= own.rss_bytes);
  ChildProcess child([] {
    while (true) pause();
    return 0;
  });
  CHECK(os::memory_usage(child.pid()).rss_bytes > 0);
  const int pid = child.pid();
  child.kill(SIGKILL);
  child.wait();
  CHECK(reason_of([&] { os::memory_usage(pid); }) == Reason::no_file);
}
