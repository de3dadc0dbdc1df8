#include <doctest/doctest.h>

#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/child_process.hpp"
#include "os/descriptor.hpp"
#include "os/scratch_directory.hpp"
#include "os/sink.hpp"

using namespace mere;
using test::ChildProcess;
using test::ScratchDirectory;

namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

Error error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  FAIL("no error");
  return Error::out_of_memory();
}

void publish(const std::filesystem::path& path, const std::string& text, bool durable = true) {
  os::AtomicFile file(path);
  file.expect(text.size());
  file.write(bytes_of(text));
  file.commit(durable);
}

mode_t rights_of(const std::filesystem::path& path) {
  struct stat facts {};
  REQUIRE(lstat(path.c_str(), &facts) == 0);
  return facts.st_mode & 07777;
}

}  // namespace

TEST_CASE("atomic file: nothing shows under the name before commit, all of it after, and nothing else stays") {
  const ScratchDirectory scratch;
  for (const bool durable : {true, false}) {
    const auto path = scratch / (durable ? "durable" : "quick");
    {
      os::AtomicFile file(path);
      file.expect(1 << 20);  // more than will come: given back
      file.write(bytes_of("he"));
      const std::string rest[] = {"l", "lo"};
      const std::span<const std::byte> pieces[] = {bytes_of(rest[0]), bytes_of(rest[1])};
      file.write_pieces(pieces);
      CHECK_FALSE(std::filesystem::exists(path));
      file.commit(durable);
      CHECK(test::read_file(path) == "hello");
    }
    struct stat facts {};
    CHECK(stat(path.c_str(), &facts) == 0);
    CHECK(facts.st_size == 5);
    CHECK(facts.st_blocks * 512 < 1 << 20);
  }
  CHECK(scratch.entries() == 2);
}

TEST_CASE("atomic file: without commit the old file stays as it was and nothing is left") {
  const ScratchDirectory scratch;
  test::write_file(scratch / "model", "old");
  {
    os::AtomicFile file(scratch / "model");
    file.write(bytes_of("new, but unfinished"));
    CHECK(scratch.entries() == 2);
  }
  CHECK(test::read_file(scratch / "model") == "old");
  CHECK(scratch.entries() == 1);
}

TEST_CASE("atomic file: an open map or descriptor of the old file keeps the old bytes") {
  const ScratchDirectory scratch;
  test::write_file(scratch / "model", "old");
  const os::Descriptor old = os::open_regular(scratch / "model");
  publish(scratch / "model", "new");
  char text[3];
  CHECK(os::read_at(old.get(), text, 3, 0, "old") == 3);
  CHECK(std::string(text, 3) == "old");
  CHECK(test::read_file(scratch / "model") == "new");
}

TEST_CASE("atomic file: a directory, device, FIFO or a link to one is refused before anything is written") {
  const ScratchDirectory scratch;
  mkdir((scratch / "directory").c_str(), 0700);
  mkfifo((scratch / "fifo").c_str(), 0600);
  std::filesystem::create_symlink("directory", scratch / "to-directory");
  std::filesystem::create_symlink("/dev/null", scratch / "to-device");
  std::filesystem::create_symlink("/proc/self/fd/1", scratch / "stdout");  // as /dev/stdout is
  const std::size_t before = scratch.entries();
  for (const auto& path :
       {scratch / "directory", scratch / "fifo", scratch / "to-directory", scratch / "to-device", scratch / "stdout",
        scratch.path() / "directory" / "", scratch.path() / ".", scratch.path() / ".."}) {
    CAPTURE(path.string());
    CHECK(error_of([&] { os::AtomicFile file(path); }).reason() == Reason::not_regular);
  }
  CHECK(error_of([&] { os::AtomicFile file("/dev/null"); }).reason() == Reason::not_regular);
  CHECK(scratch.entries() == before);
  CHECK(std::filesystem::is_empty(scratch / "directory"));
}

TEST_CASE("atomic file: a directory that does not exist is no_file, and so is no name") {
  const ScratchDirectory scratch;
  test::write_file(scratch / "file", "");
  const Error absent = error_of([&] { os::AtomicFile file(scratch / "no" / "model"); });
  CHECK(absent.reason() == Reason::no_file);
  CHECK(absent.message().find((scratch / "no").string()) != std::string_view::npos);
  CHECK(error_of([&] { os::AtomicFile file(scratch / "file" / "model"); }).reason() == Reason::no_file);
  CHECK(error_of([&] { os::AtomicFile file(""); }).reason() == Reason::no_file);
}

TEST_CASE("atomic file: a link to a file is replaced, and what it led to stays") {
  const ScratchDirectory scratch;
  test::write_file(scratch / "precious", "precious");
  std::filesystem::create_symlink("precious", scratch / "link");
  std::filesystem::create_symlink("nowhere", scratch / "dangling");
  publish(scratch / "link", "new");
  publish(scratch / "dangling", "new");
  CHECK(test::read_file(scratch / "precious") == "precious");
  CHECK_FALSE(std::filesystem::is_symlink(scratch / "link"));
  CHECK(test::read_file(scratch / "link") == "new");
  CHECK(test::read_file(scratch / "dangling") == "new");
  CHECK_FALSE(std::filesystem::exists(scratch / "nowhere"));
}

