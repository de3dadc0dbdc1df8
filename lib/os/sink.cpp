#include "os/sink.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ios>
#include <new>
#include <ostream>
#include <stdexcept>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "os/descriptor.hpp"
#include "os/write_signals.hpp"

namespace mere::os {

namespace {

constexpr std::size_t kPiecesPerCall = 256;

// Waits until a non-blocking descriptor takes bytes again.
void wait_writable(int fd, const std::string& name) {
  pollfd wait{fd, POLLOUT, 0};
  while (::poll(&wait, 1, -1) < 0) {
    if (errno != EINTR) throw_errno(errno, "poll", name);
  }
}

// One writev of up to kPiecesPerCall pieces, from `skip` bytes into the first; returns the bytes written, more than 0.
std::size_t write_once(int fd, std::span<const std::span<const std::byte>> pieces, std::size_t skip,
                       const std::string& name) {
  iovec vectors[kPiecesPerCall];
  int count = 0;
  for (const std::span<const std::byte> piece : pieces.first(std::min(pieces.size(), kPiecesPerCall))) {
    vectors[count].iov_base = const_cast<std::byte*>(piece.data() + skip);
    vectors[count].iov_len = piece.size() - skip;
    skip = 0;
    ++count;
  }
  for (;;) {
    const ssize_t n = count == 1 ? ::write(fd, vectors[0].iov_base, vectors[0].iov_len) : ::writev(fd, vectors, count);
    if (n > 0) return static_cast<std::size_t>(n);
    if (n == 0) throw Error(Reason::system_call, "write " + name + ": the system took no byte");
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      wait_writable(fd, name);
    } else if (errno != EINTR) {
      throw_errno(errno, "write", name);
    }
  }
}

}  // namespace

void Sink::write_pieces(std::span<const std::span<const std::byte>> pieces) {
  for (const std::span<const std::byte> piece : pieces) write(piece);
}

void Sink::expect(std::uint64_t) {}

void write_all(int fd, std::span<const std::span<const std::byte>> pieces, const std::string& name) {
  const WriteSignals quiet;
  std::size_t done = 0;  // bytes of the first piece that are written
  while (!pieces.empty()) {
    if (done == pieces.front().size()) {
      pieces = pieces.subspan(1);
      done = 0;
      continue;
    }
    done += write_once(fd, pieces, done, name);
    while (!pieces.empty() && done >= pieces.front().size()) {
      done -= pieces.front().size();
      pieces = pieces.subspan(1);
    }
  }
}

bool reserve_room(int fd, std::uint64_t bytes, const std::string& name) {
  struct stat facts {};
  if (bytes == 0 || fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode)) return false;
  const off_t position = lseek(fd, 0, SEEK_CUR);
  if (position < 0 || bytes > static_cast<std::uint64_t>(INT64_MAX - position)) return false;
  const WriteSignals quiet;
  // The call itself and not posix_fallocate: that one writes a byte into every block where a file system cannot
  // reserve, and changes the length, which is wrong if fewer bytes follow. A few tries: tmpfs starts again at each
  // signal.
  for (int tries = 0; tries < 8; ++tries) {
    if (fallocate(fd, FALLOC_FL_KEEP_SIZE, position, static_cast<off_t>(bytes)) == 0) return true;
    if (errno != EINTR) break;
  }
  if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG || errno == EIO) {
    throw_errno(errno, "fallocate", name + ": " + std::to_string(bytes) + " bytes");
  }
  return false;
}

void DescriptorSink::write(std::span<const std::byte> bytes) {
  write_all(fd_, {&bytes, 1}, name_);
}

void DescriptorSink::write_pieces(std::span<const std::span<const std::byte>> pieces) {
  write_all(fd_, pieces, name_);
}

void DescriptorSink::expect(std::uint64_t bytes) {
  reserve_room(fd_, bytes, name_);
}

void StreamSink::write(std::span<const std::byte> bytes) {
  try {
    out_.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  } catch (const std::ios_base::failure& error) {
    throw Error(Reason::system_call, std::string("write to a stream: ") + error.what());
  }
  if (!out_) throw Error(Reason::system_call, "write to a stream: it went bad");
}

void MemorySink::write(std::span<const std::byte> bytes) {
  try {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  } catch (const std::bad_alloc&) {
    throw Error::out_of_memory();
  } catch (const std::length_error&) {
    throw Error::out_of_memory();
  }
}

void MemorySink::expect(std::uint64_t bytes) {
  if (bytes > bytes_.max_size() - bytes_.size()) return;
  try {
    bytes_.reserve(bytes_.size() + static_cast<std::size_t>(bytes));
  } catch (const std::bad_alloc&) {
    // The number may be wrong; what is written decides.
  }
}

}  // namespace mere::os
