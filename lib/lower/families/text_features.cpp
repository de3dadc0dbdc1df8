// Vectorizers of documents and of dicts, encoders of labels.

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "lower/families.hpp"
#include "lower/families/dict_columns.hpp"
#include "lower/families/steps.hpp"
#include "program/operators/combine.hpp"
#include "program/operators/missing.hpp"
#include "program/operators/tables.hpp"
#include "program/operators/texts.hpp"
#include "program/unicode/characters.hpp"

namespace mere::lower {

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::string_view short_name(const Estimator& from) {
  const std::string_view name = from.class_name();
  return name.substr(name.rfind('.') + 1);
}

bool is_single(const Estimator& from) {
  const NodeId dtype = from.find("dtype");
  if (dtype == kNoNode) return false;
  if (from.reader().kind(dtype) == Kind::dtype) return from.reader().dtype(dtype) == Dtype::of<float>();
  return from.reader().full_name(dtype) == "numpy.float32";
}

// How many characters a word has at least; nothing: the pattern is another one.
std::optional<std::int64_t> shortest_word(std::string_view pattern) {
  if (pattern.starts_with("(?u)")) pattern.remove_prefix(4);
  const bool bounded = pattern.starts_with("\\b") && pattern.ends_with("\\b") && pattern.size() > 4;
  if (bounded) pattern = pattern.substr(2, pattern.size() - 4);
  std::int64_t letters = 0;
  for (; pattern.starts_with("\\w"); pattern.remove_prefix(2)) ++letters;
  if (letters == 0 || pattern != "+") return std::nullopt;
  return letters;
}

program::TextTable stop_words(const Estimator& from) {
  const NodeId id = from.find("stop_words");
  if (id == kNoNode) return {};
  std::vector<std::string> words;
  if (from.reader().kind(id) == Kind::text) {
    if (from.reader().text(id) != "english") from.refuse("its stop words are '" + from.text("stop_words") + "'");
    for (const std::string_view word : program::english_stop_words()) words.emplace_back(word);
  } else {
    const auto found = from.find_texts_of(id);
    if (!found) from.refuse("its stop words are no list of texts");
    words = *found;
    std::sort(words.begin(), words.end());
    words.erase(std::unique(words.begin(), words.end()), words.end());
  }
  return program::TextTable::of(words);
}

program::TextAnalysis analysis_of(const Estimator& from) {
  for (const std::string_view callable : {"preprocessor", "tokenizer"}) {
    if (from.find(callable) != kNoNode) from.refuse("its " + std::string(callable) + " is a function");
  }
  if (from.reader().kind(from.need("analyzer")) != Kind::text) from.refuse("its analyzer is a function");
  if (!from.is_text("input", "content")) from.refuse("its input is the name of a file, or a file");
  program::TextAnalysis analysis;
  analysis.analyzer = from.text("analyzer");
  if (analysis.analyzer != "word" && analysis.analyzer != "char" && analysis.analyzer != "char_wb") {
    from.refuse("no analyzer is called '" + analysis.analyzer + "'");
  }
  const std::vector<NodeId> range = from.members("ngram_range");
  from.require(range.size() == 2, "ngram_range has not two members");
  const auto lowest = from.reader().find_integer(range[0]), highest = from.reader().find_integer(range[1]);
  from.require(lowest && highest && *lowest >= 1 && *highest >= *lowest, "ngram_range is none");
  analysis.lowest = *lowest;
  analysis.highest = *highest;
  analysis.lowercase = from.boolean("lowercase");
  if (from.find("strip_accents") != kNoNode) {
    if (!from.is_text("strip_accents", "unicode") && !from.is_text("strip_accents", "ascii")) {
      from.refuse("its strip_accents is a function");
    }
    analysis.accents = from.text("strip_accents");
  }
  if (analysis.analyzer != "word") return analysis;
  const std::optional<std::int64_t> shortest = shortest_word(from.text("token_pattern"));
  if (!shortest) from.refuse("its token_pattern is '" + from.text("token_pattern") + "', which no operator matches");
  analysis.shortest = *shortest;
  analysis.stop_words = stop_words(from);
  return analysis;
}

// Terms in the order of their columns.
std::vector<std::string> vocabulary_of(const Estimator& from) {
  const graph::NodeReader& reader = from.reader();
  const NodeId id = from.need("vocabulary_");
  from.require(reader.kind(id) == Kind::dict, "vocabulary_ is no dict");
  const std::uint64_t count = reader.child_count(id) / 2;
  from.require(count > 0, "vocabulary_ is empty");
  std::vector<std::string> terms(static_cast<std::size_t>(count));
  std::vector<bool> seen(terms.size(), false);
  std::uint64_t bytes = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const NodeId term = reader.child(id, 2 * i);
    const std::optional<std::int64_t> column = reader.find_integer(reader.child(id, 2 * i + 1));
    from.require(reader.kind(term) == Kind::text && column.has_value(), "vocabulary_ is not of texts and columns");
    from.require(
        *column >= 0 && static_cast<std::uint64_t>(*column) < count && !seen[static_cast<std::size_t>(*column)],
        "vocabulary_ has column " + std::to_string(*column) + " twice, or out of range");
    seen[static_cast<std::size_t>(*column)] = true;
    bytes += reader.text(term).size();
    from.require_memory(bytes, "vocabulary_");
    terms[static_cast<std::size_t>(*column)] = std::string(reader.text(term));
  }
  return terms;
}

