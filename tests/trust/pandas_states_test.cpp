// States of pandas that its compiled code would follow out of its arrays.

#include <doctest/doctest.h>

#include <functional>
#include <string>

#include <mere/error.hpp>
#include "trust/pandas_graphs.hpp"
#include "trust/validators.hpp"

using namespace mere;
using trust::FrameParts;
using trust::StateGraph;

namespace {

// What validate_states says of what `make` builds; empty: nothing to say.
std::string verdict(const std::function<void(StateGraph&)>& make) {
  StateGraph build;
  make(build);
  try {
    trust::validate_states(build.graph, "m.pkl");
  } catch (const Error& error) {
    CHECK(error.code() == Errc::corrupt);
    return std::string(error.message());
  }
  return "";
}

std::string frame(const std::function<void(FrameParts&)>& change) {
  FrameParts parts;
  change(parts);
  return verdict([&](StateGraph& build) { trust::add_frame(build, parts); });
}

bool says(const std::string& message, std::string_view words) {
  INFO(message);
  return message.find(words) != std::string::npos;
}

NodeId floats(StateGraph& build, std::size_t count) {
  return build.array(std::vector<double>(count));
}

}  // namespace

TEST_CASE("pandas, frame: each column has one place in one block, and blocks are as long as the frame") {
  CHECK(frame([](FrameParts&) {}) == "");
  CHECK(frame([](FrameParts& f) { f.stop = 3; }) == "");
  CHECK(frame([](FrameParts& f) { f.start = 2, f.stop = 0, f.step = -2, f.block_rows = 1; }) != "");
  CHECK(says(frame([](FrameParts& f) { f.listed = 2; }), "has place 2, expected each of 0 to 2 once"));
  CHECK(says(frame([](FrameParts& f) { f.listed = 3; }), "has place 3"));
  CHECK(says(frame([](FrameParts& f) { f.listed = -1; }), "has place -1"));
  CHECK(says(frame([](FrameParts& f) { f.listed = INT64_MAX; }), "has place"));
  CHECK(says(frame([](FrameParts& f) { f.start = 1, f.stop = 5; }), "has place"));
  CHECK(says(frame([](FrameParts& f) { f.start = 100'000'000, f.stop = 100'000'004; }), "has place 100000000"));
  CHECK(says(frame([](FrameParts& f) { f.start = -4, f.stop = 0; }), "the start of a slice is -4"));
  CHECK(says(frame([](FrameParts& f) { f.stop = -1; }), "the end of a slice is -1"));
  CHECK(says(frame([](FrameParts& f) { f.step = 0; }), "the step of a slice is 0"));
  CHECK(says(frame([](FrameParts& f) { f.step = 1; }), "the number of places of a block is 4, expected 2"));
  CHECK(says(frame([](FrameParts& f) { f.step = INT64_MIN; }), "places of a block is 0, expected 2"));
  CHECK(says(frame([](FrameParts& f) { f.stop = INT64_MAX; }), "the number of places"));
  CHECK(says(frame([](FrameParts& f) { f.columns = 4; }), "the number of columns in blocks is 3, expected 4"));
  CHECK(says(frame([](FrameParts& f) { f.rows = 3; }), "the length of a block is 2, expected 3"));
  CHECK(says(frame([](FrameParts& f) { f.block_length = 3; }), "the length of a block is 3, expected 2"));
  CHECK(says(frame([](FrameParts& f) { f.block_rows = 3; }), "the number of places of a block is 2, expected 3"));
  CHECK(says(frame([](FrameParts& f) { f.other_length = 1; }), "the length of a block is 1"));
  CHECK(says(frame([](FrameParts& f) { f.dimensions = 1; }), "expected 1 dimensions"));
  CHECK(says(frame([](FrameParts& f) { f.dimensions = 3; }), "ndim is 3, expected 1 to 2"));
}

TEST_CASE("pandas, frame: blocks without rows hold no memory, so their columns are bounded by the file") {
  const auto empty = [](std::int64_t columns) {
    return [columns](StateGraph& build) {
      const NodeId block = trust::add_block(build, build.array(std::vector<double>{}, {columns, 0}),
                                            trust::add_slice(build, 0, columns, 1), 2);
      trust::add_managed(build, "BlockManager", build.tuple({block}),
                         build.list({trust::add_range_index(build, 0, columns), trust::add_range_index(build, 0, 0)}));
    };
  };
  CHECK(verdict(empty(1000)) == "");
  StateGraph build;
  empty(std::int64_t{1} << 50)(build);
  try {
    trust::validate_states(build.graph);
    FAIL("no limit");
  } catch (const Error& error) {
    CHECK(error.reason() == Reason::too_large);
  }
}

