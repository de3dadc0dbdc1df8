// Opaque nodes: each holds a pickle of its own, of protocol 5, without frames, whose memo knows MEMOIZE and LONG_BINGET
// alone. Its operations are copied; the memo indexes are shifted by what the memo holds already.

#include "exporters/pickle/writer.hpp"

namespace mere::exporters::pickle {

namespace {

// Bytes of operands after an operation: a fixed number, or a length of `length_bytes` and as many bytes as it says.
struct Operands {
  bool known = false;
  std::uint8_t fixed = 0;
  std::uint8_t length_bytes = 0;
};

Operands operands_of(Op op) {
  switch (op) {
    case Op::mark:
    case Op::pop:
    case Op::pop_mark:
    case Op::none:
    case Op::reduce:
    case Op::append:
    case Op::build:
    case Op::empty_dict:
    case Op::appends:
    case Op::empty_list:
    case Op::setitem:
    case Op::tuple:
    case Op::empty_tuple:
    case Op::setitems:
    case Op::newobj:
    case Op::tuple1:
    case Op::tuple2:
    case Op::tuple3:
    case Op::newtrue:
    case Op::newfalse:
    case Op::empty_set:
    case Op::additems:
    case Op::frozenset:
    case Op::newobj_ex:
    case Op::stack_global:
    case Op::memoize: return {true, 0, 0};
    case Op::binint1: return {true, 1, 0};
    case Op::binint2: return {true, 2, 0};
    case Op::binint:
    case Op::long_binget: return {true, 4, 0};
    case Op::binfloat: return {true, 8, 0};
    case Op::long1:
    case Op::short_binbytes:
    case Op::short_binunicode: return {true, 0, 1};
    case Op::long4:
    case Op::binbytes:
    case Op::binunicode: return {true, 0, 4};
    case Op::binbytes8:
    case Op::binunicode8:
    case Op::bytearray8: return {true, 0, 8};
    default: return {};
  }
}

}  // namespace

void Writer::write_opaque(NodeId id, const StoreNode& node) {
  const std::string_view pickle = store_.text_of(store_.nodes[store_.links_of(node)[1]]);
  const auto malformed = [&](std::size_t at) {
    refuse(id,
           "an opaque part whose bytes are no self-contained pickle of protocol 5 (byte " + std::to_string(at) + ")");
  };
  if (stream_.protocol() < 4) refuse(id, "an opaque part needs protocol 4 or later");
  if (pickle.size() < 4 || pickle.substr(0, 2) != "\x80\x05") malformed(0);
  const std::uint32_t base = memo_size_;
  std::uint32_t added = 0;
  std::size_t at = 2;
  while (at < pickle.size() && pickle[at] != static_cast<char>(Op::stop)) {
    const Op op{static_cast<std::uint8_t>(pickle[at])};
    const Operands operands = operands_of(op);
    if (!operands.known || pickle.size() - at - 1 < std::size_t{operands.fixed} + operands.length_bytes) malformed(at);
    std::uint64_t length = 0;
    std::memcpy(&length, pickle.data() + at + 1, operands.length_bytes);
    const std::size_t begin = at + 1 + operands.length_bytes;
    if (length > pickle.size() - begin) malformed(at);
    if (op == Op::memoize) ++added;
    const bool alone = stream_.is_long(length);
    alone ? stream_.op_outside(op) : stream_.op(op);
    if (op == Op::long_binget) {
      std::uint32_t index = 0;
      std::memcpy(&index, pickle.data() + at + 1, sizeof index);
      if (index >= added) malformed(at);
      stream_.number(base + index);
    } else {
      stream_.bytes(pickle.substr(at + 1, operands.fixed + std::size_t{operands.length_bytes}));
      const std::string_view payload = pickle.substr(begin, static_cast<std::size_t>(length));
      alone ? stream_.raw(std::as_bytes(std::span(payload))) : stream_.bytes(payload);
    }
    at = begin + operands.fixed + static_cast<std::size_t>(length);
  }
  if (at + 1 != pickle.size()) malformed(at);
  if (added > kNoMemo - 1 - base) throw Error(Reason::too_large, "a pickle of more than 2^32 - 2 shared objects");
  memo_size_ = base + added;
  memoize(id);
}

}  // namespace mere::exporters::pickle
