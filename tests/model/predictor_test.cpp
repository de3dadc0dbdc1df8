// Predictors over files: from a stored program and on the spot, their errors, threads, and what they report.

#include <doctest/doctest.h>

#include <cstring>
#include <thread>

#include <mere/mere.h>
#include <mere/mere.hpp>

#include "model/estimator_graph.hpp"
#include "model/reasons.hpp"
#include "os/scratch_directory.hpp"

namespace {

using mere::MatrixView;
using mere::Model;
using mere::NodeId;
using mere::Predictor;
using mere::Reason;
using mere::test::EstimatorGraph;
using mere::test::message_of;
using mere::test::reason_of;

// Two columns, three classes called by their texts.
Model classifier(std::int64_t columns = 2) {
  EstimatorGraph from("sklearn.linear_model._ridge", "RidgeClassifier");
  from.set("n_features_in_", from.graph().integer(columns));
  from.set("coef_", from.reals({1, 0, 0, 1, -1, -1}, {3, 2}));
  from.set("intercept_", from.reals({0, 0, 0.5}, {3}));
  // As ridge classifiers have them: the binarizer's.
  const NodeId texts[] = {from.graph().text("left"), from.graph().text("up"), from.graph().text("neither")};
  const std::int64_t shape[] = {3};
  const NodeId classes = from.graph().object_array(shape, texts);
  from.set("classes_", classes);
  mere::ObjectParts binarizer;
  binarizer.type = from.graph().name("sklearn.preprocessing._label", "LabelBinarizer");
  binarizer.args = from.graph().tuple({});
  const std::pair<NodeId, NodeId> state[] = {{from.graph().text("classes_"), classes},
                                             {from.graph().text("y_type_"), from.graph().text("multiclass")}};
  binarizer.state = from.graph().dict(state);
  from.set("_label_binarizer", from.graph().object(mere::ObjectForm::construct, binarizer));
  return from.open();
}

}  // namespace

TEST_CASE("a small model without a program predicts by one made on the spot, and says what that takes") {
  const Model model = classifier();
  const Predictor predictor = model.predictor();
  CHECK(predictor.estimator() == "sklearn.linear_model._ridge.RidgeClassifier");
  CHECK(predictor.columns() == 2);
  CHECK(predictor.private_bytes() > 0);
  const std::vector<double> x{3, 1, 0, 2, -4, -1};
  CHECK(predictor.run("decision_function", MatrixView(x, 2)) ==
        std::vector<double>{3, 1, -3.5, 0, 2, -1.5, -4, -1, 5.5});
  CHECK(predictor.run("predict", MatrixView(x, 2)) == std::vector<double>{0, 1, 2});
  CHECK(predictor.classes().to_text(2) == "neither");
  CHECK(reason_of([&] { predictor.classes().to_text(3); }) == Reason::out_of_range);
  CHECK(reason_of([&] { predictor.classes("decision_function"); }) == Reason::out_of_range);
}

TEST_CASE("a predictor holds its model, and copies of it may predict from several threads") {
  std::optional<Predictor> predictor;
  {
    const Model model = classifier();
    predictor.emplace(model);
  }
  const std::vector<double> x{3, 1, 0, 2, -4, -1};
  const std::vector<double> expected = predictor->run("predict", MatrixView(x, 2));
  std::vector<int> wrong(4);
  {
    std::vector<std::jthread> threads;
    for (int& mistakes : wrong) {
      threads.emplace_back([&, mine = *predictor] {
        for (int i = 0; i < 200; ++i) mistakes += mine.run("predict", MatrixView(x, 2)) != expected;
      });
    }
  }
  CHECK(wrong == std::vector<int>(4));
}

TEST_CASE("rows of another width, room for another number and unknown methods are errors that say both numbers") {
  const Model model = classifier();
  const Predictor predictor = model.predictor();
  const std::vector<double> x{1, 2, 3, 4, 5, 6};
  CHECK(reason_of([&] { predictor.run("predict", MatrixView(x, 3)); }) == Reason::wrong_shape);
  CHECK(reason_of([&] { MatrixView(x, 4); }) == Reason::wrong_shape);
  std::vector<double> out(2);
  CHECK(message_of([&] {
          predictor.predict(MatrixView(x, 2), out);
        }).ends_with("predict gives 3 rows of 1 numbers; there is room for 2"));
  CHECK(reason_of([&] { predictor.run("transform", MatrixView(x, 2)); }) == Reason::no_method);
}

TEST_CASE("an estimator whose attributes disagree is no program") {
  CHECK(reason_of([] { classifier(3).predictor(); }) == Reason::schema);
}

TEST_CASE("what is no estimator, or one that nobody knows, cannot predict") {
  mere::Graph graph;
  graph.model_root = graph.text("hello");
  const std::vector<std::byte> bytes = mere::dump_bytes(graph);
  const Model model = Model::from_bytes(bytes);
  CHECK(reason_of([&] { model.predictor(); }) == Reason::not_lowerable);
  EstimatorGraph unknown("my.models", "RidgeClassifier");
  CHECK(message_of([&] { unknown.open().predictor(); }).find("my.models.RidgeClassifier") != std::string::npos);
}

