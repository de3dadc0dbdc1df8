#pragma once
// C++ structs in a .mere file: name the members once, dump and load. What each member becomes: docs/api.md, "Records".
//
//   struct Forest { std::vector<Tree> trees; std::vector<std::string> classes; };
//   MERE_RECORD(Forest, trees, classes)
//
//   mere::dump(forest, "forest.mere");
//   auto forest = mere::load<Forest>("forest.mere");

#include <mere/dump.hpp>
#include <mere/model.hpp>
#include <mere/record_reader.hpp>
#include <mere/record_writer.hpp>
#include <mere/rethrow.hpp>

// Declares how `T` is stored: an object whose type name is T without its namespaces, and whose state is a dict from the
// members' names. At namespace scope, in the namespace of T, after it is complete; 1 to 64 public members.
#define MERE_RECORD(T, ...) MERE_RECORD_AS(::mere::detail::unqualified(#T), T, __VA_ARGS__)

// The same under a type name of your choice.
#define MERE_RECORD_AS(type_name, T, ...)                                             \
  template <std::same_as<T> MereRecord>                                               \
  constexpr std::string_view mere_record_name(const MereRecord*) noexcept {           \
    return type_name;                                                                 \
  }                                                                                   \
  template <std::same_as<T> MereRecord>                                               \
  constexpr std::size_t mere_field_count(const MereRecord*) noexcept {                \
    constexpr std::size_t count = 0 MERE_DETAIL_EACH(MERE_DETAIL_COUNT, __VA_ARGS__); \
    static_assert(count <= 64, "MERE_RECORD takes up to 64 members");                 \
    return count;                                                                     \
  }                                                                                   \
  template <class MereRecord, class MereVisit>                                        \
  requires std::same_as<std::remove_const_t<MereRecord>, T>                           \
  void mere_visit_fields(MereRecord& mere_record, MereVisit&& mere_visit) {           \
    MERE_DETAIL_EACH(MERE_DETAIL_FIELD, __VA_ARGS__)                                  \
  }

// Around a member that may be absent from a file: it then keeps the value that the struct's constructor gives it.
//   MERE_RECORD(Forest, trees, MERE_DEFAULTED(classes))
#define MERE_DEFAULTED(member) (member)

// A parenthesis marks a defaulted member: MERE_DETAIL_PROBE takes it as its arguments and shifts the answer.
#define MERE_DETAIL_FIELD(m) MERE_DETAIL_JOIN(MERE_DETAIL_FIELD_, MERE_DETAIL_SECOND(MERE_DETAIL_PROBE m, 0, 0))(m)
#define MERE_DETAIL_FIELD_0(m) mere_visit(std::string_view(#m), mere_record.m, false);
#define MERE_DETAIL_FIELD_1(m) MERE_DETAIL_FIELD_DEFAULTED m
#define MERE_DETAIL_FIELD_DEFAULTED(m) mere_visit(std::string_view(#m), mere_record.m, true);
#define MERE_DETAIL_PROBE(...) ~, 1
#define MERE_DETAIL_SECOND(...) MERE_DETAIL_SECOND_OF(__VA_ARGS__, 0)
#define MERE_DETAIL_SECOND_OF(a, b, ...) b
#define MERE_DETAIL_JOIN(a, b) MERE_DETAIL_JOINED(a, b)
#define MERE_DETAIL_JOINED(a, b) a##b
#define MERE_DETAIL_COUNT(m) +1

// Calls M(argument) for each: a step expands to one call and the rest, and every scan of EXPAND takes one step more.
#define MERE_DETAIL_EACH(M, ...) __VA_OPT__(MERE_DETAIL_EXPAND(MERE_DETAIL_STEP(M, __VA_ARGS__)))
#define MERE_DETAIL_STEP(M, first, ...) M(first) __VA_OPT__(MERE_DETAIL_AGAIN MERE_DETAIL_PARENS(M, __VA_ARGS__))
#define MERE_DETAIL_AGAIN() MERE_DETAIL_STEP
#define MERE_DETAIL_PARENS ()
#define MERE_DETAIL_EXPAND(...) \
  MERE_DETAIL_EXPAND3(MERE_DETAIL_EXPAND3(MERE_DETAIL_EXPAND3(MERE_DETAIL_EXPAND3(__VA_ARGS__))))
#define MERE_DETAIL_EXPAND3(...) \
  MERE_DETAIL_EXPAND2(MERE_DETAIL_EXPAND2(MERE_DETAIL_EXPAND2(MERE_DETAIL_EXPAND2(__VA_ARGS__))))
#define MERE_DETAIL_EXPAND2(...) \
  MERE_DETAIL_EXPAND1(MERE_DETAIL_EXPAND1(MERE_DETAIL_EXPAND1(MERE_DETAIL_EXPAND1(__VA_ARGS__))))
#define MERE_DETAIL_EXPAND1(...) __VA_ARGS__

namespace mere {

namespace detail {

constexpr std::string_view unqualified(std::string_view name) {
  const std::size_t colons = name.rfind("::");
  return colons == std::string_view::npos ? name : name.substr(colons + 2);
}

// What dump() and load() take beside graphs and nodes: everything but those.
template <class T>
concept Value = !std::same_as<T, Graph>;

// Containers throw what the standard says; only Error leaves mere.
template <class Call>
decltype(auto) with_memory_errors(Call&& call) {
  try {
    return call();
  } catch (...) {
    rethrow_as_error();
  }
}

}  // namespace detail

// The graph of a value. Arrays lie in the value's own memory: it must outlive the graph and not change.
// Throws Error: too_deep, bad_argument, out_of_memory.
template <detail::Value T>
Graph to_graph(const T& value, std::uint32_t depth = Limits{}.depth) {
  return detail::with_memory_errors([&] {
    Graph graph;
    RecordWriter writer(graph, depth);
    graph.model_root = detail::write_value(writer, value);
    return graph;
  });
}

// Dumps a record, or anything that may be a member of one. As dump() of a graph (mere/dump.hpp).
template <detail::Value T>
DumpResult dump(const T& value, const std::filesystem::path& path, const DumpOptions& options = {}) {
  return dump(to_graph(value), path, options);
}
template <detail::Value T>
DumpResult dump(const T& value, std::ostream& out, const DumpOptions& options = {}) {
  return dump(to_graph(value), out, options);
}
template <detail::Value T>
DumpResult dump_descriptor(const T& value, int fd, const DumpOptions& options = {}) {
  return dump_descriptor(to_graph(value), fd, options);
}
template <detail::Value T>
std::vector<std::byte> dump_bytes(const T& value, const DumpOptions& options = {}) {
  return dump_bytes(to_graph(value), options);
}

// The value that `node` of `model` stands for. Members of type Array stay in the map and hold the model; all else is
// copied out. Throws Error: wrong_kind, wrong_type, wrong_shape, out_of_range, missing_field, unknown_field, too_deep,
// too_large, and what reading a damaged file throws; the message has the node's path.
template <class T>
T load(const Model& model, const Node& node, const LoadOptions& options = {}) {
  return detail::with_memory_errors([&] {
    RecordReader reader(model, options);
    T value{};
    try {
      detail::read_value(reader, node, value);
    } catch (const Error&) {
      reader.finish();  // what was found wrong may be the zeros of a page that could not be read
      throw;
    }
    reader.finish();
    return value;
  });
}
template <class T>
T load(const Model& model, const LoadOptions& options = {}) {
  return load<T>(model, model.root(), options);
}
template <class T>
T load(const std::filesystem::path& path, const LoadOptions& options = {}) {
  return load<T>(Model(path, options.open), options);
}

}  // namespace mere
