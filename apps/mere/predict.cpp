// mere predict: what a model says of the rows in a file.

#include <unistd.h>
#include <chrono>
#include <cmath>
#include <cstring>
#include <ostream>

#include <mere/convert.hpp>
#include <mere/dump.hpp>
#include <mere/predictor.hpp>

#include "commands.hpp"
#include "json_writer.hpp"
#include "matrix_file.hpp"
#include "printable_text.hpp"

namespace mere::command {

namespace {

struct Prediction {
  MethodInfo method;
  std::vector<ClassTable> classes;  // one a column, or none
  std::size_t rows = 0;
  std::vector<double> values;

  double at(std::size_t row, std::size_t column) const { return values[row * method.columns + column]; }
  std::string text(std::size_t row, std::size_t column) const {
    if (!classes.empty()) return classes[column].to_text(static_cast<std::uint64_t>(at(row, column)));
    if (method.integer) return std::to_string(static_cast<std::int64_t>(at(row, column)));
    std::string number;
    JsonWriter json(number);
    json.value(at(row, column));
    while (!number.empty() && number.back() == '\n') number.pop_back();
    if (number.starts_with('"')) number = number.substr(1, number.size() - 2);
    return number;
  }
};

std::u32string decode(std::string_view utf8) {
  std::u32string out;
  for (std::size_t i = 0; i < utf8.size();) {
    const auto byte = static_cast<unsigned char>(utf8[i]);
    const std::size_t length = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    char32_t c = length == 1 ? byte : byte & (0xff >> (length + 1));
    for (std::size_t k = 1; k < length && i + k < utf8.size(); ++k) {
      c = c << 6 | (static_cast<unsigned char>(utf8[i + k]) & 0x3f);
    }
    out += c;
    i += length;
  }
  return out;
}

// The result as NumPy would hold it: classes in their own type, Python texts as fixed-size ones.
struct NumpyResult {
  Dtype dtype;
  std::vector<std::byte> bytes;
};

NumpyResult numpy_result(const Prediction& prediction) {
  const std::size_t count = prediction.values.size();
  NumpyResult out{Dtype::of<double>(), {}};
  if (prediction.classes.empty()) {
    out.bytes.resize(count * 8);
    if (prediction.method.integer) out.dtype = Dtype::of<std::int64_t>();
    for (std::size_t i = 0; i < count; ++i) {
      const double value = prediction.values[i];
      const auto whole = static_cast<std::int64_t>(prediction.method.integer ? value : 0);
      std::memcpy(&out.bytes[i * 8], prediction.method.integer ? static_cast<const void*>(&whole) : &value, 8);
    }
    return out;
  }
  // Of several outputs the first one's type is that of all, as in scikit-learn.
  const ClassTable& first = prediction.classes[0];
  std::vector<std::vector<std::byte>> tables;
  if (first.dtype.type_class() == TypeClass::object) {
    std::size_t longest = 1;
    std::vector<std::vector<std::u32string>> texts;
    for (const ClassTable& table : prediction.classes) {
      texts.emplace_back();
      for (std::uint64_t i = 0; i < table.count; ++i) {
        texts.back().push_back(decode(table.to_text(i)));
        longest = std::max(longest, texts.back().back().size());
      }
    }
    out.dtype = Dtype(TypeClass::unicode, longest * 4);
    for (const auto& table : texts) {
      tables.emplace_back(table.size() * longest * 4);
      for (std::size_t i = 0; i < table.size(); ++i) {
        std::memcpy(&tables.back()[i * longest * 4], table[i].data(), table[i].size() * 4);
      }
    }
  } else {
    out.dtype = first.dtype;
    for (const ClassTable& table : prediction.classes) {
      if (table.dtype.to_text() != first.dtype.to_text()) {
        throw Error(Reason::not_supported, "outputs with classes of several types go into no one .npy file");
      }
      tables.emplace_back(table.bytes.begin(), table.bytes.end());
    }
  }
  const std::size_t size = static_cast<std::size_t>(out.dtype.itemsize());
  out.bytes.resize(count * size);
  for (std::size_t i = 0; i < count; ++i) {
    const std::vector<std::byte>& table = tables[i % prediction.method.columns];
    const auto index = static_cast<std::size_t>(prediction.values[i]);
    if ((index + 1) * size > table.size()) throw Error(Reason::bad_record, "a class that the model does not have");
    std::memcpy(&out.bytes[i * size], &table[index * size], size);
  }
  return out;
}

void write_npy_result(const Prediction& prediction, Output& to) {
  NumpyResult result = numpy_result(prediction);
  std::vector<std::int64_t> shape{static_cast<std::int64_t>(prediction.rows)};
  if (!prediction.method.flat) shape.push_back(static_cast<std::int64_t>(prediction.method.columns));
  Graph graph;
  graph.model_root = graph.array(result.dtype, shape, Graph::Order::c, {result.bytes.data(), nullptr});
  const std::vector<std::byte> bytes = dump_bytes(graph);
  const Model model = Model::from_bytes(bytes);
  OutputBuffer buffer(to);
  std::ostream stream(&buffer);
  stream.exceptions(std::ios::badbit);
  write_npy(model.root().array(), stream);
}

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    out += c;
    if (c == '"') out += c;
  }
  return out + "\"";
}

