#pragma once
// Rows against the vectors of a model, compiled once for each instruction set. Nothing here may emit code that is
// shared between them: no templates or inline functions of the C++ library.

#include <cstddef>

namespace mere::predict {

enum class PairFunction : unsigned char {
  squared_euclidean,
  euclidean,
  manhattan,
  chebyshev,
  dot,
  rbf,
  laplacian,
  polynomial,  // of whole degrees
  sigmoid,
};

struct PairwiseArrays {
  PairFunction function{};
  const double* vectors = nullptr;  // count x columns
  std::size_t count = 0, columns = 0;
  double gamma = 1, coef0 = 0;
  unsigned degree = 0;
};

// Vectors are turned, so many columns at a time, into the order that lanes want: kPanelVectors of each column.
inline constexpr std::size_t kPanelColumns = 128, kPanelVectors = 32;
inline constexpr std::size_t kPanelDoubles = kPanelColumns * kPanelVectors;

// Sums over the vectors of two classes at a time: program::PairDecisions.
struct DecisionArrays {
  const double* coefficients = nullptr;  // classes - 1 x vectors
  const double* bias = nullptr;          // one a pair
  const std::size_t* starts = nullptr;   // classes + 1, within the vectors and ascending: of each class
  std::size_t classes = 0, vectors = 0;
};

// Rows of values are turned likewise; what one turn takes, and what the sums of a pair take.
inline constexpr std::size_t kDecisionRows = 16, kDecisionVectors = 128;
inline constexpr std::size_t kDecisionDoubles = kDecisionRows * kDecisionVectors;

struct PairwiseCode {
  // rows x columns at `stride` to rows x count at `out_stride`. `panel`: kPanelDoubles, aligned to 64 bytes.
  void (*pairwise)(const PairwiseArrays& pairs, const double* x, std::size_t rows, std::size_t stride, double* out,
                   std::size_t out_stride, double* panel);
  // `values`: rows x vectors; `scratch`: kDecisionDoubles and kDecisionRows for each pair, aligned to 64 bytes; none
  // for one row.
  void (*decide)(const DecisionArrays& pairs, const double* values, std::size_t rows, std::size_t stride, double* out,
                 std::size_t out_stride, double* scratch);
};

extern const PairwiseCode kScalarPairwise;
#if defined(__x86_64__)
extern const PairwiseCode kAvx2Pairwise;
extern const PairwiseCode kAvx512Pairwise;
#endif

}  // namespace mere::predict