ValueId counts_of(Lowering& to, const Estimator& from, ValueId in) {
  from.require(to.columns(in) == 1, "it takes one column of texts, not " + std::to_string(to.columns(in)));
  to.need_texts(from, in, 0);
  auto step = std::make_unique<program::CountTokens>();
  step->analysis = analysis_of(from);
  step->binary = from.boolean("binary");
  step->single = is_single(from);
  step->vocabulary = program::TextTable::of(vocabulary_of(from));
  return to.add(std::move(step), in);
}

ValueId reduced(Lowering& to, ValueId in, std::string_view operation) {
  auto step = std::make_unique<program::Reduce>();
  step->operation = operation;
  return to.add(std::move(step), in);
}

// Rows divided by their length, as scikit-learn does with sparse rows: all but rows of zeros.
ValueId unit_rows(Lowering& to, const Estimator& from, ValueId x) {
  if (from.find("norm") == kNoNode) return x;
  const std::string norm = from.text("norm");
  if (norm != "l1" && norm != "l2") from.refuse("no norm is called '" + norm + "'");
  const ValueId length = to.map(reduced(to, x, norm == "l1" ? "sum_of_absolutes" : "norm"), "one_if_zero");
  auto divide = std::make_unique<program::Combine>();
  divide->operation = "divide";
  return to.add(std::move(divide), {x, length});
}

// Since 1.6 an array, before the diagonal of a matrix.
Array<double> idf_of(const Estimator& from, std::uint64_t columns) {
  Array<double> idf;
  if (from.find("_idf_diag") != kNoNode) {
    const Estimator diagonal = from.child("_idf_diag");
    idf = dimensions(diagonal, "data") == 2 ? flattened(diagonal.reals("data", 2)) : diagonal.reals("data", 1);
  } else {
    idf = from.reals("idf_", 1);
  }
  from.require(idf.size() == columns,
               "idf_ has " + std::to_string(idf.size()) + " numbers for " + std::to_string(columns) + " columns");
  return idf;
}

ValueId weighted(Lowering& to, const Estimator& from, ValueId x) {
  if (from.boolean("sublinear_tf")) x = to.map(x, "sublinear");
  if (from.boolean("use_idf")) x = to.arithmetic(x, "multiply", idf_of(from, to.columns(x)));
  return unit_rows(to, from, x);
}

Methods transform_only(ValueId value) {
  Methods methods;
  methods.add("transform", value);
  return methods;
}

}  // namespace

