#include "model/c_calls.hpp"

#include <algorithm>
#include <cstring>

namespace mere::c_calls {

namespace {
thread_local LastError last;
}

const LastError& last_error() noexcept {
  return last;
}

mere_status keep(mere_status status, std::string_view reason, std::string_view message) noexcept {
  last.status = status;
  copy_text(reason, last.reason, sizeof last.reason);
  copy_text(message, last.message, sizeof last.message);
  return status;
}

void copy_text(std::string_view text, char* out, std::size_t capacity) noexcept {
  const std::size_t n = std::min(text.size(), capacity - 1);
  std::memcpy(out, text.data(), n);
  out[n] = 0;
}

void put_buffer(const std::string& text, char* buffer, std::size_t capacity, std::size_t* needed) {
  if (needed != nullptr) *needed = text.size() + 1;
  if (capacity == 0) return;
  copy_text(text, &given(buffer, "buffer"), capacity);
}

}  // namespace mere::c_calls
