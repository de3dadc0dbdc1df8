#pragma once
// One object as its validator sees it: attributes by name, arrays as numbers, and errors that say where.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/node_reader.hpp"

namespace mere::trust {

// What all checks of one graph may cost together: an array may be the state of several objects, not of a million.
class WorkBudget {
 public:
  explicit WorkBudget(const graph::NodeReader& reader);
  // Throws Error: too_large.
  void spend(std::uint64_t steps);

 private:
  std::uint64_t left_;
};

// Whole numbers of an array, in C order or by one index. Copies nothing.
class Integers {
 public:
  Integers() = default;
  std::uint64_t size() const { return size_; }
  std::int64_t operator[](std::uint64_t i) const { return load(first_ + static_cast<std::int64_t>(i) * stride_); }
  const Dims& shape() const { return shape_; }
  // True for int64 of this machine's byte order: then number i lies at first() + i * stride().
  bool is_native64() const { return form_ == Form::i64; }
  const std::byte* first() const { return first_; }
  std::int64_t stride() const { return stride_; }

 private:
  friend class ObjectState;
  enum class Form : std::uint8_t { i64, i32, u32, u8, i16, u16, i8, swapped };
  std::int64_t load(const std::byte* p) const {
    switch (form_) {
      case Form::i64: return detail::load_value<std::int64_t>(p, false);
      case Form::i32: return detail::load_value<std::int32_t>(p, false);
      case Form::u32: return detail::load_value<std::uint32_t>(p, false);
      case Form::u8: return detail::load_value<std::uint8_t>(p, false);
      case Form::i16: return detail::load_value<std::int16_t>(p, false);
      case Form::u16: return detail::load_value<std::uint16_t>(p, false);
      case Form::i8: return detail::load_value<std::int8_t>(p, false);
      case Form::swapped: break;
    }
    return load_swapped(p);
  }
  std::int64_t load_swapped(const std::byte* p) const;

  const std::byte* first_ = nullptr;
  std::int64_t stride_ = 0;
  std::uint64_t size_ = 0;
  Form form_ = Form::i64;
  Dims shape_;
  Dtype dtype_;
  std::shared_ptr<const void> held_;
};

class ObjectState {
 public:
  ObjectState(const graph::NodeReader& reader, NodeId object, WorkBudget& budget, std::string_view name);

  const graph::NodeReader& reader() const { return reader_; }
  NodeId object() const { return object_; }
  const ObjectParts& parts() const { return parts_; }
  // The type's own name: "Tree", also of what a function such as newObj makes.
  const std::string& qualname() const { return qualname_; }
  const std::string& module() const { return module_; }
  void spend(std::uint64_t steps) const { budget_.spend(steps); }
  // Another object of this graph, in the same budget.
  ObjectState at(NodeId object) const { return ObjectState(reader_, object, budget_, name_); }
  // Made by a function that is given the class, such as newObj; not by the class.
  bool is_made_by_function() const;

  // Attributes of the state: of a dict, or of the dicts in a tuple of one or two. None counts as absent for find().
  bool has_attributes() const { return !dicts_.empty(); }
  NodeId find(std::string_view attribute) const;
  NodeId need(std::string_view attribute) const;
  // Throws Error(schema) if an attribute is there and is None: compiled code may take that for an array.
  void refuse_none(std::string_view attribute) const;
  std::optional<std::int64_t> find_integer(std::string_view attribute) const;
  std::int64_t integer(std::string_view attribute) const;

  // Nodes by value. `what` names the node in errors: "nodes", "args[1]".
  std::int64_t integer_of(NodeId id, std::string_view what) const;
  double real_of(NodeId id, std::string_view what) const;
  // Members of a list or tuple, or the elements of an array of objects.
  std::vector<NodeId> members_of(NodeId id, std::string_view what) const;
  // Member `index` of the state, a tuple.
  NodeId state_member(std::uint64_t index, std::string_view what) const;
  std::uint64_t state_members() const;
  NodeId argument(std::uint64_t index, std::string_view what) const;
  std::uint64_t argument_count() const;

