// The C interface of predictors: each function is a call of the C++ one.

#include <mere/mere.h>

#include <mere/predictor.hpp>

#include "model/c_calls.hpp"

struct mere_predictor {
  mere::Predictor predictor;
  std::vector<mere::MethodInfo> methods;  // whose names the caller may keep
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

void put(const mere::MethodInfo& info, mere_method* out) {
  mere_method& to = given(out, "method");
  if (to.struct_size < sizeof(mere_method)) {
    throw Error(Reason::bad_argument, "mere_method: struct_size is not set");
  }
  to.name = info.name.c_str();
  to.columns = info.columns;
  to.flat = info.flat;
  to.classes = info.classes;
  to.integer = info.integer;
}

}  // namespace

extern "C" {

mere_status mere_predictor_open(const mere_model* model, mere_predictor** predictor) {
  return run([&] {
    mere_predictor*& place = given(predictor, "predictor");
    mere::Predictor made(mere::c_calls::model_of(model));
    std::vector<mere::MethodInfo> methods = made.methods();
    place = new mere_predictor{std::move(made), std::move(methods)};
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

mere_status mere_predict(const mere_predictor* predictor, const char* method, const mere_matrix* x, double* out,
                         uint64_t out_count, const mere_predict_options* options) {
  return run([&] {
    const mere_matrix& from = given(x, "x");
    if (from.struct_size < sizeof(mere_matrix))
      throw Error(Reason::bad_argument, "mere_matrix: struct_size is not set");
    mere::MatrixView view;
    view.data = from.data;
    view.single = from.is_float32 != 0;
    view.rows = static_cast<std::size_t>(from.rows);
    view.columns = static_cast<std::size_t>(from.columns);
    const auto size = static_cast<std::int64_t>(view.single ? sizeof(float) : sizeof(double));
    view.column_stride = static_cast<std::ptrdiff_t>(from.column_stride != 0 ? from.column_stride : size);
    view.row_stride = static_cast<std::ptrdiff_t>(
        from.row_stride != 0 ? from.row_stride : static_cast<std::int64_t>(from.columns) * view.column_stride);
    if (from.rows != 0 && from.columns != 0 && from.data == nullptr) {
      throw Error(Reason::bad_argument, "mere_matrix: data is null");
    }
    if (out_count != 0) given(out, "out");
    mere::PredictOptions to;
    if (options != nullptr) {
      if (options->struct_size < sizeof(mere_predict_options)) {
        throw Error(Reason::bad_argument, "mere_predict_options: struct_size is not set");
      }
      to.threads = options->threads == 0 ? 1 : options->threads == UINT32_MAX ? 0 : options->threads;
      to.check_finite = options->skip_finite_check == 0;
    }
    of(predictor).predictor.run(&given(method, "method"), view, {out, static_cast<std::size_t>(out_count)}, to);
  });
}

}  // extern "C"
