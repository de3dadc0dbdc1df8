#pragma once
// Nodes of an open model as values of C++: the way back of record_writer.hpp. Whatever the file says, a read gives a
// value or an Error: kinds, numbers, nesting and the work in sum are checked.

#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mere/model.hpp>
#include <mere/record_kinds.hpp>

namespace mere {

struct LoadOptions {
  OpenOptions open;             // for load<T>(path); its limits hold for any load
  bool ignore_unknown = false;  // fields that the struct lacks: skipped instead of Error(unknown_field)
  // Most bytes that are copied out of the file, into vectors and strings. 0: 64 MiB and 16 x the file's raw bytes.
  std::uint64_t copied_bytes = 0;
};

// What one load knows. Holds the model; arrays that stay in the map share that handle.
class MERE_API RecordReader {
 public:
  RecordReader(const Model& model, const LoadOptions& options);
  ~RecordReader();
  RecordReader(const RecordReader&) = delete;
  RecordReader& operator=(const RecordReader&) = delete;

  const Model& model() const { return model_; }
  std::shared_ptr<const void> owner() const { return model_.state(); }

  // Throws Error(reason) "<file>: <path of node>: <message>".
  [[noreturn]] void fail(Reason reason, const Node& node, std::string_view message) const;
  // Throws Error(wrong_kind): what was found, what was expected.
  [[noreturn]] void fail_kind(const Node& node, std::string_view expected) const;

  bool boolean(const Node& node) const;
  // An int or a NumPy integer. Throws Error: wrong_kind, out_of_range.
  std::int64_t signed_integer(const Node& node, std::int64_t least, std::int64_t most) const;
  std::uint64_t unsigned_integer(const Node& node, std::uint64_t most) const;
  // A float, a NumPy float, or an int that a double holds exactly.
  double real(const Node& node) const;
  float real32(const Node& node) const;  // throws out_of_range if a float does not hold it exactly
  std::complex<double> complex(const Node& node) const;
  // A scalar of exactly this type, into `out`.
  void scalar(const Node& node, const Dtype& type, std::span<std::byte> out) const;
  // A text, or the bytes that stand for one that was not UTF-8.
  std::string_view text(const Node& node);
  std::span<const std::byte> bytes(const Node& node);

  // Members of a list, tuple or array of objects (`sequence`), set, or dict. Throws Error: wrong_kind, too_large (the
  // work).
  std::uint64_t enter_sequence(const Node& node);
  std::uint64_t enter_set(const Node& node);
  std::uint64_t enter_dict(const Node& node);
  void expect_size(const Node& node, std::uint64_t found, std::uint64_t expected) const;

  // An array of that element type, in whatever byte order and layout. Throws Error: wrong_kind, wrong_type.
  ArrayView array(const Node& node, const Dtype& type) const;
  // All its elements in C order and native byte order. `out` has nbytes() bytes; ask charge_copy() before making it.
  void copy_array(const ArrayView& view, std::span<std::byte> out) const;
  void charge_copy(const Node& node, std::uint64_t bytes);
  // The first element if the array can stay where it is, else null (compressed, strided, not native, not aligned).
  const std::byte* find_in_place(const ArrayView& view, const Dtype& type, std::size_t alignment) const;

  // One level of nesting while it lives. Throws Error: too_deep.
  class Level {
   public:
    Level(RecordReader& reader, const Node& node) : reader_(reader) {
      if (reader_.depth_ == reader_.depth_limit_) reader_.throw_depth(node);
      ++reader_.depth_;
    }
    ~Level() { --reader_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    RecordReader& reader_;
  };

  // The fields of a record, in any order; those in stored order are found without a search.
  class Fields {
   public:
    // `node` is an object of that type name, or a dict. Throws Error: wrong_kind, missing state.
    Fields(RecordReader& reader, const Node& node, std::string_view type_name);
    std::optional<Node> find(std::string_view name);
    // The same; throws Error(missing_field) if it is absent.
    Node get(std::string_view name);
    // True if every field of the node was asked for.
    bool all_found() const { return found_ == size_; }
    std::uint64_t size() const { return size_; }
    std::string key(std::uint64_t index) const;
    [[noreturn]] void fail_unknown(std::string_view field) const;

   private:
    RecordReader& reader_;
    Node node_, dict_;
    std::string_view type_name_;
    std::uint64_t size_ = 0, next_ = 0, found_ = 0;
  };
  bool ignores_unknown() const { return ignore_unknown_; }

