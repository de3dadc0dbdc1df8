// The program of a model, from its file or made on the spot, run by predict::Engine.

#include <mere/predictor.hpp>

#include <mere/dump.hpp>

#include "graph/node_reader.hpp"
#include "lower/lowering.hpp"
#include "model/guarded.hpp"
#include "model/model_state.hpp"
#include "model/source_version.hpp"
#include "predict/engine.hpp"
#include "program/parameter_bytes.hpp"
#include "program/program.hpp"

namespace mere {

using model::guarded;
using model::guarded_read;

namespace {

// A model of more is not lowered for each process that opens it: that would be the private copy mere is there to avoid.
constexpr std::uint64_t kMaxLoweredBytes = std::uint64_t{1} << 20;

// The program of `model` in a file of its own, in memory.
Model lower_on_the_spot(const Model& model) {
  const format::Image& image = *Model::State::of(model).image;
  const ModelInfo info = model.info();
  if (info.array_bytes > kMaxLoweredBytes || info.manifest_bytes > kMaxLoweredBytes) {
    throw Error(Reason::no_program, info.name +
                                        ": the model holds no program to predict with, and is larger than 1 MB; "
                                        "'mere convert --program with IN OUT' writes one beside it");
  }
  const graph::ImageReader reader(image);
  program::Program program = lower::lower_model(reader, model.root().id(), model::source_version(model));
  Graph graph;
  graph.model_root = program::write_program(graph, program);
  auto bytes = std::make_shared<const std::vector<std::byte>>(dump_bytes(graph));
  return Model::from_bytes(*bytes, bytes, {}, info.name + " (its program)");
}

}  // namespace

struct Predictor::State {
  Model model;        // what was opened
  Model on_the_spot;  // or nothing
  program::ParameterBytes bytes;
  predict::Engine engine;

  program::Program read(const Model& from) {
    if (from.program() && !program::is_program(*from.program())) {
      throw Error(Reason::no_program, from.name() + ": the file holds programs for ensembles inside its model, and "
                                                    "none for the model as a whole");
    }
    program::Program program = program::read_program(from.program() ? *from.program() : from.root());
    bytes = program::parameter_bytes(program);
    return program;
  }
  State(Model opened, Model made)
      : model(std::move(opened)), on_the_spot(std::move(made)), engine(read(on_the_spot ? on_the_spot : model)) {}

  program::Program read_part(const PartInfo& part) {
    const std::optional<Node> root = model.program();
    if (!root) throw Error(Reason::no_program, model.name() + ": the file holds no program");
    program::Program program = program::take_part(program::read_one(*root, part.program), part.index);
    bytes = program::parameter_bytes(program);
    return program;
  }
  State(const Model& opened, const PartInfo& part) : model(opened), engine(read_part(part)) {}
};

Predictor Model::predictor() const {
  return Predictor(*this);
}

Predictor::Predictor(const Model& model) {
  const format::Image& image = *Model::State::of(model).image;
  state_ = guarded_read(image, [&] {
    Model made;
    if (!model.program()) made = lower_on_the_spot(model);
    return std::make_shared<const State>(model, std::move(made));
  });
}

std::vector<PartInfo> Predictor::parts(const Model& model) {
  return guarded_read(*Model::State::of(model).image, [&] {
    std::vector<PartInfo> parts;
    const std::optional<Node> root = model.program();
    if (!root) return parts;
    const std::uint32_t programs = program::program_count(*root);
    for (std::uint32_t p = 0; p < programs; ++p) {
      std::uint32_t index = 0;
      for (const program::Part& part : program::read_parts(*root, p)) {
        parts.push_back({part.path, part.estimator, p, index++});
      }
    }
    return parts;
  });
}

Predictor::Predictor(const Model& model, const PartInfo& part) {
  state_ = guarded_read(*Model::State::of(model).image, [&] { return std::make_shared<const State>(model, part); });
}

std::string_view Predictor::estimator() const {
  return state_->engine.program().estimator;
}

std::size_t Predictor::columns() const {
  return static_cast<std::size_t>(state_->engine.program().columns);
}

std::vector<std::string> Predictor::column_names() const {
  return state_->engine.program().names;
}

std::vector<InputColumn> Predictor::input() const {
  const program::Program& program = state_->engine.program();
  std::vector<InputColumn> columns(static_cast<std::size_t>(program.columns));
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (!program.names.empty()) columns[c].name = program.names[c];
    columns[c].text = program.takes_text(c);
  }
  return columns;
}

std::string_view Predictor::refuses_sparse() const {
  return state_->engine.program().dense_only;
}

bool Predictor::has(std::string_view method) const {
  return state_->engine.program().find_method(method) != nullptr;
}

MethodInfo Predictor::method(std::string_view name) const {
  const program::Method& method = state_->engine.program().method(name);
  return {method.name, state_->engine.columns(name), method.flat, !method.labels.empty(), method.integer};
}

std::vector<MethodInfo> Predictor::methods() const {
  std::vector<MethodInfo> methods;
  for (const program::Method& known : state_->engine.program().methods) methods.push_back(method(known.name));
  return methods;
}

