#include "os/mapping.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstring>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "os/child_process.hpp"
#include "os/descriptor.hpp"
#include "os/sanitized.hpp"
#include "os/scratch_directory.hpp"

using namespace mere;
using test::ChildProcess;
using test::ScratchDirectory;

namespace {

const std::size_t kPage = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));

// A file of so many pages, each byte the low byte of its page's number + 1.
std::filesystem::path paged_file(const ScratchDirectory& scratch, std::size_t pages) {
  std::string text;
  for (std::size_t i = 0; i < pages; ++i) text += std::string(kPage, static_cast<char>(i + 1));
  test::write_file(scratch / "paged", text);
  return scratch / "paged";
}

os::Mapping map_file(const std::filesystem::path& path, const os::MapOptions& options = {}) {
  const os::Descriptor file = os::open_regular(path);
  return os::Mapping(file.get(), 0, os::stamp_of(file.get(), path.string()).size, options, path.string());
}

unsigned read_byte(const os::Mapping& map, std::size_t at) {
  return static_cast<unsigned>(*static_cast<const volatile std::byte*>(map.bytes().data() + at));
}

Reason reason_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.reason();
  }
  return Reason::interrupted;  // none
}

std::size_t count_lines(const char* path, const std::string& part) {
  const std::string text = test::read_file(path);
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

}  // namespace

// Pages of files that this process has mapped in.
std::uint64_t shared_pages() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t size = 0, resident = 0, shared = 0;
  statm >> size >> resident >> shared;
  return shared;
}

TEST_CASE("mapping: released bytes are no memory of the process, and read the same again") {
  const ScratchDirectory scratch;
  constexpr std::size_t kPages = 1024;
  const os::Mapping map = map_file(paged_file(scratch, kPages));
  const std::span<const std::byte> bytes = map.bytes();
  const auto sum = [&] {
    std::uint64_t total = 0;
    for (std::size_t page = 0; page < kPages; ++page) total += std::to_integer<std::uint64_t>(bytes[page * kPage]);
    return total;
  };
  const std::uint64_t expected = sum(), before = shared_pages();
  map.release(bytes.subspan(300 * kPage + 5, 600 * kPage));
  CHECK(before - shared_pages() > 500);
  CHECK(sum() == expected);
  const std::string elsewhere(100 * kPage, 'x');
  map.release(std::as_bytes(std::span(elsewhere)));
  map.release({});
  CHECK(elsewhere == std::string(100 * kPage, 'x'));
}

TEST_CASE("mapping: any offset and length, also 0, after the descriptor is closed") {
  const ScratchDirectory scratch;
  test::write_file(scratch / "file", std::string(10000, 'a') + "middle" + std::string(10000, 'b'));
  os::Descriptor file = os::open_regular(scratch / "file");
  const os::Mapping part(file.get(), 10000, 6, {}, "file");
  const os::Mapping nothing(file.get(), 500, 0, {}, "file");
  file = {};
  CHECK(std::memcmp(part.bytes().data(), "middle", 6) == 0);
  CHECK(part.bytes().size() == 6);
  CHECK(part.writable() == nullptr);
  CHECK(nothing.bytes().empty());
  CHECK(nothing.resident_pages().empty());
  CHECK_FALSE(nothing.faulted());
}

TEST_CASE("mapping: one map and no descriptor while it lives, none afterwards") {
  const ScratchDirectory scratch;
  const auto path = paged_file(scratch, 3);
  {
    os::Mapping map = map_file(path);
    os::Mapping moved = std::move(map);
    CHECK(map.bytes().empty());
    CHECK(read_byte(moved, kPage) == 2);
    CHECK(count_lines("/proc/self/maps", path.string()) == 1);
  }
  CHECK(count_lines("/proc/self/maps", path.string()) == 0);
}

