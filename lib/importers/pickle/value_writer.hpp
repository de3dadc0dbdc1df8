#pragma once
// Writes one value of a stream, with all it reaches, as a pickle of its own: protocol 5 without frames, memo entries by
// MEMOIZE and LONG_BINGET.

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "container/pickle_opcodes.hpp"
#include "importers/pickle/values.hpp"

namespace mere::importers::pickle {

using Op = container::PickleOp;

class ValueWriter {
 public:
  // Throws Error(too_large) once it has written more than `most_bytes`, and Error(not_supported) for arrays that lie
  // outside of the pickle proper (joblib).
  ValueWriter(const Values& values, std::uint64_t most_bytes) : values_(values), most_bytes_(most_bytes) {}

  // Call it once.
  std::string write(ValueId root);
  // The names that were written, each once.
  const std::vector<ValueId>& names() const { return names_; }

 private:
  static constexpr Op kNoOp = Op::stop;  // of a step that has none

  // What is still to be done, last first.
  struct Step {
    enum class What : std::uint8_t {
      value,    // write `id`
      members,  // write the members of `id` from `next` on
      op,       // the opcode `op`
      seal,     // the parts of `id`, an immutable value or a call, are on the stack: make it, or take it from the memo
    };
    What what;
    Op op;
    ValueId id;
    std::size_t next;
  };

  void write_value(ValueId id);
  void write_call(ValueId id);
  void seal(ValueId id);
  void write_rest_of(ValueId id);
  // Each comes before what was said earlier.
  void then(Op op) { steps_.push_back({Step::What::op, op, kNoValue, 0}); }
  void then(ValueId id) { steps_.push_back({Step::What::value, kNoOp, id, 0}); }
  void then_members(ValueId id, std::size_t next = 0) { steps_.push_back({Step::What::members, kNoOp, id, next}); }
  void then_seal(ValueId id) { steps_.push_back({Step::What::seal, kNoOp, id, 0}); }

  void put(Op op) { out_ += static_cast<char>(op); }
  template <class Number>
  void put_number(Number number);
  void put_text(std::string_view text);
  void put_bytes(Op short_op, Op op, Op long_op, std::span<const std::byte> bytes);
  void put_name(std::string_view module, std::string_view qualname);
  void memoize(ValueId id);
  bool put_memoized(ValueId id);

  const Values& values_;
  const std::uint64_t most_bytes_;
  std::string out_;
  std::vector<Step> steps_;
  std::unordered_map<ValueId, std::uint32_t> memo_;
  std::vector<ValueId> names_;
  std::uint32_t memoized_ = 0;
};

}  // namespace mere::importers::pickle
