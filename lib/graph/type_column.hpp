#pragma once
// The columns of shapes and element types while a graph is encoded: what is equal stands once (docs/format.md 5).

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <mere/dtype.hpp>
#include "format/columns.hpp"
#include "graph/id_table.hpp"

namespace mere::graph {

class ExtentColumn {
 public:
  explicit ExtentColumn(std::vector<std::int64_t>& extents) : extents_(extents) {}
  // The index of `shape` and then `strides`, one after the other.
  std::uint64_t add(std::span<const std::int64_t> shape, std::span<const std::int64_t> strides);

 private:
  struct Entry {
    std::uint64_t first, count;
  };
  std::vector<std::int64_t>& extents_;
  std::vector<Entry> entries_;
  IdTable table_;
};

class TypeColumn {
 public:
  TypeColumn(format::Columns& columns, ExtentColumn& extents) : columns_(columns), extents_(extents) {}
  // The id of a type; those inside it have smaller ones. Throws Error: too_large, bad_text (a field name that is not
  // UTF-8).
  std::uint32_t add(const Dtype& type);

 private:
  struct Name {
    std::uint64_t first;
    std::uint32_t bytes;
  };
  Name add_name(std::string_view text);

  format::Columns& columns_;
  ExtentColumn& extents_;
  std::vector<Dtype> types_;
  std::vector<Name> names_;
  IdTable type_table_, name_table_;
};

}  // namespace mere::graph