ClassTable Predictor::classes(std::string_view name, std::size_t column) const {
  const program::Method& method = state_->engine.program().method(name);
  if (column >= method.labels.size()) {
    throw Error(Reason::out_of_range, "method " + method.name + " has " + std::to_string(method.labels.size()) +
                                          " tables of classes; number " + std::to_string(column) + " was asked for");
  }
  const program::Labels& labels = method.labels[column];
  return {labels.dtype, labels.count, labels.bytes, labels.texts};
}

std::uint64_t Predictor::private_bytes() const {
  return state_->on_the_spot ? state_->on_the_spot.bytes().size() : 0;
}

std::uint64_t Predictor::serving_bytes() const {
  return state_->bytes.serving;
}

std::uint64_t Predictor::cold_bytes() const {
  return state_->bytes.cold;
}

std::vector<std::string> Predictor::kernels() const {
  return state_->engine.kernel_names();
}

namespace {

predict::Input as_input(const MatrixView& x) {
  return {static_cast<const std::byte*>(x.data), x.single, x.rows, x.columns, x.row_stride, x.column_stride};
}

const CsrView& as_input(const CsrView& x) {
  return x;
}

const TableView& as_input(const TableView& x) {
  return x;
}

}  // namespace

template <class View>
void Predictor::run_view(std::string_view name, const View& x, std::span<double> out,
                         const PredictOptions& options) const {
  guarded_read(*Model::State::of(state_->model).image, [&] {
    const predict::Engine& engine = state_->engine;
    const std::size_t method = engine.find(name);
    const std::size_t columns = engine.columns(name);
    if (x.rows != 0 && (columns > out.size() / x.rows || x.rows * columns != out.size())) {
      throw Error(Reason::wrong_shape, std::string(name) + " gives " + std::to_string(x.rows) + " rows of " +
                                           std::to_string(columns) + " numbers; there is room for " +
                                           std::to_string(out.size()));
    }
    engine.run(method, as_input(x), out.data(), {options.threads, options.check_finite});
    Model::State::of(state_->model).image->check_faults();
  });
}

template <class View>
std::vector<double> Predictor::run_view(std::string_view name, const View& x, const PredictOptions& options) const {
  return guarded([&] {
    const Size size = Size(x.rows) * Size(state_->engine.columns(name));
    std::vector<double> out(static_cast<std::size_t>(size.get("the result", Reason::too_large)));
    run_view(name, x, out, options);
    return out;
  });
}

void Predictor::run(std::string_view name, const MatrixView& x, std::span<double> out,
                    const PredictOptions& options) const {
  run_view(name, x, out, options);
}

void Predictor::run(std::string_view name, const CsrView& x, std::span<double> out,
                    const PredictOptions& options) const {
  run_view(name, x, out, options);
}

void Predictor::run(std::string_view name, const TableView& x, std::span<double> out,
                    const PredictOptions& options) const {
  run_view(name, x, out, options);
}

std::vector<double> Predictor::run(std::string_view name, const MatrixView& x, const PredictOptions& options) const {
  return run_view(name, x, options);
}

std::vector<double> Predictor::run(std::string_view name, const CsrView& x, const PredictOptions& options) const {
  return run_view(name, x, options);
}

std::vector<double> Predictor::run(std::string_view name, const TableView& x, const PredictOptions& options) const {
  return run_view(name, x, options);
}

namespace {

template <class T>
MatrixView dense(std::span<const T> values, std::size_t columns, bool single) {
  if (columns == 0 || values.size() % columns != 0) {
    throw Error(Reason::wrong_shape,
                std::to_string(values.size()) + " numbers are no rows of " + std::to_string(columns) + " columns");
  }
  MatrixView view;
  view.data = values.data();
  view.single = single;
  view.rows = values.size() / columns;
  view.columns = columns;
  view.row_stride = static_cast<std::ptrdiff_t>(columns * sizeof(T));
  view.column_stride = sizeof(T);
  return view;
}

}  // namespace

MatrixView::MatrixView(std::span<const double> values, std::size_t width) : MatrixView(dense(values, width, false)) {}

MatrixView::MatrixView(std::span<const float> values, std::size_t width) : MatrixView(dense(values, width, true)) {}

MatrixView::MatrixView(const ArrayView& array) {
  const Dims shape = array.shape();
  if (shape.size() != 2) {
    throw Error(Reason::wrong_shape, "an array of shape " + shape.to_text() + " is no matrix of rows and columns");
  }
  const Dtype type = array.dtype();
  single = type == Dtype::of<float>();
  if (!single && type != Dtype::of<double>()) {
    throw Error(Reason::wrong_type,
                "a matrix of " + type.to_text() + " was given; float32 or float64, native byte order, is expected");
  }
  rows = static_cast<std::size_t>(shape[0]);
  columns = static_cast<std::size_t>(shape[1]);
  const Dims strides = array.strides();
  row_stride = strides[0];
  column_stride = strides[1];
  if (array.size() != 0) data = array.data();
}

}  // namespace mere