TEST_CASE("atomic file: a name relative to the current directory, and one of 255 bytes") {
  const ScratchDirectory scratch;
  ChildProcess child([&] {
    if (chdir(scratch.path().c_str()) != 0) return 1;
    publish("plain", "x");
    publish(std::string(255, 'n'), "long");
    publish(std::string(255, 'n'), "longer");
    return 0;
  });
  CHECK(child.wait() == 0);
  CHECK(test::read_file(scratch / "plain") == "x");
  CHECK(test::read_file(scratch / std::string(255, 'n')) == "longer");
  CHECK(scratch.entries() == 2);
  CHECK(error_of([&] { publish(scratch / std::string(256, 'n'), "x"); }).reason() == Reason::system_call);
}

TEST_CASE("atomic file: rights are those of the umask, or of the old file") {
  const ScratchDirectory scratch;
  ChildProcess child([&] {
    umask(027);
    publish(scratch / "fresh", "x");
    for (const mode_t mode : {0600U, 0644U, 0444U, 0755U}) {
      const auto path = scratch / ("mode" + std::to_string(mode));
      test::write_file(path, "old");
      chmod(path.c_str(), mode);
      publish(path, "new");
    }
    return 0;
  });
  CHECK(child.wait() == 0);
  CHECK(rights_of(scratch / "fresh") == 0640);
  for (const mode_t mode : {0600U, 0644U, 0444U, 0755U})
    CHECK(rights_of(scratch / ("mode" + std::to_string(mode))) == mode);
}

TEST_CASE("atomic file: another user's file gives no rights it had not") {
  if (geteuid() != 0) {
    MESSAGE("skipped: needs root to give a file away");
    return;
  }
  const ScratchDirectory scratch;
  test::write_file(scratch / "theirs", "old");
  REQUIRE(chown((scratch / "theirs").c_str(), 12345, 12345) == 0);
  chmod((scratch / "theirs").c_str(), 0600);
  publish(scratch / "theirs", "new");
  CHECK(rights_of(scratch / "theirs") == 0600);
  // One's own file keeps its group.
  test::write_file(scratch / "group", "old");
  REQUIRE(chown((scratch / "group").c_str(), 0, 12345) == 0);
  chmod((scratch / "group").c_str(), 0660);
  publish(scratch / "group", "new");
  struct stat facts {};
  REQUIRE(stat((scratch / "group").c_str(), &facts) == 0);
  CHECK(facts.st_gid == 12345);
  CHECK(rights_of(scratch / "group") == 0660);
}