Methods lower_count_vectorizer(Lowering& to, const Estimator& from, ValueId in) {
  Methods methods;
  methods.add("transform", counts_of(to, from, in)).integer = !is_single(from);
  return methods;
}

Methods lower_tfidf_vectorizer(Lowering& to, const Estimator& from, ValueId in) {
  return transform_only(weighted(to, from.child("_tfidf"), counts_of(to, from, in)));
}

Methods lower_tfidf_transformer(Lowering& to, const Estimator& from, ValueId in) {
  return transform_only(weighted(to, from, to.check(in, {})));
}

Methods lower_hashing_vectorizer(Lowering& to, const Estimator& from, ValueId in) {
  from.require(to.columns(in) == 1, "it takes one column of texts, not " + std::to_string(to.columns(in)));
  to.need_texts(from, in, 0);
  auto step = std::make_unique<program::HashTokens>();
  step->analysis = analysis_of(from);
  step->binary = from.boolean("binary");
  step->single = is_single(from);
  step->columns = from.integer("n_features");
  step->alternate_sign = from.boolean("alternate_sign");
  return transform_only(unit_rows(to, from, to.add(std::move(step), in)));
}

// Rows of any names: no input has columns for them.
Methods lower_feature_hasher(Lowering&, const Estimator& from, ValueId) {
  from.refuse("its input is rows of any names and values, which no table has");
}

Methods lower_multi_label_binarizer(Lowering&, const Estimator& from, ValueId) {
  from.refuse("its input is rows of sets of labels, which no table has");
}

bool takes_one_column(const Estimator& estimator) {
  const std::string_view name = short_name(estimator);
  return name == "CountVectorizer" || name == "TfidfVectorizer" || name == "HashingVectorizer" ||
         name == "LabelEncoder" || name == "LabelBinarizer" || name == "FeatureHasher" || name == "MultiLabelBinarizer";
}

bool takes_dicts(const Estimator& estimator) {
  return short_name(estimator) == "DictVectorizer";
}

std::vector<DictColumn> dict_columns(const Estimator& from) {
  const std::string separator = from.text("separator");
  const std::vector<std::string> features = vocabulary_of(from);
  std::vector<DictColumn> columns;
  std::map<std::string, std::size_t> known;
  for (std::size_t i = 0; i < features.size(); ++i) {
    const std::size_t end = separator.empty() ? std::string::npos : features[i].find(separator);
    const auto [entry, is_new] = known.emplace(features[i].substr(0, end), columns.size());
    if (is_new) columns.push_back({entry->first, {}, {}});
    DictColumn& column = columns[entry->second];
    const bool is_text = end != std::string::npos;
    if (!is_new && (!is_text || column.values.empty())) {
      from.refuse("'" + entry->first + "' had numbers and texts, one column has either");
    }
    if (is_text) column.values.push_back(features[i].substr(end + separator.size()));
    column.positions.push_back(static_cast<std::uint32_t>(i));
  }
  return columns;
}