TEST_CASE("mapping: a range beyond the file is file_changed, one beyond the address space too_large") {
  const ScratchDirectory scratch;
  const os::Descriptor file = os::open_regular(paged_file(scratch, 2));
  CHECK(reason_of([&] { os::Mapping(file.get(), 0, 2 * kPage + 1, {}, "file"); }) == Reason::file_changed);
  CHECK(reason_of([&] { os::Mapping(file.get(), kPage, 2 * kPage, {}, "file"); }) == Reason::file_changed);
  CHECK(reason_of([&] { os::Mapping(file.get(), 1, ~std::uint64_t{0}, {}, "file"); }) == Reason::too_large);
  CHECK(reason_of([&] { os::Mapping(file.get(), std::uint64_t{1} << 63, 1, {}, "file"); }) == Reason::too_large);
  CHECK(count_lines("/proc/self/maps", (scratch / "paged").string()) == 0);
}

TEST_CASE("mapping: copy-on-write pages are written privately") {
  const ScratchDirectory scratch;
  const auto path = paged_file(scratch, 2);
  os::MapOptions options;
  options.copy_on_write = true;
  const os::Mapping map = map_file(path, options);
  const os::Mapping other = map_file(path, options);
  REQUIRE(map.writable() == map.bytes().data());
  map.writable()[5] = std::byte{77};
  CHECK(read_byte(map, 5) == 77);
  CHECK(read_byte(other, 5) == 1);
  CHECK(test::read_file(path)[5] == 1);
}

TEST_CASE("mapping: populate, huge pages and sequential change no byte; populated pages are resident") {
  const ScratchDirectory scratch;
  const auto path = paged_file(scratch, 40);
  os::MapOptions options;
  options.populate = options.huge_pages = options.sequential = true;
  for (const bool writable : {false, true}) {
    options.copy_on_write = writable;
    const os::Mapping map = map_file(path, options);
    for (std::size_t i = 0; i < 40; ++i) CHECK(read_byte(map, i * kPage) == i + 1);
    const std::vector<bool> resident = map.resident_pages();
    REQUIRE(resident.size() == 40);
    for (const bool flag : resident) CHECK(flag);
  }
}

