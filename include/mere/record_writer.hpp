#pragma once
// Values of C++ as nodes of a graph. The encodings are in docs/api.md, "Records".

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <mere/graph.hpp>
#include <mere/record_kinds.hpp>

namespace mere {

// Builds the nodes of one dump. Memory that members own is borrowed: the values must outlive the graph.
class MERE_API RecordWriter {
 public:
  // Values nested deeper than `depth` are Error(too_deep).
  explicit RecordWriter(Graph& graph, std::uint32_t depth = 1000);
  ~RecordWriter();
  RecordWriter(const RecordWriter&) = delete;
  RecordWriter& operator=(const RecordWriter&) = delete;

  Graph& graph() const { return graph_; }

  // A text node, or a bytes node if it is not UTF-8.
  NodeId text(std::string_view value);
  NodeId integer(std::int64_t value) { return graph_.integer(value); }
  NodeId integer(std::uint64_t value) { return graph_.unsigned_integer(value); }
  // The same node for the same literal: names of fields and types.
  NodeId key(std::string_view literal);
  NodeId type(std::string_view name);
  // An array over `data`, which `owner` holds, or the caller does.
  NodeId array(const Dtype& type, std::span<const std::int64_t> shape, const void* data,
               std::shared_ptr<const void> owner = nullptr);
  NodeId record(std::string_view type_name, std::span<const std::pair<NodeId, NodeId>> fields, NodeId reserved);

  // The node that already stands for the object at `address` of the type with that tag, or kNoNode.
  NodeId find_shared(const void* address, const void* type_tag) const;
  void keep_shared(const void* address, const void* type_tag, NodeId node);

  // One level of nesting while it lives.
  class Level {
   public:
    explicit Level(RecordWriter& writer) : writer_(writer) {
      if (writer_.depth_ == writer_.limit_) writer_.throw_depth();
      ++writer_.depth_;
    }
    ~Level() { --writer_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    RecordWriter& writer_;
  };