// A name with texts is one-hot, one with numbers the number; what is missing is 0.
Methods lower_dict_vectorizer(Lowering& to, const Estimator& from, ValueId in) {
  const std::vector<DictColumn> columns = dict_columns(from);
  from.require(columns.size() == to.columns(in), "it takes other columns than there are");
  std::vector<std::uint32_t> numbers, texts, order;
  std::vector<std::string> values;
  std::vector<std::uint32_t> seeds;
  std::vector<std::int64_t> counts;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (!columns[c].values.empty()) continue;
    numbers.push_back(static_cast<std::uint32_t>(c));
    order.push_back(columns[c].positions[0]);
  }
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (columns[c].values.empty()) continue;
    to.need_texts(from, in, c);
    for (const std::string& value : columns[c].values) {
      values.push_back(value);
      seeds.push_back(static_cast<std::uint32_t>(texts.size()));
    }
    counts.push_back(static_cast<std::int64_t>(columns[c].values.size()));
    texts.push_back(static_cast<std::uint32_t>(c));
    order.insert(order.end(), columns[c].positions.begin(), columns[c].positions.end());
  }
  std::vector<ValueId> parts;
  if (!numbers.empty()) {
    auto impute = std::make_unique<program::Impute>();
    impute->missing = kNan;
    impute->replacement = reals(std::vector<double>(numbers.size(), 0.0));
    parts.push_back(to.add(std::move(impute), to.select(in, std::move(numbers))));
  }
  if (!texts.empty()) {
    auto step = std::make_unique<program::CategorizeTexts>();
    step->texts = program::TextTable::of(values, seeds);
    step->missing = Array<std::int64_t>(std::vector<std::int64_t>(texts.size(), -1));
    step->counts = Array<std::int64_t>(counts);
    auto one_hot = std::make_unique<program::OneHot>();
    one_hot->widths = Array<std::int64_t>(std::move(counts));
    parts.push_back(to.add(std::move(one_hot), to.add(std::move(step), to.select(in, std::move(texts)))));
  }
  // Column order[i] of the result is column i of the parts.
  std::vector<std::uint32_t> from_parts(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) from_parts[order[i]] = static_cast<std::uint32_t>(i);
  return transform_only(to.select(to.concat(std::move(parts)), std::move(from_parts)));
}

namespace {

// The index of each label among the classes.
ValueId label_index(Lowering& to, const Estimator& from, ValueId in, bool refuse_unknown, std::size_t& count) {
  from.require(to.columns(in) == 1, "it takes one column of labels");
  const NodeId id = from.need("classes_");
  if (const auto texts = from.find_texts_of(id)) {
    to.need_texts(from, in, 0);
    count = texts->size();
    auto step = std::make_unique<program::CategorizeTexts>();
    step->texts = program::TextTable::of(*texts);
    step->counts = Array<std::int64_t>(std::vector<std::int64_t>{static_cast<std::int64_t>(count)});
    step->missing = Array<std::int64_t>(std::vector<std::int64_t>{-1});
    step->refuse_unknown = refuse_unknown;
    return to.add(std::move(step), in);
  }
  const Array<double> classes = from.reals_of(id, "classes_", 1);
  count = classes.size();
  from.require(count > 0, "it has no classes");
  auto step = std::make_unique<program::Categorize>();
  step->values = reals({classes.begin(), classes.end()}, 1, count);
  step->counts = Array<std::int64_t>(std::vector<std::int64_t>{static_cast<std::int64_t>(count)});
  step->refuse_unknown = refuse_unknown;
  return to.add(std::move(step), in);
}

}  // namespace

Methods lower_label_encoder(Lowering& to, const Estimator& from, ValueId in) {
  std::size_t count = 0;
  Methods methods;
  Method& transform = methods.add("transform", label_index(to, from, in, true, count));
  transform.flat = transform.integer = true;
  return methods;
}

// sklearn/preprocessing/_label.py, label_binarize: pos_label for the label's class, neg_label elsewhere.
Methods lower_label_binarizer(Lowering& to, const Estimator& from, ValueId in) {
  const std::string type = from.text("y_type_");
  if (type != "binary" && type != "multiclass") from.refuse("its labels are " + type);
  std::size_t count = 0;
  const ValueId index = label_index(to, from, in, false, count);
  auto one_hot = std::make_unique<program::OneHot>();
  one_hot->widths = Array<std::int64_t>(std::vector<std::int64_t>{static_cast<std::int64_t>(count)});
  ValueId x = to.add(std::move(one_hot), index);
  const double low = from.real("neg_label"), high = from.real("pos_label");
  if (type == "binary") x = to.select(x, {static_cast<std::uint32_t>(count - 1)});
  // One class alone: neg_label everywhere.
  x = to.arithmetic(x, "multiply", type == "binary" && count == 1 ? 0 : high - low);
  Methods methods;
  methods.add("transform", low == 0 ? x : to.arithmetic(x, "add", low)).integer = true;
  return methods;
}

}  // namespace mere::lower
