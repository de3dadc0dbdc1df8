#pragma once
// Runs a pickle stream (protocols 0 to 5) without a way to call anything: what Python would call becomes a Call value.
// Iterative; work and memory are bounded by the Budget of the values.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "container/pickle_opcodes.hpp"
#include "importers/pickle/byte_cursor.hpp"
#include "importers/pickle/values.hpp"

namespace mere::importers::pickle {

using Op = container::PickleOp;

struct Outcome {
  ValueId root = kNoValue;
  std::uint64_t end = 0;  // the byte after STOP
  int protocol = 0;       // as PROTO says; 0 without one
  bool has_joblib_arrays = false;
  // Where a call was made whose result is then dropped: what it was for is in no value, so the stream cannot be kept
  // whole.
  std::optional<std::uint64_t> dropped_call;
};

// What a stream of our own process may refer to besides itself. A file's stream gets none of it.
struct Surroundings {
  // Out-of-band buffers, in the order in which the stream asks for them; they outlive the values.
  std::span<const std::span<const std::byte>> buffers;
  // The value that a persistent id stands for. Unset: persistent ids are refused.
  std::function<ValueId(Values& values, ValueId id)> resolve;
};

class Machine {
 public:
  // `nested`: the stream is the payload of a joblib array, so that no joblib array may stand in it.
  Machine(std::span<const std::byte> bytes, std::uint64_t begin, Values& values, bool nested,
          const Surroundings* surroundings = nullptr)
      : cursor_(bytes, begin), values_(values), surroundings_(surroundings), begin_(begin), nested_(nested) {}

  // Runs to STOP. Throws Error: truncated, unknown_opcode, bad_record, bad_text, too_large, out_of_bounds.
  Outcome run();

 private:
  void step(Op op);
  // Each takes a group of operations; false if `op` is none of them.
  bool step_leaf(Op op);
  bool step_text(Op op);
  bool step_container(Op op);
  bool step_memo(Op op);
  bool step_call(Op op);
  bool step_surroundings(Op op);
  [[noreturn]] void refuse(Op op);

  void push(ValueId value) { stack_.push_back(value); }
  std::size_t fence() const { return marks_.empty() ? 0 : marks_.back(); }
  ValueId top();
  ValueId pop();
  // The values above the last mark, which is taken; they stay on the stack until drop_to().
  std::span<const ValueId> above_mark();
  void drop_to(std::size_t size) { stack_.resize(size); }
  void discard(ValueId value);

  void read_text(std::uint64_t length);
  void read_python2_string(std::span<const std::byte> bytes);
  void read_integer_line(bool is_long);
  void read_global(std::string_view module, std::string_view name);
  void add_items(ValueId target, std::span<const ValueId> members, bool entries);
  ValueId seen(ValueId value);
  void reduce(ValueId callable, ValueId args);
  ValueId find_name_made(ValueId callable, std::span<const ValueId> args);
  ValueId find_instance_made(std::span<const ValueId> args);
  bool fill_made(ValueId callable, std::span<const ValueId> args);
  void push_call(const Call& call);
  void construct(ValueId type, ValueId args, ValueId kwargs);
  void build(ValueId state);
  void memoize(std::uint64_t index);
  ValueId recall(std::uint64_t index);
  std::string_view checked_text(std::span<const std::byte> bytes);

  ByteCursor cursor_;
  Values& values_;
  const Surroundings* surroundings_;
  std::size_t buffers_used_ = 0;
  const std::uint64_t begin_;
  const bool nested_;
  std::uint64_t op_offset_ = 0;
  std::vector<ValueId> stack_;
  std::vector<std::size_t> marks_;
  std::vector<ValueId> memo_;                               // by index, for those without large gaps
  std::unordered_map<std::uint64_t, ValueId> sparse_memo_;  // the others
  Outcome outcome_;
};

}  // namespace mere::importers::pickle
