// Operators of distances, tables, pairs and features: their plain meaning on examples, and any numbers in their arrays.

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>

#include <mere/error.hpp>

#include "program/operators/combine.hpp"
#include "program/operators/features.hpp"
#include "program/operators/missing.hpp"
#include "program/operators/pairs.hpp"
#include "program/operators/pairwise.hpp"
#include "program/operators/tables.hpp"

namespace {

using namespace mere;
using namespace mere::program;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::vector<double> apply(const Operator& op, const std::vector<double>& values, std::size_t columns) {
  const Matrix x{values.data(), values.size() / columns, columns, columns};
  const std::uint64_t in[] = {columns};
  const auto width = static_cast<std::size_t>(op.check(in));
  std::vector<double> out(x.rows * width, -99.0);
  MutableMatrix to{out.data(), x.rows, width, width};
  op.apply({&x, 1}, to);
  return out;
}

Array<double> reals(std::vector<double> values, std::int64_t rows) {
  const auto columns = static_cast<std::int64_t>(values.size()) / rows;
  return Array<double>(std::move(values), {rows, columns});
}

// Fills every array of an operator with numbers that no honest program has; shapes stay.
class Scrambler final : public Fields {
 public:
  explicit Scrambler(unsigned seed) : random_(seed) {}
  void field(std::string_view, bool&) override {}
  void field(std::string_view, std::int64_t&) override {}
  void field(std::string_view, double&) override {}
  void field(std::string_view, std::string&) override {}
  void field(std::string_view, std::vector<std::string>&) override {}
  void field(std::string_view, Array<double>& value) override {
    const double odd[] = {kNan, 1e308, -1e308, std::numeric_limits<double>::infinity(), -1, 0, 0.5, 3, 1e18};
    fill(value, [&] { return odd[random_() % 9]; });
  }
  void field(std::string_view, Array<std::uint8_t>& value) override {
    fill(value, [&] { return random_(); });
  }
  void field(std::string_view, Array<std::uint16_t>& value) override {
    fill(value, [&] { return random_(); });
  }
  void field(std::string_view, Array<std::uint32_t>& value) override {
    fill(value, [&] { return random_(); });
  }
  void field(std::string_view, Array<std::int64_t>& value) override {
    const std::int64_t odd[] = {-1, 0, 1, 1 << 30, std::numeric_limits<std::int64_t>::max(), -5};
    fill(value, [&] { return odd[random_() % 6]; });
  }

 private:
  template <class T>
  void fill(Array<T>& value, auto next) {
    std::vector<T> numbers(value.size());
    for (T& number : numbers) number = static_cast<T>(next());
    value = Array<T>(std::move(numbers), value.shape());
  }
  std::mt19937 random_;
};

}  // namespace

