#pragma once
// What a pickle stream has built so far: values by number, 16 bytes each. Nothing here is interpreted; known types
// (arrays, dtypes, sets by REDUCE ...) are plain calls until the graph is built.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <mere/dtype.hpp>

#include "container/foreign_name.hpp"
#include "importers/pickle/budget.hpp"
#include "importers/pickle/known_names.hpp"

namespace mere::importers::joblib {
class Companions;
}

namespace mere::importers::pickle {

using ValueId = std::uint32_t;
inline constexpr ValueId kNoValue = 0xffffffff;

enum class ValueKind : std::uint8_t {
  none,
  boolean,
  integer,
  big_integer,
  real,
  text,
  bytes,
  bytearray,
  list,
  tuple,
  set,
  frozenset,
  dict,
  global,
  call,
  array,
};

// A call or construction that the stream asked for, and all that was then put into its result.
struct Call {
  enum class Form : std::uint8_t { reduce, construct };
  Form form = Form::reduce;
  Known known = Known::nothing;  // what the callable is, if it is a name that we know
  ValueId callable = kNoValue;   // reduce: the function or class; construct: the class
  ValueId args = kNoValue;       // a tuple
  ValueId kwargs = kNoValue;     // a dict
  ValueId state = kNoValue;
  ValueId items = kNoValue;    // a list
  ValueId entries = kNoValue;  // a dict
  ValueId setter = kNoValue;   // a global
  bool spread_state = false;   // the setter took the members of `state`, a tuple, one by one (cloudpickle before 0.6)
  bool memoized = false;
  std::uint64_t offset = 0;  // of the opcode that made it
};

// A name of the stream: module, qualified name, offset and number of uses.
struct Global {
  container::ForeignName name;
  Known known = Known::nothing;
  ValueId id = kNoValue;
  // How often it stood on the stack, and how often it was then used up by what it is known for.
  std::uint64_t pushes = 0, used_up = 0;
};

// An array whose bytes lie in the stream itself (joblib), or that the caller handed over.
struct RawArray {
  Dtype dtype;
  std::vector<std::int64_t> shape;
  bool fortran = false;
  std::span<const std::byte> bytes;             // as many as dtype and shape need
  std::vector<std::int64_t> strides = {};       // empty: no gaps; else in bytes, from bytes.data() on
  std::shared_ptr<const void> owner = nullptr;  // null: the bytes lie in the stream
};

class Values {
 public:
  explicit Values(Budget& budget);
  // Room for what a stream of so many bytes may make; without it the table is held twice whenever it grows.
  void expect(std::uint64_t stream_bytes);
  void expect_arrays(std::size_t count) { arrays_.reserve(arrays_.size() + count); }

  // Leaves. Texts and bytes are borrowed: they lie in the stream, or were handed to own().
  ValueId none() const { return 0; }
  ValueId boolean(bool value) const { return value ? 2 : 1; }
  ValueId integer(std::int64_t value);
  ValueId big_integer(std::span<const std::byte> twos_complement);
  ValueId real(double value);
  ValueId text(std::string_view value) { return borrowed(ValueKind::text, std::as_bytes(std::span(value))); }
  ValueId bytes(std::span<const std::byte> value) { return borrowed(ValueKind::bytes, value); }
  ValueId bytearray(std::span<const std::byte> value) { return borrowed(ValueKind::bytearray, value); }
  // Memory that lives as long as the values, and as whoever holds what owned() gives.
  std::string_view own(std::string text);
  // Null if nothing was handed to own().
  std::shared_ptr<const void> owned() const { return owned_; }

  ValueId list() { return make(ValueKind::list, 0, 0); }
  ValueId set() { return make(ValueKind::set, 0, 0); }
  ValueId dict() { return make(ValueKind::dict, 0, 0); }
  ValueId tuple(std::span<const ValueId> members);
  ValueId frozenset(std::span<const ValueId> members);
  // Appends to a list, set or dict (key, value, key, value ...).
  void append(ValueId container, std::span<const ValueId> members);

  // The same name twice is the same value.
  ValueId global(std::string_view module, std::string_view qualname, std::uint64_t offset);
  ValueId call(const Call& call);
  ValueId array(RawArray array);

