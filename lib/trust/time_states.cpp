// Moments, spans and frequencies of pandas: small objects of compiled code, which looks up the lengths of months
// without a look at the month (pandas/_libs/tslibs).

#include "trust/pandas_parts.hpp"

namespace mere::trust {

namespace {

// Numbers, text, and what they lie in; objects are checked by themselves.
void require_plain(const ObjectState& state, NodeId id, std::string_view what, int depth = 0) {
  const graph::NodeReader& reader = state.reader();
  switch (reader.kind(id)) {
    case Kind::null:
    case Kind::boolean:
    case Kind::integer:
    case Kind::real:
    case Kind::text:
    case Kind::scalar:
    case Kind::name:
    case Kind::dtype:
    case Kind::object: return;
    case Kind::tuple:
    case Kind::list:
    case Kind::dict: {
      if (depth >= 4) break;
      const std::uint64_t children = reader.child_count(id);
      state.spend(children);
      for (std::uint64_t i = 0; i < children; ++i) require_plain(state, reader.child(id, i), what, depth + 1);
      return;
    }
    default: break;
  }
  state.fail_schema(std::string(what) + " holds " + std::string(to_text(reader.kind(id))) + ", expected numbers");
}

void require_plain_arguments(const ObjectState& state) {
  if (state.parts().kwargs != kNoNode) state.fail_schema("made from named arguments");
  for (std::uint64_t i = 0; i < state.argument_count(); ++i)
    require_plain(state, state.argument(i, "argument"), "an argument");
}

bool has_state(const ObjectState& state) {
  return state.parts().state != kNoNode && state.reader().kind(state.parts().state) != Kind::null;
}

}  // namespace

// Day(1), YearEnd(1, False, 12): what it is made from is checked by its class. States, of pandas before 1.1, are not.
void validate_offset(const ObjectState& state) {
  if (state.is_made_by_function() && state.argument_count() > 1) require_made_bare(state);
  require_plain_arguments(state);
  if (!has_state(state)) return;
  if (!state.has_attributes()) state.fail_schema("its state is no dict");
  require_plain(state, state.parts().state, "its state");
  struct Range {
    const char* name;
    std::int64_t low, high;
  };
  for (const Range& range : {Range{"month", 1, 12}, Range{"startingMonth", 1, 12}, Range{"weekday", 0, 6},
                             Range{"week", 0, 4}, Range{"day_of_month", 1, 31}}) {
    if (const auto value = state.find_integer(range.name))
      state.require_range(*value, range.low, range.high, range.name);
  }
}

// Timestamp(value, freq, tz), Timedelta(value), Period(None, freq, ordinal), Interval(left, right, closed), NaT, and
// the functions that make them; the last argument of two of these is a unit: 7 to 10, seconds to nanoseconds.
void validate_moment(const ObjectState& state) {
  require_plain_arguments(state);
  const graph::NodeReader& reader = state.reader();
  const std::string& name = state.qualname();
  const auto check_unit = [&](std::uint64_t index) {
    if (state.argument_count() > index)
      state.require_range(state.integer_of(state.argument(index, "unit"), "its unit"), 7, 10, "its unit");
  };
  if (name == "_unpickle_timestamp") check_unit(3);
  if (name == "_timedelta_unpickle") check_unit(1);
  if (state.is_made_by_function()) require_made_bare(state);
  if (name == "Interval") state.argument(2, "closed");
  if (!has_state(state)) {
    if (name == "Period") state.argument(2, "a number");
    return;
  }
  if (name != "Period" || state.state_members() != 3) state.fail_schema("a state, expected arguments alone");
  if (state.argument_count() > 0 && !state.is_made_by_function()) state.fail_schema("arguments and a state");
  const Kind frequency = reader.kind(state.state_member(1, "frequency"));
  if (frequency != Kind::text && frequency != Kind::object) state.fail_schema("its frequency is no text or object");
  state.integer_of(state.state_member(2, "number"), "its number");
}

// PeriodDtype("period[M]") or PeriodDtype(frequency); before pandas 1.0 a dict with the frequency.
void validate_period_type(const ObjectState& state) {
  if (state.is_made_by_function()) state.fail_schema("made by a function, expected its class");
  require_plain_arguments(state);
  if (!has_state(state)) return;
  if (!state.has_attributes()) state.fail_schema("its state is no dict");
  require_plain(state, state.parts().state, "its state");
}

}  // namespace mere::trust
