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

void Output::flush() {
  if (pending_.size() == 1) {
    sink_.write(pending_.front());
  } else if (!pending_.empty()) {
    sink_.write_pieces(pending_);
  }
  pending_.clear();
  pending_bytes_ = 0;
}

}  // namespace mere::format
