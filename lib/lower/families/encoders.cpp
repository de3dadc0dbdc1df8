// Encoders of categories that are numbers or texts.

#include <algorithm>
#include <cmath>
#include <limits>

#include "lower/families.hpp"
#include "lower/families/steps.hpp"
#include "program/operators/tables.hpp"
#include "program/operators/texts.hpp"

namespace mere::lower {

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Categories of all columns, and where each goes from the index of its category.
struct Encoding {
  std::vector<Array<double>> categories;         // of a column of texts: 0, and NaN where the missing one is
  std::vector<std::vector<std::string>> texts;   // of a column of texts; else none
  std::vector<std::optional<std::size_t>> gaps;  // of a column of texts: the index of what is missing
  std::vector<std::vector<double>> table;        // by column and category
  std::vector<double> otherwise;                 // by column: for what is no category

  bool has_texts(std::size_t column) const { return !texts[column].empty(); }
};

// Numbers of an array of objects; None is NaN. Nothing: one is no number.
std::optional<Array<double>> find_numbers_of(const Estimator& from, NodeId id) {
  std::vector<double> out;
  for (const NodeId member : from.members_of(id, "categories_")) {
    const std::optional<double> number = from.reader().find_real(member);
    if (!number && from.reader().kind(member) != Kind::null) return std::nullopt;
    out.push_back(number.value_or(kNan));
  }
  return reals(std::move(out));
}

// Categories of one column. Texts are asked of the input.
void read_column(Lowering& to, const Estimator& from, ValueId in, NodeId id, Encoding& encoding) {
  std::optional<std::size_t> gap;
  std::optional<Array<double>> numbers;
  if (from.reader().is_object_array(id)) numbers = find_numbers_of(from, id);
  std::optional<std::vector<std::string>> texts;
  if (!numbers) texts = from.find_texts_of(id, &gap);
  if (!numbers && !texts && from.reader().is_object_array(id))
    from.refuse("its categories are neither numbers nor texts");
  encoding.gaps.push_back(texts ? gap : std::nullopt);
  if (texts) {
    std::vector<double> marks(texts->size(), 0.0);
    // None is a category like others; NaN has a code of its own.
    if (gap && from.reader().kind(from.reader().child(id, *gap)) != Kind::null) marks[*gap] = kNan;
    numbers = reals(std::move(marks));
    to.need_texts(from, in, encoding.texts.size());
  }
  encoding.texts.push_back(texts.value_or(std::vector<std::string>()));
  encoding.categories.push_back(numbers ? *numbers : from.reals_of(id, "categories_", 1));
}

Encoding read_categories(Lowering& to, const Estimator& from, ValueId in) {
  const std::uint64_t columns = to.columns(in);
  const std::vector<NodeId> all = from.members("categories_");
  from.require(all.size() == columns, "categories_ has " + std::to_string(all.size()) + " members for " +
                                          std::to_string(columns) + " columns");
  Encoding encoding;
  std::uint64_t bytes = 0;
  for (const NodeId id : all) {
    read_column(to, from, in, id, encoding);
    for (const std::string& text : encoding.texts.back()) bytes += text.size();
    bytes += 2 * sizeof(double) * encoding.categories.back().size();
    from.require_memory(bytes, "categories_");
    std::vector<double> identity(encoding.categories.back().size());
    for (std::size_t i = 0; i < identity.size(); ++i) identity[i] = static_cast<double>(i);
    encoding.table.push_back(std::move(identity));
    encoding.otherwise.push_back(-1);
  }
  return encoding;
}

// Rare categories share one index: `_default_to_infrequent_mappings` says which. True: column c has such.
std::vector<bool> map_infrequent(const Estimator& from, Encoding& encoding) {
  std::vector<bool> has(encoding.table.size(), false);
  if (!from.boolean_or("_infrequent_enabled", false)) return has;
  const std::vector<NodeId> mappings = from.members("_default_to_infrequent_mappings");
  from.require(mappings.size() == encoding.table.size(), "_default_to_infrequent_mappings has not a member a column");
  for (std::size_t c = 0; c < mappings.size(); ++c) {
    if (from.reader().kind(mappings[c]) == Kind::null) continue;
    const Array<double> mapping = from.reals_of(mappings[c], "_default_to_infrequent_mappings", 1);
    from.require(mapping.size() == encoding.table[c].size() && !mapping.empty(),
                 "_default_to_infrequent_mappings and categories_ disagree");
    encoding.table[c].assign(mapping.begin(), mapping.end());
    has[c] = true;
  }
  return has;
}

ValueId categorize_numbers(Lowering& to, ValueId x, const Encoding& encoding, const std::vector<std::uint32_t>& columns,
                           bool refuse_unknown) {
  std::size_t width = 1;
  for (const std::uint32_t c : columns) width = std::max(width, encoding.categories[c].size());
  auto step = std::make_unique<program::Categorize>();
  std::vector<double> values;
  std::vector<std::int64_t> counts;
  for (const std::uint32_t c : columns) {
    const Array<double>& of = encoding.categories[c];
    values.insert(values.end(), of.begin(), of.end());
    values.resize(values.size() + width - of.size(), 0.0);
    counts.push_back(static_cast<std::int64_t>(of.size()));
  }
  step->values = reals(std::move(values), columns.size(), width);
  step->counts = Array<std::int64_t>(std::move(counts));
  step->refuse_unknown = refuse_unknown;
  return to.add(std::move(step), x);
}

ValueId categorize_texts(Lowering& to, ValueId x, const Encoding& encoding, const std::vector<std::uint32_t>& columns,
                         bool refuse_unknown) {
  auto step = std::make_unique<program::CategorizeTexts>();
  std::vector<std::string> texts;
  std::vector<std::uint32_t> seeds;
  std::vector<std::int64_t> counts, missing;
  for (const std::uint32_t c : columns) {
    const std::vector<std::string>& of = encoding.texts[c];
    texts.insert(texts.end(), of.begin(), of.end());
    // A seed that no column has keeps the place of what is missing from being found as an empty text.
    for (std::size_t i = 0; i < of.size(); ++i) {
      const bool is_gap = encoding.gaps[c] == i;
      seeds.push_back(static_cast<std::uint32_t>(is_gap ? columns.size() : counts.size()));
    }
    missing.push_back(encoding.gaps[c] ? static_cast<std::int64_t>(*encoding.gaps[c]) : -1);
    counts.push_back(static_cast<std::int64_t>(of.size()));
  }
  step->texts = program::TextTable::of(texts, seeds);
  step->counts = Array<std::int64_t>(std::move(counts));
  step->missing = Array<std::int64_t>(std::move(missing));
  step->refuse_unknown = refuse_unknown;
  return to.add(std::move(step), x);
}

// The index of each number's, or text's, category.
ValueId categorize(Lowering& to, ValueId x, const Encoding& encoding, bool refuse_unknown) {
  std::vector<std::uint32_t> numbers, texts;
  for (std::uint32_t c = 0; c < encoding.table.size(); ++c) (encoding.has_texts(c) ? texts : numbers).push_back(c);
  if (texts.empty()) return categorize_numbers(to, x, encoding, numbers, refuse_unknown);
  if (numbers.empty()) return categorize_texts(to, x, encoding, texts, refuse_unknown);
  const ValueId parts = to.concat({categorize_numbers(to, to.select(x, numbers), encoding, numbers, refuse_unknown),
                                   categorize_texts(to, to.select(x, texts), encoding, texts, refuse_unknown)});
  std::vector<std::uint32_t> order(encoding.table.size());
  for (std::uint32_t i = 0; i < numbers.size(); ++i) order[numbers[i]] = i;
  for (std::uint32_t i = 0; i < texts.size(); ++i) order[texts[i]] = static_cast<std::uint32_t>(numbers.size() + i);
  return to.select(parts, std::move(order));
}

ValueId look_up(Lowering& to, ValueId x, const std::vector<std::vector<double>>& table, std::vector<double> otherwise) {
  std::size_t width = 1;
  for (const auto& row : table) width = std::max(width, row.size());
  std::vector<double> flat;
  for (std::size_t c = 0; c < table.size(); ++c) {
    flat.insert(flat.end(), table[c].begin(), table[c].end());
    flat.resize((c + 1) * width, otherwise[c]);
  }
  auto step = std::make_unique<program::LookUp>();
  step->table = reals(std::move(flat), table.size(), width);
  step->otherwise = reals(std::move(otherwise));
  return to.add(std::move(step), x);
}

Methods transform_only(ValueId value) {
  Methods methods;
  methods.add("transform", value);
  return methods;
}

// The column of each category that is left out: None, or a list with an index or None for every column.
std::vector<std::optional<std::int64_t>> dropped(const Estimator& from, std::size_t columns) {
  const std::string_view name = from.has("_drop_idx_after_grouping") ? "_drop_idx_after_grouping" : "drop_idx_";
  std::vector<std::optional<std::int64_t>> out(columns);
  if (from.find(name) == kNoNode) return out;
  const NodeId id = from.find(name);
  if (from.is_array(name) && !from.reader().is_object_array(id)) {
    const Array<std::int64_t> indices = from.integers(name, 1);
    from.require(indices.size() == columns, std::string(name) + " has not a member a column");
    for (std::size_t c = 0; c < columns; ++c) out[c] = indices[c];
    return out;
  }
  const std::vector<NodeId> members = from.members(name);
  from.require(members.size() == columns, std::string(name) + " has not a member a column");
  for (std::size_t c = 0; c < columns; ++c) {
    if (from.reader().kind(members[c]) == Kind::null) continue;
    out[c] = from.reader().find_integer(members[c]);
    from.require(out[c].has_value(), std::string(name) + " has a member that is no index");
  }
  return out;
}

}  // namespace