void write_csv(const Prediction& prediction, Output& to) {
  for (std::size_t c = 0; c < prediction.method.columns; ++c) {
    const std::string suffix = prediction.method.columns == 1 ? "" : "_" + std::to_string(c);
    to.write((c ? "," : "") + csv_cell(prediction.method.name + suffix));
  }
  to.write("\n");
  for (std::size_t r = 0; r < prediction.rows; ++r) {
    for (std::size_t c = 0; c < prediction.method.columns; ++c) {
      to.write((c ? "," : "") + csv_cell(prediction.text(r, c)));
    }
    to.write("\n");
  }
}

void write_json(const PredictCommand& command, const Predictor& predictor, const Prediction& prediction, Output& to) {
  JsonWriter json(to);
  json.begin_object();
  json.member("file", command.file);
  json.member("estimator", predictor.estimator());
  json.member("method", prediction.method.name);
  json.key("kernels");
  json.begin_array(JsonWriter::Layout::line);
  for (const std::string& kernel : predictor.kernels()) json.value(kernel);
  json.end();
  json.member("rows", static_cast<std::uint64_t>(prediction.rows));
  json.member("columns", static_cast<std::uint64_t>(prediction.method.columns));
  json.key("values");
  json.begin_array();
  for (std::size_t r = 0; r < prediction.rows; ++r) {
    if (!prediction.method.flat) json.begin_array(JsonWriter::Layout::line);
    for (std::size_t c = 0; c < prediction.method.columns; ++c) {
      if (!prediction.classes.empty()) {
        const TypeClass type = prediction.classes[c].dtype.type_class();
        const bool number = type == TypeClass::integer || type == TypeClass::unsigned_integer;
        const std::string text = prediction.text(r, c);
        if (number) {
          json.raw(text);
        } else {
          json.value(text);
        }
      } else if (prediction.method.integer) {
        json.value(static_cast<std::int64_t>(prediction.at(r, c)));
      } else {
        json.value(prediction.at(r, c));
      }
    }
    if (!prediction.method.flat) json.end();
  }
  json.end();
  json.end();
}

void write_prediction(const PredictCommand& command, const Predictor& predictor, const Prediction& prediction,
                      bool as_npy, Output& to) {
  if (command.manners.json) return write_json(command, predictor, prediction, to);
  if (as_npy) return write_npy_result(prediction, to);
  write_csv(prediction, to);
}

}  // namespace

int run(const PredictCommand& command, Output& out) {
  const Model model = open_model(command.file, command.open, command.manners);
  const Predictor predictor = model.predictor();
  Prediction prediction;
  prediction.method = predictor.method(command.method);
  if (prediction.method.classes) {
    for (std::size_t c = 0; c < prediction.method.columns; ++c) {
      prediction.classes.push_back(predictor.classes(command.method, c));
    }
  }
  const LoadedRows x = load_rows(command.x, predictor, command.open.limits, command.manners);
  const auto begin = std::chrono::steady_clock::now();
  PredictOptions options;
  options.threads = command.threads;
  prediction.rows = x.rows();
  prediction.values =
      std::visit([&](const auto& rows) { return predictor.run(command.method, rows, options); }, x.view);
  if (command.manners.verbose) {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    std::string kernels;
    for (const std::string& kernel : predictor.kernels()) kernels += (kernels.empty() ? "" : ", ") + kernel;
    print_message(printable(predictor.estimator()) + "." + printable(command.method) + ": " +
                  std::to_string(prediction.rows) + " rows in " + duration_text(seconds) + " (" + kernels + ")");
  }
  if (command.out.empty() || command.out == "-") {
    const bool as_npy = !command.csv && !command.manners.json && !is_terminal(out.descriptor()) && command.out == "-";
    write_prediction(command, predictor, prediction, as_npy, out);
    return kExitOk;
  }
  ReplacementFile file(command.out);
  write_prediction(command, predictor, prediction, !command.csv, file.output());
  file.commit();
  return kExitOk;
}

}  // namespace mere::command
