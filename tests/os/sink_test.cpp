#include "os/sink.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <limits>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "os/child_process.hpp"
#include "os/descriptor.hpp"
#include "os/scratch_directory.hpp"

using namespace mere;
using test::ChildProcess;
using test::ScratchDirectory;

namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

std::string message_of(const std::function<void()>& call, Reason reason) {
  try {
    call();
  } catch (const Error& error) {
    CHECK(error.reason() == reason);
    return std::string(error.message());
  }
  return "no error";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>((i * 2654435761U) >> 13);
  return text;
}

// Reads a descriptor to its end, now and then pausing, and seldom more than a few bytes at once.
std::string read_slowly(int fd, useconds_t pause_us) {
  std::string all;
  char buffer[9000];
  for (std::size_t turn = 0;; ++turn) {
    const ssize_t n = ::read(fd, buffer, 1 + turn * 977 % sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return all;
    all.append(buffer, static_cast<std::size_t>(n));
    if (turn % 8 == 0) usleep(pause_us);
  }
}

void on_alarm(int) {}

// Interrupts whatever this process waits in, each 200 microseconds, without restart.
struct Interruptions {
  Interruptions() {
    struct sigaction action {};
    action.sa_handler = on_alarm;  // no SA_RESTART
    sigaction(SIGALRM, &action, nullptr);
    const itimerval often{{0, 200}, {0, 200}};
    setitimer(ITIMER_REAL, &often, nullptr);
  }
  ~Interruptions() {
    const itimerval never{};
    setitimer(ITIMER_REAL, &never, nullptr);
  }
};

}  // namespace

