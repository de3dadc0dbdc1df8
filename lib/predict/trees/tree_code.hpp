#pragma once
// The loops over trees, compiled once for each instruction set. Nothing here may emit code that is shared between them:
// no templates or inline functions of the C++ library.

#include <cstddef>
#include <cstdint>

namespace mere::predict {

inline constexpr std::size_t kCategorySetWords = 16;

enum class LeafForm : std::uint8_t { vote, rows, counts8, counts16, number };

// A TreeEnsemble after check(), as pointers. Names and meanings: docs/operators.md, TreeEnsemble and Nodes.
// What lies behind the pointers may hold anything, and may change meanwhile.
struct TreeArrays {
  const std::uint32_t* nodes = nullptr;
  const std::uint32_t* starts = nullptr;
  const std::uint32_t* categories = nullptr;
  const double* edges = nullptr;
  const double* values = nullptr;
  const std::uint8_t* counts8 = nullptr;
  const std::uint16_t* counts16 = nullptr;
  const std::uint32_t* columns = nullptr;  // null: in turn
  std::size_t trees = 0;
  std::size_t width = 0, outputs = 0;  // of a leaf, of the result
  std::size_t row_length = 0;          // elements of a row of counts
  std::size_t category_sets = 0;
  std::uint32_t last_node = 0, last_leaf = 0, last_column = 0;
  unsigned delta_bits = 0;  // n8
  bool missing = false;
  LeafForm form = LeafForm::vote;
};

// Rows of what trees compare: float32 for n8, n12 and shallow, float64 for n16d and bins. `padded`: a row
// has as many numbers as nodes of n8 can name columns, 2^(30 - delta_bits), the last one's repeated.
template <class T>
struct TreeRows {
  const T* x = nullptr;
  std::size_t rows = 0, stride = 0;
  bool padded = false;
};

// Sums start from what is in them. Of `votes`: one a row and output, likewise.
struct TreeSums {
  double* sums = nullptr;
  std::size_t stride = 0;
  std::uint32_t* votes = nullptr;
  double* scratch = nullptr;  // bins and shallow: at least trees + kScratchTrees, and kScratchRows * outputs, numbers
};

inline constexpr std::size_t kScratchTrees = 128, kScratchRows = 256, kScratchOutputs = 256;

// All trees for all rows, by the layout of the nodes.
struct TreeCode {
  void (*n8)(const TreeArrays& trees, const TreeRows<float>& x, const TreeSums& out);
  void (*n12)(const TreeArrays& trees, const TreeRows<float>& x, const TreeSums& out);
  void (*n16d)(const TreeArrays& trees, const TreeRows<double>& x, const TreeSums& out);
  void (*bins)(const TreeArrays& trees, const TreeRows<double>& x, const TreeSums& out);
  void (*shallow)(const TreeArrays& trees, const TreeRows<float>& x, const TreeSums& out);
};

extern const TreeCode kScalarTrees;
#if defined(__x86_64__)
extern const TreeCode kAvx2Trees;
extern const TreeCode kAvx512Trees;
#endif

}  // namespace mere::predict
