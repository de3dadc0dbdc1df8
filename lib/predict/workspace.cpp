#include "predict/workspace.hpp"

#include <algorithm>
#include <cstdint>

namespace mere::predict {

namespace {
constexpr std::size_t kAlignment = 64;
constexpr std::size_t kFirstBytes = std::size_t{64} << 10;
// What short programs need for a block of rows, and long ones for a few; each process that serves keeps as much.
constexpr std::size_t kKeptBytes = std::size_t{384} << 10;
}  // namespace

std::byte* Workspace::take_bytes(std::size_t bytes) {
  if (bytes > static_cast<std::size_t>(-1) - 2 * kAlignment) throw Error::out_of_memory();
  const std::size_t needed = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  while (chunk_ < chunks_.size()) {
    if (needed <= chunks_[chunk_].bytes - used_) {
      std::byte* piece = chunks_[chunk_].first + used_;
      used_ += needed;
      return piece;
    }
    ++chunk_;
    used_ = 0;
  }
  Chunk chunk;
  chunk.bytes = std::max({needed, kFirstBytes, chunks_.empty() ? 0 : chunks_.back().bytes});
  chunk.memory = std::make_unique_for_overwrite<std::byte[]>(chunk.bytes + kAlignment);
  const auto address = reinterpret_cast<std::uintptr_t>(chunk.memory.get());
  chunk.first = chunk.memory.get() + (kAlignment - address % kAlignment) % kAlignment;
  chunks_.push_back(std::move(chunk));
  chunk_ = chunks_.size() - 1;
  used_ = needed;
  return chunks_.back().first;
}

void Workspace::trim() {
  std::size_t kept = 0;
  const auto past = std::find_if(chunks_.begin(), chunks_.end(), [&](const Chunk& chunk) {
    kept += chunk.bytes;
    return kept > kKeptBytes;
  });
  chunks_.erase(past, chunks_.end());
  chunk_ = used_ = 0;
}

}  // namespace mere::predict
