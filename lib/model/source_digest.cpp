#include "model/source_digest.hpp"

#include <algorithm>
#include <span>
#include <system_error>
#include <utility>

#include <mere/error.hpp>

#include "codec/sha256.hpp"

namespace mere::model {

namespace {
constexpr std::size_t kPieceBytes = std::size_t{256} << 10;  // small enough to stay in a core's cache between the steps
}

SourceDigest::SourceDigest(int fd, std::uint64_t size, std::string name)
    : fd_(fd), size_(size), name_(std::move(name)) {
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error&) {
    throw Error(Reason::out_of_memory, name_ + ": no thread could be made for its SHA-256");
  }
}

SourceDigest::~SourceDigest() {
  stop_.store(true, std::memory_order_relaxed);
  if (thread_.joinable()) thread_.join();
}

void SourceDigest::run() {
  try {
    // Read, not mapped: pages of a map would count as this process's memory.
    std::vector<std::byte> piece(kPieceBytes);
    codec::Sha256 sum;
    for (std::uint64_t done = 0; done < size_;) {
      if (stop_.load(std::memory_order_relaxed)) return;
      const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), size_ - done));
      const std::size_t got = os::read_at(fd_, piece.data(), wanted, done, name_);
      if (got != wanted) throw Error(Reason::file_changed, name_ + ": became shorter while it was read");
      sum.update(std::span(piece).first(got));
      done += got;
    }
    digest_ = codec::Sha256::to_hex(sum.finish());
  } catch (...) {
    failure_ = std::current_exception();
  }
}

std::string SourceDigest::finish() {
  thread_.join();
  if (failure_) std::rethrow_exception(failure_);
  return std::move(digest_);
}

}  // namespace mere::model
