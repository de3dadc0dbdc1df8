#pragma once
// The program that is being built, and how the families of estimators add to it.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lower/estimator.hpp"
#include "program/program.hpp"

namespace mere::lower {

using program::Labels;
using program::Method;
using program::Program;
using program::ValueId;

// What an estimator gives for one input value: its methods, over values of the program.
class Methods {
 public:
  // Returns the method, to be set further.
  Method& add(std::string_view name, ValueId value);
  const Method* find(std::string_view name) const;
  std::vector<Method>& all() { return all_; }

 private:
  std::vector<Method> all_;
};

// What validation lets an estimator see.
struct Accepts {
  bool nan = false;
  bool infinity = false;
  bool single_range = false;  // the input is cast to float32
};

class Lowering {
 public:
  // `version`: what the file says of the library, for estimators that do not say themselves. `threads`: what
  // TreePacker::add_all may use.
  Lowering(const graph::NodeReader& reader, std::uint64_t columns, std::optional<Version> version,
           unsigned threads = 1);

  const graph::NodeReader& reader() const { return reader_; }
  unsigned threads() const { return threads_; }
  Program& program() { return program_; }
  std::uint64_t columns(ValueId value) const { return columns_[value]; }
  // Of the library that fitted `estimator`: decides what its numbers mean. Throws Error: not_lowerable (not recorded,
  // or a version that no table covers).
  Version version(const Estimator& estimator) const;

  // Adds a step. Throws Error: schema (its parameters contradict each other or its inputs).
  ValueId add(std::unique_ptr<program::Operator> step, std::vector<ValueId> inputs);
  template <class T>
  ValueId add(T&& step, ValueId input) {
    return add(std::move(step), std::vector<ValueId>{input});
  }

  // Common steps. Each value is checked once, however many estimators see it.
  ValueId check(ValueId in, const Accepts& accepts);
  ValueId arithmetic(ValueId in, std::string_view operation, Array<double> operand);
  ValueId arithmetic(ValueId in, std::string_view operation, double operand);
  ValueId map(ValueId in, std::string_view function);
  ValueId linear(ValueId in, Array<double> weights, Array<double> bias, bool single = false);
  ValueId concat(std::vector<ValueId> parts);
  ValueId select(ValueId in, std::vector<std::uint32_t> columns);
  ValueId softmax(ValueId in);
  ValueId normalize_rows(ValueId in, bool uniform_if_zero = false);
  ValueId arg_max(ValueId in, std::vector<std::int64_t> groups = {});
  ValueId above(ValueId in, double threshold, bool or_equal = false);
  // [1 - p, p] of one column.
  ValueId with_complement(ValueId p);

  // Says that this column of a value has texts, and so the column of the input that it comes from. Throws Error:
  // not_lowerable (it comes from none).
  void need_texts(const Estimator& from, ValueId value, std::uint64_t column);
  // The number that stands for a text of the program's own.
  double text_constant(const std::string& text);
  // At the end: nothing computes with texts as if they were numbers. Throws Error: not_lowerable.
  void check_texts(const Estimator& from);

  // The methods of the estimator at `node` for the value `in`. Throws Error: not_lowerable, too_deep.
  Methods lower(NodeId node, ValueId in);
  Methods lower(const Estimator& estimator, ValueId in);

  // What `from` computes between validation, of which `in` is the result, and links: for who asks that estimator
  // alone. Of an estimator that is asked more than once the first is taken.
  void add_part(const Estimator& from, ValueId in, std::vector<std::pair<std::string_view, ValueId>> methods);

  // Classifiers: predict_proba, predict_log_proba and predict (the class of the largest probability).
  void add_probabilities(Methods& methods, ValueId proba, const Labels& labels);
  // predict: classes by their index in `value`, a column an output.
  void add_classes(Methods& methods, ValueId index, std::vector<Labels> labels);
  // predict of regressors: a vector where the value has one column and the target had one dimension.
  void add_numbers(Methods& methods, ValueId value, bool flat);

 private:
  const graph::NodeReader& reader_;
  Program program_;
  std::vector<std::uint64_t> columns_;
  std::vector<bool> sparse_;  // by value: scikit-learn would hold it as a sparse matrix if it is given one
  std::optional<Version> version_;
  unsigned threads_;
  std::map<std::pair<ValueId, int>, ValueId> checked_;
  std::set<NodeId> parts_;
  int depth_ = 0;
};

using LowerFunction = Methods (*)(Lowering& to, const Estimator& from, ValueId in);

// The rule for exactly this class, by its full name as scikit-learn has it today; nothing if there is none.
LowerFunction find_rule(std::string_view class_name);
struct Rule {
  std::string_view class_name;
  LowerFunction lower;
};
std::span<const Rule> rules();

// A graph's model as a program, the same with any number of threads. `version`: of the library, if the file says so
// beside the estimators. `threads`: 0: as many as os::thread_count() says.
// Throws Error: not_lowerable (no rule for a class, a parameter without standard meaning), schema, bad_record.
Program lower_model(const graph::NodeReader& reader, NodeId root, std::string_view version = {}, unsigned threads = 1);

// Of a model that is no program as a whole: the ensembles of trees in it that are parts of programs, each lowered by
// itself, in the order of a walk. Those that cannot be lowered, or were not fitted, are left out. Throws as
// lower_model.
std::vector<Program> lower_ensembles(const graph::NodeReader& reader, NodeId root, std::string_view version = {},
                                     unsigned threads = 1);

}  // namespace mere::lower
