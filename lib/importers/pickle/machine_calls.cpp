// The part of Machine that deals with names, and with what the stream would have called.

#include <tuple>

#include "importers/joblib/array_payload.hpp"
#include "importers/joblib/companions.hpp"
#include "importers/pickle/machine.hpp"
#include "importers/pickle/python2_names.hpp"

namespace mere::importers::pickle {

namespace {

constexpr std::uint64_t kNameBytes = 4096;  // of a module or qualified name

// Names that a shape of its own uses up: builtins.getattr is none of a file's names where it only spells a method.
bool is_used_up(Known known) {
  return known >= Known::attribute_of && known <= Known::builtin_type;
}

bool is_joblib_wrapper(Known known) {
  return known == Known::joblib_array || known == Known::joblib_companion || known == Known::joblib_packed_companion;
}

}  // namespace

bool Machine::step_call(Op op) {
  switch (op) {
    case Op::global: {
      const std::string_view module = cursor_.line(kNameBytes, "a module name");
      read_global(module, cursor_.line(kNameBytes, "a qualified name"));
      return true;
    }
    case Op::stack_global: {
      const ValueId name = pop();
      const ValueId module = pop();
      if (values_.kind(name) != ValueKind::text || values_.kind(module) != ValueKind::text) {
        cursor_.fail(Reason::bad_record, "STACK_GLOBAL without two texts");
      }
      read_global(values_.text_of(module), values_.text_of(name));
      return true;
    }
    case Op::reduce: {
      const ValueId args = pop();
      reduce(pop(), args);
      return true;
    }
    case Op::newobj: {
      const ValueId args = pop();
      construct(pop(), args, kNoValue);
      return true;
    }
    case Op::newobj_ex: {
      const ValueId kwargs = pop();
      const ValueId args = pop();
      if (values_.kind(kwargs) != ValueKind::dict)
        cursor_.fail(Reason::bad_record, "keyword arguments that are no dict");
      construct(pop(), args, kwargs);
      return true;
    }
    case Op::inst:
    case Op::obj: {
      if (op == Op::inst) {
        const std::string_view module = cursor_.line(kNameBytes, "a module name");
        read_global(module, cursor_.line(kNameBytes, "a qualified name"));
      } else if (marks_.empty() || stack_.size() == marks_.back()) {
        cursor_.fail(Reason::bad_record, "OBJ without a class");
      }
      // INST has its class above the arguments, OBJ below.
      const ValueId type = op == Op::inst ? pop() : stack_[marks_.back()];
      auto members = above_mark();
      const std::size_t rest = stack_.size() - members.size();
      if (op == Op::obj) members = members.subspan(1);
      // Python 2's rule: without arguments the class is not called, its instance is only made.
      const ValueId args = values_.tuple(members);
      const bool call = !members.empty();
      drop_to(rest);
      call ? reduce(type, args) : construct(type, args, kNoValue);
      return true;
    }
    case Op::build: build(pop()); return true;
    default: return false;
  }
}

// Only for streams of our own process.
bool Machine::step_surroundings(Op op) {
  if (surroundings_ == nullptr) return false;
  switch (op) {
    case Op::binpersid: {
      if (!surroundings_->resolve) return false;
      push(surroundings_->resolve(values_, pop()));
      return true;
    }
    case Op::next_buffer:
      if (surroundings_->buffers.empty()) return false;
      if (buffers_used_ == surroundings_->buffers.size())
        cursor_.fail(Reason::bad_record, "an out-of-band buffer that was not given");
      push(values_.bytearray(surroundings_->buffers[buffers_used_++]));
      return true;
    case Op::readonly_buffer:
      if (surroundings_->buffers.empty()) return false;
      if (values_.kind(top()) == ValueKind::bytearray) stack_.back() = values_.bytes(values_.bytes_of(top()));
      return true;
    default: return false;
  }
}

void Machine::read_global(std::string_view module, std::string_view name) {
  for (const std::string_view part : {module, name}) {
    if (part.empty()) cursor_.fail(Reason::bad_record, "an empty name");
    if (part.size() > kNameBytes)
      cursor_.fail(Reason::too_large, "a name is longer than " + std::to_string(kNameBytes) + " bytes");
    checked_text(std::as_bytes(std::span(part)));
  }
  if (outcome_.protocol < 3) std::tie(module, name) = python3_name(module, name);
  push(seen(values_.global(module, name, op_offset_)));
}

// Counts a name that comes to the stack.
ValueId Machine::seen(ValueId value) {
  if (values_.kind(value) == ValueKind::global) ++values_.global_of(value).pushes;
  return value;
}

void Machine::push_call(const Call& call) {
  push(values_.call(call));
}

void Machine::reduce(ValueId callable, ValueId args) {
  if (values_.kind(args) != ValueKind::tuple) cursor_.fail(Reason::bad_record, "arguments that are no tuple");
  if (values_.is_call(callable)) {
    // What a call gave is called: operator.call(it, *args), so that every call is of something with a name.
    const auto given = values_.members(args);
    std::vector<ValueId> all{callable};
    all.insert(all.end(), given.begin(), given.end());
    args = values_.tuple(all);
    callable = values_.global("operator", "call", op_offset_);
  }
  if (values_.kind(callable) != ValueKind::global) cursor_.fail(Reason::bad_record, "a call of what is no function");
  const Known known = values_.global_of(callable).known;
  if (known != Known::nothing) {
    const std::span<const ValueId> given = values_.members(args);
    if (is_used_up(known)) {
      if (const ValueId made = find_name_made(callable, given); made != kNoValue) {
        ++values_.global_of(callable).used_up;
        push(made);
        return;
      }
    } else if (known == Known::reconstructor && outcome_.protocol < 2) {
      if (const ValueId made = find_instance_made(given); made != kNoValue) {
        push(made);
        return;
      }
    } else if (known == Known::cloud_function_setter || known == Known::cloud_class_setter) {
      if (fill_made(callable, given)) return;
    }
  }
  push_call({.form = Call::Form::reduce, .callable = callable, .args = args, .offset = op_offset_});
}

// What a call that only spells a name, or a bound method, stands for; nothing if it is any other call.
ValueId Machine::find_name_made(ValueId callable, std::span<const ValueId> args) {
  const auto is_text = [&](std::size_t i) { return i < args.size() && values_.kind(args[i]) == ValueKind::text; };
  const auto name = [&](std::string_view module, std::string_view qualname) -> ValueId {
    if (module.empty() || qualname.empty()) return kNoValue;
    if (module.size() > kNameBytes || qualname.size() > kNameBytes)
      cursor_.fail(Reason::too_large, "a name is longer than " + std::to_string(kNameBytes) + " bytes");
    return seen(values_.global(std::string(module), std::string(qualname), op_offset_));
  };
  switch (values_.global_of(callable).known) {
    case Known::attribute_of: {
      if (args.size() != 2 || !is_text(1)) return kNoValue;
      if (values_.kind(args[0]) == ValueKind::global) {
        const container::ForeignName& whole = values_.global_of(args[0]).name;
        return name(whole.module, whole.qualname + "." + std::string(values_.text_of(args[1])));
      }
      const ValueId pair[] = {args[0], args[1]};
      return values_.call({.form = Call::Form::construct,
                           .callable = values_.global("builtins", "method", op_offset_),
                           .args = values_.tuple(pair),
                           .offset = op_offset_});
    }
    case Known::type_of: {
      if (args.size() != 1) return kNoValue;
      if (values_.kind(args[0]) == ValueKind::none) return name("types", "NoneType");
      if (values_.known(args[0]) == Known::ellipsis) return name("types", "EllipsisType");
      if (values_.kind(args[0]) == ValueKind::global &&
          values_.global_of(args[0]).name.full_name() == "builtins.NotImplemented") {
        return name("types", "NotImplementedType");
      }
      return kNoValue;
    }
    case Known::ufunc_reconstruct:
      return args.size() == 2 && is_text(0) && is_text(1) ? name(values_.text_of(args[0]), values_.text_of(args[1]))
                                                          : kNoValue;
    case Known::builtin_type:
      return args.size() == 1 && is_text(0) ? name("types", values_.text_of(args[0])) : kNoValue;
    default: return kNoValue;
  }
}

// Protocols 0 and 1 make an instance of a class over a builtin type by copyreg._reconstructor(C, type, value); the
// later ones construct it, and then add what it holds.
ValueId Machine::find_instance_made(std::span<const ValueId> given) {
  if (given.size() != 3 || values_.kind(given[0]) != ValueKind::global) return kNoValue;
  // Copies: `given` ends with the next value that is made.
  const ValueId type = given[0], base = given[1], value = given[2];
  ValueId args = kNoValue;
  ValueId items = kNoValue, entries = kNoValue;
  const auto is_empty = [&] { return values_.members(value).empty(); };
  const auto kind = values_.kind(value);
  // joblib's wrappers are instances of plain classes, but the array follows their BUILD.
  if (is_joblib_wrapper(values_.known(type)) && kind == ValueKind::none) args = values_.tuple({});
  switch (values_.known(base)) {
    case Known::integer:
      if (kind == ValueKind::integer || kind == ValueKind::big_integer) args = values_.tuple({&value, 1});
      break;
    case Known::real:
      if (kind == ValueKind::real) args = values_.tuple({&value, 1});
      break;
    case Known::text:
      if (kind == ValueKind::text) args = values_.tuple({&value, 1});
      break;
    case Known::bytes:
      if (kind == ValueKind::bytes || kind == ValueKind::call) args = values_.tuple({&value, 1});
      break;
    case Known::complex:
      if (values_.is_call(value) && values_.call_of(value).known == Known::complex) args = values_.call_of(value).args;
      break;
    case Known::list:
      if (kind != ValueKind::list) break;
      args = values_.tuple({});
      if (!is_empty()) items = value;
      break;
    case Known::dict:
      // scipy's dok matrices say so in every protocol.
      if (kind != ValueKind::dict || values_.global_of(type).name.module.starts_with("scipy.sparse")) break;
      args = values_.tuple({});
      if (!is_empty()) entries = value;
      break;
    default: break;
  }
  if (args == kNoValue) return kNoValue;
  return values_.call({.form = Call::Form::construct,
                       .callable = type,
                       .args = args,
                       .items = items,
                       .entries = entries,
                       .offset = op_offset_});
}

// cloudpickle before 1.3: fill(skeleton, state ...) returns the skeleton, filled: one object, as with a state setter.
bool Machine::fill_made(ValueId callable, std::span<const ValueId> args) {
  if (args.size() < 2 || !values_.is_call(args[0])) return false;
  // A setter's own REDUCE, before it is dropped, has its object below it on the stack.
  if (stack_.size() > fence() && stack_.back() == args[0]) return false;
  const ValueId skeleton = args[0];
  if (values_.call_of(skeleton).state != kNoValue || values_.call_of(skeleton).setter != kNoValue) return false;
  const bool spread = args.size() > 2;
  if (spread && values_.global_of(callable).known != Known::cloud_function_setter) return false;
  const std::vector<ValueId> rest(args.begin() + 1, args.end());
  const ValueId state = spread ? values_.tuple(rest) : rest[0];
  Call& call = values_.call_of(skeleton);
  call.setter = callable;
  call.state = state;
  call.spread_state = spread;
  push(skeleton);
  return true;
}

void Machine::construct(ValueId type, ValueId args, ValueId kwargs) {
  if (values_.kind(args) != ValueKind::tuple) cursor_.fail(Reason::bad_record, "arguments that are no tuple");
  if (values_.is_call(type)) {
    // A class that a call gave: copyreg.__newobj__(it, *args), as protocols without the opcode write it.
    std::vector<ValueId> all{type};
    if (kwargs == kNoValue) {
      const auto given = values_.members(args);
      all.insert(all.end(), given.begin(), given.end());
    } else {
      all.insert(all.end(), {args, kwargs});
    }
    const ValueId callable = values_.global("copyreg", kwargs == kNoValue ? "__newobj__" : "__newobj_ex__", op_offset_);
    push_call({.form = Call::Form::reduce, .callable = callable, .args = values_.tuple(all), .offset = op_offset_});
    return;
  }
  if (values_.kind(type) != ValueKind::global) cursor_.fail(Reason::bad_record, "an object of what is no class");
  push_call({.form = Call::Form::construct, .callable = type, .args = args, .kwargs = kwargs, .offset = op_offset_});
}

void Machine::build(ValueId state) {
  const ValueId target = top();
  if (!values_.is_call(target)) cursor_.fail(Reason::bad_record, "a state for what is no object");
  Call& call = values_.call_of(target);
  if (call.state != kNoValue) cursor_.fail(Reason::bad_record, "a second state for one object");
  call.state = state;
  if (!is_joblib_wrapper(call.known)) return;
  if (nested_) cursor_.fail(Reason::bad_record, "a joblib array inside the payload of another");
  if (call.known != Known::joblib_array) {
    const joblib::ArrayPayload array = joblib::read_companion_array(values_, target, op_offset_);
    stack_.back() = array.array;
    outcome_.has_joblib_arrays = true;
    if (array.dropped_call && !outcome_.dropped_call) outcome_.dropped_call = array.dropped_call;
    return;
  }
  // The array's bytes follow at once, outside of any frame; the array takes the wrapper's place on the stack alone.
  cursor_.leave_finished_frame();
  if (cursor_.in_frame()) cursor_.fail(Reason::bad_record, "the bytes of an array inside a frame");
  const joblib::ArrayPayload payload = joblib::read_array(values_, target, cursor_.bytes(), cursor_.position());
  stack_.back() = payload.array;
  cursor_.jump(payload.end);
  values_.pass(payload.end);
  outcome_.has_joblib_arrays = true;
  if (payload.dropped_call && !outcome_.dropped_call) outcome_.dropped_call = payload.dropped_call;
}

// A value that leaves the stack for good. A call among them is either a state setter at work (REDUCE of setter(object,
// state), then POP), which becomes part of the object, or a call for its side effects alone.
void Machine::discard(ValueId value) {
  if (!values_.is_call(value) || values_.call_of(value).memoized) return;
  const Call& call = values_.call_of(value);
  const auto args = values_.members(call.args);
  const bool spread = args.size() > 2 && call.known == Known::cloud_function_setter;
  if (call.form == Call::Form::reduce && call.state == kNoValue && (args.size() == 2 || spread) &&
      values_.is_call(args[0]) && values_.kind(call.callable) == ValueKind::global && stack_.size() > fence() &&
      stack_.back() == args[0] && values_.call_of(args[0]).state == kNoValue) {
    const ValueId object = args[0];
    const ValueId setter = call.callable;
    const std::vector<ValueId> rest(args.begin() + 1, args.end());
    Call& target = values_.call_of(object);
    target.setter = setter;
    target.spread_state = spread;
    target.state = spread ? values_.tuple(rest) : rest[0];
    return;
  }
  if (!outcome_.dropped_call) outcome_.dropped_call = call.offset;
}

}  // namespace mere::importers::pickle