// sklearn/preprocessing/_encoders.py, OneHotEncoder.transform.
Methods lower_one_hot_encoder(Lowering& to, const Estimator& from, ValueId in) {
  const std::size_t columns = to.columns(in);
  Encoding encoding = read_categories(to, from, in);
  const std::vector<bool> infrequent = map_infrequent(from, encoding);
  const std::string unknown = from.text("handle_unknown");
  if (unknown == "infrequent_if_exist" || unknown == "warn") {
    for (std::size_t c = 0; c < columns; ++c) {
      // Rare categories have the last index.
      if (infrequent[c]) encoding.otherwise[c] = *std::max_element(encoding.table[c].begin(), encoding.table[c].end());
    }
  } else if (unknown != "error" && unknown != "ignore") {
    from.refuse("handle_unknown is '" + unknown + "'");
  }
  const ValueId indices = categorize(to, to.check(in, {.nan = true}), encoding, unknown == "error");
  const auto drop = dropped(from, columns);
  auto one_hot = std::make_unique<program::OneHot>();
  std::vector<std::int64_t> widths;
  std::vector<std::uint32_t> kept;
  std::int64_t first = 0;
  for (std::size_t c = 0; c < columns; ++c) {
    from.require(!encoding.table[c].empty(), "a column has no categories");
    const double most = *std::max_element(encoding.table[c].begin(), encoding.table[c].end());
    from.require(most >= 0 && most < static_cast<double>(encoding.table[c].size()), "an index is out of range");
    widths.push_back(static_cast<std::int64_t>(most) + 1);
    for (std::int64_t i = 0; i < widths[c]; ++i) {
      if (drop[c] != i) kept.push_back(static_cast<std::uint32_t>(first + i));
    }
    first += widths[c];
  }
  one_hot->widths = Array<std::int64_t>(std::move(widths));
  const bool maps = std::find(infrequent.begin(), infrequent.end(), true) != infrequent.end();
  ValueId x = maps ? look_up(to, indices, encoding.table, encoding.otherwise) : indices;
  x = to.add(std::move(one_hot), x);
  if (kept.empty()) from.refuse("it makes no columns");
  if (kept.size() < static_cast<std::size_t>(first)) x = to.select(x, std::move(kept));
  return transform_only(x);
}

