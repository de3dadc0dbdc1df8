#pragma once
// Reads a pickle stream front to back. A frame (protocol 4) is a window: nothing may reach over its end.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include <mere/error.hpp>
#include <mere/size.hpp>

namespace mere::importers::pickle {

class ByteCursor {
 public:
  ByteCursor(std::span<const std::byte> bytes, std::uint64_t begin)
      : bytes_(bytes), position_(begin), limit_(bytes.size()) {}

  std::uint64_t position() const { return position_; }
  std::uint64_t remaining() const { return bytes_.size() - position_; }
  bool in_frame() const { return in_frame_; }

  // Called before each opcode: leaves a frame that is used up.
  void leave_finished_frame() {
    if (in_frame_ && position_ == limit_) {
      in_frame_ = false;
      limit_ = bytes_.size();
    }
  }

  // Begins a frame of `length` bytes. Throws Error: bad_record (inside another frame), truncated.
  void enter_frame(std::uint64_t length) {
    if (in_frame_) fail(Reason::bad_record, "a frame begins inside a frame");
    if (!range_fits(position_, length, bytes_.size())) {
      fail(Reason::truncated,
           "a frame of " + std::to_string(length) + " bytes, but " + std::to_string(remaining()) + " remain");
    }
    in_frame_ = true;
    limit_ = position_ + length;
  }

  // The next `length` bytes. Throws Error: truncated, bad_record (they cross the end of the frame).
  std::span<const std::byte> take(std::uint64_t length, std::string_view what) {
    if (!range_fits(position_, length, limit_)) miss(length, what);
    const auto taken = bytes_.subspan(position_, length);
    position_ += length;
    return taken;
  }

  template <class T>
  T number(std::string_view what) {
    T value;
    std::memcpy(&value, take(sizeof value, what).data(), sizeof value);
    return value;
  }

  // Up to the next line feed, which is taken but not returned. Throws Error: truncated, too_large (past `limit` bytes).
  std::string_view line(std::uint64_t limit, std::string_view what) {
    const std::uint64_t room = limit_ - position_;
    const auto* first = reinterpret_cast<const char*>(bytes_.data() + position_);
    const auto* end = static_cast<const char*>(std::memchr(first, '\n', room < limit ? room : limit));
    if (end == nullptr) {
      if (room > limit)
        fail(Reason::too_large, std::string(what) + " is longer than " + std::to_string(limit) + " bytes");
      miss(room + 1, what);
    }
    const auto length = static_cast<std::size_t>(end - first);
    position_ += length + 1;
    return {first, length};
  }

  // Goes on at `position`, outside of any frame: after bytes that another reader took.
  void jump(std::uint64_t position) {
    in_frame_ = false;
    limit_ = bytes_.size();
    position_ = position;
  }

  std::span<const std::byte> bytes() const { return bytes_; }

  [[noreturn]] void fail(Reason reason, std::string_view what) const {
    throw Error(reason, "byte " + std::to_string(position_) + " of the pickle: " + std::string(what));
  }

 private:
  [[noreturn]] void miss(std::uint64_t length, std::string_view what) const {
    const bool crosses = in_frame_ && range_fits(position_, length, bytes_.size());
    fail(crosses ? Reason::bad_record : Reason::truncated, std::string(what) + " of " + std::to_string(length) +
                                                               " bytes, but " + std::to_string(limit_ - position_) +
                                                               (in_frame_ ? " remain in its frame" : " remain"));
  }

  std::span<const std::byte> bytes_;
  std::uint64_t position_;
  std::uint64_t limit_;  // end of the frame, or of the bytes
  bool in_frame_ = false;
};

}  // namespace mere::importers::pickle
