#include "importers/pickle/machine.hpp"

#include <charconv>
#include <cstring>

#include "format/text_form.hpp"
#include "importers/pickle/literals.hpp"

namespace mere::importers::pickle {

namespace {

constexpr std::uint64_t kIntegerDigits = 1'000'000;  // of a number spelled out: about a second of work
constexpr std::uint64_t kNumberBytes = 4096;         // of a float spelled out
constexpr std::uint64_t kLineBytes = std::uint64_t{1} << 40;

std::string hex_byte(std::uint8_t byte) {
  constexpr char kDigits[] = "0123456789abcdef";
  return {'0', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
}

}  // namespace

Outcome Machine::run() {
  while (true) {
    cursor_.leave_finished_frame();
    op_offset_ = cursor_.position();
    const Op op{cursor_.number<std::uint8_t>("an opcode")};
    if (op == Op::stop) break;
    Budget::spend(values_.budget().operations, 1, "operations", op_offset_);
    step(op);
  }
  if (cursor_.in_frame()) {
    cursor_.leave_finished_frame();
    if (cursor_.in_frame()) cursor_.fail(Reason::bad_record, "STOP before the end of its frame");
  }
  outcome_.root = pop();
  // Python forgets what is left on the stack; calls among it would be calls without a result.
  if (!stack_.empty() || !marks_.empty()) {
    for (const ValueId value : stack_) discard(value);
    if (!outcome_.dropped_call) cursor_.fail(Reason::bad_record, "values are left on the stack at STOP");
  }
  outcome_.end = cursor_.position();
  return outcome_;
}

void Machine::step(Op op) {
  switch (op) {
    case Op::proto: {
      const int protocol = cursor_.number<std::uint8_t>("a protocol number");
      if (protocol > container::kHighestPickleProtocol) {
        cursor_.fail(Reason::unknown_opcode, "pickle protocol " + std::to_string(protocol) + ", known are 0 to 5");
      }
      if (op_offset_ != begin_) cursor_.fail(Reason::bad_record, "PROTO in the middle of a pickle");
      outcome_.protocol = protocol;
      return;
    }
    case Op::frame: cursor_.enter_frame(cursor_.number<std::uint64_t>("a frame length")); return;
    case Op::mark: marks_.push_back(stack_.size()); return;
    case Op::pop:
      if (!marks_.empty() && stack_.size() == marks_.back()) {
        marks_.pop_back();
      } else {
        discard(pop());
      }
      return;
    case Op::pop_mark: {
      const auto members = above_mark();
      const std::size_t rest = stack_.size() - members.size();
      for (std::size_t i = rest; i < stack_.size(); ++i) discard(stack_[i]);
      drop_to(rest);
      return;
    }
    case Op::dup: push(seen(top())); return;
    default: break;
  }
  if (step_leaf(op) || step_text(op) || step_container(op) || step_memo(op) || step_call(op) || step_surroundings(op)) {
    return;
  }
  refuse(op);
}

bool Machine::step_leaf(Op op) {
  switch (op) {
    case Op::none: push(values_.none()); return true;
    case Op::newtrue: push(values_.boolean(true)); return true;
    case Op::newfalse: push(values_.boolean(false)); return true;
    case Op::binint: push(values_.integer(cursor_.number<std::int32_t>("an integer"))); return true;
    case Op::binint1: push(values_.integer(cursor_.number<std::uint8_t>("an integer"))); return true;
    case Op::binint2: push(values_.integer(cursor_.number<std::uint16_t>("an integer"))); return true;
    case Op::long1:
    case Op::long4: {
      const std::int64_t length =
          op == Op::long1 ? cursor_.number<std::uint8_t>("a length") : cursor_.number<std::int32_t>("a length");
      if (length < 0) cursor_.fail(Reason::bad_record, "an integer of negative length");
      push(values_.big_integer(cursor_.take(static_cast<std::uint64_t>(length), "an integer")));
      return true;
    }
    case Op::int_line: read_integer_line(false); return true;
    case Op::long_line: read_integer_line(true); return true;
    case Op::binfloat: {
      const std::uint64_t bits = __builtin_bswap64(cursor_.number<std::uint64_t>("a float"));
      double value;
      std::memcpy(&value, &bits, sizeof value);
      push(values_.real(value));
      return true;
    }
    case Op::float_line: {
      const std::string_view line = cursor_.line(kNumberBytes, "a float");
      double value = 0;
      const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
      if (end != line.data() + line.size() || error != std::errc())
        cursor_.fail(Reason::bad_record, "a float that is no number");
      push(values_.real(value));
      return true;
    }
    default: return false;
  }
}

void Machine::read_integer_line(bool is_long) {
  std::string_view line = cursor_.line(kIntegerDigits + 2, "an integer");
  // Protocols 0 and 1 spell False and True so.
  if (!is_long && (line == "00" || line == "01")) {
    push(values_.boolean(line == "01"));
    return;
  }
  if (is_long && !line.empty() && line.back() == 'L') line.remove_suffix(1);
  const auto parsed = parse_decimal(line);
  if (!parsed) cursor_.fail(Reason::bad_record, "an integer that is no number");
  if (parsed->size() <= sizeof(std::int64_t)) {
    push(values_.big_integer(*parsed));
    return;
  }
  const std::string_view kept = values_.own(std::string(reinterpret_cast<const char*>(parsed->data()), parsed->size()));
  push(values_.big_integer(std::as_bytes(std::span(kept))));
}

bool Machine::step_text(Op op) {
  switch (op) {
    case Op::short_binunicode: read_text(cursor_.number<std::uint8_t>("a length")); return true;
    case Op::binunicode: read_text(cursor_.number<std::uint32_t>("a length")); return true;
    case Op::binunicode8: read_text(cursor_.number<std::uint64_t>("a length")); return true;
    case Op::unicode_line: {
      auto text = decode_raw_unicode_escape(cursor_.line(kLineBytes, "a text"));
      if (!text) cursor_.fail(Reason::bad_text, "a malformed escape in a text");
      push(values_.text(values_.own(std::move(*text))));
      return true;
    }
    case Op::short_binbytes: {
      const auto taken = cursor_.take(cursor_.number<std::uint8_t>("a length"), "bytes");
      // The number of a NumPy scalar between two large arrays: copied now, as a later look at it would map pages of
      // both.
      const bool copied = outcome_.has_joblib_arrays && taken.size() <= 16 && !taken.empty();
      push(values_.bytes(copied ? std::as_bytes(std::span(values_.own(
                                      std::string(reinterpret_cast<const char*>(taken.data()), taken.size()))))
                                : taken));
      return true;
    }
    case Op::binbytes:
      push(values_.bytes(cursor_.take(cursor_.number<std::uint32_t>("a length"), "bytes")));
      return true;
    case Op::binbytes8:
      push(values_.bytes(cursor_.take(cursor_.number<std::uint64_t>("a length"), "bytes")));
      return true;
    case Op::bytearray8:
      push(values_.bytearray(cursor_.take(cursor_.number<std::uint64_t>("a length"), "bytes")));
      return true;
    case Op::short_binstring:
      read_python2_string(cursor_.take(cursor_.number<std::uint8_t>("a length"), "a string"));
      return true;
    case Op::binstring: {
      const auto length = cursor_.number<std::int32_t>("a length");
      if (length < 0) cursor_.fail(Reason::bad_record, "a string of negative length");
      read_python2_string(cursor_.take(static_cast<std::uint64_t>(length), "a string"));
      return true;
    }
    case Op::string_line: {
      auto text = decode_string_literal(cursor_.line(kLineBytes, "a string"));
      if (!text) cursor_.fail(Reason::bad_text, "a malformed string literal");
      read_python2_string(std::as_bytes(std::span(values_.own(std::move(*text)))));
      return true;
    }
    default: return false;
  }
}

std::string_view Machine::checked_text(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (format::text_form(text) == format::TextForm::broken) cursor_.fail(Reason::bad_text, "a text that is not UTF-8");
  return text;
}

void Machine::read_text(std::uint64_t length) {
  push(values_.text(checked_text(cursor_.take(length, "a text"))));
}

// Python 2's str is bytes or text, as its writer meant: ASCII is taken for text, anything else stays bytes.
void Machine::read_python2_string(std::span<const std::byte> bytes) {
  for (const std::byte byte : bytes) {
    if (byte >= std::byte{0x80}) {
      push(values_.bytes(bytes));
      return;
    }
  }
  push(values_.text({reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
}

bool Machine::step_container(Op op) {
  switch (op) {
    case Op::empty_list: push(values_.list()); return true;
    case Op::empty_dict: push(values_.dict()); return true;
    case Op::empty_set: push(values_.set()); return true;
    case Op::empty_tuple: push(values_.tuple({})); return true;
    case Op::tuple1:
    case Op::tuple2:
    case Op::tuple3: {
      const std::size_t count = static_cast<std::size_t>(op) - static_cast<std::size_t>(Op::tuple1) + 1;
      if (stack_.size() - fence() < count) cursor_.fail(Reason::bad_record, "the stack is too short for a tuple");
      const ValueId made = values_.tuple(std::span(stack_).last(count));
      drop_to(stack_.size() - count);
      push(made);
      return true;
    }
    case Op::tuple:
    case Op::frozenset:
    case Op::list:
    case Op::dict: {
      const auto members = above_mark();
      const std::size_t rest = stack_.size() - members.size();
      ValueId made = kNoValue;
      if (op == Op::tuple) {
        made = values_.tuple(members);
      } else if (op == Op::frozenset) {
        made = values_.frozenset(members);
      } else {
        made = op == Op::list ? values_.list() : values_.dict();
        add_items(made, members, op == Op::dict);
      }
      drop_to(rest);
      push(made);
      return true;
    }
    case Op::append: {
      const ValueId member = pop();
      add_items(top(), {&member, 1}, false);
      return true;
    }
    case Op::setitem: {
      const ValueId value = pop();
      const ValueId pair[] = {pop(), value};
      add_items(top(), pair, true);
      return true;
    }
    case Op::appends:
    case Op::additems:
    case Op::setitems: {
      const auto members = above_mark();
      const std::size_t rest = stack_.size() - members.size();
      if (rest == fence()) cursor_.fail(Reason::bad_record, "no container below the mark");
      const ValueId target = stack_[rest - 1];
      if ((op == Op::additems) != (values_.kind(target) == ValueKind::set)) {
        cursor_.fail(Reason::bad_record, "members are added to what is no such container");
      }
      add_items(target, members, op == Op::setitems);
      drop_to(rest);
      return true;
    }
    default: return false;
  }
}

// To a list, set or dict, or to an object that is one (a subclass): its items or entries.
void Machine::add_items(ValueId target, std::span<const ValueId> members, bool entries) {
  if (entries && members.size() % 2 != 0) cursor_.fail(Reason::bad_record, "a key without a value");
  const ValueKind kind = values_.kind(target);
  if (kind == ValueKind::call) {
    const ValueId part = entries ? values_.call_of(target).entries : values_.call_of(target).items;
    const ValueId container = part != kNoValue ? part : entries ? values_.dict() : values_.list();
    (entries ? values_.call_of(target).entries : values_.call_of(target).items) = container;
    values_.append(container, members);
    return;
  }
  if (entries ? kind != ValueKind::dict : (kind != ValueKind::list && kind != ValueKind::set)) {
    cursor_.fail(Reason::bad_record, "members are added to what is no such container");
  }
  values_.append(target, members);
}

bool Machine::step_memo(Op op) {
  const auto index_line = [&] {
    const std::string_view line = cursor_.line(20, "a memo index");
    std::uint64_t index = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), index);
    if (line.empty() || end != line.data() + line.size() || error != std::errc()) {
      cursor_.fail(Reason::bad_record, "a memo index that is no number");
    }
    return index;
  };
  switch (op) {
    case Op::memoize: memoize(memo_.size() + sparse_memo_.size()); return true;
    case Op::put: memoize(index_line()); return true;
    case Op::binput: memoize(cursor_.number<std::uint8_t>("a memo index")); return true;
    case Op::long_binput: memoize(cursor_.number<std::uint32_t>("a memo index")); return true;
    case Op::get: push(seen(recall(index_line()))); return true;
    case Op::binget: push(seen(recall(cursor_.number<std::uint8_t>("a memo index")))); return true;
    case Op::long_binget: push(seen(recall(cursor_.number<std::uint32_t>("a memo index")))); return true;
    default: return false;
  }
}

void Machine::memoize(std::uint64_t index) {
  const ValueId value = top();
  if (values_.is_call(value)) values_.call_of(value).memoized = true;
  Budget::spend(values_.budget().memo_entries, 1, "memo entries", op_offset_);
  if (index < memo_.size()) {
    memo_[index] = value;
  } else if (index == memo_.size()) {
    memo_.push_back(value);
    if (!sparse_memo_.empty()) sparse_memo_.erase(index);  // MEMOIZE counts every index once
  } else {
    // A writer counts up from 0, but may leave numbers out: only those in order take room in the table.
    sparse_memo_[index] = value;
  }
}

ValueId Machine::recall(std::uint64_t index) {
  if (index < memo_.size()) return memo_[index];
  const auto found = sparse_memo_.find(index);
  if (found == sparse_memo_.end())
    cursor_.fail(Reason::bad_record, "memo entry " + std::to_string(index) + " was never set");
  return found->second;
}

ValueId Machine::top() {
  if (stack_.size() == fence()) cursor_.fail(Reason::bad_record, "the stack is empty");
  return stack_.back();
}

ValueId Machine::pop() {
  const ValueId value = top();
  stack_.pop_back();
  return value;
}

std::span<const ValueId> Machine::above_mark() {
  if (marks_.empty()) cursor_.fail(Reason::bad_record, "no mark on the stack");
  const std::size_t mark = marks_.back();
  marks_.pop_back();
  return std::span<const ValueId>(stack_).subspan(mark);
}

void Machine::refuse(Op op) {
  switch (op) {
    case Op::persid:
    case Op::binpersid: cursor_.fail(Reason::unknown_opcode, "a persistent id: its meaning is in no file");
    case Op::ext1:
    case Op::ext2:
    case Op::ext4: cursor_.fail(Reason::unknown_opcode, "an extension code: its meaning is in no file");
    case Op::next_buffer:
    case Op::readonly_buffer:
      cursor_.fail(Reason::unknown_opcode, "an out-of-band buffer, which the file does not hold");
    default: break;
  }
  throw Error(Reason::unknown_opcode, "byte " + std::to_string(op_offset_) + " of the pickle: unknown opcode " +
                                          hex_byte(static_cast<std::uint8_t>(op)));
}

}  // namespace mere::importers::pickle