Methods lower_ordinal_encoder(Lowering& to, const Estimator& from, ValueId in) {
  const std::size_t columns = to.columns(in);
  Encoding encoding = read_categories(to, from, in);
  map_infrequent(from, encoding);
  const bool refuse_unknown = from.is_text("handle_unknown", "error") || !from.has("handle_unknown");
  if (!refuse_unknown) {
    if (!from.is_text("handle_unknown", "use_encoded_value")) from.refuse("handle_unknown is not known");
    std::fill(encoding.otherwise.begin(), encoding.otherwise.end(), from.real("unknown_value"));
  }
  const double missing = from.has("encoded_missing_value") ? from.real("encoded_missing_value") : kNan;
  for (std::size_t c = 0; c < columns; ++c) {
    for (std::size_t i = 0; i < encoding.table[c].size(); ++i) {
      if (std::isnan(encoding.categories[c][i])) encoding.table[c][i] = missing;
    }
  }
  // NaN is a category like others from 1.0 on.
  const bool all_texts =
      std::none_of(encoding.texts.begin(), encoding.texts.end(), [](const auto& t) { return t.empty(); });
  const ValueId x = to.check(in, {.nan = all_texts || to.version(from) >= Version{1, 0}});
  const ValueId indices = categorize(to, x, encoding, refuse_unknown);
  return transform_only(look_up(to, indices, encoding.table, encoding.otherwise));
}

// sklearn/preprocessing/_target_encoder.py: for each column and class the mean that was learned for the category.
Methods lower_target_encoder(Lowering& to, const Estimator& from, ValueId in) {
  const std::size_t columns = to.columns(in);
  const Encoding encoding = read_categories(to, from, in);
  const std::vector<NodeId> means = from.members("encodings_");
  const Array<double> overall = vector(from, "target_mean_");
  const std::size_t classes = from.is_text("target_type_", "multiclass") ? overall.size() : 1;
  from.require(classes > 0 && overall.size() == classes && means.size() == columns * classes,
               "encodings_ has " + std::to_string(means.size()) + " members");
  std::vector<std::vector<double>> table;
  std::vector<double> otherwise;
  std::vector<std::uint32_t> repeated;
  for (std::size_t i = 0; i < means.size(); ++i) {
    const Array<double> of = from.reals_of(means[i], "encodings_", 1);
    from.require(of.size() == encoding.categories[i / classes].size(), "encodings_ and categories_ disagree");
    table.emplace_back(of.begin(), of.end());
    otherwise.push_back(overall[i % classes]);
    repeated.push_back(static_cast<std::uint32_t>(i / classes));
  }
  ValueId indices = categorize(to, to.check(in, {.nan = true}), encoding, false);
  if (classes > 1) indices = to.select(indices, std::move(repeated));
  return transform_only(look_up(to, indices, table, std::move(otherwise)));
}

}  // namespace mere::lower