 private:
  [[noreturn]] void throw_depth() const;
  Graph& graph_;
  std::uint32_t depth_ = 0, limit_;
  struct Tables;
  std::unique_ptr<Tables> tables_;
};

namespace detail {

template <class T>
NodeId write_value(RecordWriter& w, const T& value);

template <class T>
NodeId write_record(RecordWriter& w, const T& value, NodeId reserved = kNoNode) {
  const RecordWriter::Level level(w);
  std::pair<NodeId, NodeId> fields[mere_field_count(static_cast<const T*>(nullptr)) + 1];
  std::size_t count = 0;
  mere_visit_fields(value, [&](std::string_view name, const auto& member, bool) {
    fields[count].first = w.key(name);
    fields[count].second = write_value(w, member);
    ++count;
  });
  return w.record(mere_record_name(&value), {fields, count}, reserved);
}

template <class Range>
NodeId write_list(RecordWriter& w, const Range& range) {
  const RecordWriter::Level level(w);
  std::vector<NodeId> items;
  if constexpr (requires { range.size(); }) items.reserve(range.size());
  for (const auto& item : range) items.push_back(write_value(w, static_cast<const typename Range::value_type&>(item)));
  return w.graph().list(items);
}

// The elements of an unordered container, in the order of their keys.
template <class T>
std::vector<const typename T::value_type*> in_key_order(const T& value) {
  std::vector<const typename T::value_type*> order;
  order.reserve(value.size());
  for (const auto& item : value) order.push_back(&item);
  const auto key = [](const typename T::value_type* item) -> const typename T::key_type& {
    if constexpr (MapLike<T>) {
      return item->first;
    } else {
      return *item;
    }
  };
  static_assert(
      requires(const typename T::key_type& k) { k < k; },
      "an unordered container is written in the order of its keys: they need operator<");
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return key(a) < key(b); });
  return order;
}

template <class T>
NodeId write_map(RecordWriter& w, const T& value) {
  const RecordWriter::Level level(w);
  std::vector<std::pair<NodeId, NodeId>> entries;
  entries.reserve(value.size());
  const auto add = [&](const typename T::value_type& item) {
    const NodeId key = write_value(w, item.first);
    entries.emplace_back(key, write_value(w, item.second));
  };
  if constexpr (Unordered<T>) {
    for (const auto* item : in_key_order(value)) add(*item);
  } else {
    for (const auto& item : value) add(item);
  }
  if constexpr (Repeating<T>) {
    std::vector<NodeId> pairs;
    pairs.reserve(entries.size());
    for (const auto& [key, mapped] : entries) {
      const NodeId pair[] = {key, mapped};
      pairs.push_back(w.graph().tuple(pair));
    }
    return w.graph().list(pairs);
  } else {
    return w.graph().dict(entries);
  }
}

template <class T>
NodeId write_set(RecordWriter& w, const T& value) {
  const RecordWriter::Level level(w);
  std::vector<NodeId> members;
  members.reserve(value.size());
  if constexpr (Repeating<T> && Unordered<T>) {
    for (const auto* item : in_key_order(value)) members.push_back(write_value(w, *item));
  } else {
    for (const auto& item : value) members.push_back(write_value(w, item));
  }
  if constexpr (Repeating<T>) {
    return w.graph().list(members);
  } else {
    // The members' order is settled by their encodings when the graph is dumped.
    const NodeId set = w.graph().set();
    w.graph().fill(set, members);
    return set;
  }
}

// The object is met by many owners and is one node. A record stands for itself; anything else lies in a list of one,
// because leaves of equal bits would become one node although they were two objects. The node is known before what it
// holds is written, so that an object may be reached from itself.
template <class T>
NodeId write_shared(RecordWriter& w, const T* object) {
  static_assert(!std::is_polymorphic_v<T> || std::is_final_v<T>,
                "a pointer to a class with virtual functions may hold a derived class, whose members are not known: "
                "use std::variant");
  if (object == nullptr) return w.graph().null();
  const void* tag = &kTypeTag<std::remove_const_t<T>>;
  NodeId node = w.find_shared(object, tag);
  if (node != kNoNode) return node;
  using Value = std::remove_const_t<T>;
  if constexpr (Record<Value> && !CustomStored<Value>) {
    node = w.graph().reserve_object();
    w.keep_shared(object, tag, node);
    write_record<Value>(w, *object, node);
  } else {
    node = w.graph().list();
    w.keep_shared(object, tag, node);
    const RecordWriter::Level level(w);
    const NodeId item = write_value<Value>(w, *object);
    w.graph().fill(node, {&item, 1});
  }
  return node;
}

// A value inside something that may itself be null.
template <class T>
NodeId write_inner(RecordWriter& w, const T& value) {
  const NodeId node = write_value(w, value);
  if constexpr (kNullable<T>) {
    return w.graph().list({&node, 1});
  } else {
    return node;
  }
}

template <class T>
NodeId write_variant(RecordWriter& w, const T& value) {
  const RecordWriter::Level level(w);
  if (value.valueless_by_exception())
    throw Error(Reason::bad_argument, "a std::variant without a value cannot be dumped");
  const std::pair<NodeId, NodeId> fields[] = {
      {w.key("alternative"), w.text(alternative_words(&value)[value.index()])},
      {w.key("value"), std::visit([&](const auto& held) { return write_value(w, held); }, value)},
  };
  return w.record("variant", fields, kNoNode);
}

template <class Item>
NodeId write_elements(RecordWriter& w, const Item* data, std::size_t count) {
  const std::int64_t shape[] = {static_cast<std::int64_t>(count)};
  return w.array(element_type<Item>(), shape, data);
}

template <class T>
NodeId write_value(RecordWriter& w, const T& value) {
  Graph& g = w.graph();
  if constexpr (CustomStored<T>) {
    return Stored<T>::write(w, value);
  } else if constexpr (Record<T>) {
    return write_record(w, value);
  } else if constexpr (std::same_as<T, bool>) {
    return g.boolean(value);
  } else if constexpr (std::is_enum_v<T>) {
    return write_value(w, static_cast<std::underlying_type_t<T>>(value));
  } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
    return w.integer(static_cast<std::int64_t>(value));
  } else if constexpr (std::is_integral_v<T>) {
    return w.integer(static_cast<std::uint64_t>(value));
  } else if constexpr (std::same_as<T, float> || std::same_as<T, double>) {
    return g.real(static_cast<double>(value));
  } else if constexpr (std::same_as<T, long double> || std::same_as<T, std::complex<long double>>) {
    return g.scalar(element_type<T>(), std::as_bytes(std::span<const T, 1>(&value, 1)));
  } else if constexpr (kIsA<T, std::complex>) {
    return g.complex({static_cast<double>(value.real()), static_cast<double>(value.imag())});
  } else if constexpr (std::same_as<T, std::filesystem::path>) {
    return w.text(value.native());
  } else if constexpr (Text<T>) {
    return w.text(value);
  } else if constexpr (std::same_as<T, std::vector<std::byte>> || std::same_as<T, std::span<const std::byte>> ||
                       std::same_as<T, std::span<std::byte>>) {
    return g.bytes(value);
  } else if constexpr (kIsA<T, Array>) {
    return w.array(array_element_type<typename T::value_type>(), value.shape(), value.data());
  } else if constexpr (std::same_as<T, std::monostate> || std::same_as<T, std::nullptr_t>) {
    return g.null();
  } else if constexpr (kIsA<T, std::optional>) {
    return value ? write_inner(w, *value) : g.null();
  } else if constexpr (kIsA<T, std::unique_ptr>) {
    using Held = typename T::element_type;
    static_assert(!std::is_array_v<Held> && (!std::is_polymorphic_v<Held> || std::is_final_v<Held>),
                  "a std::unique_ptr that is stored holds one object of exactly its type");
    if (!value) return g.null();
    return write_inner<std::remove_const_t<Held>>(w, *value);
  } else if constexpr (kIsA<T, std::shared_ptr>) {
    return write_shared(w, value.get());
  } else if constexpr (kIsA<T, std::weak_ptr>) {
    return write_shared(w, value.lock().get());
  } else if constexpr (kIsA<T, std::variant>) {
    return write_variant(w, value);
  } else if constexpr (TupleLike<T>) {
    const RecordWriter::Level level(w);
    return std::apply(
        [&](const auto&... item) {
          const std::array<NodeId, sizeof...(item)> items{write_value(w, item)...};
          return g.tuple(items);
        },
        value);
  } else if constexpr (MapLike<T>) {
    return write_map(w, value);
  } else if constexpr (SetLike<T>) {
    return write_set(w, value);
  } else if constexpr (std::is_array_v<T>) {
    using Item = std::remove_cv_t<std::remove_extent_t<T>>;
    return write_value(w, std::span<const Item>(value));
  } else if constexpr (std::same_as<T, std::vector<bool>>) {
    // Packed bits in memory, a byte each in the file.
    auto flat = std::make_shared<std::vector<unsigned char>>(value.begin(), value.end());
    const std::int64_t shape[] = {static_cast<std::int64_t>(flat->size())};
    const unsigned char* data = flat->data();
    return w.array(Dtype::of<bool>(), shape, data, std::move(flat));
  } else if constexpr (kIsA<T, std::vector> || kIsStdArray<T> || kIsSpan<T>) {
    if constexpr (Element<typename T::value_type>) {
      return write_elements(w, value.data(), value.size());
    } else {
      return write_list(w, value);
    }
  } else if constexpr (Sequence<T>) {
    return write_list(w, value);
  } else {
    static_assert(kNever<T>, "mere does not know how to store this type: declare it by MERE_RECORD(T, members...)");
    return kNoNode;
  }
}

}  // namespace detail
}  // namespace mere
