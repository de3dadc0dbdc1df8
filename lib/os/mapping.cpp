#include "os/mapping.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <optional>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/interprocess/mapped_region.hpp>
#include <mere/size.hpp>

#include "os/descriptor.hpp"
#include "os/fault_guard.hpp"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22  // Linux 5.14; younger than Debian 12's C library headers on some systems
#endif

namespace mere::os {

std::uint64_t page_bytes() noexcept {
  static const auto bytes = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

namespace {

namespace ipc = boost::interprocess;

// What mapped_region wants of a mappable: our descriptor, opened and checked by us.
class CheckedFile {
 public:
  explicit CheckedFile(int fd) : fd_(fd) {}
  ipc::mapping_handle_t get_mapping_handle() const {
    ipc::mapping_handle_t handle{};
    handle.handle = fd_;
    handle.is_xsi = false;
    return handle;
  }

 private:
  int fd_;
};

// A number on the first line of a file of /proc; 0 if it cannot be had.
std::uint64_t proc_number(const char* path) {
  const Descriptor file(::open(path, O_RDONLY | O_CLOEXEC));
  char text[32] = {};
  if (!file || ::read(file.get(), text, sizeof text - 1) <= 0) return 0;
  return std::strtoull(text, nullptr, 10);
}

std::uint64_t count_own_maps() {
  const Descriptor file(::open("/proc/self/maps", O_RDONLY | O_CLOEXEC));
  std::uint64_t lines = 0;
  char text[4096];
  for (ssize_t n; file && (n = ::read(file.get(), text, sizeof text)) > 0;) {
    for (ssize_t i = 0; i < n; ++i) lines += text[i] == '\n';
  }
  return lines;
}

// ENOMEM has two causes that only the process's limits tell apart, and the remedy is not the same.
[[noreturn]] void throw_map_error(int error, std::uint64_t length, const std::string& name) {
  const std::string what = "mmap " + name + ": " + std::to_string(length) + " bytes: ";
  if (error == ENOMEM) {
    const std::uint64_t allowed = proc_number("/proc/sys/vm/max_map_count");
    if (allowed != 0 && count_own_maps() + 16 >= allowed) {
      throw Error(Reason::too_many_files,
                  what + "the process has as many maps as vm.max_map_count allows (" + std::to_string(allowed) + ")");
    }
    rlimit space{};
    getrlimit(RLIMIT_AS, &space);
    throw Error(Reason::out_of_memory,
                what + "no address space (RLIMIT_AS, ulimit -v, is " +
                    (space.rlim_cur == RLIM_INFINITY ? std::string("unlimited") : std::to_string(space.rlim_cur)) +
                    " bytes; vm.max_map_count is " + std::to_string(allowed) + ")");
  }
  if (error == ENODEV) throw Error(Reason::not_regular, what + "its file system cannot map files");
  throw_errno(error, "mmap", name);
}

void populate_pages(std::byte* first, std::size_t size, const std::string& name) {
  if (madvise(first, size, MADV_POPULATE_READ) == 0) return;
  if (errno == EFAULT || errno == EHWPOISON) {
    throw Error(Reason::fault, name + ": a page of the map could not be read (truncated, or a bad disk)");
  }
  if (errno == ENOMEM) throw_errno(errno, "madvise", name);
  // A kernel before 5.14: touch each page.
  for (std::size_t at = 0; at < size; at += page_bytes()) {
    static_cast<void>(*static_cast<volatile const std::byte*>(first + at));
  }
}

}  // namespace

struct Mapping::Region {
  ipc::mapped_region region;
  bool writable = false;
  FaultSlot slot = 0;

  Region(ipc::mapped_region&& mapped, bool can_write) : region(std::move(mapped)), writable(can_write) {
    slot = register_map(region.get_address(), region.get_size(), writable);
  }
  ~Region() { unregister_map(slot); }
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;
  std::byte* data() const { return static_cast<std::byte*>(region.get_address()); }
  // Advice is given to whole pages.
  std::byte* first_page() const {
    return reinterpret_cast<std::byte*>(reinterpret_cast<std::uintptr_t>(data()) & ~(page_bytes() - 1));
  }
  std::size_t page_span() const { return region.get_size() + static_cast<std::size_t>(data() - first_page()); }
};

Mapping::Mapping(int fd, std::uint64_t offset, std::uint64_t length, const MapOptions& options,
                 const std::string& name) {
  if (length == 0) return;
  const Size end = Size(offset) + length + page_bytes();
  if (!end.fits(static_cast<std::uint64_t>(std::numeric_limits<std::ptrdiff_t>::max()))) {
    throw Error(Reason::too_large, name + ": cannot map " + std::to_string(length) + " bytes at " +
                                       std::to_string(offset) + " in this address space");
  }
  try {
    // Private writable pages are only paid for when written: without MAP_NORESERVE a strict kernel would want memory
    // for the whole file at once.
    ipc::mapped_region region(CheckedFile(fd), options.copy_on_write ? ipc::copy_on_write : ipc::read_only,
                              static_cast<ipc::offset_t>(offset), static_cast<std::size_t>(length), nullptr,
                              options.copy_on_write ? MAP_NORESERVE : 0);
    region_ = std::make_unique<Region>(std::move(region), options.copy_on_write);
  } catch (const ipc::interprocess_exception& error) {
    throw_map_error(error.get_native_error(), length, name);
  } catch (const std::bad_alloc&) {
    throw Error::out_of_memory();
  }
  // The caller measured the file before; it may have been cut since, and a page beyond the end faults when read.
  struct stat facts {};
  if (fstat(fd, &facts) != 0) throw_errno(errno, "fstat", name);
  if (!range_fits(offset, length, static_cast<std::uint64_t>(facts.st_size))) {
    throw Error(Reason::file_changed, name + ": has " + std::to_string(facts.st_size) + " bytes, expected " +
                                          std::to_string(length) + " at " + std::to_string(offset) +
                                          ": it changed while it was opened");
  }
  std::byte* page = region_->first_page();
  const std::size_t span = region_->page_span();
  if (options.huge_pages) madvise(page, span, MADV_HUGEPAGE);
  if (options.sequential) madvise(page, span, MADV_SEQUENTIAL);
  if (options.populate) populate_pages(page, span, name);
  bytes_ = {region_->data(), static_cast<std::size_t>(length)};
}

Mapping::Mapping() noexcept = default;

Mapping::~Mapping() = default;

Mapping::Mapping(Mapping&& other) noexcept
    : region_(std::move(other.region_)), bytes_(std::exchange(other.bytes_, {})) {}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  if (this != &other) {
    region_ = std::move(other.region_);
    bytes_ = std::exchange(other.bytes_, {});
  }
  return *this;
}

std::byte* Mapping::writable() const noexcept {
  return region_ && region_->writable ? region_->data() : nullptr;
}

std::vector<bool> Mapping::resident_pages() const {
  if (!region_) return {};
  const std::size_t span = region_->page_span();
  const std::size_t pages = (span + page_bytes() - 1) / page_bytes();
  std::vector<bool> resident(pages);
  // In parts: one byte a page of a large model is more than a stack, and more than need be held at once.
  unsigned char flags[4096];
  for (std::size_t first = 0; first < pages; first += sizeof flags) {
    const std::size_t count = std::min(sizeof flags, pages - first);
    std::byte* start = region_->first_page() + first * page_bytes();
    if (mincore(start, std::min<std::size_t>(count * page_bytes(), span - first * page_bytes()), flags) != 0) {
      throw_errno(errno, "mincore", "a map");
    }
    for (std::size_t i = 0; i < count; ++i) resident[first + i] = (flags[i] & 1) != 0;
  }
  return resident;
}

void Mapping::release(std::span<const std::byte> bytes) const noexcept {
  const auto low = reinterpret_cast<std::uintptr_t>(bytes_.data());
  const auto first = reinterpret_cast<std::uintptr_t>(bytes.data());
  if (bytes.empty() || first < low || first - low > bytes_.size() || bytes.size() > bytes_.size() - (first - low))
    return;
  // A fault maps the pages around it too, up to 2 MiB where the page cache holds a file in pieces of that size: fewer
  // would leave what lies between two arrays. What lies ahead is mostly read next, and let go with that.
  constexpr std::uint64_t kBehind = 2 << 20, kAhead = 64 << 10;
  const std::uint64_t begin = first - low, end = begin + bytes.size();
  release(begin - std::min(begin, kBehind), end + std::min(bytes_.size() - end, kAhead));
}

void Mapping::release(std::uint64_t begin, std::uint64_t end) const noexcept {
  if (!region_ || region_->writable) return;
  const std::uint64_t lead = static_cast<std::uint64_t>(region_->data() - region_->first_page());
  const std::uint64_t unit = page_bytes();
  const std::uint64_t first = (lead + begin + unit - 1) / unit * unit;
  const std::uint64_t last = (lead + std::min<std::uint64_t>(end, bytes_.size())) / unit * unit;
  if (begin < bytes_.size() && first < last) madvise(region_->first_page() + first, last - first, MADV_DONTNEED);
}

bool Mapping::faulted() const noexcept {
  return region_ && has_faulted(region_->slot);
}

}  // namespace mere::os
