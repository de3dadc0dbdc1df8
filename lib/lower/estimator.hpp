#pragma once
// A fitted estimator as lowering sees it: attributes by name, arrays as numbers, and errors that say where.

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mere/array.hpp>

#include "graph/node_reader.hpp"
#include "program/program.hpp"

namespace mere::lower {

// Of a library: the first two numbers decide what an estimator means.
struct Version {
  int major = 0, minor = 0;
  static std::optional<Version> parse(std::string_view text);
  friend auto operator<=>(const Version&, const Version&) = default;
};

// Borrows the reader. Attributes are those of the object's state; None counts as absent for find().
// Every function throws Error(schema) for what is missing or of another kind, with the path of the estimator.
class Estimator {
 public:
  Estimator(const graph::NodeReader& reader, NodeId node);

  const graph::NodeReader& reader() const { return *reader_; }
  NodeId node() const { return node_; }
  const std::string& class_name() const { return class_name_; }  // "sklearn.linear_model._base.LinearRegression"
  std::string path() const;                                      // for messages

  bool has(std::string_view attribute) const;         // also if it is None
  NodeId find(std::string_view attribute) const;      // kNoNode: absent or None
  NodeId need(std::string_view attribute) const;      // may be None
  Estimator child(std::string_view attribute) const;  // a fitted estimator or another object
  std::int64_t integer(std::string_view attribute) const;
  std::int64_t integer_or(std::string_view attribute, std::int64_t otherwise) const;
  double real(std::string_view attribute) const;
  bool boolean(std::string_view attribute) const;  // also 0 and 1
  bool boolean_or(std::string_view attribute, bool otherwise) const;
  std::string text(std::string_view attribute) const;
  bool is_text(std::string_view attribute, std::string_view value) const;  // false if it is none

  // Numbers of any type as doubles, C order, of as many dimensions; borrowed where they lie so already.
  Array<double> reals(std::string_view attribute, std::size_t ndim) const;
  Array<double> reals_of(NodeId id, std::string_view what, std::size_t ndim) const;
  Array<std::int64_t> integers_of(NodeId id, std::string_view what, std::size_t ndim) const;
  Array<std::int64_t> integers(std::string_view attribute, std::size_t ndim) const;
  bool is_array(std::string_view attribute) const;
  bool is_single(std::string_view attribute) const;  // an array of float32
  // Members of a list, a tuple or an array of objects, in C order.
  std::vector<NodeId> members_of(NodeId id, std::string_view what) const;
  std::vector<NodeId> members(std::string_view attribute) const;
  std::vector<std::string> texts(std::string_view attribute) const;
  // An array of one dimension, a list, a tuple or a set whose members are texts; nothing if one is no text. None and
  // NaN are allowed where `missing` is given, which then says where the first one is (the text is empty there). Throws
  // Error: too_large.
  std::optional<std::vector<std::string>> find_texts_of(NodeId id, std::optional<std::size_t>* missing = nullptr) const;
  // Classes of one output: an array of numbers or of fixed-size texts, or of Python strings.
  program::Labels labels_of(NodeId id, std::string_view what) const;

  // What nodes become in memory is held against what there is to read: a file may name few bytes many times.
  // Throws Error: too_large.
  void require_memory(std::uint64_t bytes, std::string_view what) const;

  // Throw Error(schema) with the path, and Error(not_lowerable).
  [[noreturn]] void fail(const std::string& what) const;
  [[noreturn]] void refuse(const std::string& why) const;
  void require(bool condition, const std::string& what) const {
    if (!condition) fail(what);
  }

 private:
  const graph::NodeReader* reader_;
  NodeId node_;
  std::string class_name_;
  std::vector<NodeId> dicts_;
};

}  // namespace mere::lower
