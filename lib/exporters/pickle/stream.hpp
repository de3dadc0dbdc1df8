#pragma once
// The bytes of a pickle on their way to a sink: operations in frames (protocols 4 and 5), long payloads outside of
// them.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "container/pickle_opcodes.hpp"
#include "os/sink.hpp"

namespace mere::exporters::pickle {

using Op = container::PickleOp;
inline constexpr int kLeastProtocol = 2;

class Stream {
 public:
  // Writes PROTO. The sink outlives this; flush() at the end.
  Stream(os::Sink& sink, int protocol);

  int protocol() const { return protocol_; }

  // An operation; its operands follow at once, by number() and bytes().
  void op(Op operation) {
    if (pending_.size() - frame_begin_ >= kFrameBytes) turn_frame();
    if (protocol_ >= 4 && !in_frame_) begin_frame();
    pending_ += static_cast<char>(operation);
  }
  template <class T>
  void number(T value) {
    char raw[sizeof(T)];
    std::memcpy(raw, &value, sizeof value);
    pending_.append(raw, sizeof raw);
  }
  void bytes(std::string_view value) { pending_ += value; }

  // Ends the frame: what follows, by raw(), lies outside of any, and position() is where.
  void leave_frame();
  std::uint64_t position() const { return written_ + pending_.size(); }
  // Bytes outside of frames, which are written through.
  void raw(std::span<const std::byte> value);

  // Of a payload in pieces: an operation with its operands, alone and outside of frames if it is long.
  bool is_long(std::uint64_t payload_bytes) const { return payload_bytes >= kFrameBytes; }
  void op_outside(Op operation) {
    leave_frame();
    pending_ += static_cast<char>(operation);
  }

  // STOP and all that is pending.
  void finish();

 private:
  static constexpr std::size_t kFrameBytes = 64 * 1024;
  static constexpr std::size_t kFrameHeader = 9;
  static constexpr std::size_t kPendingBytes = 256 * 1024;

  void begin_frame();
  void turn_frame();
  void flush(std::span<const std::byte> more);

  os::Sink& sink_;
  int protocol_;
  std::string pending_;
  bool in_frame_ = false;
  std::size_t frame_begin_ = 0;  // in pending_: of the frame, or of what was begun since the last one
  std::uint64_t written_ = 0;
};

}  // namespace mere::exporters::pickle