TEST_CASE("mapping: the limit of maps is too_many_files, that of address space out_of_memory; both are named") {
  const ScratchDirectory scratch;
  const auto path = paged_file(scratch, 1);
  ChildProcess counted([&] {
    const os::Descriptor file = os::open_regular(path);
    std::vector<os::Mapping> maps;
    maps.reserve(200'000);
    try {
      // Neighbours with the same file and following offsets would be merged; the same page again and again is not.
      while (maps.size() < 200'000) maps.emplace_back(file.get(), 0, kPage, os::MapOptions{}, "paged");
    } catch (const Error& error) {
      const bool named = error.message().find("vm.max_map_count") != std::string_view::npos;
      return error.reason() == Reason::too_many_files && named ? 0 : 2;
    }
    return 3;  // more allowed than tried
  });
  const int status = counted.wait();
  if (status == 3) {
    MESSAGE("skipped: vm.max_map_count is beyond 200,000");
  } else {
    CHECK(status == 0);
  }
  if (!test::kMemoryIsOurs) return;  // a sanitizer needs more room for addresses
  ChildProcess limited([&] {
    const os::Descriptor file = os::open_regular(path);
    const rlimit space{std::uint64_t{1} << 30, RLIM_INFINITY};
    if (truncate(path.c_str(), off_t{2} << 30) != 0 || setrlimit(RLIMIT_AS, &space) != 0) return 1;
    try {
      os::Mapping(file.get(), 0, std::uint64_t{2} << 30, {}, "paged");
    } catch (const Error& error) {
      const bool named = error.message().find("RLIMIT_AS") != std::string_view::npos;
      return error.reason() == Reason::out_of_memory && named ? 0 : 2;
    }
    return 3;
  });
  CHECK(limited.wait() == 0);
}

TEST_CASE("mapping: usable in a forked child, while threads come and go") {
  const ScratchDirectory scratch;
  const os::Mapping map = map_file(paged_file(scratch, 4));
  std::atomic<bool> stop{false};
  std::thread busy([&] {
    while (!stop) map_file(scratch / "paged");
  });
  for (int i = 0; i < 20; ++i) {
    ChildProcess child(
        [&] { return read_byte(map, 3 * kPage) == 4 && read_byte(map_file(scratch / "paged"), 0) == 1 ? 0 : 1; });
    CHECK(child.wait() == 0);
  }
  stop = true;
  busy.join();
}

TEST_CASE("fault guard: without it, a file truncated under its map ends the process by SIGBUS") {
  const ScratchDirectory scratch;
  const auto path = paged_file(scratch, 4);
  ChildProcess child([&] {
    const os::Mapping map = map_file(path);
    if (truncate(path.c_str(), 0) != 0) return 1;
    return static_cast<int>(read_byte(map, 0));
  });
  CHECK(child.wait() == -SIGBUS);
}

TEST_CASE("fault guard: a page that is gone reads as zeros, marks its map and no other") {
  const ScratchDirectory scratch;
  const auto path = paged_file(scratch, 64);
  test::write_file(scratch / "other", "other");
  ChildProcess child([&] {
    os::guard_faults();
    os::guard_faults();  // once a process, whoever asks
    const os::Mapping map = map_file(path);
    const os::Mapping other = map_file(scratch / "other");
    const os::Descriptor file = os::open_regular(path);
    const os::Mapping inside(file.get(), 10 * kPage + 7, 20 * kPage, {}, "inside");
    os::MapOptions writable;
    writable.copy_on_write = true;
    const os::Mapping mine = map_file(path, writable);
    mine.writable()[2 * kPage] = std::byte{99};
    if (truncate(path.c_str(), static_cast<off_t>(kPage)) != 0) return 1;
    if (read_byte(map, 5) != 1 || map.faulted()) return 2;
    errno = 1234;
    if (read_byte(map, 3 * kPage + 11) != 0 || errno != 1234) return 3;
    if (!map.faulted() || other.faulted() || inside.faulted() || mine.faulted()) return 4;
    if (read_byte(inside, inside.bytes().size() - 1) != 0 || !inside.faulted()) return 5;
    // A truncated file takes private copies with it too; what is written then stays.
    mine.writable()[40 * kPage] = std::byte{98};
    if (read_byte(mine, 40 * kPage) != 98 || !mine.faulted() || other.faulted()) return 6;
    if (read_byte(mine, 5) != 1) return 7;
    const os::Mapping again = map_file(path);
    return again.faulted() ? 8 : 0;
  });
  CHECK(child.wait() == 0);
}

TEST_CASE("fault guard: works in several threads at once, in children, and beside maps that come and go") {
  const ScratchDirectory scratch;
  const auto path = paged_file(scratch, 200);
  test::write_file(scratch / "other", "other");
  ChildProcess child([&] {
    os::guard_faults();
    const os::Mapping map = map_file(path);
    ChildProcess before([&] {
      while (read_byte(map, 100 * kPage) != 0) usleep(100);
      return map.faulted() ? 0 : 1;
    });
    usleep(2000);
    if (truncate(path.c_str(), 0) != 0) return 1;
    if (before.wait() != 0) return 2;
    if (map.faulted()) return 3;  // the child's fault is the child's
    std::atomic<bool> stop{false};
    std::thread churn([&] {
      while (!stop) {
        std::vector<os::Mapping> some;
        for (int i = 0; i < 300; ++i) some.push_back(map_file(scratch / "other"));
      }
    });
    std::atomic<unsigned> sum{0};
    std::vector<std::thread> readers;
    for (int t = 0; t < 4; ++t) {
      readers.emplace_back([&] {
        for (std::size_t i = 0; i < 200; ++i) sum += read_byte(map, i * kPage);
      });
    }
    for (std::thread& reader : readers) reader.join();
    stop = true;
    churn.join();
    if (sum != 0 || !map.faulted()) return 4;
    ChildProcess after([&] { return read_byte(map, 0) == 0 && map.faulted() ? 0 : 1; });
    return after.wait() == 0 ? 0 : 5;
  });
  CHECK(child.wait() == 0);
}

namespace {

sigjmp_buf outside;
void jump_out(int) {
  siglongjmp(outside, 1);
}
std::atomic<const void*> seen_address{nullptr};
void note_address(int, siginfo_t* info, void*) {
  seen_address = info->si_addr;
  siglongjmp(outside, 2);
}

// A page of a file that has no bytes: not one of our maps.
const volatile char* foreign_page(const std::filesystem::path& path) {
  const os::Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  return static_cast<const volatile char*>(mmap(nullptr, kPage, PROT_READ, MAP_SHARED, file.get(), 0));
}

}  // namespace

TEST_CASE("fault guard: faults elsewhere and signals that were sent reach the handler that was there before") {
  const ScratchDirectory scratch;
  ChildProcess plain([&] {
    signal(SIGBUS, jump_out);
    os::guard_faults();
    const volatile char* page = foreign_page(scratch / "foreign");
    if (sigsetjmp(outside, 1) == 0) return static_cast<int>(*page) + 1;
    if (sigsetjmp(outside, 1) == 0) {
      raise(SIGBUS);
      return 2;
    }
    return 0;
  });
  CHECK(plain.wait() == 0);
  ChildProcess informed([&] {
    struct sigaction action {};
    action.sa_sigaction = note_address;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    sigaction(SIGBUS, &action, nullptr);
    os::guard_faults();
    const volatile char* page = foreign_page(scratch / "foreign");
    // Without saving the mask, twice: the first jump must not leave the signal blocked, as SA_NODEFER asks.
    for (int i = 0; i < 2; ++i) {
      if (sigsetjmp(outside, 0) == 0) return static_cast<int>(page[i]) + 1;
      if (seen_address != static_cast<const void*>(const_cast<const char*>(page + i))) return 3;
    }
    return 0;
  });
  CHECK(informed.wait() == 0);
}

TEST_CASE("fault guard: without an earlier handler, faults elsewhere and sent signals end the process as ever") {
  const ScratchDirectory scratch;
  ChildProcess fault([&] {
    os::guard_faults();
    return static_cast<int>(*foreign_page(scratch / "foreign"));
  });
  CHECK(fault.wait() == -SIGBUS);
  ChildProcess sent([&] {
    os::guard_faults();
    raise(SIGBUS);
    return 0;
  });
  CHECK(sent.wait() == -SIGBUS);
  ChildProcess ignored([&] {
    signal(SIGBUS, SIG_IGN);
    os::guard_faults();
    raise(SIGBUS);
    return 7;
  });
  CHECK(ignored.wait() == 7);
}

TEST_CASE("fault guard: when zero pages have used up the maps a process may have, the whole map is replaced") {
  const ScratchDirectory scratch;
  const std::size_t pages = 200'000;
  for (const bool odd : {false, true}) {
    test::write_file(scratch / "sparse", "");
    REQUIRE(truncate((scratch / "sparse").c_str(), static_cast<off_t>(pages * kPage)) == 0);
    ChildProcess child([&] {
      os::guard_faults();
      const os::Mapping map = map_file(scratch / "sparse");
      if (truncate((scratch / "sparse").c_str(), 0) != 0) return 1;
      // With an even and an odd number of maps to begin with: the limit is then met exactly, or passed by one.
      if (odd) mmap(nullptr, kPage, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
      // Every other page, so that the kernel cannot merge them: far more than vm.max_map_count, 65,530 by default.
      unsigned sum = 0;
      for (std::size_t i = 0; i < pages; i += 2) sum += read_byte(map, i * kPage);
      return sum == 0 && map.faulted() ? 0 : 2;
    });
    CHECK(child.wait() == 0);
  }
}