  // The object already made for a node, or null.
  std::shared_ptr<void> find_shared(const Node& node, const void* type_tag) const;
  void keep_shared(const Node& node, const void* type_tag, std::shared_ptr<void> object);

  // Throws Error(fault) if a page could not be read on the way.
  void finish() const;

 private:
  [[noreturn]] void throw_depth(const Node& node) const;
  void charge_members(const Node& node, std::uint64_t count);
  Model model_;
  bool ignore_unknown_;
  std::uint32_t depth_ = 0, depth_limit_;
  std::uint64_t members_left_, copy_left_;
  struct Tables;
  std::unique_ptr<Tables> tables_;
};

namespace detail {

template <class T>
void read_value(RecordReader& r, const Node& node, T& out);

// Room that is taken at once for a count that a file names; more grows as members really come.
inline constexpr std::uint64_t kReserve = 65536;

template <class T>
void read_record(RecordReader& r, const Node& node, T& out) {
  const RecordReader::Level level(r, node);
  RecordReader::Fields fields(r, node, mere_record_name(&out));
  mere_visit_fields(out, [&](std::string_view name, auto& member, bool defaulted) {
    if (defaulted) {
      if (const auto found = fields.find(name)) read_value(r, *found, member);
    } else {
      read_value(r, fields.get(name), member);
    }
  });
  if (fields.all_found() || r.ignores_unknown()) return;
  for (std::uint64_t i = 0; i < fields.size(); ++i) {
    const std::string key = fields.key(i);
    bool known = false;
    mere_visit_fields(out, [&](std::string_view name, const auto&, bool) { known = known || key == name; });
    if (!known) fields.fail_unknown(key);
  }
}

template <class T>
void read_sequence(RecordReader& r, const Node& node, T& out) {
  const RecordReader::Level level(r, node);
  const std::uint64_t count = r.enter_sequence(node);
  out.clear();
  if constexpr (requires { out.reserve(count); }) out.reserve(static_cast<std::size_t>(std::min(count, kReserve)));
  for (std::uint64_t i = 0; i < count; ++i) {
    if constexpr (std::same_as<typename T::value_type, bool>) {
      out.push_back(r.boolean(node[i]));
    } else {
      out.emplace_back();
      read_value(r, node[i], out.back());
    }
  }
}

template <class T>
void read_map(RecordReader& r, const Node& node, T& out) {
  const RecordReader::Level level(r, node);
  out.clear();
  const auto add = [&](const Node& key_node, const Node& value_node) {
    typename T::key_type key{};
    read_value(r, key_node, key);
    typename T::mapped_type value{};
    read_value(r, value_node, value);
    const std::size_t before = out.size();
    out.emplace(std::move(key), std::move(value));
    if (out.size() == before) r.fail(Reason::duplicate_key, key_node, "this key is there twice");
  };
  if constexpr (Repeating<T>) {
    const std::uint64_t count = r.enter_sequence(node);
    for (std::uint64_t i = 0; i < count; ++i) {
      const Node pair = node[i];
      r.expect_size(pair, r.enter_sequence(pair), 2);
      add(pair[0], pair[1]);
    }
  } else {
    const std::uint64_t count = r.enter_dict(node);
    for (std::uint64_t i = 0; i < count; ++i) add(node.key(i), node.value(i));
  }
}

template <class T>
void read_set(RecordReader& r, const Node& node, T& out) {
  const RecordReader::Level level(r, node);
  out.clear();
  const std::uint64_t count = Repeating<T> ? r.enter_sequence(node) : r.enter_set(node);
  for (std::uint64_t i = 0; i < count; ++i) {
    typename T::key_type key{};
    read_value(r, node[i], key);
    const std::size_t before = out.size();
    out.insert(std::move(key));
    if (out.size() == before) r.fail(Reason::duplicate_key, node[i], "this member is there twice");
  }
}

template <class T>
void read_inner(RecordReader& r, const Node& node, T& out) {
  if constexpr (kNullable<T>) {
    r.expect_size(node, r.enter_sequence(node), 1);
    read_value(r, node[0], out);
  } else {
    read_value(r, node, out);
  }
}

template <class T>
std::shared_ptr<T> read_shared(RecordReader& r, const Node& node) {
  using Value = std::remove_const_t<T>;
  static_assert(!std::is_polymorphic_v<T> || std::is_final_v<T>,
                "a pointer to a class with virtual functions may hold a derived class: use std::variant");
  if (node.is_null()) return nullptr;
  const void* tag = &kTypeTag<Value>;
  if (auto known = r.find_shared(node, tag)) return std::static_pointer_cast<Value>(std::move(known));
  const auto made = std::make_shared<Value>();
  r.keep_shared(node, tag, made);
  if constexpr (Record<Value> && !CustomStored<Value>) {
    read_record(r, node, *made);
  } else {
    const RecordReader::Level level(r, node);
    r.expect_size(node, r.enter_sequence(node), 1);
    read_value(r, node[0], *made);
  }
  return made;
}

template <class T, std::size_t I = 0>
void read_alternative(RecordReader& r, const Node& node, std::size_t index, T& out) {
  if constexpr (I < std::variant_size_v<T>) {
    if (index == I) {
      std::variant_alternative_t<I, T> value{};
      read_value(r, node, value);
      out.template emplace<I>(std::move(value));
    } else {
      read_alternative<T, I + 1>(r, node, index, out);
    }
  }
}

template <class T>
void read_variant(RecordReader& r, const Node& node, T& out) {
  const RecordReader::Level level(r, node);
  RecordReader::Fields fields(r, node, "variant");
  const Node word_node = fields.get("alternative");
  const std::string_view word = r.text(word_node);
  const auto& words = alternative_words(&out);
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == word) return read_alternative(r, fields.get("value"), i, out);
  }
  r.fail(Reason::wrong_type, word_node, "the variant has no alternative \"" + std::string(word) + "\"");
}

// Elements of an array node as they lie in memory, or one by one from a list.
template <class T>
void read_elements(RecordReader& r, const Node& node, T& out) {
  using Item = typename T::value_type;
  if (node.kind() != Kind::array) return read_sequence(r, node, out);
  const ArrayView view = r.array(node, element_type<Item>());
  if (view.ndim() != 1)
    r.fail(Reason::wrong_shape, node,
           "an array of shape " + view.shape().to_text() + ", where one dimension is expected");
  r.charge_copy(node, view.nbytes());
  if constexpr (std::same_as<Item, bool>) {
    std::vector<std::byte> flat(static_cast<std::size_t>(view.size()));
    r.copy_array(view, flat);
    out.resize(flat.size());
    for (std::size_t i = 0; i < flat.size(); ++i) out[i] = flat[i] != std::byte{0};
  } else {
    out.resize(static_cast<std::size_t>(view.size()));
    r.copy_array(view, std::as_writable_bytes(std::span<Item>(out.data(), out.size())));
  }
}

// A fixed number of elements.
template <class Item>
void read_fixed(RecordReader& r, const Node& node, std::span<Item> out) {
  if constexpr (Element<Item>) {
    if (node.kind() == Kind::array) {
      const ArrayView view = r.array(node, element_type<Item>());
      if (view.ndim() != 1)
        r.fail(Reason::wrong_shape, node,
               "an array of shape " + view.shape().to_text() + ", where one dimension is expected");
      r.expect_size(node, view.size(), out.size());
      if constexpr (std::same_as<Item, bool>) {
        std::vector<std::byte> flat(out.size());
        r.copy_array(view, flat);
        for (std::size_t i = 0; i < flat.size(); ++i) out[i] = flat[i] != std::byte{0};
      } else {
        r.copy_array(view, std::as_writable_bytes(out));
      }
      return;
    }
  }
  const RecordReader::Level level(r, node);
  r.expect_size(node, r.enter_sequence(node), out.size());
  for (std::size_t i = 0; i < out.size(); ++i) read_value(r, node[i], out[i]);
}

template <class Item>
Array<Item> read_array(RecordReader& r, const Node& node) {
  const Dtype type = array_element_type<Item>();
  const ArrayView view = r.array(node, type);
  const std::size_t count = static_cast<std::size_t>(view.size());
  // A mapped byte may hold what a bool may not: those are copied.
  if constexpr (!std::same_as<Item, bool>) {
    if (const std::byte* first = r.find_in_place(view, type, alignof(Item))) {
      return Array<Item>::borrow({reinterpret_cast<const Item*>(first), count}, view.shape(), r.owner());
    }
  }
  r.charge_copy(node, view.nbytes());
  if (count == 0) return Array<Item>::borrow({}, view.shape());
  std::shared_ptr<Item[]> copy(new Item[count]);
  const std::span<Item> items(copy.get(), count);
  r.copy_array(view, std::as_writable_bytes(items));
  if constexpr (std::same_as<Item, bool>) {
    for (Item& item : items) item = load_value<bool>(reinterpret_cast<const std::byte*>(&item), false);
  }
  return Array<Item>::borrow(items, view.shape(), std::move(copy));
}

template <class T>
void read_value(RecordReader& r, const Node& node, T& out) {
  if constexpr (CustomStored<T>) {
    Stored<T>::read(r, node, out);
  } else if constexpr (Record<T>) {
    read_record(r, node, out);
  } else if constexpr (std::same_as<T, bool>) {
    out = r.boolean(node);
  } else if constexpr (std::is_enum_v<T>) {
    std::underlying_type_t<T> value{};
    read_value(r, node, value);
    out = static_cast<T>(value);
  } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
    out = static_cast<T>(r.signed_integer(node, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
  } else if constexpr (std::is_integral_v<T>) {
    out = static_cast<T>(r.unsigned_integer(node, std::numeric_limits<T>::max()));
  } else if constexpr (std::same_as<T, double>) {
    out = r.real(node);
  } else if constexpr (std::same_as<T, float>) {
    out = r.real32(node);
  } else if constexpr (std::same_as<T, long double> || std::same_as<T, std::complex<long double>>) {
    r.scalar(node, element_type<T>(), std::as_writable_bytes(std::span<T, 1>(&out, 1)));
  } else if constexpr (std::same_as<T, std::complex<double>>) {
    out = r.complex(node);
  } else if constexpr (std::same_as<T, std::complex<float>>) {
    const std::complex<double> value = r.complex(node);
    const std::complex<float> narrow(static_cast<float>(value.real()), static_cast<float>(value.imag()));
    if (!same_number(narrow.real(), value.real()) || !same_number(narrow.imag(), value.imag())) {
      r.fail(Reason::out_of_range, node, "a complex number that two floats do not hold exactly");
    }
    out = narrow;
  } else if constexpr (std::same_as<T, std::string> || std::same_as<T, std::filesystem::path>) {
    const std::string_view text = r.text(node);
    out = T(text.begin(), text.end());
  } else if constexpr (std::same_as<T, std::vector<std::byte>>) {
    const std::span<const std::byte> bytes = r.bytes(node);
    out.assign(bytes.begin(), bytes.end());
  } else if constexpr (kIsA<T, Array>) {
    out = read_array<typename T::value_type>(r, node);
  } else if constexpr (std::same_as<T, std::monostate> || std::same_as<T, std::nullptr_t>) {
    if (!node.is_null()) r.fail_kind(node, "null");
    out = T{};
  } else if constexpr (kIsA<T, std::optional>) {
    if (node.is_null()) {
      out.reset();
    } else {
      read_inner(r, node, out.emplace());
    }
  } else if constexpr (kIsA<T, std::unique_ptr>) {
    using Held = typename T::element_type;
    static_assert(!std::is_array_v<Held> && (!std::is_polymorphic_v<Held> || std::is_final_v<Held>),
                  "a std::unique_ptr that is stored holds one object of exactly its type");
    if (node.is_null()) {
      out.reset();
    } else {
      auto made = std::make_unique<std::remove_const_t<Held>>();
      read_inner(r, node, *made);
      out = std::move(made);
    }
  } else if constexpr (kIsA<T, std::shared_ptr> || kIsA<T, std::weak_ptr>) {
    out = read_shared<typename T::element_type>(r, node);
  } else if constexpr (kIsA<T, std::variant>) {
    read_variant(r, node, out);
  } else if constexpr (TupleLike<T>) {
    const RecordReader::Level level(r, node);
    r.expect_size(node, r.enter_sequence(node), std::tuple_size_v<T>);
    std::apply(
        [&](auto&... item) {
          std::size_t i = 0;
          (read_value(r, node[i++], item), ...);
        },
        out);
  } else if constexpr (MapLike<T>) {
    read_map(r, node, out);
  } else if constexpr (SetLike<T>) {
    read_set(r, node, out);
  } else if constexpr (std::is_array_v<T> || kIsStdArray<T>) {
    read_fixed(r, node, std::span<std::remove_reference_t<decltype(*std::data(out))>>(out));
  } else if constexpr (kIsA<T, std::vector>) {
    if constexpr (Element<typename T::value_type>) {
      read_elements(r, node, out);
    } else {
      read_sequence(r, node, out);
    }
  } else if constexpr (kIsSpan<T> || std::same_as<T, std::string_view>) {
    static_assert(kNever<T>, "views own nothing: std::string_view and std::span are dumped, not loaded");
  } else if constexpr (Sequence<T>) {
    read_sequence(r, node, out);
  } else {
    static_assert(kNever<T>, "mere does not know how to load this type: declare it by MERE_RECORD(T, members...)");
  }
}

}  // namespace detail
}  // namespace mere
