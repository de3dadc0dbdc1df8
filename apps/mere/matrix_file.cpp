#include "matrix_file.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <mere/convert.hpp>
#include <mere/dump.hpp>

#include "input_file.hpp"
#include "opened_models.hpp"
#include "printable_text.hpp"

namespace mere::command {

namespace {

// What the first bytes say, as far as it matters here.
bool is_array_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  char first[6] = {};
  in.read(first, sizeof first);
  const std::string_view bytes(first, static_cast<std::size_t>(in.gcount()));
  return bytes == "\x93NUMPY" || bytes.starts_with(std::string_view("PK\x03\x04", 4)) ||
         bytes.starts_with(std::string_view("PK\x05\x06", 4)) || bytes.starts_with("\x89mere");
}

// The one array of a file, or the one that is called X.
Node find_array(const Model& file, const std::string& name) {
  const Node root = file.root();
  if (root.kind() == Kind::array) return root;
  if (root.kind() == Kind::dict) {
    if (const std::optional<Node> x = root.find("X")) return *x;
    if (root.size() == 1) return root.value(0);
  }
  throw Error(Reason::wrong_kind, name + ": an array is expected, or members of which one is called X");
}

template <class T>
void append(const ArrayView& array, std::vector<double>& out) {
  for (const T value : array.values<T>()) out.push_back(static_cast<double>(value));
}

// float16, whole numbers and booleans as doubles.
void convert_elements(const ArrayView& array, const std::string& name, std::vector<double>& out) {
  const Dtype type = array.dtype();
  const std::uint64_t size = type.itemsize();
  out.reserve(static_cast<std::size_t>(array.size()));
  switch (type.type_class()) {
    case TypeClass::boolean: return append<bool>(array, out);
    case TypeClass::integer:
      if (size == 1) return append<std::int8_t>(array, out);
      if (size == 2) return append<std::int16_t>(array, out);
      if (size == 4) return append<std::int32_t>(array, out);
      return append<std::int64_t>(array, out);
    case TypeClass::unsigned_integer:
      if (size == 1) return append<std::uint8_t>(array, out);
      if (size == 2) return append<std::uint16_t>(array, out);
      if (size == 4) return append<std::uint32_t>(array, out);
      return append<std::uint64_t>(array, out);
    case TypeClass::real:
      if (size == 4) return append<float>(array, out);
      if (size == 8) return append<double>(array, out);
      break;
    default: break;
  }
  throw Error(Reason::wrong_type, name + ": elements of type " + type.to_text() + " are no numbers to predict for");
}

MatrixView view_of(const std::vector<double>& values, std::size_t rows, std::size_t columns) {
  MatrixView view;
  view.data = values.data();
  view.rows = rows;
  view.columns = columns;
  view.row_stride = static_cast<std::ptrdiff_t>(columns * sizeof(double));
  view.column_stride = sizeof(double);
  return view;
}

}  // namespace

LoadedMatrix load_matrix(const std::string& path, const Predictor& predictor, const Limits& limits,
                         const Manners& manners) {
  const InputFile input(path, limits.memory_bytes, manners);
  const std::string name = path == "-" ? "standard input" : path;
  LoadedMatrix out;
  std::error_code error;
  if (!std::filesystem::exists(input.path(), error)) throw Error(Reason::no_file, name + ": no such file");
  if (!std::filesystem::is_regular_file(input.path(), error)) {
    throw Error(Reason::not_regular, name + ": no regular file");
  }
  if (std::filesystem::file_size(input.path(), error) > limits.memory_bytes) {
    throw Error(Reason::too_large, name + ": longer than " + std::to_string(limits.memory_bytes) + " bytes");
  }
  if (!is_array_file(input.path())) {
    std::ifstream in(input.path(), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    if (in.bad()) throw Error(Reason::system_call, "read " + name);
    out.values = parse_csv(text, name, predictor.column_names(), predictor.columns());
    out.view = view_of(out.values, out.values.size() / predictor.columns(), predictor.columns());
    return out;
  }
  ConvertOptions options;
  options.limits = limits;
  auto bytes = std::make_shared<const std::vector<std::byte>>(dump_bytes(import_file(input.path(), options)));
  out.file = Model::from_bytes(*bytes, bytes, {}, name);
  const Node node = find_array(out.file, name);
  if (node.kind() != Kind::array || node.dtype().type_class() == TypeClass::object) {
    throw Error(Reason::wrong_type, name + ": an array of numbers is expected");
  }
  const ArrayView array = node.array();
  const Dims shape = array.shape();
  if (shape.size() != 2) {
    throw Error(Reason::wrong_shape, name + ": shape " + shape.to_text() + "; rows and columns are expected" +
                                         (shape.size() == 1 ? ", one row is (1, n)" : ""));
  }
  const Dtype type = array.dtype();
  const bool native = type.byte_order() != ByteOrder::big;
  if (native && type.type_class() == TypeClass::real && (type.itemsize() == 4 || type.itemsize() == 8)) {
    out.view = MatrixView(array);
    return out;
  }
  convert_elements(array, name, out.values);
  out.view = view_of(out.values, static_cast<std::size_t>(shape[0]), static_cast<std::size_t>(shape[1]));
  return out;
}

}  // namespace mere::command