TEST_CASE("pandas, frame: columns of an own class lie in a block each") {
  const auto made = [](std::int64_t codes, std::int64_t places) {
    return verdict([&](StateGraph& build) {
      const NodeId column =
          trust::add_categorical(build, std::vector<std::int64_t>(static_cast<std::size_t>(codes)), 1);
      const NodeId block = trust::add_block(build, column, trust::add_slice(build, 0, places, 1), 2);
      trust::add_managed(build, "BlockManager", build.tuple({block}),
                         build.list({trust::add_range_index(build, 0, places), trust::add_range_index(build, 0, 2)}));
    });
  };
  CHECK(made(2, 1) == "");
  CHECK(says(made(3, 1), "the length of a block is 3, expected 2"));
  CHECK(says(made(2, 2), "the number of places of a block is 2, expected 1"));
}

TEST_CASE("pandas, frame and series: made in no other way than pandas pickles them") {
  const auto series = [](std::size_t values, std::int64_t length, std::int64_t start, std::int64_t stop) {
    return verdict([&](StateGraph& build) {
      trust::add_series(build, floats(build, values), length, trust::add_slice(build, start, stop, 1));
    });
  };
  CHECK(series(3, 3, 0, 3) == "");
  CHECK(says(series(3, 4, 0, 3), "the length of a block is 3, expected 4"));
  CHECK(says(series(3, 3, 0, 2), "the number of places of a block is 2, expected 3"));
  CHECK(says(series(3, 3, 1, 4), "place 0 of its block is 1"));
  CHECK(says(verdict([](StateGraph& build) {
               trust::add_series(build, floats(build, 3), 3, trust::add_slice(build, 0, 3, 1), "BlockManager");
             }),
             "the number of its axes is 1, expected 2"));
  CHECK(says(verdict([](StateGraph& build) {
               trust::add_managed(build, "SingleBlockManager", build.tuple({}), build.list({}));
             }),
             "arguments, expected a state"));
  CHECK(says(verdict([](StateGraph& build) { build.object("pandas", "DataFrame", {}, build.dict({})); }),
             "expected either \"_mgr\" or \"_data\""));
  CHECK(says(verdict([](StateGraph& build) {
               const NodeId other = build.object("pandas", "CategoricalDtype", {}, kNoNode);
               build.object("pandas", "Series", {}, build.dict({{"_mgr", other}}));
             }),
             "expected a SingleBlockManager"));
  CHECK(says(verdict([](StateGraph& build) {
               build.object("pandas.core.internals.managers", "BlockManager", {},
                            build.tuple({build.list({}), build.list({}), build.list({})}));
             }),
             "expected what pandas 0.14.1 added"));
}

TEST_CASE("pandas, index: levels, ranges and labels of one length") {
  const auto multi = [](std::int64_t levels, std::vector<std::int64_t> first, std::vector<std::int64_t> second) {
    return verdict([&](StateGraph& build) { trust::add_multi_index(build, levels, first, second); });
  };
  CHECK(multi(3, {0, 2, -1}, {0, 1, 1}) == "");
  CHECK(says(multi(3, {0, 3, -1}, {0, 1, 1}), "codes[0][1] is 3, expected -1 to 2"));
  CHECK(says(multi(3, {0, -2, -1}, {0, 1, 1}), "codes[0][1] is -2"));
  CHECK(says(multi(3, {0, 2, -1}, {0, 1}), "the length of codes[1] is 2, expected 3"));
  CHECK(says(multi(0, {0}, {0}), "codes[0][0] is 0"));
  CHECK(verdict([](StateGraph& build) { trust::add_range_index(build, 5, -5, -3); }) == "");
  CHECK(says(verdict([](StateGraph& build) { trust::add_range_index(build, 0, 5, 0); }), "step is 0"));
  CHECK(says(verdict([](StateGraph& build) { trust::add_range_index(build, INT64_MIN, INT64_MAX); }),
             "more labels than"));
  CHECK(verdict([](StateGraph& build) { trust::add_index(build, floats(build, 3)); }) == "");
  CHECK(says(verdict([](StateGraph& build) { trust::add_index(build, build.reals(2, 2)); }),
             "data has shape (2, 2), expected one dimension"));
  CHECK(says(verdict([](StateGraph& build) { trust::add_index(build, floats(build, 2), "DatetimeIndex"); }),
             "expected ticks of 64 bits"));
  CHECK(says(verdict([](StateGraph& build) { trust::add_index(build, floats(build, 2), "DataFrame"); }),
             "expected an index of pandas"));
  const auto interval = [](std::size_t left, std::size_t right) {
    return verdict([&](StateGraph& build) {
      build.object("pandas.core.indexes.interval", "_new_IntervalIndex",
                   {build.graph.name("pandas", "IntervalIndex"),
                    build.dict({{"left", floats(build, left)}, {"right", floats(build, right)}})},
                   kNoNode);
    });
  };
  CHECK(interval(2, 2) == "");
  CHECK(says(interval(2, 3), "the length of right is 3, expected 2"));
  CHECK(says(verdict([](StateGraph& build) {
               build.object("pandas", "MultiIndex", {}, build.dict({{"_codes", build.integer(0)}}));
             }),
             "not made by a function of pandas"));
}