TEST_CASE("sink: pieces arrive in order in memory, in a stream and in a file, empty ones too") {
  const ScratchDirectory scratch;
  const std::string a = "first", b, c = pattern(70'000);
  std::vector<std::span<const std::byte>> pieces;
  std::string expected;
  for (int i = 0; i < 700; ++i) {  // more than one writev takes
    for (const std::string* piece : {&b, &a, &b, &b}) {
      pieces.push_back(bytes_of(*piece));
      expected += *piece;
    }
  }
  pieces.push_back(bytes_of(c));
  pieces.push_back(bytes_of(b));
  expected += c;
  os::MemorySink memory;
  memory.expect(expected.size());
  memory.write_pieces(pieces);
  const std::vector<std::byte> taken = memory.take();
  CHECK(std::string(reinterpret_cast<const char*>(taken.data()), taken.size()) == expected);
  std::ostringstream stream;
  os::StreamSink(stream).write_pieces(pieces);
  CHECK(stream.str() == expected);
  {
    const os::Descriptor file(::open((scratch / "file").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    os::DescriptorSink sink(file.get(), "file");
    sink.write_pieces(pieces);
    sink.write_pieces({});
    sink.write({});
  }
  CHECK(test::read_file(scratch / "file") == expected);
}

TEST_CASE("sink: a wrong expectation changes nothing of what is written") {
  const ScratchDirectory scratch;
  for (const std::uint64_t expected : {std::uint64_t{0}, std::uint64_t{3}, std::uint64_t{1} << 20}) {
    const os::Descriptor file(::open((scratch / "file").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    os::DescriptorSink sink(file.get(), "file");
    sink.expect(expected);
    sink.write(bytes_of("hello"));
    CHECK(std::filesystem::file_size(scratch / "file") == 5);
  }
  os::MemorySink memory;
  memory.write(bytes_of("hello"));
  memory.expect(std::numeric_limits<std::uint64_t>::max());
  memory.write(bytes_of("hello"));
  CHECK(memory.take().size() == 10);
}

TEST_CASE("sink: short writes, interruptions and a slow reader lose nothing") {
  for (const bool blocking : {true, false}) {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    if (!blocking) REQUIRE(fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
    const std::string text = pattern(1'500'000);
    ChildProcess writer([&] {
      ::close(ends[0]);
      const Interruptions interruptions;
      os::DescriptorSink sink(ends[1], "pipe");
      sink.expect(text.size());  // a pipe has no room to reserve
      const std::span<const std::byte> all = bytes_of(text);
      const std::span<const std::byte> pieces[] = {all.first(3), all.subspan(3, 100'000), all.subspan(100'003, 0),
                                                   all.subspan(100'003)};
      sink.write_pieces(pieces);
      return 0;
    });
    ::close(ends[1]);
    const std::string received = read_slowly(ends[0], 300);
    CHECK(received == text);
    CHECK(writer.wait() == 0);
    ::close(ends[0]);
  }
}

TEST_CASE("sink: a reader that went away is an error and no SIGPIPE, on pipes and sockets") {
  ChildProcess child([] {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return 1;
    ::close(ends[0]);
    if (!contains(
            message_of([&] { os::DescriptorSink(ends[1], "the pipe").write(bytes_of("x")); }, Reason::system_call),
            "write the pipe: Broken pipe")) {
      return 2;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return 1;
    ::close(ends[0]);
    if (!contains(message_of([&] { os::DescriptorSink(ends[1], "s").write(bytes_of("x")); }, Reason::system_call),
                  "Broken")) {
      return 3;
    }
    // Nothing is left pending, and nobody's mask is changed: the next SIGPIPE is as deadly as ever.
    sigset_t set;
    sigpending(&set);
    if (sigismember(&set, SIGPIPE) != 0) return 4;
    pthread_sigmask(SIG_SETMASK, nullptr, &set);
    if (sigismember(&set, SIGPIPE) != 0) return 5;
    return static_cast<int>(::write(ends[1], "x", 1));
  });
  CHECK(child.wait() == -SIGPIPE);
}

TEST_CASE("sink: a SIGPIPE that was pending before a failed write is still pending after it") {
  ChildProcess child([] {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    pthread_kill(pthread_self(), SIGPIPE);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return 1;
    ::close(ends[0]);
    message_of([&] { os::DescriptorSink(ends[1], "pipe").write(bytes_of("x")); }, Reason::system_call);
    sigpending(&set);
    return sigismember(&set, SIGPIPE) == 1 ? 0 : 2;
  });
  CHECK(child.wait() == 0);
}

TEST_CASE("sink: the file size limit is an error and no SIGXFSZ, at the reservation or at the write") {
  const ScratchDirectory scratch;
  for (const bool reserve : {true, false}) {
    ChildProcess child([&] {
      const rlimit small{100'000, 100'000};
      if (setrlimit(RLIMIT_FSIZE, &small) != 0) return 1;
      const os::Descriptor file(::open((scratch / "file").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
      os::DescriptorSink sink(file.get(), "file");
      const std::string text = pattern(200'000);
      const std::string message = message_of(
          [&] {
            if (reserve) sink.expect(text.size());
            sink.write(bytes_of(text));
          },
          Reason::system_call);
      return contains(message, "File too large") && contains(message, "RLIMIT_FSIZE") ? 0 : 2;
    });
    CHECK(child.wait() == 0);
  }
}

TEST_CASE("sink: a full disk is an error before the first byte if the size was announced, else at the write") {
  const ScratchDirectory scratch;
  mkdir((scratch / "small").c_str(), 0700);
  if (::mount("none", (scratch / "small").c_str(), "tmpfs", 0, "size=1m") != 0) {
    MESSAGE("skipped: cannot mount a tmpfs here");
    return;
  }
  const std::string text = pattern(1'048'577);  // one byte too many
  for (const bool reserve : {true, false}) {
    const os::Descriptor file(
        ::open((scratch / "small" / "file").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    os::DescriptorSink sink(file.get(), "file");
    if (reserve) {
      CHECK(contains(message_of([&] { sink.expect(text.size()); }, Reason::system_call), "No space left"));
    } else {
      sink.write(bytes_of(text).first(1'048'576));
      CHECK(contains(message_of([&] { sink.write(bytes_of(text).last(1)); }, Reason::system_call),
                     "write file: No space left"));
    }
  }
  umount2((scratch / "small").c_str(), MNT_DETACH);
}

TEST_CASE("sink: a stream that goes bad is an error, whether or not it throws itself") {
  for (const bool throws : {true, false}) {
    std::ostringstream out;
    if (throws) out.exceptions(std::ios::badbit | std::ios::failbit);
    os::StreamSink sink(out);
    sink.write(bytes_of("x"));
    try {
      out.setstate(std::ios::badbit);
    } catch (const std::ios_base::failure&) {
    }
    CHECK(contains(message_of([&] { sink.write(bytes_of("y")); }, Reason::system_call), "stream"));
  }
}
