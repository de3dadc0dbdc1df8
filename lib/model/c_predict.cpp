// The C interface of predictors: each function is a call of the C++ one.

#include <mere/mere.h>

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include <mere/predictor.hpp>

#include "model/c_calls.hpp"

struct mere_predictor {
  mere::Predictor predictor;
  // Whose names the caller may keep.
  std::vector<mere::MethodInfo> methods;
  std::vector<mere::InputColumn> columns;
};

namespace {

using mere::Error;
using mere::Reason;
using mere::c_calls::given;
using mere::c_calls::put_buffer;
using mere::c_calls::run;

const mere_predictor& of(const mere_predictor* predictor) {
  return given(predictor, "predictor");
}

// What the caller gave, which has to be of this version or a later one.
template <class T>
T& sized(T* given_struct, const char* what, const char* type) {
  T& checked = given(given_struct, what);
  if (checked.struct_size < sizeof(T)) {
    throw Error(Reason::bad_argument, std::string(type) + ": struct_size is not set");
  }
  return checked;
}

void put(const mere::MethodInfo& info, mere_method* out) {
  mere_method& to = sized(out, "method", "mere_method");
  to.name = info.name.c_str();
  to.columns = info.columns;
  to.flat = info.flat;
  to.classes = info.classes;
  to.integer = info.integer;
}

void need_values(const void* values, std::uint64_t count, const char* what) {
  if (count != 0 && values == nullptr) throw Error(Reason::bad_argument, std::string(what) + " is null");
}

template <class View>
void predict(const mere_predictor* predictor, const char* method, const View& view, double* out,
             std::uint64_t out_count, const mere_predict_options* options) {
  if (out_count != 0) given(out, "out");
  mere::PredictOptions to;
  if (options != nullptr) {
    const mere_predict_options& from = sized(options, "options", "mere_predict_options");
    to.threads = from.threads == 0 ? 1 : from.threads == UINT32_MAX ? 0 : from.threads;
    to.check_finite = from.skip_finite_check == 0;
  }
  of(predictor).predictor.run(&given(method, "method"), view, {out, static_cast<std::size_t>(out_count)}, to);
}

mere::MatrixView view_of(const mere_matrix& from) {
  mere::MatrixView view;
  view.data = from.data;
  view.single = from.is_float32 != 0;
  view.rows = static_cast<std::size_t>(from.rows);
  view.columns = static_cast<std::size_t>(from.columns);
  const auto size = static_cast<std::int64_t>(view.single ? sizeof(float) : sizeof(double));
  view.column_stride = static_cast<std::ptrdiff_t>(from.column_stride != 0 ? from.column_stride : size);
  view.row_stride = static_cast<std::ptrdiff_t>(
      from.row_stride != 0 ? from.row_stride : static_cast<std::int64_t>(from.columns) * view.column_stride);
  if (from.columns != 0) need_values(from.data, from.rows, "mere_matrix: data");
  return view;
}

mere::CsrView view_of(const mere_csr& from) {
  mere::CsrView view;
  view.values = from.values;
  view.indices = from.indices;
  view.starts = from.starts;
  view.single = from.is_float32 != 0;
  view.wide_indices = from.wide_indices != 0;
  view.wide_starts = from.wide_starts != 0;
  view.rows = static_cast<std::size_t>(from.rows);
  view.columns = static_cast<std::size_t>(from.columns);
  view.entries = static_cast<std::size_t>(from.entries);
  return view;
}

struct NumberKind {
  mere::Column::Kind kind;
  std::ptrdiff_t bytes;
};
constexpr NumberKind kNumberKinds[] = {{mere::Column::Kind::f64, 8},
                                       {mere::Column::Kind::f32, 4},
                                       {mere::Column::Kind::i64, 8},
                                       {mere::Column::Kind::boolean, 1}};
static_assert(MERE_COLUMN_FLOAT64 == 0 && MERE_COLUMN_FLOAT32 == 1 && MERE_COLUMN_INT64 == 2 && MERE_COLUMN_BOOL == 3);

// A table's columns, and the views of texts that they borrow.
class TableColumns {
 public:
  explicit TableColumns(const mere_table& from) {
    if (from.column_size < sizeof(mere_column)) {
      throw Error(Reason::bad_argument, "mere_table: column_size is not set");
    }
    need_values(from.columns, from.column_count, "mere_table: columns");
    rows_ = static_cast<std::size_t>(from.rows);
    const auto* at = reinterpret_cast<const std::byte*>(from.columns);
    for (std::uint64_t i = 0; i < from.column_count; ++i, at += from.column_size) {
      add(*reinterpret_cast<const mere_column*>(at), "mere_column " + std::to_string(i) + ": ");
    }
  }

  mere::TableView view() const {
    mere::TableView view{std::span<const mere::Column>(columns_)};
    view.rows = rows_;
    return view;
  }

 private:
  void add(const mere_column& from, const std::string& place) {
    mere::Column column;
    if (from.name != nullptr) column.name = from.name;
    column.rows = rows_;
    column.missing = from.missing;
    if (from.kind == MERE_COLUMN_TEXT) {
      column.kind = mere::Column::Kind::text;
      add_texts(from, column, place);
    } else if (from.kind >= 0 && from.kind < MERE_COLUMN_TEXT) {
      column.kind = kNumberKinds[from.kind].kind;
      column.values = from.values;
      column.stride = from.stride != 0 ? static_cast<std::ptrdiff_t>(from.stride) : kNumberKinds[from.kind].bytes;
      need_values(from.values, rows_, (place + "values").c_str());
    } else {
      throw Error(Reason::bad_argument, place + "kind " + std::to_string(from.kind) + " is unknown");
    }
    columns_.push_back(column);
  }