TEST_CASE("a program in a file takes no memory of the process, and any byte of it may be wrong") {
  const Model made = classifier();
  mere::test::ScratchDirectory scratch;
  {
    std::ofstream out(scratch / "plain.mere", std::ios::binary);
    out.write(reinterpret_cast<const char*>(made.bytes().data()), static_cast<std::streamsize>(made.bytes().size()));
  }
  mere::ConvertOptions options;
  options.program = mere::StoreProgram::with;
  options.dump.durability = mere::Durability::none;
  const mere::ConvertResult result = mere::convert(scratch / "plain.mere", scratch / "with.mere", options);
  CHECK(result.has_program);
  const Model model(scratch / "with.mere");
  CHECK(model.content_id() == made.content_id());
  const Predictor predictor = model.predictor();
  CHECK(predictor.private_bytes() == 0);
  CHECK(predictor.serving_bytes() >= 72);
  const std::vector<double> x{3, 1, 0, 2, -4, -1};
  const std::vector<double> expected = made.predictor().run("decision_function", MatrixView(x, 2));
  CHECK(predictor.run("decision_function", MatrixView(x, 2)) == expected);
  // Each byte in turn: an error, or some numbers.
  std::vector<std::byte> bytes(model.bytes().begin(), model.bytes().end());
  std::size_t predicted = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::byte old = bytes[i];
    for (const int bit : {0, 3, 7}) {
      bytes[i] = old ^ std::byte(1 << bit);
      try {
        const Model damaged = Model::from_bytes(bytes);
        predicted += damaged.predictor().run("decision_function", MatrixView(x, 2)).size() == 9;
      } catch (const mere::Error&) {
      }
    }
    bytes[i] = old;
  }
  CHECK(predicted > 0);
}

TEST_CASE("C interface: methods, classes, predictions and errors") {
  const Model made = classifier();
  mere_model* model = nullptr;
  REQUIRE(mere_open_bytes(made.bytes().data(), made.bytes().size(), nullptr, &model) == MERE_OK);
  mere_predictor* predictor = nullptr;
  REQUIRE(mere_predictor_open(model, &predictor) == MERE_OK);
  mere_close(model);  // the predictor holds the map
  std::uint64_t count = 0;
  CHECK(mere_predictor_columns(predictor, &count) == MERE_OK);
  CHECK(count == 2);
  mere_method method{};
  CHECK(mere_predictor_find_method(predictor, "predict", &method) == MERE_MISMATCH);
  method.struct_size = sizeof method;
  CHECK(mere_predictor_find_method(predictor, "predict", &method) == MERE_OK);
  CHECK(std::string(method.name) == "predict");
  CHECK(method.classes == 1);
  CHECK(method.flat == 1);
  CHECK(mere_predictor_find_method(predictor, "transform", &method) == MERE_UNSUPPORTED);
  CHECK(std::string(mere_last_reason()) == "no_method");
  CHECK(mere_predictor_method_count(predictor, &count) == MERE_OK);
  CHECK(count == 2);
  CHECK(mere_predictor_method(predictor, 2, &method) == MERE_MISMATCH);
  const float x[] = {3, 1, 0, 2, -4, -1};
  mere_matrix rows{};
  rows.struct_size = sizeof rows;
  rows.data = x;
  rows.is_float32 = 1;
  rows.rows = 3;
  rows.columns = 2;
  double out[9] = {};
  CHECK(mere_predict(predictor, "predict", &rows, out, 3, nullptr) == MERE_OK);
  CHECK(std::vector<double>(out, out + 3) == std::vector<double>{0, 1, 2});
  CHECK(mere_predict(predictor, "predict", &rows, out, 9, nullptr) == MERE_MISMATCH);
  mere_predict_options options{};
  options.struct_size = sizeof options;
  options.threads = UINT32_MAX;
  CHECK(mere_predict(predictor, "decision_function", &rows, out, 9, &options) == MERE_OK);
  CHECK(out[8] == 5.5);
  // Backwards, one column of each pair after the other.
  rows.data = x + 5;
  rows.row_stride = -8;
  rows.column_stride = -4;
  CHECK(mere_predict(predictor, "decision_function", &rows, out, 9, nullptr) == MERE_OK);
  CHECK(out[0] == -1);
  char text[4];
  std::size_t needed = 0;
  CHECK(mere_predictor_class_count(predictor, "predict", 0, &count) == MERE_OK);
  CHECK(count == 3);
  CHECK(mere_predictor_class_text(predictor, "predict", 0, 2, text, sizeof text, &needed) == MERE_OK);
  CHECK(std::string(text) == "nei");
  CHECK(needed == 8);
  CHECK(mere_predict(predictor, nullptr, &rows, out, 9, nullptr) == MERE_MISMATCH);
  mere_predictor_close(predictor);
  mere_predictor_close(nullptr);
}
