#include "matrix_file.hpp"

#include <algorithm>
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

// The one array of a file, or the one that is called `wanted`.
ArrayView find_array(const Model& file, const std::string& name, std::string_view wanted) {
  const Node root = file.root();
  std::optional<Node> found;
  if (root.kind() == Kind::array) found = root;
  if (root.kind() == Kind::dict) {
    found = root.find(wanted);
    if (!found && root.size() == 1) found = root.value(0);
  }
  if (!found) {
    throw Error(Reason::wrong_kind,
                name + ": an array is expected, or members of which one is called " + std::string(wanted));
  }
  if (found->kind() != Kind::array || found->dtype().type_class() == TypeClass::object) {
    throw Error(Reason::wrong_type, name + ": an array of numbers is expected");
  }
  return found->array();
}

template <class T>
void append(const ArrayView& array, std::vector<double>& out) {
  for (const T value : array.values<T>()) out.push_back(static_cast<double>(value));
}

}  // namespace

void convert_elements(const ArrayView& array, std::string_view name, std::vector<double>& out) {
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
  throw Error(Reason::wrong_type,
              std::string(name) + ": elements of type " + type.to_text() + " are no numbers to predict for");
}

namespace {

MatrixView view_of(const std::vector<double>& values, std::size_t rows, std::size_t columns) {
  MatrixView view;
  view.data = values.data();
  view.rows = rows;
  view.columns = columns;
  view.row_stride = static_cast<std::ptrdiff_t>(columns * sizeof(double));
  view.column_stride = sizeof(double);
  return view;
}

// A file of rows or targets, opened: as text, or as what an importer makes of it.
struct OpenedFile {
  std::string name;
  std::string text;  // CSV
  Model model;       // else
};

OpenedFile open_file(const std::string& path, const Limits& limits, const Manners& manners) {
  const InputFile input(path, limits.memory_bytes, manners);
  OpenedFile out;
  out.name = path == "-" ? "standard input" : path;
  std::error_code error;
  if (!std::filesystem::exists(input.path(), error)) throw Error(Reason::no_file, out.name + ": no such file");
  if (!std::filesystem::is_regular_file(input.path(), error)) {
    throw Error(Reason::not_regular, out.name + ": no regular file");
  }
  if (std::filesystem::file_size(input.path(), error) > limits.memory_bytes) {
    throw Error(Reason::too_large, out.name + ": longer than " + std::to_string(limits.memory_bytes) + " bytes");
  }
  if (is_array_file(input.path())) {
    ConvertOptions options;
    options.limits = limits;
    auto bytes = std::make_shared<const std::vector<std::byte>>(dump_bytes(import_file(input.path(), options)));
    out.model = Model::from_bytes(*bytes, bytes, {}, out.name);
    return out;
  }
  std::ifstream in(input.path(), std::ios::binary);
  out.text.assign(std::istreambuf_iterator<char>(in), {});
  if (in.bad()) throw Error(Reason::system_call, "read " + out.name);
  return out;
}

// Fixed-size texts, as UTF-8.
std::vector<std::string> element_texts(const ArrayView& array) {
  ClassTable table;
  table.dtype = array.dtype();
  table.count = array.size();
  std::vector<std::byte> bytes(static_cast<std::size_t>(array.nbytes()));
  array.copy_to(bytes);
  table.bytes = bytes;
  std::vector<std::string> out;
  for (std::uint64_t i = 0; i < table.count; ++i) out.push_back(table.to_text(i));
  return out;
}

}  // namespace

namespace {

// Texts of an array by column, by position.
void make_table(const ArrayView& array, LoadedRows& to) {
  const Dims shape = array.shape();
  const std::size_t columns = shape.size() == 2 ? static_cast<std::size_t>(shape[1]) : 1;
  std::vector<std::string> all = element_texts(array);
  to.texts.resize(columns);
  for (std::size_t i = 0; i < all.size(); ++i) to.texts[i % columns].push_back(std::move(all[i]));
  for (const std::vector<std::string>& texts : to.texts) {
    to.views.emplace_back(texts.begin(), texts.end());
    to.columns.push_back(Column::strings("", std::span<const std::string_view>(to.views.back())));
  }
  to.view = TableView(to.columns);
}

}  // namespace

LoadedRows load_rows(const std::string& path, const Predictor& predictor, const Limits& limits,
                     const Manners& manners) {
  OpenedFile opened = open_file(path, limits, manners);
  LoadedRows out;
  if (!opened.model) {
    const std::vector<InputColumn> columns = predictor.input();
    if (std::any_of(columns.begin(), columns.end(), [](const InputColumn& c) { return c.text; })) {
      parse_csv_table(opened.text, opened.name, columns, out);
      return out;
    }
    out.values = parse_csv(opened.text, opened.name, predictor.column_names(), predictor.columns());
    out.view = view_of(out.values, out.values.size() / predictor.columns(), predictor.columns());
    return out;
  }
  out.file = std::move(opened.model);
  if (find_sparse(out.file.root(), opened.name, limits, out)) return out;
  const ArrayView array = find_array(out.file, opened.name, "X");
  const Dims shape = array.shape();
  const Dtype type = array.dtype();
  if (type.type_class() == TypeClass::unicode && (shape.size() == 1 || shape.size() == 2)) {
    make_table(array, out);
    return out;
  }
  if (shape.size() != 2) {
    throw Error(Reason::wrong_shape, opened.name + ": shape " + shape.to_text() + "; rows and columns are expected" +
                                         (shape.size() == 1 ? ", one row is (1, n)" : ""));
  }
  const bool native = type.byte_order() != ByteOrder::big;
  if (native && type.type_class() == TypeClass::real && (type.itemsize() == 4 || type.itemsize() == 8)) {
    out.view = MatrixView(array);
    return out;
  }
  convert_elements(array, opened.name, out.values);
  out.view = view_of(out.values, static_cast<std::size_t>(shape[0]), static_cast<std::size_t>(shape[1]));
  return out;
}

Targets load_targets(const std::string& path, const Limits& limits, const Manners& manners) {
  const OpenedFile opened = open_file(path, limits, manners);
  Targets out;
  if (!opened.model) {
    out.texts = parse_csv_column(opened.text, opened.name, "y");
    // Numbers if all are.
    for (const std::string& text : out.texts) {
      const std::optional<double> number = text.empty() ? std::nullopt : parse_number(text);
      if (!number) {
        out.numbers.clear();
        return out;
      }
      out.numbers.push_back(*number);
    }
    out.texts.clear();
    return out;
  }
  const ArrayView array = find_array(opened.model, opened.name, "y");
  const Dims shape = array.shape();
  if (shape.size() != 1 && !(shape.size() == 2 && shape[1] == 1)) {
    throw Error(Reason::wrong_shape, opened.name + ": shape " + shape.to_text() + "; one target a row is expected");
  }
  const TypeClass type = array.dtype().type_class();
  if (type == TypeClass::unicode || type == TypeClass::bytes) {
    out.texts = element_texts(array);
  } else {
    convert_elements(array, opened.name, out.numbers);
  }
  return out;
}

}  // namespace mere::command
