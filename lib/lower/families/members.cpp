#include "lower/families/members.hpp"

#include <algorithm>
#include <cstring>

#include "program/operators/votes.hpp"

namespace mere::lower {

std::vector<Estimator> members_of_ensemble(const Estimator& from) {
  std::vector<Estimator> members;
  for (const NodeId member : from.members("estimators_")) members.emplace_back(from.reader(), member);
  from.require(!members.empty(), "estimators_ is empty");
  return members;
}

std::optional<std::vector<double>> find_numbers(const Estimator& from, std::string_view attribute) {
  const NodeId id = from.find(attribute);
  if (id == kNoNode) return std::nullopt;
  if (from.is_array(attribute) && !from.reader().is_object_array(id)) {
    const Array<double> numbers = from.reals(attribute, 1);
    return std::vector<double>(numbers.begin(), numbers.end());
  }
  std::vector<double> numbers;
  for (const NodeId member : from.members(attribute)) {
    const std::optional<double> number = from.reader().find_real(member);
    from.require(number.has_value(), std::string(attribute) + " holds something that is no number");
    numbers.push_back(*number);
  }
  return numbers;
}

std::vector<std::size_t> class_positions(const Estimator& from, const Labels& member, const Labels& all) {
  if (member.dtype != all.dtype) {
    from.refuse("a member has classes of type " + member.dtype.to_text() + ", the ensemble of " + all.dtype.to_text());
  }
  std::vector<std::size_t> positions;
  const std::size_t size = static_cast<std::size_t>(all.dtype.itemsize());
  for (std::size_t i = 0; i < member.count; ++i) {
    std::size_t at = 0;
    for (; at < all.count; ++at) {
      if (!all.texts.empty() ? member.texts[i] == all.texts[at]
                             : std::memcmp(member.bytes.data() + i * size, all.bytes.data() + at * size, size) == 0) {
        break;
      }
    }
    positions.push_back(at);
  }
  return positions;
}

std::vector<std::size_t> encoded_classes(const Estimator& member, const Labels& labels, std::uint64_t count) {
  std::vector<std::size_t> classes;
  for (std::size_t i = 0; i < labels.count; ++i) {
    std::int64_t value = -1;
    if (labels.dtype == Dtype::of<std::int64_t>()) {
      std::memcpy(&value, labels.bytes.data() + i * sizeof value, sizeof value);
    } else if (labels.dtype == Dtype::of<std::int32_t>()) {
      std::int32_t narrow = 0;
      std::memcpy(&narrow, labels.bytes.data() + i * sizeof narrow, sizeof narrow);
      value = narrow;
    } else {
      member.refuse("its classes are of type " + labels.dtype.to_text() + ", not the indices it should be fitted on");
    }
    member.require(value >= 0 && static_cast<std::uint64_t>(value) < count,
                   "it knows class " + std::to_string(value) + " of " + std::to_string(count));
    classes.push_back(static_cast<std::size_t>(value));
  }
  return classes;
}

Prediction one_prediction(const Estimator& member, const Methods& methods) {
  const Method* predict = methods.find("predict");
  if (!predict) member.refuse("it has no predict");
  if (predict->labels.size() > 1) member.refuse("it has several outputs");
  return {predict->value, predict->labels.empty() ? nullptr : predict->labels.data()};
}

ValueId spread(Lowering& to, ValueId in, const std::vector<std::size_t>& positions, std::uint64_t count) {
  bool same = positions.size() == count;
  for (std::size_t i = 0; same && i < positions.size(); ++i) same = positions[i] == i;
  if (same) return in;
  const ValueId with_zero = to.concat({in, constant(to, in, reals({0.0}))});
  std::vector<std::uint32_t> columns(static_cast<std::size_t>(count), static_cast<std::uint32_t>(positions.size()));
  for (std::size_t i = 0; i < positions.size(); ++i) columns[positions[i]] = static_cast<std::uint32_t>(i);
  return to.select(with_zero, std::move(columns));
}

ValueId votes_of(Lowering& to, const std::vector<ValueId>& indices,
                 const std::vector<std::vector<std::size_t>>& positions, const std::vector<Vote>& votes,
                 std::uint64_t count) {
  std::size_t width = 0;
  for (const auto& of_member : positions) width = std::max(width, of_member.size());
  const auto outputs = static_cast<std::size_t>(count);
  std::vector<double> table(positions.size() * width * outputs, 0.0);
  for (std::size_t m = 0; m < positions.size(); ++m) {
    for (std::size_t c = 0; c < positions[m].size(); ++c) {
      double* row = table.data() + (m * width + c) * outputs;
      for (std::size_t k = 0; k < outputs; ++k) row[k] = positions[m][c] == k ? votes[m].hit : votes[m].miss;
    }
  }
  auto step = std::make_unique<program::Votes>();
  step->table =
      Array<double>(std::move(table), Dims{static_cast<std::int64_t>(positions.size()),
                                           static_cast<std::int64_t>(width), static_cast<std::int64_t>(count)});
  return to.add(std::move(step), to.concat(indices));
}

}  // namespace mere::lower