  // Any array of numbers, and its dimensions (checked against `ndim` if that is not negative).
  graph::ArrayState array_of(NodeId id, std::string_view what, int ndim = -1) const;
  // Whole numbers, one dimension, or any that lies without gaps in C order.
  Integers integers_of(NodeId id, std::string_view what) const;
  // A field of an array of records, one dimension.
  Integers field_of(const graph::ArrayState& records, std::string_view field, std::string_view what) const;
  bool is_array(NodeId id) const { return id != kNoNode && reader_.kind(id) == Kind::array; }

  // "model.mere: estimators_[3].tree_ (sklearn.tree._tree.Tree): children of node 7 ..."
  [[noreturn]] void fail(const std::string& what) const;         // bad_record
  [[noreturn]] void fail_schema(const std::string& what) const;  // schema
  // Errors unless `found` equals `expected`: "values has 3 rows, expected 7".
  void require_equal(std::int64_t found, std::int64_t expected, std::string_view what) const;
  void require_range(std::int64_t found, std::int64_t low, std::int64_t high, std::string_view what) const;

 private:
  Integers integers_in(const graph::ArrayState& array, const Dtype& dtype, std::uint64_t offset,
                       std::string_view what) const;
  std::string where() const;

  const graph::NodeReader& reader_;
  NodeId object_;
  WorkBudget& budget_;
  std::string_view name_;
  ObjectParts parts_;
  std::string module_, qualname_;
  std::vector<NodeId> dicts_;
};

// The class of what an object says: its type, or the class that a function such as newObj is called with. Empty: none.
std::pair<std::string_view, std::string_view> class_of(const graph::NodeReader& reader, const ObjectParts& parts);

using Validator = void (*)(const ObjectState&);

// By file: trees.
void validate_tree(const ObjectState& state);
void validate_tree_estimator(const ObjectState& state);
void validate_tree_ensemble(const ObjectState& state);
void validate_tree_predictor(const ObjectState& state);
void validate_hist_gradient_boosting(const ObjectState& state);
void validate_bin_mapper(const ObjectState& state);
// arrays
void validate_reconstructed(const ObjectState& state);
void validate_masked(const ObjectState& state);
void validate_dtype(const ObjectState& state);
void validate_array_class(const ObjectState& state);
void validate_plain(const ObjectState& state);
// random
void validate_random(const ObjectState& state);
void validate_seed_sequence(const ObjectState& state);
// sparse
void validate_compressed_sparse(const ObjectState& state);
void validate_coo(const ObjectState& state);
void validate_dia(const ObjectState& state);
void validate_lil(const ObjectState& state);
void validate_dok(const ObjectState& state);
// neighbours
void validate_binary_tree(const ObjectState& state);
void validate_distance(const ObjectState& state);
void validate_neighbours(const ObjectState& state);
// matrices
void validate_support_vectors(const ObjectState& state);
void validate_layers(const ObjectState& state);
void validate_feature_matrix(const ObjectState& state);
void validate_spline(const ObjectState& state);
void validate_pieces(const ObjectState& state);
void validate_interpolation(const ObjectState& state);
// pandas: frames, and the columns and indices in them
void validate_frame(const ObjectState& state);
void validate_block_manager(const ObjectState& state);
void validate_block(const ObjectState& state);
void validate_index(const ObjectState& state);
void validate_index_class(const ObjectState& state);
void validate_backed_column(const ObjectState& state);
void validate_masked_column(const ObjectState& state);
void validate_interval_column(const ObjectState& state);
void validate_sparse_column(const ObjectState& state);
void validate_sparse_positions(const ObjectState& state);
void validate_offset(const ObjectState& state);
void validate_moment(const ObjectState& state);
void validate_period_type(const ObjectState& state);

// Parts of one file's checks that another needs.
// The number of features that a tree's arguments name; nothing if `id` is no tree.
std::optional<std::int64_t> tree_features(const ObjectState& state, NodeId id);
// Rows and columns of a matrix, dense or sparse; nothing if it is neither.
struct MatrixShape {
  std::int64_t rows = 0, columns = 0;
};
std::optional<MatrixShape> matrix_shape(const ObjectState& state, NodeId id);

}  // namespace mere::trust
