#include "importers/pickle/value_writer.hpp"

#include <bit>
#include <limits>

namespace mere::importers::pickle {

namespace {

// Names that stand for calls of the stream, written as those again: old Pythons know no types.NoneType.
bool is_type_of(const Global& name, std::string_view word) {
  return name.name.module == "types" && name.name.qualname == word;
}

// A getattr that makes a method, and no name.
bool is_method(const Values& values, const Call& call) {
  if (call.form != Call::Form::construct || call.kwargs != kNoValue) return false;
  if (values.global_of(call.callable).name.full_name() != "builtins.method") return false;
  const auto args = values.members(call.args);
  return args.size() == 2 && values.kind(args[0]) != ValueKind::global && values.kind(args[1]) == ValueKind::text;
}

bool is_operator_call(const Values& values, const Call& call) {
  if (call.form != Call::Form::reduce || values.global_of(call.callable).name.full_name() != "operator.call")
    return false;
  const auto args = values.members(call.args);
  return !args.empty() && values.is_call(args[0]);
}

}  // namespace

std::string ValueWriter::write(ValueId root) {
  put(Op::proto);
  out_ += static_cast<char>(5);
  then(Op::stop);
  then(root);
  while (!steps_.empty()) {
    const Step step = steps_.back();
    steps_.pop_back();
    switch (step.what) {
      case Step::What::value: write_value(step.id); break;
      case Step::What::members: {
        const auto members = values_.members(step.id);
        if (step.next == members.size()) break;
        then_members(step.id, step.next + 1);
        write_value(members[step.next]);
        break;
      }
      case Step::What::op: put(step.op); break;
      case Step::What::seal: seal(step.id); break;
    }
    if (out_.size() > most_bytes_) {
      throw Error(Reason::too_large, "a function or class by value is larger than " + std::to_string(most_bytes_) +
                                         " bytes when it is written on its own");
    }
  }
  return std::move(out_);
}

void ValueWriter::write_value(ValueId id) {
  if (put_memoized(id)) return;
  switch (values_.kind(id)) {
    case ValueKind::none: put(Op::none); return;
    case ValueKind::boolean: put(values_.integer_of(id) != 0 ? Op::newtrue : Op::newfalse); return;
    case ValueKind::integer: {
      const std::int64_t number = values_.integer_of(id);
      if (number >= std::numeric_limits<std::int32_t>::min() && number <= std::numeric_limits<std::int32_t>::max()) {
        put(Op::binint);
        put_number(static_cast<std::int32_t>(number));
      } else {
        put(Op::long1);
        put_number(std::uint8_t{8});
        put_number(number);
      }
      return;
    }
    case ValueKind::big_integer: {
      const auto bytes = values_.bytes_of(id);
      put(Op::long4);
      put_number(static_cast<std::uint32_t>(bytes.size()));
      out_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      return;
    }
    case ValueKind::real:
      put(Op::binfloat);
      put_number(__builtin_bswap64(std::bit_cast<std::uint64_t>(values_.real_of(id))));
      return;
    case ValueKind::text:
      put_text(values_.text_of(id));
      memoize(id);
      return;
    case ValueKind::bytes:
      put_bytes(Op::short_binbytes, Op::binbytes, Op::binbytes8, values_.bytes_of(id));
      memoize(id);
      return;
    case ValueKind::bytearray:
      put_bytes(Op::bytearray8, Op::bytearray8, Op::bytearray8, values_.bytes_of(id));
      memoize(id);
      return;
    case ValueKind::list:
    case ValueKind::set:
    case ValueKind::dict: {
      const ValueKind kind = values_.kind(id);
      put(kind == ValueKind::list ? Op::empty_list : kind == ValueKind::set ? Op::empty_set : Op::empty_dict);
      memoize(id);
      if (values_.members(id).empty()) return;
      put(Op::mark);
      then(kind == ValueKind::list ? Op::appends : kind == ValueKind::set ? Op::additems : Op::setitems);
      then_members(id);
      return;
    }
    case ValueKind::tuple:
    case ValueKind::frozenset:
      put(Op::mark);
      then_seal(id);
      then_members(id);
      return;
    case ValueKind::global: {
      const Global& global = values_.global_of(id);
      names_.push_back(id);
      if (is_type_of(global, "NoneType") || is_type_of(global, "EllipsisType") ||
          is_type_of(global, "NotImplementedType")) {
        put_name("builtins", "type");
        if (is_type_of(global, "NoneType")) {
          put(Op::none);
        } else {
          put_name("builtins", is_type_of(global, "EllipsisType") ? "Ellipsis" : "NotImplemented");
        }
        put(Op::tuple1);
        put(Op::reduce);
      } else {
        put_name(global.name.module, global.name.qualname);
      }
      memoize(id);
      return;
    }
    case ValueKind::call: write_call(id); return;
    case ValueKind::array:
      throw Error(Reason::not_supported, "a function or class by value that holds an array of joblib's");
  }
}

// The callable and arguments; seal() then makes the call, which comes after what they hold.
void ValueWriter::write_call(ValueId id) {
  const Call& call = values_.call_of(id);
  then_seal(id);
  if (call.kwargs != kNoValue) then(call.kwargs);
  if (is_operator_call(values_, call)) {
    then(Op::tuple);
    then_members(call.args, 1);
    then(Op::mark);
    then(values_.members(call.args)[0]);
    return;
  }
  then(call.args);
  if (is_method(values_, call)) {
    put_name("builtins", "getattr");
    return;
  }
  then(call.callable);
}

void ValueWriter::seal(ValueId id) {
  const ValueKind kind = values_.kind(id);
  if (kind != ValueKind::call) {
    // Its members may have led back to it: then it is made already.
    if (memo_.contains(id)) {
      put(Op::pop_mark);
      put_memoized(id);
      return;
    }
    put(kind == ValueKind::tuple ? Op::tuple : Op::frozenset);
    memoize(id);
    return;
  }
  const Call& call = values_.call_of(id);
  if (memo_.contains(id)) {
    put(Op::pop);
    put(Op::pop);
    if (call.kwargs != kNoValue) put(Op::pop);
    put_memoized(id);
    return;
  }
  const bool construct = call.form == Call::Form::construct && !is_method(values_, call);
  put(!construct ? Op::reduce : call.kwargs == kNoValue ? Op::newobj : Op::newobj_ex);
  memoize(id);
  write_rest_of(id);
}

// Items, entries, state, in the order in which pickle sets them.
void ValueWriter::write_rest_of(ValueId id) {
  const Call& call = values_.call_of(id);
  if (call.setter != kNoValue) {
    // setter(object, state), whose result is dropped.
    then(Op::pop);
    then(Op::reduce);
    then(Op::tuple);
    if (call.spread_state) {
      then_members(call.state);
    } else {
      then(call.state);
    }
    then(id);
    then(Op::mark);
    then(call.setter);
  } else if (call.state != kNoValue) {
    then(Op::build);
    then(call.state);
  }
  if (call.entries != kNoValue) {
    then(Op::setitems);
    then_members(call.entries);
    then(Op::mark);
  }
  if (call.items != kNoValue) {
    then(Op::appends);
    then_members(call.items);
    then(Op::mark);
  }
}

template <class Number>
void ValueWriter::put_number(Number number) {
  char bytes[sizeof number];
  __builtin_memcpy(bytes, &number, sizeof number);
  out_.append(bytes, sizeof bytes);
}

void ValueWriter::put_bytes(Op short_op, Op op, Op long_op, std::span<const std::byte> bytes) {
  if (bytes.size() < 256 && short_op != long_op) {
    put(short_op);
    put_number(static_cast<std::uint8_t>(bytes.size()));
  } else if (bytes.size() <= 0xffffffff && op != long_op) {
    put(op);
    put_number(static_cast<std::uint32_t>(bytes.size()));
  } else {
    put(long_op);
    put_number(static_cast<std::uint64_t>(bytes.size()));
  }
  out_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void ValueWriter::put_text(std::string_view text) {
  put_bytes(Op::short_binunicode, Op::binunicode, Op::binunicode8, std::as_bytes(std::span(text)));
}

void ValueWriter::put_name(std::string_view module, std::string_view qualname) {
  put_text(module);
  put_text(qualname);
  put(Op::stack_global);
}

// MEMOIZE numbers the entries from 0.
void ValueWriter::memoize(ValueId id) {
  put(Op::memoize);
  memo_.emplace(id, memoized_++);
}

bool ValueWriter::put_memoized(ValueId id) {
  const auto found = memo_.find(id);
  if (found == memo_.end()) return false;
  put(Op::long_binget);
  put_number(found->second);
  return true;
}

}  // namespace mere::importers::pickle
