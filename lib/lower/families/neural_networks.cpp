// Multi-layer perceptrons. sklearn/neural_network/_multilayer_perceptron.py.

#include "lower/families.hpp"
#include "lower/families/steps.hpp"

namespace mere::lower {

namespace {

ValueId activate(Lowering& to, const Estimator& from, ValueId x, const std::string& name) {
  if (name == "identity") return x;
  if (name == "logistic") return to.map(x, "expit");
  if (name == "tanh" || name == "relu" || name == "exp") return to.map(x, name);
  if (name == "softmax") return to.softmax(x);
  from.refuse("no activation is called '" + name + "'");
}

ValueId forward(Lowering& to, const Estimator& from, ValueId in) {
  const std::vector<NodeId> weights = from.members("coefs_"), biases = from.members("intercepts_");
  from.require(!weights.empty() && weights.size() == biases.size(), "coefs_ and intercepts_ disagree");
  ValueId x = to.check(in, {});
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const Array<double> layer = from.reals_of(weights[i], "coefs_", 2),
                        bias = from.reals_of(biases[i], "intercepts_", 1);
    from.require(rows_of(layer) == to.columns(x) && columns_of(layer) == bias.size(),
                 "layer " + std::to_string(i) + " has weights of shape " + layer.shape().to_text() + " and " +
                     std::to_string(bias.size()) + " biases for " + std::to_string(to.columns(x)) + " columns");
    const bool single = from.reader().dtype(weights[i]) == Dtype::of<float>();
    x = to.linear(x, transposed(layer), bias, single);
    x = activate(to, from, x, i + 1 < weights.size() ? from.text("activation") : from.text("out_activation_"));
  }
  return x;
}

}  // namespace

Methods lower_mlp_classifier(Lowering& to, const Estimator& from, ValueId in) {
  const ValueId out = forward(to, from, in);
  const Estimator binarizer = from.child("_label_binarizer");
  Methods methods;
  ValueId proba = out;
  if (binarizer.has("y_type_") && binarizer.text("y_type_").rfind("multilabel", 0) == 0) {
    methods.add("predict", to.above(out, 0.5)).integer = true;
  } else {
    const Labels labels = classes_of(from);
    const bool two_classes = to.columns(out) == 1;
    from.require(two_classes ? labels.count == 2 : labels.count == to.columns(out), "classes_ and coefs_ disagree");
    to.add_classes(methods, two_classes ? to.above(out, 0.5) : to.arg_max(out), {labels});
    if (two_classes) proba = to.with_complement(out);
  }
  methods.add("predict_proba", proba);
  methods.add("predict_log_proba", to.map(proba, "log"));
  return methods;
}

Methods lower_mlp_regressor(Lowering& to, const Estimator& from, ValueId in) {
  const ValueId out = forward(to, from, in);
  Methods methods;
  to.add_numbers(methods, out, to.columns(out) == 1);
  return methods;
}

}  // namespace mere::lower
