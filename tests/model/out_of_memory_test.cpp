// Memory that cannot be had: the n-th allocation fails, for every n, in open, load, dump and convert.

#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include <malloc.h>

#include <mere/mere.hpp>

#include "model/process_facts.hpp"
#include "model/records.hpp"
#include "os/scratch_directory.hpp"

namespace {

// Allocations of this thread until one fails; below zero: none does.
thread_local long allocations_left = -1;
std::atomic<long> live_blocks = 0;

void* allocate(std::size_t size) {
  if (allocations_left == 0) throw std::bad_alloc();
  if (allocations_left > 0) --allocations_left;
  void* p = std::malloc(size == 0 ? 1 : size);
  if (p == nullptr) throw std::bad_alloc();
  ++live_blocks;
  return p;
}
void* allocate_aligned(std::size_t size, std::align_val_t alignment) {
  if (allocations_left == 0) throw std::bad_alloc();
  if (allocations_left > 0) --allocations_left;
  const auto unit = static_cast<std::size_t>(alignment);
  void* p = std::aligned_alloc(unit, (size + unit - 1) / unit * unit);
  if (p == nullptr) throw std::bad_alloc();
  ++live_blocks;
  return p;
}
void release(void* p) noexcept {
  if (p != nullptr) --live_blocks;
  std::free(p);
}

}  // namespace

void* operator new(std::size_t size) {
  return allocate(size);
}
void* operator new[](std::size_t size) {
  return allocate(size);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate_aligned(size, alignment);
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return allocate_aligned(size, alignment);
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  try {
    return allocate(size);
  } catch (...) {
    return nullptr;
  }
}
void* operator new[](std::size_t size, const std::nothrow_t& tag) noexcept {
  return operator new(size, tag);
}
void operator delete(void* p) noexcept {
  release(p);
}
void operator delete[](void* p) noexcept {
  release(p);
}
void operator delete(void* p, std::size_t) noexcept {
  release(p);
}
void operator delete[](void* p, std::size_t) noexcept {
  release(p);
}
void operator delete(void* p, std::align_val_t) noexcept {
  release(p);
}
void operator delete[](void* p, std::align_val_t) noexcept {
  release(p);
}
void operator delete(void* p, std::size_t, std::align_val_t) noexcept {
  release(p);
}
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept {
  release(p);
}
void operator delete(void* p, const std::nothrow_t&) noexcept {
  release(p);
}
void operator delete[](void* p, const std::nothrow_t&) noexcept {
  release(p);
}

namespace {

using mere::Error;
using mere::Model;
using mere::Reason;
using mere::test::ScratchDirectory;

struct Outcome {
  long failures = 0;  // runs that ended in out_of_memory
  long others = 0;    // runs that ended in anything else but success
  long leaked = 0;    // blocks left over
};

// Runs `call` with the n-th allocation failing, for n = 0, 1, ... until it succeeds.
template <class Call, class Check>
Outcome fail_each_allocation(Call&& call, Check&& check) {
  Outcome outcome;
  call();  // what is made once in a process is made now
  for (long n = 0; n < 100'000; ++n) {
    const long before = live_blocks;
    bool failed = false, other = false;
    char text[400] = "";
    allocations_left = n;
    try {
      call();
    } catch (const Error& error) {
      failed = true;
      other = error.reason() != Reason::out_of_memory;
      if (other) std::snprintf(text, sizeof text, "%s", error.what());
    } catch (...) {
      failed = other = true;
    }
    const bool reached = allocations_left == 0;
    allocations_left = -1;
    outcome.leaked += live_blocks - before;
    if (other) ++outcome.others;
    if (other) MESSAGE("allocation " << n << ": " << text);
    if (failed) ++outcome.failures;
    check();
    if (!failed && !reached) break;
  }
  return outcome;
}

void expect(const Outcome& outcome) {
  CHECK(outcome.failures > 0);
  CHECK(outcome.others == 0);
  CHECK(outcome.leaked == 0);
}

mere::DumpOptions quick(mere::Codec codec = mere::Codec::none) {
  mere::DumpOptions options;
  options.durability = mere::Durability::none;
  options.threads = 1;
  options.codec = codec;
  return options;
}

}  // namespace

TEST_CASE("out of memory: opening gives the error or the model") {
  const ScratchDirectory scratch;
  const auto path = scratch / "f.mere";
  mere::dump(forest::make(2, 50), path, quick());
  mere::OpenOptions options;
  options.verify = mere::Verify::all;
  options.threads = 1;
  expect(fail_each_allocation(
      [&] {
        const Model model(path, options);
        model.at("trees[1].nodes").array().field<double>("threshold");
        model.info();
      },
      [&] { CHECK(mere::test::count_maps("f.mere") == 0); }));
}

TEST_CASE("out of memory: dumping gives the error and the old file, or the new one") {
  const ScratchDirectory scratch;
  const auto path = scratch / "f.mere";
  const forest::Forest forest = forest::make(2, 50);
  const auto id = mere::dump(forest, path, quick()).content_id;
  for (const auto codec : {mere::Codec::none, mere::Codec::zlib}) {
    expect(fail_each_allocation([&] { mere::dump(forest, path, quick(codec)); },
                                [&] {
                                  CHECK(scratch.entries() == 1);
                                  mere::OpenOptions lazy;
                                  lazy.expand = mere::Expand::lazy;
                                  CHECK(Model(path, lazy).content_id() == id);
                                }));
  }
}

TEST_CASE("out of memory: loading a record gives the error or the record") {
  const auto bytes = mere::dump_bytes(forest::make(3, 20), quick());
  const Model model = Model::from_bytes(bytes);
  expect(fail_each_allocation([&] { mere::load<forest::Forest>(model); }, [] {}));
}

TEST_CASE("out of memory: converting gives the error and no file, or the file") {
  const ScratchDirectory scratch;
  mere::dump(forest::make(2, 50), scratch / "in.mere", quick());
  mere::ConvertOptions options;
  options.dump = quick(mere::Codec::lz4);
  options.dump.metadata = {{"k", "v"}};
  const std::filesystem::path in = scratch / "in.mere", out = scratch / "out.mere";
  expect(fail_each_allocation([&] { mere::convert(in, out, options); }, [&] { CHECK(scratch.entries() == 2); }));
}