TEST_CASE("atomic file: a temporary of a killed writer goes with the next one; that of a living writer stays") {
  const ScratchDirectory scratch;
  int ready[2];
  REQUIRE(pipe(ready) == 0);
  ChildProcess killed([&] {
    os::AtomicFile file(scratch / "model");
    file.write(bytes_of("half"));
    if (::write(ready[1], "x", 1) != 1) return 1;
    while (true) pause();
    return 0;
  });
  char x;
  REQUIRE(::read(ready[0], &x, 1) == 1);
  {
    os::AtomicFile living(scratch / "model");
    CHECK(scratch.entries() == 2);
    killed.kill(SIGKILL);
    killed.wait();
    // Names that only look alike, or belong to another target, are nobody's business.
    test::write_file(scratch / ".model.mere-0123456789abcdeX", "");
    test::write_file(scratch / ".other.mere-0123456789abcdef", "");
    test::write_file(scratch / ".model.mere-0123", "");
    publish(scratch / "model", "second");
    CHECK(scratch.entries() == 5);  // model, the living one's temporary, three others
    living.write(bytes_of("third"));
    living.commit(true);
  }
  CHECK(test::read_file(scratch / "model") == "third");
  CHECK(scratch.entries() == 4);
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_CASE("atomic file: writers of one name at the same time; readers see one of them, whole") {
  const ScratchDirectory scratch;
  publish(scratch / "model", std::string(50'000, 'a'));
  std::vector<ChildProcess> writers;
  for (const char c : std::string("abcd")) {
    writers.emplace_back([&, c] {
      for (int i = 0; i < 60; ++i) publish(scratch / "model", std::string(50'000, c), false);
      return 0;
    });
  }
  for (int i = 0; i < 400; ++i) {
    const std::string text = test::read_file(scratch / "model");
    CHECK(text.size() == 50'000);
    CHECK(text.find_first_not_of(text[0]) == std::string::npos);
  }
  for (ChildProcess& writer : writers) CHECK(writer.wait() == 0);
  CHECK(scratch.entries() == 1);
}

TEST_CASE("atomic file: writers killed at random moments; readers see old or new, and the next one tidies up") {
  const ScratchDirectory scratch;
  const std::string old_text(200'000, 'o'), new_text(200'000, 'n');
  publish(scratch / "model", old_text);
  std::mt19937 random(7);
  for (int round = 0; round < 120; ++round) {
    ChildProcess writer([&] {
      for (;;) publish(scratch / "model", round % 2 == 0 ? new_text : old_text, false);
      return 0;
    });
    usleep(static_cast<useconds_t>(random() % 3000));
    writer.kill(SIGKILL);
    writer.wait();
    const std::string text = test::read_file(scratch / "model");
    CHECK((text == old_text || text == new_text));
    CHECK(scratch.entries() <= 2);
  }
  publish(scratch / "model", new_text);
  CHECK(scratch.entries() == 1);
}

TEST_CASE("atomic file: limits of file size, disk room and descriptors leave the old file and nothing else") {
  const ScratchDirectory scratch;
  test::write_file(scratch / "model", "old");
  const std::string text(200'000, 'x');
  for (const bool reserve : {true, false}) {
    ChildProcess sized([&] {
      const rlimit small{100'000, 100'000};
      if (setrlimit(RLIMIT_FSIZE, &small) != 0) return 1;
      const Error error = error_of([&] {
        os::AtomicFile file(scratch / "model");
        if (reserve) file.expect(text.size());
        file.write(bytes_of(text));
        file.commit(true);
      });
      return error.reason() == Reason::system_call ? 0 : 2;
    });
    CHECK(sized.wait() == 0);
  }
  // At every number of free descriptors it works whole or fails whole.
  int successes = 0;
  for (rlim_t files = 3; files < 12; ++files) {
    ChildProcess limited([&] {
      closefrom(3);
      const rlimit few{files, files};
      if (setrlimit(RLIMIT_NOFILE, &few) != 0) return 1;
      try {
        publish(scratch / "model", "old");
      } catch (const Error& error) {
        return error.reason() == Reason::too_many_files ? 10 : 2;
      }
      return 0;
    });
    const int status = limited.wait();
    CHECK((status == 0 || status == 10));
    successes += status == 0;
  }
  CHECK(successes > 0);
  CHECK(successes < 9);
  CHECK(test::read_file(scratch / "model") == "old");
  CHECK(scratch.entries() == 1);

  mkdir((scratch / "small").c_str(), 0700);
  if (::mount("none", (scratch / "small").c_str(), "tmpfs", 0, "size=1m,nr_inodes=4") != 0) {
    MESSAGE("the full disk: skipped, cannot mount a tmpfs here");
    return;
  }
  test::write_file(scratch / "small" / "model", "old");
  for (const bool reserve : {true, false}) {
    const Error error = error_of([&] {
      os::AtomicFile file(scratch / "small" / "model");
      const std::string big(1'048'577, 'x');  // the last byte is one too many, less the page of the old file
      if (reserve) file.expect(big.size());
      file.write(bytes_of(big));
      file.commit(true);
    });
    CHECK(error.reason() == Reason::system_call);
    CHECK(error.message().find("No space left") != std::string_view::npos);
    CHECK(test::read_file(scratch / "small" / "model") == "old");
  }
  // No inode left: the root directory, the file and two more.
  test::write_file(scratch / "small" / "b", "");
  test::write_file(scratch / "small" / "c", "");
  const Error error = error_of([&] { publish(scratch / "small" / "model", "new"); });
  CHECK(error.reason() == Reason::system_call);
  CHECK(test::read_file(scratch / "small" / "model") == "old");
  umount2((scratch / "small").c_str(), MNT_DETACH);
}

TEST_CASE("atomic file: a directory that may not be written leaves everything as it is") {
  if (geteuid() != 0) {
    MESSAGE("skipped: needs root to become somebody else");
    return;
  }
  const ScratchDirectory scratch;
  test::write_file(scratch / "model", "old");
  chmod(scratch.path().c_str(), 0755);
  ChildProcess child([&] {
    if (setresuid(12345, 12345, 12345) != 0) return 1;
    const Error error = error_of([&] { publish(scratch / "model", "new"); });
    return error.reason() == Reason::system_call && error.message().find("Permission denied") != std::string_view::npos
               ? 0
               : 2;
  });
  CHECK(child.wait() == 0);
  CHECK(test::read_file(scratch / "model") == "old");
  CHECK(scratch.entries() == 1);
}

TEST_CASE("atomic file: the rename that fails is named, and the temporary goes") {
  const ScratchDirectory scratch;
  os::AtomicFile file(scratch / "model");
  file.write(bytes_of("new"));
  mkdir((scratch / "model").c_str(), 0700);  // came into being meanwhile
  test::write_file(scratch / "model" / "inside", "");
  const Error error = error_of([&] { file.commit(true); });
  CHECK(error.reason() == Reason::system_call);
  CHECK(error.message().starts_with("rename "));
}
