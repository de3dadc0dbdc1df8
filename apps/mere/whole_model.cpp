#include "whole_model.hpp"

#include <array>
#include <cstring>

#include "opened_models.hpp"

namespace mere::command {

namespace {

std::uint64_t array_sum(const ArrayView& array) {
  if (array.nbytes() == 0) return 0;
  if (array.is_mapped() && (array.c_contiguous() || array.f_contiguous())) {
    return word_sum({array.data(), static_cast<std::size_t>(array.nbytes())});
  }
  std::vector<std::byte> copy(static_cast<std::size_t>(array.nbytes()));
  array.copy_to(copy);
  return word_sum(copy);
}

}  // namespace

std::uint64_t word_sum(std::span<const std::byte> bytes) {
  // Eight sums at a time, so that the reads and not the additions bound the speed.
  std::array<std::uint64_t, 8> sums{};
  std::array<std::uint64_t, 8> words;
  std::size_t at = 0;
  for (; at + sizeof words <= bytes.size(); at += sizeof words) {
    std::memcpy(words.data(), bytes.data() + at, sizeof words);
    for (std::size_t i = 0; i < words.size(); ++i) sums[i] += words[i];
  }
  words.fill(0);
  if (at < bytes.size()) std::memcpy(words.data(), bytes.data() + at, bytes.size() - at);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < words.size(); ++i) sum += sums[i] + words[i];
  return sum;
}

WholeModel read_whole_model(const Model& model) {
  WholeModel whole;
  for (Walk walk(model.root()); walk.next();) {
    ++whole.nodes;
    const Node node = walk.node();
    if (node.kind() != Kind::array || node.dtype().type_class() == TypeClass::object) continue;
    const ArrayView array = node.array();
    ++whole.arrays;
    whole.array_bytes += array.nbytes();
    whole.sum += array_sum(array);
  }
  check_faults(model);  // the sum of zeros says nothing
  return whole;
}

}  // namespace mere::command
