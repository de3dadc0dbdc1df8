#include "os/fault_guard.hpp"

#include <atomic>
#include <bit>
#include <cerrno>
#include <csignal>
#include <new>

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <mere/error.hpp>

#include "os/descriptor.hpp"
#include "os/mapping.hpp"

namespace mere::os {

namespace {

// `turn` is odd while the range changes. A reader that sees it odd or changed skips the slot: the map it faulted in is
// alive, and the range of a live map does not change.
struct Slot {
  std::atomic<std::uint32_t> turn{0};
  std::atomic<std::uint32_t> next_free{0};
  std::atomic<std::uintptr_t> begin{0};
  std::atomic<std::uintptr_t> end{0};  // 0: no map
  std::atomic<bool> writable{false};
  std::atomic<bool> faulted{false};
};
static_assert(std::atomic<std::uintptr_t>::is_always_lock_free && std::atomic<std::uint64_t>::is_always_lock_free);

// Chunk k holds 64 << k slots and is never given back, so that a slot's address stays valid. 24 chunks are 2^30 maps,
// more than any process may have.
constexpr std::size_t kFirstChunk = 64;
constexpr std::size_t kChunks = 24;
Slot first_chunk[kFirstChunk];
std::atomic<Slot*> chunks[kChunks] = {first_chunk};
std::atomic<std::uint32_t> slots_used{0};
// Head of the list of free slots: index + 1 in the low half, a count of changes in the high half against reuse between
// a read and its exchange.
std::atomic<std::uint64_t> free_head{0};

struct Position {
  std::size_t chunk, index;
};

Position position_of(FaultSlot slot) {
  const std::size_t chunk = static_cast<std::size_t>(std::bit_width(slot / kFirstChunk + 1)) - 1;
  return {chunk, slot - kFirstChunk * ((std::size_t{1} << chunk) - 1)};
}

Slot* find_slot(FaultSlot slot) noexcept {
  const Position p = position_of(slot);
  if (p.chunk >= kChunks) return nullptr;
  Slot* chunk = chunks[p.chunk].load(std::memory_order_acquire);
  return chunk == nullptr ? nullptr : chunk + p.index;
}

FaultSlot take_slot() {
  std::uint64_t head = free_head.load(std::memory_order_acquire);
  while ((head & 0xffffffff) != 0) {
    const auto slot = static_cast<FaultSlot>((head & 0xffffffff) - 1);
    const std::uint64_t next = find_slot(slot)->next_free.load(std::memory_order_relaxed);
    if (free_head.compare_exchange_weak(head, ((head >> 32) + 1) << 32 | next, std::memory_order_acq_rel)) return slot;
  }
  const FaultSlot slot = slots_used.fetch_add(1, std::memory_order_acq_rel);
  const Position p = position_of(slot);
  if (p.chunk >= kChunks) throw Error(Reason::too_many_files, "mmap: no process may have so many maps");
  if (chunks[p.chunk].load(std::memory_order_acquire) == nullptr) {
    Slot* fresh = new (std::nothrow) Slot[kFirstChunk << p.chunk];
    // The number taken is lost; the handler skips slots whose chunk is absent.
    if (fresh == nullptr) throw Error::out_of_memory();
    Slot* expected = nullptr;
    if (!chunks[p.chunk].compare_exchange_strong(expected, fresh, std::memory_order_acq_rel)) delete[] fresh;
  }
  return slot;
}

// What the handler needs and may not ask for itself.
std::uintptr_t guard_page_bytes = 4096;
struct sigaction previous_action {};

Slot* find_map(std::uintptr_t address, std::uintptr_t& begin, std::uintptr_t& end) {
  const std::uint32_t used = slots_used.load(std::memory_order_acquire);
  for (FaultSlot i = 0; i < used; ++i) {
    Slot* slot = find_slot(i);
    if (slot == nullptr) continue;
    const std::uint32_t turn = slot->turn.load(std::memory_order_acquire);
    begin = slot->begin.load(std::memory_order_acquire);
    end = slot->end.load(std::memory_order_acquire);
    if ((turn & 1) != 0 || slot->turn.load(std::memory_order_relaxed) != turn) continue;
    if (address >= begin && address < end) return slot;
  }
  return nullptr;
}

// The call itself: the C library's mmap may be wrapped by a tool, whose code is not for signal handlers.
bool put_zero_pages(std::uintptr_t first, std::size_t size, bool writable) {
  const int protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
  return syscall(SYS_mmap, first, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) !=
         -1;
}

// Three pages of alternating rights, which the kernel counts as three maps: given back when the process has no map
// left.
std::atomic<std::byte*> spare_maps{nullptr};

void set_spare_maps_aside() {
  void* pages = mmap(nullptr, 3 * guard_page_bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (pages == MAP_FAILED) return;  // one that starts with no map left has worse to fear
  mprotect(static_cast<std::byte*>(pages) + guard_page_bytes, guard_page_bytes, PROT_NONE);
  spare_maps.store(static_cast<std::byte*>(pages), std::memory_order_release);
}

// Puts a zero page at `address`. Each such page may split a map in two; where the process may not have more maps, the
// whole range is replaced, which splits nothing and gives back all that earlier pages had split. The kernel refuses
// even that to a process that is one map beyond its limit, as the last split may leave it.
bool mend(std::uintptr_t address, std::uintptr_t begin, std::uintptr_t end, bool writable) {
  if (put_zero_pages(address & ~(guard_page_bytes - 1), guard_page_bytes, writable) ||
      put_zero_pages(begin, end - begin, writable)) {
    return true;
  }
  if (std::byte* pages = spare_maps.exchange(nullptr)) syscall(SYS_munmap, pages, 3 * guard_page_bytes);
  return put_zero_pages(begin, end - begin, writable);
}

// Hands the signal to whoever had it before us, under the mask that they asked for.
void pass_on(int signal, siginfo_t* info, void* context) {
  const struct sigaction& old = previous_action;
  const bool plain = (old.sa_flags & SA_SIGINFO) == 0;
  if (plain && (old.sa_handler == SIG_DFL || old.sa_handler == SIG_IGN)) {
    // A fault cannot be ignored; a signal that somebody sent can.
    const bool sent = info->si_code <= 0;
    if (sent && old.sa_handler == SIG_IGN) return;
    struct sigaction fall_back {};
    fall_back.sa_handler = SIG_DFL;
    sigaction(signal, &fall_back, nullptr);
    // A fault comes again as soon as we return, with the address in the core; a sent signal has to be sent again.
    if (sent) raise(signal);
    return;
  }
  sigset_t mask = old.sa_mask;
  pthread_sigmask(SIG_BLOCK, &mask, nullptr);
  if ((old.sa_flags & SA_NODEFER) != 0) {
    sigemptyset(&mask);
    sigaddset(&mask, signal);
    pthread_sigmask(SIG_UNBLOCK, &mask, nullptr);
  }
  if (plain) {
    old.sa_handler(signal);
  } else {
    old.sa_sigaction(signal, info, context);
  }
}

void on_bus_error(int signal, siginfo_t* info, void* context) {
  const int saved_errno = errno;
  const bool is_fault = info->si_code > 0;  // not kill(), sigqueue() ...
  std::uintptr_t begin = 0, end = 0;
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  Slot* slot = is_fault ? find_map(address, begin, end) : nullptr;
  if (slot != nullptr) {
    // First the flag: whoever reads a zero of ours finds it set.
    slot->faulted.store(true, std::memory_order_seq_cst);
    if (mend(address, begin, end, slot->writable.load(std::memory_order_relaxed))) {
      errno = saved_errno;
      return;
    }
  }
  errno = saved_errno;
  pass_on(signal, info, context);
}

}  // namespace

FaultSlot register_map(const void* first, std::size_t size, bool writable) {
  const FaultSlot number = take_slot();
  Slot& slot = *find_slot(number);
  const auto begin = reinterpret_cast<std::uintptr_t>(first);
  const std::uintptr_t page = page_bytes();
  slot.turn.fetch_add(1, std::memory_order_acq_rel);
  slot.faulted.store(false, std::memory_order_relaxed);
  slot.writable.store(writable, std::memory_order_relaxed);
  slot.begin.store(begin & ~(page - 1), std::memory_order_release);
  slot.end.store((begin + size + page - 1) & ~(page - 1), std::memory_order_release);
  slot.turn.fetch_add(1, std::memory_order_release);
  return number;
}

void unregister_map(FaultSlot number) noexcept {
  Slot& slot = *find_slot(number);
  slot.turn.fetch_add(1, std::memory_order_acq_rel);
  slot.begin.store(0, std::memory_order_release);
  slot.end.store(0, std::memory_order_release);
  slot.turn.fetch_add(1, std::memory_order_release);
  std::uint64_t head = free_head.load(std::memory_order_relaxed);
  do {
    slot.next_free.store(static_cast<std::uint32_t>(head), std::memory_order_relaxed);
  } while (!free_head.compare_exchange_weak(head, ((head >> 32) + 1) << 32 | (std::uint64_t{number} + 1),
                                            std::memory_order_acq_rel));
}

bool has_faulted(FaultSlot number) noexcept {
  return find_slot(number)->faulted.load(std::memory_order_seq_cst);
}

void guard_faults() {
  static std::atomic<bool> asked{false};
  if (asked.exchange(true)) return;
  guard_page_bytes = page_bytes();
  set_spare_maps_aside();
  if (sigaction(SIGBUS, nullptr, &previous_action) != 0) throw_errno(errno, "sigaction", "SIGBUS");
  struct sigaction action {};
  action.sa_sigaction = on_bus_error;
  sigemptyset(&action.sa_mask);
  // On the alternate stack where a thread has one: hosts such as Go demand it. No SA_NODEFER: the handler reads no map,
  // so a second fault inside it is a bug that must end the process rather than loop.
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  if (sigaction(SIGBUS, &action, nullptr) != 0) throw_errno(errno, "sigaction", "SIGBUS");
}

}  // namespace mere::os