TEST_CASE("arrays that change after the check: no operator leaves its memory") {
  const std::vector<double> rows = {0, 1, 2, kNan, -3, 1e300, 0.5, 1e18, -1};
  for (unsigned seed = 0; seed < 200; ++seed) {
    const auto run = [&](auto& op) {
      const std::uint64_t in[] = {3};
      const auto width = static_cast<std::size_t>(op.check(in));
      Scrambler scramble(seed);
      op.fields(scramble);
      std::vector<double> out(3 * width);
      const Matrix x{rows.data(), 3, 3, 3};
      MutableMatrix to{out.data(), 3, width, width};
      try {
        op.apply({&x, 1}, to);
      } catch (const Error&) {  // a number that it refuses
      }
    };
    const auto table = reals({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, 3);
    const Array<std::int64_t> counts(std::vector<std::int64_t>{5, 5, 5});
    Categorize categorize;
    categorize.values = table;
    categorize.counts = counts;
    run(categorize);
    Rank rank;
    rank.edges = table;
    rank.counts = counts;
    run(rank);
    OneHot one_hot;
    one_hot.widths = counts;
    run(one_hot);
    LookUp look_up;
    look_up.table = table;
    look_up.otherwise = Array<double>(std::vector<double>{0, 0, 0});
    run(look_up);
    Interpolate interpolate;
    interpolate.x = interpolate.y = table;
    interpolate.outside = "hold";
    run(interpolate);
    Quantiles quantiles;
    quantiles.quantiles = table;
    quantiles.references = Array<double>(std::vector<double>{0, 0.2, 0.5, 0.8, 1});
    quantiles.normal = true;
    run(quantiles);
    for (const char* outside : {"constant", "linear", "continue", "periodic"}) {
      Splines splines;
      splines.knots = reals(std::vector<double>(30, 1.0), 3);
      splines.outside = outside;
      run(splines);
    }
    Products products;
    products.parents = Array<std::uint32_t>(std::vector<std::uint32_t>{0, 0, 1});
    products.columns = Array<std::uint32_t>(std::vector<std::uint32_t>{0, 1, 2});
    run(products);
    PairDecisions decisions;
    decisions.coefficients = reals({1, 2, 3, 4, 5, 6}, 2);
    decisions.counts = Array<std::int64_t>(std::vector<std::int64_t>{1, 1, 1});
    decisions.bias = Array<double>(std::vector<double>{0, 0, 0});
    run(decisions);
    ImputeNearest nearest;
    nearest.rows = table.size() % 3 == 0 ? reals({1, 2, 3, 4, 5, 6}, 2) : table;
    nearest.count = 2;
    run(nearest);
    Pairwise pairwise;
    pairwise.function = "polynomial";
    pairwise.vectors = reals({1, 2, 3, 4, 5, 6}, 2);
    pairwise.degree = 3;
    run(pairwise);
  }
}

TEST_CASE("Neighbors: of equal distances those of smaller index; a distance of 0 outweighs all") {
  Neighbors near;
  near.count = 2;
  CHECK(apply(near, {3, 1, 1, 1}, 4) == std::vector<double>{0, 1, 1, 0});
  near.by_distance = true;
  CHECK(apply(near, {2, 4, 8, 9}, 4) == std::vector<double>{0.5, 0.25, 0, 0});
  CHECK(apply(near, {0, 4, 8, 9}, 4) == std::vector<double>{1, 0, 0, 0});
  near.count = 5;
  const std::uint64_t four[] = {4};
  CHECK_THROWS_AS(near.check(four), Error);
}

TEST_CASE("Splines: they sum to 1 between the knots, and beyond them where they go on straight") {
  Splines splines;
  splines.knots = reals({-3, -2, -1, 0, 1, 2, 3, 4, 5, 6}, 1);
  splines.outside = "linear";
  for (const double x : {0.0, 0.3, 1.0, 2.7, 3.0, 5.0, -4.0}) {
    double sum = 0;
    for (const double value : apply(splines, {x}, 1)) sum += value;
    CHECK(sum == doctest::Approx(1).epsilon(1e-14));
  }
}

TEST_CASE("Splines: a period that its splines wrap around more than once is refused") {
  Splines splines;
  splines.knots = reals({0, 1, 2, 3, 4, 5, 6, 7, 8}, 1);
  splines.outside = "periodic";
  const std::uint64_t one[] = {1};
  CHECK_THROWS_AS(splines.check(one), Error);
}

TEST_CASE("normal_deviate: the inverse of the normal distribution, in both tails") {
  for (const double z : {-8.0, -3.0, -1.0, -0.01, 0.01, 1.0, 5.0}) {
    const double p = 0.5 * std::erfc(-z / std::sqrt(2.0));
    // Near 1 the probability itself has lost digits.
    CHECK(std::fabs(normal_deviate(p) - z) <= (z > 3 ? 1e-9 : 1e-13 * std::max(1.0, std::fabs(z))));
  }
  CHECK(normal_deviate(0.5) == 0);
  CHECK(std::isinf(normal_deviate(0)));
  CHECK(std::isnan(normal_deviate(kNan)));
}

TEST_CASE("LookUp, OneHot, Categorize: what is no index has an answer of its own") {
  Categorize categorize;
  categorize.values = reals({1, 3, kNan}, 1);
  categorize.counts = Array<std::int64_t>(std::vector<std::int64_t>{3});
  CHECK(apply(categorize, {3, kNan, 2}, 1) == std::vector<double>{1, 2, -1});
  OneHot one_hot;
  one_hot.widths = Array<std::int64_t>(std::vector<std::int64_t>{2});
  CHECK(apply(one_hot, {1, -1, kNan}, 1) == std::vector<double>{0, 1, 0, 0, 0, 0});
  LookUp look_up;
  look_up.table = reals({10, 20}, 1);
  look_up.otherwise = Array<double>(std::vector<double>{7});
  CHECK(apply(look_up, {1, 2, -1}, 1) == std::vector<double>{20, 7, 7});
}
