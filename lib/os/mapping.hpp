#pragma once
// A map of a file: read-only and shared, or private and writable. Boost.Interprocess stays in mapping.cpp.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <mere/error.hpp>

namespace mere::os {

// The machine's page, in bytes.
std::uint64_t page_bytes() noexcept;

struct MapOptions {
  bool copy_on_write = false;  // MAP_PRIVATE, writable
  bool populate = false;       // read every page in now
  bool huge_pages = false;     // madvise; does nothing where there are none
  bool sequential = false;     // will be read once, front to back
};

// Owns one map. The descriptor may be closed after. Registered with the fault guard for as long as it lives.
class Mapping {
 public:
  Mapping() noexcept;  // maps nothing
  // `length` bytes at `offset` (any, not only multiples of a page); length 0 maps nothing.
  // Throws Error: file_changed (the file ends before that, measured once more after mapping), too_many_files (map
  // count), out_of_memory (address space), too_large, fault (populate met a page that cannot be read), system_call.
  Mapping(int fd, std::uint64_t offset, std::uint64_t length, const MapOptions& options, const std::string& name);
  ~Mapping();
  Mapping(Mapping&&) noexcept;
  Mapping& operator=(Mapping&&) noexcept;

  std::span<const std::byte> bytes() const noexcept { return bytes_; }
  std::byte* writable() const noexcept;      // copy_on_write only, else null
  std::vector<bool> resident_pages() const;  // one flag a page, from the page of the first byte
  // Lets go of the pages that lie whole between two offsets: they are no longer this process's memory, and are read
  // again where they are looked at again. Does nothing to a writable map.
  void release(std::uint64_t begin, std::uint64_t end) const noexcept;
  // The same for bytes of this map and what a fault on them maps around them too. Bytes of other memory are left.
  void release(std::span<const std::byte> bytes) const noexcept;
  // True once the fault guard had to put a zero page into this map.
  bool faulted() const noexcept;

 private:
  struct Region;
  std::unique_ptr<Region> region_;
  std::span<const std::byte> bytes_;
};

// As mere::guard_faults(). The handler is async-signal-safe and takes no lock. A fault inside a map of ours puts a zero
// page there and sets the map's flag; any other goes to the handler that was there before, under the mask it asked for,
// or ends the process as it would have. Holds for all threads, and for processes forked later.
void guard_faults();

}  // namespace mere::os
