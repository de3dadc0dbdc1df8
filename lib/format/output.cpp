#include "format/output.hpp"

#include <algorithm>
#include <array>

namespace mere::format {

namespace {

constexpr std::array<std::byte, 16384> kZeros{};

}  // namespace

void Output::add(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  // Arrays that follow each other in memory too become one piece.
  if (!pending_.empty() && pending_.back().data() + pending_.back().size() == bytes.data()) {
    pending_.back() = {pending_.back().data(), pending_.back().size() + bytes.size()};
  } else {
    pending_.push_back(bytes);
  }
  position_ += bytes.size();
  pending_bytes_ += bytes.size();
}

void Output::pad_to(std::uint64_t alignment) {
  std::uint64_t missing = (alignment - position_ % alignment) % alignment;
  for (; missing > 0;) {
    const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(missing, kZeros.size()));
    add(std::span(kZeros).first(piece));
    missing -= piece;
  }
}

// One call for the first so many bytes that are pending.
void Output::write_first(std::uint64_t bytes) {
  if (bytes == 0) return;
  call_.clear();
  std::uint64_t missing = bytes;
  auto piece = pending_.begin();
  for (; piece != pending_.end() && piece->size() <= missing; ++piece) {
    call_.push_back(*piece);
    missing -= piece->size();
  }
  if (missing > 0) {
    call_.push_back(piece->first(static_cast<std::size_t>(missing)));
    *piece = piece->subspan(static_cast<std::size_t>(missing));
  }
  pending_.erase(pending_.begin(), piece);
  pending_bytes_ -= bytes;
  if (call_.size() == 1) {
    sink_.write(call_.front());
  } else {
    sink_.write_pieces(call_);
  }
}

void Output::flush() {
  write_first(pending_bytes_);
}

void Output::flush_to(std::uint64_t position) {
  const std::uint64_t start = position_ - pending_bytes_;
  if (position > start) write_first(std::min(pending_bytes_, position - start));
}

void Output::flush_for_lookups() {
  while (pending_bytes_ > 0) {
    const std::uint64_t start = position_ - pending_bytes_;
    std::uint64_t length = kSmallPieceBytes - start % kSmallPieceBytes;
    if (start % kHugePageBytes == 0 && pending_bytes_ >= kHugePageBytes) {
      length = pending_bytes_ - pending_bytes_ % kHugePageBytes;
    }
    write_first(std::min(pending_bytes_, length));
  }
}

}  // namespace mere::format