TEST_CASE("pandas, index: an index that holds itself is no endless walk") {
  StateGraph build;
  const NodeId named = build.dict({{"name", build.graph.null()}});
  const NodeId index =
      build.object("pandas.core.indexes.base", "_new_Index", {build.graph.name("pandas", "Index"), named}, kNoNode);
  NodeId inner = index;
  for (int i = 0; i < 10; ++i) inner = trust::add_index(build, inner);
  build.graph.model_root = inner;
  CHECK_THROWS_AS(trust::validate_states(build.graph), Error);
}

TEST_CASE("pandas, columns: codes within the categories, values of the width that is read") {
  const auto categorical = [](std::vector<std::int64_t> codes, std::int64_t categories) {
    return verdict([&](StateGraph& build) { trust::add_categorical(build, codes, categories); });
  };
  CHECK(categorical({0, 1, -1}, 2) == "");
  CHECK(says(categorical({0, 2, -1}, 2), "code 1 is 2, expected -1 to 1"));
  CHECK(says(categorical({0, 1, -2}, 2), "code 2 is -2"));
  CHECK(says(categorical({0}, 0), "code 0 is 0"));
  const auto backed = [](const char* type, const std::function<NodeId(StateGraph&)>& values) {
    return verdict([&](StateGraph& build) {
      trust::add_backed(build, type, build.graph.dtype(Dtype::parse("<M8[ns]")), values(build));
    });
  };
  const auto ticks = [](const char* dtype) {
    return [dtype](StateGraph& build) {
      const std::vector<std::int64_t> shape = {2};
      return build.array(Dtype::parse(dtype), std::vector<std::int64_t>(2), shape);
    };
  };
  CHECK(backed("DatetimeArray", ticks("<M8[ns]")) == "");
  CHECK(backed("TimedeltaArray", ticks("<m8[ns]")) == "");
  CHECK(backed("PeriodArray", ticks("<i8")) == "");
  CHECK(says(backed("PeriodArray", ticks("<M8[ns]")), "expected ticks of 64 bits"));
  CHECK(says(backed("DatetimeArray", ticks("<i4")), "expected ticks of 64 bits"));
  CHECK(says(backed("DatetimeArray", [](StateGraph& build) { return floats(build, 2); }), "expected ticks"));
  const auto texts = [](bool number) {
    return [number](StateGraph& build) {
      const NodeId members[] = {build.graph.text("a"), number ? build.list({}) : build.graph.null()};
      const std::int64_t shape[] = {2};
      return build.graph.object_array(shape, members);
    };
  };
  CHECK(backed("StringArray", texts(false)) == "");
  CHECK(says(backed("StringArray", texts(true)), "value 1 is list, expected text"));
  CHECK(says(backed("StringArray", ticks("<i8")), "no array of texts"));
  CHECK(says(verdict([](StateGraph& build) {
               build.object("pandas", "Categorical", {build.integers({5}), build.list({})}, kNoNode);
             }),
             "made from 2 arguments, expected a state"));
  CHECK(says(verdict([](StateGraph& build) {
               build.object("pandas._libs.arrays", "__pyx_unpickle_NDArrayBacked",
                            {build.graph.name("pandas", "Categorical"), build.integer(1), build.tuple({})}, kNoNode);
             }),
             "made from a state that its function takes"));
  CHECK(says(verdict([](StateGraph& build) {
               build.object("pandas.arrays", "DatetimeArray", {},
                            build.dict({{"_dtype", build.graph.dtype(Dtype::parse("<M8[ns]"))},
                                        {"_data", build.integers({1})},
                                        {"_ndarray", build.integers({1, 2})}}));
             }),
             "its values twice"));
}

