// Votes, weighted medians and running sums.

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include <mere/error.hpp>

#include "program/operators/votes.hpp"

namespace {

using mere::Array;
using mere::Dims;
using mere::program::Matrix;
using mere::program::MutableMatrix;

std::vector<double> applied(const mere::program::Operator& op, const std::vector<double>& rows, std::size_t columns) {
  const std::uint64_t in_columns[] = {columns};
  const Matrix x{rows.data(), rows.size() / columns, columns, columns};
  MutableMatrix out;
  out.rows = x.rows;
  out.columns = out.stride = static_cast<std::size_t>(op.check(in_columns));
  std::vector<double> made(out.rows * out.columns);
  out.data = made.data();
  op.apply({&x, 1}, out);
  return made;
}

}  // namespace

TEST_CASE("votes: each column adds the row of its index, and what is no index adds nothing") {
  mere::program::Votes votes;
  votes.table = Array<double>({1, 0, 0, 1, 0.5, 0, 0, 0.25}, Dims{2, 2, 2});
  CHECK(applied(votes, {0, 0, 0, 1, 1, 1}, 2) == std::vector<double>{1.5, 0, 1, 0.25, 0, 1.25});
  CHECK(applied(votes, {2, -1, std::nan(""), std::numeric_limits<double>::infinity()}, 2) ==
        std::vector<double>{0, 0, 0, 0});
}

TEST_CASE("votes: a table for another number of columns contradicts the schema") {
  mere::program::Votes votes;
  votes.table = Array<double>({1, 0, 0, 1}, Dims{1, 2, 2});
  CHECK_THROWS_AS(applied(votes, {0, 0}, 2), mere::Error);
  votes.table = Array<double>({1, 0, 0, 1}, Dims{2, 2});
  CHECK_THROWS_AS(applied(votes, {0, 0}, 2), mere::Error);
}

TEST_CASE("weighted median: the first number that reaches half of the weights") {
  mere::program::WeightedMedian median;
  median.weights = Array<double>({1, 1, 2});
  CHECK(applied(median, {3, 1, 2}, 3) == std::vector<double>{2});
  CHECK(applied(median, {1, 2, 9}, 3) == std::vector<double>{2});
  CHECK(applied(median, {9, 9, 1}, 3) == std::vector<double>{1});
  median.running = true;
  CHECK(applied(median, {3, 1, 2}, 3) == std::vector<double>{3, 1, 2});
  median.weights = Array<double>({1, 1});
  CHECK_THROWS_AS(applied(median, {3, 1, 2}, 3), mere::Error);
}

TEST_CASE("running sum: groups add up from their base") {
  mere::program::RunningSum sum;
  sum.group = 2;
  CHECK(applied(sum, {1, 10, 2, 20, 3, 30}, 6) == std::vector<double>{1, 10, 3, 30, 6, 60});
  sum.base = Array<double>({100, 200});
  CHECK(applied(sum, {1, 10, 2, 20}, 4) == std::vector<double>{101, 210, 103, 230});
  CHECK_THROWS_AS(applied(sum, {1, 2, 3}, 3), mere::Error);
  sum.group = 0;
  CHECK_THROWS_AS(applied(sum, {1, 2}, 2), mere::Error);
}
