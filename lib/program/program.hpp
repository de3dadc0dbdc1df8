#pragma once
// A program: what a fitted estimator computes, as a list of standard operators (docs/operators.md).

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mere/dtype.hpp>
#include <mere/graph.hpp>
#include <mere/node.hpp>

#include "program/operator.hpp"

namespace mere::program {

inline constexpr std::int64_t kProgramVersion = 1;

// The kinds of columns: numbers of any type, computed with as float64, and texts.
inline constexpr std::string_view kNumbers = "f64", kTexts = "string";

// The classes of one output, in the order of their indices: an array of any element type, or texts.
struct Labels {
  Dtype dtype;  // of `bytes`; object: `texts`
  std::uint64_t count = 0;
  std::span<const std::byte> bytes;   // count * itemsize
  std::shared_ptr<const void> owner;  // of `bytes`; null: they borrow
  std::vector<std::string> texts;
};

// What a method of the estimator gives.
struct Method {
  std::string name;  // "predict", "predict_proba", "transform", ...
  ValueId value = 0;
  std::vector<Labels> labels;  // one a column: the value has indices of classes; none: the value is the result
  bool flat = false;           // one column, and NumPy gives a vector
  bool integer = false;        // whole numbers, and NumPy gives int64
};

// An estimator inside the one that was lowered, which can be asked by itself: its methods are made of its input alone.
struct Part {
  std::string path;       // of the estimator in the model (docs/format.md 8)
  std::string estimator;  // its class
  ValueId input = 0;
  std::vector<Method> methods;  // what its class computes between validation and links; no labels

  const Method* find_method(std::string_view name) const;
};

struct Program {
  std::uint64_t columns = 0;       // of the input
  std::vector<std::string> names;  // of those, or none
  std::vector<std::string> kinds;  // of those, kNumbers or kTexts; none: all are numbers
  std::vector<std::string> texts;  // that numbers below 0 stand for: Texts::constant
  std::string dense_only;          // which estimator refuses sparse rows; empty: they are taken
  std::string estimator;           // what was lowered: "sklearn.ensemble._forest.RandomForestClassifier"
  std::string source_version;      // of its library: "1.2.1"
  std::vector<std::unique_ptr<Operator>> steps;
  std::vector<Method> methods;
  std::vector<Part> parts;  // estimators inside it that can be asked by themselves

  bool takes_text(std::uint64_t column) const { return column < kinds.size() && kinds[column] == kTexts; }
  const Method* find_method(std::string_view name) const;
  // As find_method. Throws Error: no_method, which lists those there are.
  const Method& method(std::string_view name) const;
};

// Columns of each value, from checks of every step in turn. Throws Error: schema.
std::vector<std::uint64_t> check_program(const Program& program);

// Nodes and arrays (docs/operators.md, "In the file"). The arrays of `program` are borrowed until the graph is dumped,
// or held where they have an owner.
NodeId write_program(Graph& graph, Program& program);

// Whether a record of that type is part of programs: an operator, or one of the records around them.
bool is_part_of_programs(std::string_view type_name);

// From the root of a program; arrays are borrowed from the map. Work and memory go with the number of steps and labels,
// not with the length of arrays. Throws Error: schema, unsupported_version, unknown_kind (an operator), wrong_type, ...
Program read_program(const Node& root);

// Programs of estimators inside a model that has none as a whole: a record `Programs`.
NodeId write_programs(Graph& graph, std::span<Program> programs);
bool is_program(const Node& root);  // of the model as a whole
// Of either record. Throw as read_program, and out_of_range.
std::uint32_t program_count(const Node& root);
Program read_one(const Node& root, std::uint32_t number);
std::vector<Part> read_parts(const Node& root, std::uint32_t number);  // without the rest, and unchecked against it

// A part as a program of its own, with the steps that it needs; `whole` is spent. Throws Error: out_of_range.
Program take_part(Program whole, std::size_t part);

// Plain meaning of one method: all steps that it needs, over all rows at once. (rows, columns of its value), row-major.
std::vector<double> evaluate(const Program& program, std::string_view method, const Matrix& x);

// The steps whose values `value` is made of, in order, from `input` on.
std::vector<std::size_t> steps_of(const Program& program, ValueId value, ValueId input = 0);

}  // namespace mere::program