  void add_texts(const mere_column& from, mere::Column& column, const std::string& place) {
    if (from.offsets != nullptr) {
      need_values(from.bytes, from.byte_count, (place + "bytes").c_str());
      column.offsets = from.offsets;
      column.bytes = {from.bytes, static_cast<std::size_t>(from.byte_count)};
      return;
    }
    column.codes = from.codes;
    const std::uint64_t count = from.codes != nullptr ? from.text_count : rows_;
    need_values(from.texts, count, (place + "texts").c_str());
    std::vector<std::string_view>& texts = texts_.emplace_back();
    for (std::uint64_t i = 0; i < count; ++i) {
      texts.push_back(from.texts[i] == nullptr ? std::string_view() : std::string_view(from.texts[i]));
    }
    column.texts = texts;
  }

  std::vector<mere::Column> columns_;
  std::deque<std::vector<std::string_view>> texts_;
  std::size_t rows_ = 0;
};

}  // namespace

extern "C" {

mere_status mere_predictor_open(const mere_model* model, mere_predictor** predictor) {
  return run([&] {
    mere_predictor*& place = given(predictor, "predictor");
    mere::Predictor made(mere::c_calls::model_of(model));
    std::vector<mere::MethodInfo> methods = made.methods();
    std::vector<mere::InputColumn> columns = made.input();
    place = new mere_predictor{std::move(made), std::move(methods), std::move(columns)};
  });
}

void mere_predictor_close(mere_predictor* predictor) {
  delete predictor;
}

mere_status mere_predictor_columns(const mere_predictor* predictor, uint64_t* columns) {
  return run([&] { given(columns, "columns") = of(predictor).predictor.columns(); });
}

mere_status mere_predictor_method_count(const mere_predictor* predictor, uint64_t* count) {
  return run([&] { given(count, "count") = of(predictor).methods.size(); });
}

mere_status mere_predictor_method(const mere_predictor* predictor, uint64_t index, mere_method* method) {
  return run([&] {
    const std::vector<mere::MethodInfo>& methods = of(predictor).methods;
    if (index >= methods.size()) {
      throw Error(Reason::out_of_range,
                  "method " + std::to_string(index) + " was asked for; there are " + std::to_string(methods.size()));
    }
    put(methods[static_cast<std::size_t>(index)], method);
  });
}

mere_status mere_predictor_find_method(const mere_predictor* predictor, const char* name, mere_method* method) {
  return run([&] {
    const mere_predictor& from = of(predictor);
    from.predictor.method(&given(name, "name"));
    for (const mere::MethodInfo& known : from.methods) {
      if (known.name == name) return put(known, method);
    }
  });
}

mere_status mere_predictor_class_count(const mere_predictor* predictor, const char* method, uint64_t column,
                                       uint64_t* count) {
  return run([&] {
    given(count, "count") =
        of(predictor).predictor.classes(&given(method, "method"), static_cast<std::size_t>(column)).count;
  });
}

mere_status mere_predictor_class_text(const mere_predictor* predictor, const char* method, uint64_t column,
                                      uint64_t index, char* buffer, size_t capacity, size_t* needed) {
  return run([&] {
    const mere::ClassTable classes =
        of(predictor).predictor.classes(&given(method, "method"), static_cast<std::size_t>(column));
    put_buffer(classes.to_text(index), buffer, capacity, needed);
  });
}

mere_status mere_predictor_column(const mere_predictor* predictor, uint64_t index, mere_input_column* column) {
  return run([&] {
    const std::vector<mere::InputColumn>& columns = of(predictor).columns;
    mere_input_column& to = sized(column, "column", "mere_input_column");
    if (index >= columns.size()) {
      throw Error(Reason::out_of_range,
                  "column " + std::to_string(index) + " was asked for; there are " + std::to_string(columns.size()));
    }
    const mere::InputColumn& from = columns[static_cast<std::size_t>(index)];
    to.name = from.name.c_str();
    to.text = from.text;
  });
}

mere_status mere_predictor_refuses_sparse(const mere_predictor* predictor, char* buffer, size_t capacity,
                                          size_t* needed) {
  return run([&] { put_buffer(std::string(of(predictor).predictor.refuses_sparse()), buffer, capacity, needed); });
}

mere_status mere_predict(const mere_predictor* predictor, const char* method, const mere_matrix* x, double* out,
                         uint64_t out_count, const mere_predict_options* options) {
  return run([&] { predict(predictor, method, view_of(sized(x, "x", "mere_matrix")), out, out_count, options); });
}

mere_status mere_predict_csr(const mere_predictor* predictor, const char* method, const mere_csr* x, double* out,
                             uint64_t out_count, const mere_predict_options* options) {
  return run([&] { predict(predictor, method, view_of(sized(x, "x", "mere_csr")), out, out_count, options); });
}

mere_status mere_predict_table(const mere_predictor* predictor, const char* method, const mere_table* x, double* out,
                               uint64_t out_count, const mere_predict_options* options) {
  return run([&] {
    const TableColumns columns(sized(x, "x", "mere_table"));
    predict(predictor, method, columns.view(), out, out_count, options);
  });
}

}  // extern "C"
