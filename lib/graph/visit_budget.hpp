#pragma once
// A bound on the work of walks over a hostile graph: nodes that all claim the same links could make a small file long.

#include <cstdint>
#include <string>

#include "format/image.hpp"

namespace mere::graph {

// The nodes of a file made by us have links of their own; a walk enters each node once or a few times.
class VisitBudget {
 public:
  explicit VisitBudget(const format::Image& image)
      : image_(image), left_(image.section(format::Section::links).count * 16 + 65536) {}

  // Throws Error(too_large).
  void spend(std::uint64_t links) {
    if (links > left_) {
      throw Error(Reason::too_large,
                  image_.name() + ": the nodes have more children than 16 times the links of the file");
    }
    left_ -= links;
  }

 private:
  const format::Image& image_;
  std::uint64_t left_;
};

}  // namespace mere::graph
