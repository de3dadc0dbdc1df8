#pragma once
// How the members of records are told apart: by what their types offer, so that no container's header is needed here.
// What each kind becomes in a file is in docs/api.md, "Records".

#include <array>
#include <complex>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <mere/array.hpp>
#include <mere/dtype.hpp>

namespace mere {

// Specialize it to store a type of your own in another way than MERE_RECORD would:
//   static NodeId write(RecordWriter&, const T&);   static void read(RecordReader&, const Node&, T&);
template <class T>
struct Stored;

namespace detail {

// A struct with MERE_RECORD: found by its namespace, for exactly this type and no derived one.
template <class T>
concept Record = requires(const T* p) {
  mere_record_name(p);
};

template <class T>
concept CustomStored = requires {
  sizeof(Stored<T>);
};

template <class T, template <class...> class Template>
inline constexpr bool kIsA = false;
template <template <class...> class Template, class... Args>
inline constexpr bool kIsA<Template<Args...>, Template> = true;

template <class T>
inline constexpr bool kIsStdArray = false;
template <class T, std::size_t N>
inline constexpr bool kIsStdArray<std::array<T, N>> = true;
template <class T>
inline constexpr bool kIsSpan = false;
template <class T>
inline constexpr bool kIsSpan<std::span<T>> = true;

template <class T>
concept Number = std::is_arithmetic_v<T> ||(std::is_enum_v<T> && !std::same_as<T, std::byte>);

// What a NumPy array can hold as it lies in memory.
template <class T>
concept Element = Number<T> || std::same_as<T, std::complex<float>> || std::same_as<T, std::complex<double>> ||
    std::same_as<T, std::complex<long double>>;

template <class T>
concept Text =
    std::same_as<T, std::string> || std::same_as<T, std::string_view> || std::same_as<T, std::filesystem::path>;

template <class T>
concept OwningPointer = kIsA<T, std::unique_ptr> || kIsA<T, std::shared_ptr> || kIsA<T, std::weak_ptr>;

template <class T>
concept TupleLike = kIsA<T, std::tuple> || kIsA<T, std::pair>;

template <class T>
concept MapLike = requires(T& t) {
  typename T::key_type;
  typename T::mapped_type;
  t.begin();
};
template <class T>
concept SetLike = !MapLike<T> && requires(T & t) {
  typename T::key_type;
  requires std::same_as<typename T::key_type, typename T::value_type>;
  t.begin();
};
// multiset and multimap: insert() always succeeds, so it returns no pair. They are stored as lists.
template <class T>
concept Repeating = (MapLike<T> || SetLike<T>)&&requires(T& t, typename T::value_type v) {
  { t.insert(v) } -> std::same_as<typename T::iterator>;
};
// No order of its own: written by the order of its keys.
template <class T>
concept Unordered = (MapLike<T> || SetLike<T>)&&requires {
  typename T::hasher;
};

// vector, deque, list: grows at its end.
template <class T>
concept Sequence = !Text<T> && requires(T & t) {
  typename T::value_type;
  t.begin();
  t.size();
  t.clear();
  t.emplace_back();
};

// Types that may be stored as null: within another such type they are wrapped, so that null keeps its level.
template <class T>
inline constexpr bool kNullable = std::same_as<T, std::monostate> || std::same_as<T, std::nullptr_t> ||
                                  kIsA<T, std::optional> || OwningPointer<T> || CustomStored<T>;

// The element type of T, under which long long is int64 and an enum its underlying type.
template <class T>
Dtype element_type() {
  if constexpr (std::is_enum_v<T> && !std::same_as<T, std::byte>) {
    return element_type<std::underlying_type_t<T>>();
  } else if constexpr (std::same_as<T, bool> || std::same_as<T, std::byte> || std::is_floating_point_v<T>) {
    return Dtype::of<T>();
  } else if constexpr (std::is_integral_v<T>) {
    return Dtype(std::is_signed_v<T> ? TypeClass::integer : TypeClass::unsigned_integer, sizeof(T));
  } else if constexpr (std::same_as<T, std::complex<long double>>) {
    return Dtype(TypeClass::complex_long_double, sizeof(T));
  } else {
    static_assert(Element<T>, "no element type: numbers, enums, std::complex and std::byte have one");
    return Dtype(TypeClass::complex, sizeof(T));
  }
}

// A struct of numbers alone lies in an array as a record with named fields. No bool or enum: a mapped byte may hold
// what such a member may not.
template <class T>
concept ElementRecord =
    Record<T> && std::is_trivially_copyable_v<T> && std::is_standard_layout_v<T> && std::is_default_constructible_v<T>;

template <ElementRecord T>
const Dtype& record_type() {
  static const Dtype type = [] {
    std::vector<Field> fields;
    const T sample{};
    mere_visit_fields(sample, [&]<class M>(std::string_view name, const M& member, bool) {
      using Scalar = std::remove_all_extents_t<M>;
      static_assert((Element<Scalar> && !std::same_as<Scalar, bool> && !std::is_enum_v<Scalar>) || kIsStdArray<M>,
                    "a struct that is an array's element has numbers and std::arrays of them as members");
      Field field;
      field.name = std::string(name);
      if constexpr (kIsStdArray<M>) {
        using Item = typename M::value_type;
        static_assert(Element<Item> && !std::same_as<Item, bool> && !std::is_enum_v<Item>,
                      "a struct that is an array's element has numbers and std::arrays of them as members");
        field.type = Dtype::subarray(element_type<Item>(), {static_cast<std::int64_t>(std::tuple_size_v<M>)});
      } else {
        static_assert(!std::is_array_v<M>, "use std::array instead of a C array in an array's element");
        field.type = element_type<M>();
      }
      field.offset =
          static_cast<std::uint64_t>(reinterpret_cast<const char*>(&member) - reinterpret_cast<const char*>(&sample));
      fields.push_back(std::move(field));
    });
    return Dtype::record(std::move(fields), sizeof(T));
  }();
  return type;
}

// What Array<T> holds: numbers, bytes, or structs of numbers.
template <class T>
Dtype array_element_type() {
  if constexpr (ElementRecord<T>) {
    return record_type<T>();
  } else {
    return element_type<T>();
  }
}

// The word for a type, by which a variant names the alternative it holds.
template <class T>
std::string type_word() {
  if constexpr (Record<T>) {
    return std::string(mere_record_name(static_cast<const T*>(nullptr)));
  } else if constexpr (std::same_as<T, std::monostate> || std::same_as<T, std::nullptr_t>) {
    return "null";
  } else if constexpr (std::is_enum_v<T> && !std::same_as<T, std::byte>) {
    return "enum";
  } else if constexpr (Element<T>) {
    return element_type<T>().to_text();
  } else if constexpr (Text<T>) {
    return "str";
  } else if constexpr (kIsA<T, Array>) {
    return "array[" + type_word<typename T::value_type>() + "]";
  } else if constexpr (std::same_as<T, std::vector<std::byte>> || std::same_as<T, std::byte>) {
    return "bytes";
  } else if constexpr (kIsA<T, std::optional>) {
    return "optional[" + type_word<typename T::value_type>() + "]";
  } else if constexpr (OwningPointer<T>) {
    return "pointer[" + type_word<std::remove_const_t<typename T::element_type>>() + "]";
  } else if constexpr (kIsStdArray<T>) {
    return "list[" + type_word<typename T::value_type>() + "]";
  } else if constexpr (TupleLike<T>) {
    return "tuple";
  } else if constexpr (kIsA<T, std::variant>) {
    return "variant";
  } else if constexpr (MapLike<T>) {
    return "dict[" + type_word<typename T::key_type>() + "," + type_word<typename T::mapped_type>() + "]";
  } else if constexpr (SetLike<T>) {
    return "set[" + type_word<typename T::key_type>() + "]";
  } else if constexpr (Sequence<T>) {
    return "list[" + type_word<typename T::value_type>() + "]";
  } else {
    return "custom";
  }
}

// One word an alternative, in order; those that would be the same get "#" and their position.
template <class... Ts>
const std::array<std::string, sizeof...(Ts)>& alternative_words(const std::variant<Ts...>*) {
  static const std::array<std::string, sizeof...(Ts)> words = [] {
    std::array<std::string, sizeof...(Ts)> plain{type_word<Ts>()...};
    std::array<std::string, sizeof...(Ts)> out = plain;
    for (std::size_t i = 0; i < plain.size(); ++i) {
      for (std::size_t j = 0; j < plain.size(); ++j) {
        if (i != j && plain[i] == plain[j]) out[i] = plain[i] + "#" + std::to_string(i);
      }
    }
    return out;
  }();
  return words;
}

template <class T>
inline constexpr bool kNever = false;

inline bool same_number(float narrow, double wide) {
  return static_cast<double>(narrow) == wide || wide != wide;
}

// The address stands for the type, without run-time type information.
template <class T>
inline constexpr char kTypeTag = 0;

}  // namespace detail
}  // namespace mere
