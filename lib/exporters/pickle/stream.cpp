#include "exporters/pickle/stream.hpp"

namespace mere::exporters::pickle {

namespace {

constexpr std::size_t kLeastFrame = 4;  // as CPython: shorter ones are not worth their header

}  // namespace

Stream::Stream(os::Sink& sink, int protocol) : sink_(sink), protocol_(protocol) {
  pending_ += static_cast<char>(Op::proto);
  pending_ += static_cast<char>(protocol);
  frame_begin_ = pending_.size();
}

void Stream::begin_frame() {
  in_frame_ = true;
  frame_begin_ = pending_.size();
  pending_.append(kFrameHeader, '\0');
}

void Stream::leave_frame() {
  if (in_frame_) {
    in_frame_ = false;
    const std::uint64_t length = pending_.size() - frame_begin_ - kFrameHeader;
    if (length < kLeastFrame) {
      pending_.erase(frame_begin_, kFrameHeader);
    } else {
      pending_[frame_begin_] = static_cast<char>(Op::frame);
      std::memcpy(pending_.data() + frame_begin_ + 1, &length, sizeof length);
    }
  }
  frame_begin_ = pending_.size();
}

void Stream::turn_frame() {
  leave_frame();
  if (pending_.size() >= kPendingBytes) flush({});
}

void Stream::flush(std::span<const std::byte> more) {
  const std::span<const std::byte> pieces[] = {std::as_bytes(std::span(pending_)), more};
  sink_.write_pieces(pieces);
  written_ += pending_.size() + more.size();
  pending_.clear();
  frame_begin_ = 0;
}

void Stream::raw(std::span<const std::byte> value) {
  if (value.size() < kFrameBytes && pending_.size() < kPendingBytes) {
    pending_.append(reinterpret_cast<const char*>(value.data()), value.size());
    frame_begin_ = pending_.size();
  } else {
    flush(value);
  }
}

void Stream::finish() {
  op(Op::stop);
  leave_frame();
  flush({});
}

}  // namespace mere::exporters::pickle