  std::size_t size() const { return records_.size(); }
  ValueKind kind(ValueId id) const { return records_[id].kind; }
  bool is_call(ValueId id) const { return id != kNoValue && kind(id) == ValueKind::call; }
  std::int64_t integer_of(ValueId id) const { return static_cast<std::int64_t>(records_[id].bits()); }
  double real_of(ValueId id) const;
  std::span<const std::byte> bytes_of(ValueId id) const;  // text, bytes, bytearray, big_integer
  std::string_view text_of(ValueId id) const;             // the same
  std::span<const ValueId> members(ValueId id) const;     // containers; until the next value is made
  Global& global_of(ValueId id) { return globals_[records_[id].words[0]]; }
  const Global& global_of(ValueId id) const { return globals_[records_[id].words[0]]; }
  // What `id` is known for, if it is a name.
  Known known(ValueId id) const { return kind(id) == ValueKind::global ? global_of(id).known : Known::nothing; }
  Call& call_of(ValueId id) { return calls_[records_[id].words[0]]; }
  const Call& call_of(ValueId id) const { return calls_[records_[id].words[0]]; }
  std::size_t call_count() const { return calls_.size(); }
  std::size_t call_number(ValueId id) const { return records_[id].words[0]; }  // below call_count()
  const RawArray& array_of(ValueId id) const { return arrays_[records_[id].words[0]]; }

  // Every name, in the order of first use.
  const std::vector<Global>& globals() const { return globals_; }
  Budget& budget() { return budget_; }

  // The files beside the one that is read, for streams that name them; null where there are none to be had.
  joblib::Companions* companions() const { return companions_; }
  void set_companions(joblib::Companions* companions) { companions_ = companions; }
  // Told how far the file's own stream is read, after each array in it; may be empty.
  void set_passed(std::function<void(std::uint64_t position)> passed) { passed_ = std::move(passed); }
  void pass(std::uint64_t position) const {
    if (passed_) passed_(position);
  }

 private:
  // words[0] and bits(), the other two words:
  //   boolean, integer, real   -, the value
  //   borrowed bytes           length without its high bits, address
  //   tuple, frozenset         number of members, the first in fixed_members_
  //   list, set, dict          the members themselves, as long as they are no more than three: a hostile stream has
  //                            one a byte or two; then -, index in growing_
  //   global, call, array      index, -
  struct Record {
    ValueKind kind;
    std::uint8_t inline_members = 0;  // list, set, dict: how many; kGrown if they are in growing_
    std::uint16_t length_high = 0;    // borrowed bytes: length, bits 32 to 47
    std::uint32_t words[3];

    std::uint64_t bits() const { return words[1] | std::uint64_t{words[2]} << 32; }
    void set_bits(std::uint64_t bits) {
      words[1] = static_cast<std::uint32_t>(bits);
      words[2] = static_cast<std::uint32_t>(bits >> 32);
    }
  };
  static_assert(sizeof(Record) == 16);
  static constexpr std::uint8_t kMostInline = 3, kGrown = 0xff;

  // Compares owned and borrowed names, so that a lookup makes no string.
  struct NameLess {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      const int order = std::string_view(a.first).compare(b.first);
      return order < 0 || (order == 0 && std::string_view(a.second) < std::string_view(b.second));
    }
  };

  ValueId make(ValueKind kind, std::uint32_t count, std::uint64_t bits);
  ValueId borrowed(ValueKind kind, std::span<const std::byte> value);

  Budget& budget_;
  std::vector<Record> records_;
  std::vector<ValueId> fixed_members_;         // of tuples and frozensets, which do not grow
  std::vector<std::vector<ValueId>> growing_;  // of lists, sets and dicts with more than three members
  std::vector<Global> globals_;
  std::map<std::pair<std::string, std::string>, ValueId, NameLess> global_ids_;
  std::vector<Call> calls_;
  std::vector<RawArray> arrays_;
  std::shared_ptr<std::deque<std::string>> owned_;
  joblib::Companions* companions_ = nullptr;
  std::function<void(std::uint64_t position)> passed_;
  ValueId small_integers_ = 0;  // the id of -5; up to 256 follow
};

}  // namespace mere::importers::pickle
