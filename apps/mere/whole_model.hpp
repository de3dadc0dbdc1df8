#pragma once
// Reads all there is in a model, as a worker that serves it in the end does.

#include <cstdint>

#include <mere/model.hpp>

namespace mere::command {

struct WholeModel {
  std::uint64_t nodes = 0, arrays = 0;
  std::uint64_t array_bytes = 0;  // read
  std::uint64_t sum = 0;          // of the arrays' bytes as 64-bit words: equal models give equal sums
};

// Walks the graph and reads every byte of every array; compressed ones that are not expanded are decoded.
// Throws Error as the graph does, and fault.
WholeModel read_whole_model(const Model& model);

// The bytes as 64-bit words, summed, the last one filled with zeros.
std::uint64_t word_sum(std::span<const std::byte> bytes);

}  // namespace mere::command