TEST_CASE("pandas, columns: a mask as long as its values, and both ends of each interval") {
  const auto masked = [](const char* type, std::int64_t values, std::vector<bool> mask) {
    return verdict([&](StateGraph& build) { trust::add_masked(build, type, values, mask); });
  };
  CHECK(masked("IntegerArray", 3, {true, false, true}) == "");
  CHECK(says(masked("IntegerArray", 3, {true, false}), "_mask has shape (2,), _data (3,)"));
  CHECK(says(masked("BooleanArray", 3, {true, false, true}), "_data holds"));
  CHECK(says(masked("FloatingArray", 3, {true, false, true}), "_data holds"));
  CHECK(says(verdict([](StateGraph& build) {
               build.object("pandas.arrays", "IntegerArray", {},
                            build.dict({{"_data", build.integers({1})}, {"_mask", build.integers({1})}}));
             }),
             "not bool"));
  const auto interval = [](std::size_t left, std::size_t right) {
    return verdict([&](StateGraph& build) {
      build.object("pandas._libs.interval", "__pyx_unpickle_IntervalMixin",
                   {build.graph.name("pandas.arrays", "IntervalArray"), build.integer(1), build.graph.null()},
                   build.tuple({build.dict({{"_left", floats(build, left)}, {"_right", floats(build, right)}})}));
    });
  };
  CHECK(interval(2, 2) == "");
  CHECK(says(interval(2, 1), "_left has shape (2,), _right (1,)"));
}

TEST_CASE("pandas, sparse columns: positions in order within the length, also where sums wrap in 32 bits") {
  const auto sparse = [](std::int64_t length, std::vector<std::int32_t> starts, std::vector<std::int32_t> lengths,
                         std::int64_t values) {
    return verdict([&](StateGraph& build) { trust::add_sparse(build, length, starts, lengths, values); });
  };
  CHECK(sparse(5, {0, 4}, {}, 2) == "");
  CHECK(sparse(5, {0, 3}, {2, 2}, 4) == "");
  CHECK(says(sparse(5, {0, 5}, {}, 2), "position 1 is 5, expected 1 to 4"));
  CHECK(says(sparse(5, {2, 2}, {}, 2), "position 1 is 2, expected 3 to 4"));
  CHECK(says(sparse(5, {-1, 2}, {}, 2), "position 0 is -1"));
  CHECK(says(sparse(5, {0, 4}, {}, 3), "the length of _sparse_values is 3, expected 2"));
  CHECK(says(sparse(5, {0, 3}, {2, 3}, 5), "position 1 is 3, expected 2 to 2"));
  CHECK(says(sparse(5, {0, 1}, {2, 2}, 4), "position 1 is 1, expected 2 to 3"));
  CHECK(says(sparse(10, {INT32_MAX}, {INT32_MAX}, 0), "the length of block 0"));
  CHECK(says(sparse(5, {0}, {-1}, 0), "the length of block 0 is -1"));
  CHECK(says(sparse(5, {0, 3}, {2}, 2), "the number of its lengths of blocks is 1, expected 2"));
  CHECK(says(sparse(std::int64_t{1} << 40, {0}, {}, 1), "its length is"));
}

TEST_CASE("pandas, moments and frequencies: units and months that tables are read at") {
  const auto offset = [](const char* name, std::int64_t value) {
    return verdict([&](StateGraph& build) {
      build.object("pandas._libs.tslibs.offsets", "YearEnd", {},
                   build.dict({{"n", build.integer(1)}, {name, build.integer(value)}}));
    });
  };
  CHECK(offset("month", 12) == "");
  CHECK(says(offset("month", 13), "month is 13, expected 1 to 12"));
  CHECK(says(offset("startingMonth", 0), "startingMonth is 0"));
  CHECK(says(offset("weekday", 7), "weekday is 7"));
  const auto moment = [](std::int64_t unit) {
    return verdict([&](StateGraph& build) {
      build.object("pandas._libs.tslibs.timestamps", "_unpickle_timestamp",
                   {build.integer(5), build.graph.null(), build.graph.null(), build.integer(unit)}, kNoNode);
    });
  };
  CHECK(moment(10) == "");
  CHECK(says(moment(11), "its unit is 11, expected 7 to 10"));
  CHECK(says(moment(-1), "its unit is -1"));
  CHECK(says(verdict([](StateGraph& build) {
               build.object("pandas", "Timedelta", {build.integer(1)}, build.tuple({build.integer(1)}));
             }),
             "a state, expected arguments alone"));
  CHECK(says(verdict([](StateGraph& build) { build.object("pandas", "Period", {build.graph.null()}, kNoNode); }),
             "expected a number"));
  CHECK(says(verdict([](StateGraph& build) {
               build.object("pandas._libs.tslibs.dtypes", "__pyx_unpickle_PeriodDtypeBase",
                            {build.graph.name("pandas", "PeriodDtype"), build.integer(1), build.integer(2)}, kNoNode);
             }),
             "made by a function"));
}
