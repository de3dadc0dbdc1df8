#pragma once
// A zip archive written front to back (PKWARE APPNOTE): members stored or deflated, with their sums and sizes before
// their bytes, zip64 where a size or number asks for it. The same members give the same bytes: no times, no attributes.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "os/sink.hpp"

namespace mere::container {

class ZipWriter {
 public:
  // Gives the bytes of a member to `take`, in order; may be called twice and gives the same bytes both times.
  using Source = std::function<void(const std::function<void(std::span<const std::byte>)>& take)>;

  // `level` 0: members are stored; else deflated. The sink outlives this.
  ZipWriter(os::Sink& sink, int level) : sink_(sink), level_(level) {}

  // Adds a member. `name` is relative, UTF-8, and no other member's. A deflated one is kept in an anonymous file until
  // its size is known. Throws Error: bad_argument (a name that is too long), system_call, and what `source` throws.
  void add(std::string_view name, const Source& source);
  // Of bytes that are at hand.
  void add(std::string_view name, std::span<const std::byte> bytes);
  // The directory; nothing may be added after it.
  void finish();

 private:
  struct Entry {
    std::string name;
    std::uint32_t crc32 = 0;
    std::uint64_t stored_bytes = 0, raw_bytes = 0, offset = 0;
    bool deflated = false;
  };
  void write_local(const Entry& entry);
  void write(std::string_view bytes);
  void write(std::span<const std::byte> bytes);

  os::Sink& sink_;
  int level_;
  std::uint64_t position_ = 0;
  std::vector<Entry> entries_;
};

}  // namespace mere::container
