// scipy's sparse matrices, from the state that they are pickled with (scipy/sparse/_base.py and its neighbours).

#include <mere/node.hpp>

#include "graph/read.hpp"

namespace mere {

namespace {

constexpr std::string_view kLayouts[] = {"csr", "csc", "coo", "bsr", "dia", "dok", "lil"};

[[noreturn]] void throw_schema(const Node& node, const std::string& what) {
  throw Error(Reason::schema, graph::where(*node.image(), node.id()) + ": a sparse matrix " + what);
}

std::optional<ArrayView> find_array(const Node& node, std::string_view name) {
  const std::optional<Node> found = node.find(name);
  if (!found) return std::nullopt;
  if (found->kind() != Kind::array)
    throw_schema(node, "whose " + std::string(name) + " is " + std::string(to_text(found->kind())));
  return found->array();
}

ArrayView need_array(const Node& node, std::string_view name) {
  if (const std::optional<ArrayView> found = find_array(node, name)) return *found;
  throw_schema(node, "without " + std::string(name));
}

// A dimension: an int, or a NumPy scalar of one.
std::int64_t dimension(const Node& node, const Node& value) {
  if (value.kind() == Kind::integer) return value.integer();
  if (value.kind() == Kind::scalar) {
    const Dtype type = value.dtype();
    const std::span<const std::byte> bytes = value.scalar_bytes();
    if (type == Dtype::of<std::int64_t>()) return detail::load_value<std::int64_t>(bytes.data(), false);
    if (type == Dtype::of<std::int32_t>()) return detail::load_value<std::int32_t>(bytes.data(), false);
  }
  throw_schema(node, "whose shape holds " + std::string(to_text(value.kind())));
}

}  // namespace

SparseView Node::sparse() const {
  if (kind() != Kind::object) {
    throw Error(Reason::wrong_kind,
                graph::where(*image_, id_) + ": expected a sparse matrix, found " + std::string(to_text(kind())));
  }
  // "csr_matrix" and "csr_array" of scipy.sparse._csr, or of scipy.sparse.csr in older versions.
  const Node name = *type();
  std::string_view qualname = name.qualname();
  // An object that is made again by a function (copyreg) names its class among the arguments.
  if (!name.module().starts_with("scipy.sparse") && args() && args()->size() > 0 &&
      (*args())[std::size_t{0}].kind() == Kind::name) {
    qualname = (*args())[std::size_t{0}].qualname();
  }
  SparseView view;
  for (const std::string_view layout : kLayouts) {
    if (qualname.starts_with(layout) && (qualname.substr(3) == "_matrix" || qualname.substr(3) == "_array"))
      view.layout = layout;
  }
  if (view.layout.empty()) {
    throw Error(Reason::wrong_kind,
                graph::where(*image_, id_) + ": " + std::string(qualname.substr(0, 200)) + " is no sparse matrix");
  }
  std::optional<Node> shape = find("_shape");
  if (!shape) shape = find("shape");
  if (!shape || shape->kind() != Kind::tuple || shape->size() != 2)
    throw_schema(*this, "without a shape of two dimensions");
  view.rows = dimension(*this, (*shape)[std::size_t{0}]);
  view.columns = dimension(*this, (*shape)[std::size_t{1}]);
  if (view.rows < 0 || view.columns < 0) throw_schema(*this, "with a negative dimension");
  if (view.layout == "dok" || view.layout == "lil") return view;  // entries and rows are nodes, not arrays
  view.data = need_array(*this, "data");
  if (view.layout == "coo") {
    view.row = find_array(*this, "row");
    view.col = find_array(*this, "col");
    // Since scipy 1.13: a tuple of index arrays.
    const std::optional<Node> coords = find("coords");
    if (!view.row && coords && coords->kind() == Kind::tuple && coords->size() == 2) {
      view.row = (*coords)[std::size_t{0}].array();
      view.col = (*coords)[std::size_t{1}].array();
    }
    if (!view.row || !view.col) throw_schema(*this, "without row and col");
  } else if (view.layout == "dia") {
    view.offsets = need_array(*this, "offsets");
  } else {
    view.indices = need_array(*this, "indices");
    view.indptr = need_array(*this, "indptr");
  }
  return view;
}

}  // namespace mere
