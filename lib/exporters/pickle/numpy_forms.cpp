// NumPy's objects as its own reductions spell them (numpy/core/src/multiarray/methods.c and descriptor.c), and arrays
// as joblib keeps them (joblib/numpy_pickle.py, NumpyArrayWrapper).

#include <algorithm>
#include <array>

#include "exporters/pickle/writer.hpp"

namespace mere::exporters::pickle {

namespace {

constexpr int kUnicodeFlags = 8;    // NPY_NEEDS_INIT
constexpr int kObjectFlags = 63;    // NPY_OBJECT_DTYPE_FLAGS
constexpr int kRecordFlags = 16;    // NPY_NEEDS_PYAPI
constexpr int kFromFields = 27;     // NPY_FROM_FIELDS
constexpr int kUserTypeFlags = 64;  // of ml_dtypes' types
constexpr int kAlignedFlag = -128;  // NPY_ALIGNED_STRUCT, as NumPy 1 has it, in a signed byte; NumPy 2 reads it too
constexpr std::uint64_t kJoblibAlignment = 16;

bool is_ml_type(TypeClass type) {
  return type >= TypeClass::bfloat16 && type <= TypeClass::float8_e8m0fnu;
}

// "f8": kind and size, without byte order.
std::string code_of(const Dtype& type) {
  const std::uint64_t size = type.itemsize();
  switch (type.type_class()) {
    case TypeClass::boolean: return "b1";
    case TypeClass::integer: return 'i' + std::to_string(size);
    case TypeClass::unsigned_integer: return 'u' + std::to_string(size);
    case TypeClass::real:
    case TypeClass::long_double: return 'f' + std::to_string(size);
    case TypeClass::complex:
    case TypeClass::complex_long_double: return 'c' + std::to_string(size);
    case TypeClass::bytes: return 'S' + std::to_string(size);
    case TypeClass::unicode: return 'U' + std::to_string(size / 4);
    case TypeClass::datetime: return "M8";
    case TypeClass::timedelta: return "m8";
    case TypeClass::object: return "O8";
    default: return 'V' + std::to_string(size);
  }
}

std::string_view unit_word(TimeUnit unit) {
  constexpr std::array<std::string_view, 15> kWords = {"Y",  "M",  "W",  "",   "D",  "h",  "m",      "s",
                                                       "ms", "us", "ns", "ps", "fs", "as", "generic"};
  return kWords[static_cast<std::size_t>(unit)];
}

std::int64_t alignment_of(const Dtype& type) {
  switch (type.type_class()) {
    case TypeClass::unicode: return 4;
    case TypeClass::record: return type.aligned() ? static_cast<std::int64_t>(graph::natural_alignment(type)) : 1;
    case TypeClass::subarray: return alignment_of(type.base());
    case TypeClass::bytes:
    case TypeClass::raw: return 1;
    default: return static_cast<std::int64_t>(graph::natural_alignment(type));
  }
}

int flags_of(const Dtype& type) {
  switch (type.type_class()) {
    case TypeClass::unicode: return kUnicodeFlags;
    case TypeClass::object: return kObjectFlags;
    case TypeClass::subarray: return flags_of(type.base());
    case TypeClass::record: {
      int flags = kRecordFlags;
      for (const Field& field : type.fields()) flags |= flags_of(field.type) & kFromFields;
      return type.aligned() ? flags + kAlignedFlag : flags;
    }
    default: return is_ml_type(type.type_class()) ? kUserTypeFlags : 0;
  }
}

}  // namespace

std::string Writer::numpy_module(std::string_view rest) const {
  return std::string(options_.numpy2_names ? "numpy._core." : "numpy.core.") += rest;
}

void Writer::tell_progress(std::uint64_t bytes) {
  done_bytes_ += bytes;
  if (options_.progress) options_.progress({done_bytes_, reached_.array_bytes});
}

void Writer::write_shape(std::span<const std::int64_t> shape) {
  if (shape.size() > 3) stream_.op(Op::mark);
  for (const std::int64_t n : shape) write_integer(n);
  write_tuple_end(shape.size());
}

void Writer::write_store_type(std::uint32_t type, NodeId blame) {
  if (type_memo_[type] != kNoMemo) return recall(type_memo_[type]);
  write_type(store_.types[type], blame);
  type_memo_[type] = memoize();
}

void Writer::write_array_type(const ArrayBytes& bytes, NodeId id) {
  const std::uint32_t type = store_.arrays[store_.nodes[id].a].type;
  if (&bytes.type() == &store_.types[type]) return write_store_type(type, id);
  write_type(bytes.type(), id);
}

// Types nest 32 deep at most.
void Writer::write_type(const Dtype& type, NodeId blame) {
  if (type.type_class() == TypeClass::other) refuse(blame, "NumPy has no type '" + type.name() + "'");
  write_name("numpy", "dtype", blame);
  if (is_ml_type(type.type_class())) {
    write_name("ml_dtypes", type.to_text(), blame);
  } else {
    write_known_text(code_of(type));
  }
  write_bool(false);
  write_bool(true);
  stream_.op(Op::tuple3);
  stream_.op(Op::reduce);
  write_type_state(type, blame);
  stream_.op(Op::build);
}

void Writer::write_type_state(const Dtype& type, NodeId blame) {
  const TypeClass type_class = type.type_class();
  const bool time = type_class == TypeClass::datetime || type_class == TypeClass::timedelta;
  const bool record = type_class == TypeClass::record;
  const bool subarray = type_class == TypeClass::subarray;
  const bool sized = record || subarray || type_class == TypeClass::bytes || type_class == TypeClass::unicode ||
                     type_class == TypeClass::raw;
  stream_.op(Op::mark);
  write_integer(time ? 4 : 3);
  const bool none = type.byte_order() == ByteOrder::none && !is_ml_type(type_class);
  write_known_text(none || record || subarray ? "|" : type.byte_order() == ByteOrder::big ? ">" : "<");
  if (subarray) {
    write_type(type.base(), blame);
    write_shape(type.shape());
    stream_.op(Op::tuple2);
  } else {
    stream_.op(Op::none);
  }
  if (record) {
    write_fields(type, blame);
  } else {
    stream_.op(Op::none);
    stream_.op(Op::none);
  }
  if (is_ml_type(type_class)) {
    write_integer(static_cast<std::int64_t>(type.itemsize()));
    write_integer(static_cast<std::int64_t>(type.itemsize()));
  } else {
    write_integer(sized ? static_cast<std::int64_t>(type.itemsize()) : -1);
    write_integer(sized ? alignment_of(type) : -1);
  }
  write_integer(flags_of(type));
  if (time) {
    stream_.op(Op::empty_dict);
    stream_.op(Op::mark);
    write_bytes(unit_word(type.unit()), blame);
    write_integer(type.multiple());
    write_integer(1);
    write_integer(1);
    stream_.op(Op::tuple);
    stream_.op(Op::tuple2);
  }
  stream_.op(Op::tuple);
}

// Names in their order, and a dict from names, and titles too, to (type, offset) or (type, offset, title).
void Writer::write_fields(const Dtype& type, NodeId blame) {
  const std::vector<Field>& fields = type.fields();
  if (fields.empty()) {
    stream_.op(Op::empty_tuple);
    stream_.op(Op::empty_dict);
    return;
  }
  stream_.op(Op::mark);
  for (const Field& field : fields) write_known_text(field.name);
  stream_.op(Op::tuple);
  stream_.op(Op::empty_dict);
  stream_.op(Op::mark);
  for (const Field& field : fields) {
    for (const std::string* key : {&field.name, &field.title}) {
      if (key == &field.title && field.title.empty()) continue;
      write_known_text(*key);
      write_type(field.type, blame);
      write_integer(static_cast<std::int64_t>(field.offset));
      if (!field.title.empty()) write_known_text(field.title);
      write_tuple_end(field.title.empty() ? 2 : 3);
    }
  }
  stream_.op(Op::setitems);
}

// _reconstruct(numpy.ndarray, (0,), b'b'), which is then given its state.
void Writer::write_array_call(NodeId id) {
  constexpr std::string_view kArguments("\0arguments", 10);
  write_name(numpy_module("multiarray"), "_reconstruct", id);
  if (const auto known = known_.find(kArguments); known != known_.end()) {
    recall(known->second);
  } else {
    write_name("numpy", "ndarray", id);
    write_integer(0);
    stream_.op(Op::tuple1);
    write_bytes("b", id);
    stream_.op(Op::tuple3);
    known_.emplace(kArguments, memoize());
  }
  stream_.op(Op::reduce);
  memoize(id);
}

void Writer::write_array(NodeId id) {
  const ArrayBytes bytes(store_, id);
  if (stream_.protocol() >= 5 && !bytes.type().native()) return write_array_over_buffer(id, bytes);
  write_array_call(id);
  stream_.op(Op::mark);
  write_integer(1);
  write_shape(bytes.shape());
  write_array_type(bytes, id);
  write_bool(bytes.fortran());
  write_array_data(bytes, id);
  stream_.op(Op::tuple);
  stream_.op(Op::build);
}

// NumPy turns an array of the other byte order to its own when it sets the state; over a buffer it leaves it.
void Writer::write_array_over_buffer(NodeId id, const ArrayBytes& bytes) {
  write_name(numpy_module("numeric"), "_frombuffer", id);
  stream_.op(Op::mark);
  stream_.op_outside(Op::bytearray8);
  stream_.number(bytes.size());
  bytes.read([&](std::span<const std::byte> piece) {
    stream_.raw(piece);
    tell_progress(piece.size());
  });
  write_array_type(bytes, id);
  write_shape(bytes.shape());
  write_known_text(bytes.fortran() ? "F" : "C");
  stream_.op(Op::tuple);
  stream_.op(Op::reduce);
  memoize(id);
}

void Writer::write_array_data(const ArrayBytes& bytes, NodeId blame) {
  const auto each_piece = [&](const std::function<void(std::span<const std::byte>)>& take) { bytes.read(take); };
  if (stream_.protocol() < 3) {
    write_encoded(bytes.size(), each_piece, blame);
    tell_progress(bytes.size());
    return;
  }
  begin_bytes(bytes.size(), blame);
  const bool alone = stream_.is_long(bytes.size());
  bytes.read([&](std::span<const std::byte> piece) {
    if (alone) {
      stream_.raw(piece);
    } else {
      stream_.bytes({reinterpret_cast<const char*>(piece.data()), piece.size()});
    }
    tell_progress(piece.size());
  });
}

void Writer::write_object_array(NodeId id, const StoreNode& node) {
  write_array_call(id);
  stream_.op(Op::mark);
  write_integer(1);
  write_shape({store_.extents.data() + node.a, node.form});
  write_type(Dtype(TypeClass::object, 8, ByteOrder::none), id);
  write_bool(false);
  stream_.op(Op::empty_list);
  push(Op::build);
  push(Op::tuple);
  push(Work::items, id);
}

// The wrapper itself is not put into the memo, but the array that takes its place: so joblib loads one array where one
// array was, which its own files do not keep.
void Writer::write_joblib_array(NodeId id) {
  const ArrayBytes bytes(store_, id);
  write_name("joblib.numpy_pickle", "NumpyArrayWrapper", id);
  stream_.op(Op::empty_tuple);
  stream_.op(Op::newobj);
  stream_.op(Op::empty_dict);
  stream_.op(Op::mark);
  write_known_text("subclass");
  write_name("numpy", "ndarray", id);
  write_known_text("shape");
  write_shape(bytes.shape());
  write_known_text("order");
  write_known_text(bytes.fortran() ? "F" : "C");
  write_known_text("dtype");
  write_array_type(bytes, id);
  write_known_text("allow_mmap");
  write_bool(bytes.size() != 0);
  write_known_text("numpy_array_alignment_bytes");
  write_integer(kJoblibAlignment);
  stream_.op(Op::setitems);
  stream_.op(Op::build);
  stream_.leave_frame();
  // One byte that says how many of ff follow, 1 to 16.
  const std::uint64_t padding = kJoblibAlignment - (stream_.position() + 1) % kJoblibAlignment;
  std::array<std::byte, kJoblibAlignment + 1> filler;
  filler.fill(std::byte{0xff});
  filler[0] = static_cast<std::byte>(padding);
  stream_.raw(std::span(filler).first(static_cast<std::size_t>(padding + 1)));
  bytes.read([&](std::span<const std::byte> piece) {
    stream_.raw(piece);
    tell_progress(piece.size());
  });
  memoize(id);
}

void Writer::write_scalar(NodeId id, const StoreNode& node) {
  write_name(numpy_module("multiarray"), "scalar", id);
  write_store_type(node.a, id);
  write_bytes(store_.text_of(node), id);
  stream_.op(Op::tuple2);
  stream_.op(Op::reduce);
  memoize(id);
}

}  // namespace mere::exporters::pickle
