#pragma once
// Predicting from the map: the program of a model, bound to its arrays where they lie. What each operator computes, and
// which estimators become programs: docs/operators.md.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <mere/array.hpp>
#include <mere/model.hpp>
#include <mere/table.hpp>

// Input comes in one of three views: MatrixView (dense, below), CsrView (sparse) and TableView (named columns of
// numbers and texts, each a Column), both of <mere/table.hpp>. Predictor::input() says what columns a model takes.

namespace mere {

// Rows to predict for: float32 or float64, native byte order, any alignment, strides in bytes of any sign. Borrows.
struct MatrixView {
  const void* data = nullptr;
  bool single = false;  // float32
  std::size_t rows = 0, columns = 0;
  std::ptrdiff_t row_stride = 0, column_stride = 0;

  MatrixView() = default;
  // `values` in C order, `columns` a row. Throws Error: wrong_shape (not a whole number of rows).
  MERE_API MatrixView(std::span<const double> values, std::size_t columns);
  MERE_API MatrixView(std::span<const float> values, std::size_t columns);
  // A matrix of float32 or float64. Throws Error: wrong_shape, wrong_type, not_native, not_mapped.
  MERE_API explicit MatrixView(const ArrayView& array);
};

struct PredictOptions {
  unsigned threads = 1;      // 0: as many as there are processors
  bool check_finite = true;  // false: no look for what the estimator refuses; what a NaN then gives is not defined
};

// What one method gives.
struct MethodInfo {
  std::string name;         // "predict", "predict_proba", "transform", ...
  std::size_t columns = 0;  // numbers a row
  bool flat = false;        // one column, and NumPy would give a vector
  bool classes = false;     // the numbers are indices into classes(name, column)
  bool integer = false;     // whole numbers, NumPy's int64
};

// One column of the input.
struct InputColumn {
  std::string name;   // or empty: the model has no names
  bool text = false;  // texts, which only a TableView has; else numbers
};

// The classes of one output, by index; lives as long as the predictor.
struct ClassTable {
  Dtype dtype;  // of `bytes`; TypeClass::object: `texts`
  std::uint64_t count = 0;
  std::span<const std::byte> bytes;  // count elements
  std::span<const std::string> texts;
  // Class `index` as text: "3", "virginica". Throws Error: out_of_range, not_supported (a type without a text).
  MERE_API std::string to_text(std::uint64_t index) const;
};

// An ensemble of trees in a model, whose program can be asked by itself: what its class computes between validation of
// the input and links. Its methods, by class (docs/operators.md, "Parts"):
//   forests             predict_proba (the classes of all outputs side by side) or predict; apply
//   gradient boosting   each (one column a tree, the learning rate applied)
//   histogram boosting  raw
//   isolation forests   depths (summed over trees)
struct PartInfo {
  std::string path;           // of the estimator: Model::at(path)
  std::string estimator;      // its class
  std::uint32_t program = 0;  // which of the file's programs it is in, and where
  std::uint32_t index = 0;
};

// A cheap shared handle, safe to share between threads; holds the model's map. Making one takes time with the number of
// steps, not with the size of the model.
class MERE_API Predictor {
 public:
  // From the program that the model holds; a model of at most 1 MB that holds none is lowered on the spot, in memory of
  // this process (private_bytes()).
  // Throws Error: no_program (larger; the message says what makes one), not_lowerable, schema, bad_record, ...
  explicit Predictor(const Model& model);

  // The parts of the stored programs; none if there is no program. Throws Error: schema, bad_record, ...
  static std::vector<PartInfo> parts(const Model& model);
  // Of one of them. It knows no names of columns, and its methods no classes; PredictOptions::check_finite is up to the
  // caller.
  Predictor(const Model& model, const PartInfo& part);

  std::string_view estimator() const;             // "sklearn.ensemble._forest.RandomForestClassifier"
  std::size_t columns() const;                    // of the input
  std::vector<std::string> column_names() const;  // or none
  std::vector<InputColumn> input() const;         // each column
  // Why a CsrView is refused, as the estimator itself refuses sparse matrices; empty: it is taken.
  std::string_view refuses_sparse() const;
  std::vector<MethodInfo> methods() const;
  bool has(std::string_view method) const;
  MethodInfo method(std::string_view name) const;  // throws no_method
  ClassTable classes(std::string_view method = "predict", std::size_t column = 0) const;
  std::uint64_t private_bytes() const;       // of a program made on the spot
  std::uint64_t serving_bytes() const;       // of the map: what predict, predict_proba and decision_function can reach
  std::uint64_t cold_bytes() const;          // what other methods alone can reach
  std::vector<std::string> kernels() const;  // what runs: "trees avx512", "plain"

  // Writes rows x method(name).columns numbers, row-major.
  // Throws Error: no_method, wrong_shape (columns of x, size of out), wrong_type (numbers for texts, or texts for
  // numbers), no_path (a column of that name), not_supported (sparse rows that the estimator refuses), bad_argument (a
  // category never seen, sparse rows that contradict themselves), not_finite (with row and column), too_large, fault.
  void run(std::string_view method, const MatrixView& x, std::span<double> out,
           const PredictOptions& options = {}) const;
  void run(std::string_view method, const CsrView& x, std::span<double> out, const PredictOptions& options = {}) const;
  void run(std::string_view method, const TableView& x, std::span<double> out,
           const PredictOptions& options = {}) const;
  std::vector<double> run(std::string_view method, const MatrixView& x, const PredictOptions& options = {}) const;
  std::vector<double> run(std::string_view method, const CsrView& x, const PredictOptions& options = {}) const;
  std::vector<double> run(std::string_view method, const TableView& x, const PredictOptions& options = {}) const;

  // run() by name. predict() gives numbers, or indices of classes.
  void predict(const MatrixView& x, std::span<double> out, const PredictOptions& options = {}) const {
    run("predict", x, out, options);
  }
  void predict_proba(const MatrixView& x, std::span<double> out, const PredictOptions& options = {}) const {
    run("predict_proba", x, out, options);
  }
  void decision_function(const MatrixView& x, std::span<double> out, const PredictOptions& options = {}) const {
    run("decision_function", x, out, options);
  }
  void transform(const MatrixView& x, std::span<double> out, const PredictOptions& options = {}) const {
    run("transform", x, out, options);
  }

  struct State;

 private:
  template <class View>
  void run_view(std::string_view method, const View& x, std::span<double> out, const PredictOptions& options) const;
  template <class View>
  std::vector<double> run_view(std::string_view method, const View& x, const PredictOptions& options) const;

  std::shared_ptr<const State> state_;
};

// The nodes of one tree as scikit-learn keeps them: records, `stride` bytes apart, whose fields lie so many bytes in.
struct TreeNodes {
  const void* first = nullptr;
  std::size_t count = 0, stride = 0;
  std::size_t left = 0, right = 0, feature = 0;  // int64
  std::size_t threshold = 0;                     // float64
  static constexpr std::size_t kNone = ~std::size_t{0};
  std::size_t missing_left = kNone;  // uint8; from scikit-learn 1.3 on
};

// The node in which each row of x, rounded to float32, ends. Whatever the bytes, which may lie in a map that changes:
// indices are bounded where they are used, and a walk ends after as many steps as there are nodes.
// Throws Error: wrong_shape (no node, no column, size of out).
MERE_API void tree_leaves(const TreeNodes& nodes, const MatrixView& x, std::span<std::int64_t> out);

}  // namespace mere
