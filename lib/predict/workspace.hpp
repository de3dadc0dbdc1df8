#pragma once
// Scratch memory of one prediction: taken in pieces, given back all at once, kept for the next.

#include <cstddef>
#include <memory>
#include <vector>

#include <mere/error.hpp>

namespace mere::predict {

// Not safe to share between threads. Memory is not cleared; every piece is aligned to 64 bytes.
class Workspace {
 public:
  Workspace() = default;
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  // Lives until release_to() an earlier mark. Throws Error: out_of_memory; std::bad_alloc.
  std::byte* take_bytes(std::size_t bytes);
  template <class T>
  T* take(std::size_t count) {
    if (count > static_cast<std::size_t>(-1) / sizeof(T)) throw Error::out_of_memory();
    return reinterpret_cast<T*>(take_bytes(count * sizeof(T)));
  }

  struct Mark {
    std::size_t chunk = 0, used = 0;
  };
  Mark mark() const { return {chunk_, used_}; }
  void release_to(Mark mark) {
    chunk_ = mark.chunk;
    used_ = mark.used;
  }
  // Gives memory back to the system if it is more than a prediction of few rows needs.
  void trim();

 private:
  struct Chunk {
    std::unique_ptr<std::byte[]> memory;
    std::byte* first = nullptr;  // aligned
    std::size_t bytes = 0;
  };
  std::vector<Chunk> chunks_;
  std::size_t chunk_ = 0, used_ = 0;  // pieces are taken from chunks_[chunk_] at used_
};

}  // namespace mere::predict
