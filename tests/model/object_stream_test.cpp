// Streams of our own process. Those of Python's pickler are in tests/python.

#include <doctest/doctest.h>

#include <string>

#include <mere/mere.hpp>

#include "graph/written.hpp"

namespace {

using namespace mere;

const std::string kProto = "\x80\x05";

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

}  // namespace

TEST_CASE(
    "object stream: a part that is referred to twice is one array, and overlapping ones are views of one buffer") {
  std::vector<double> numbers{1, 2, 3, 4, 5, 6};
  const auto* data = reinterpret_cast<const std::byte*>(numbers.data());
  StreamParts parts;
  const std::int64_t all[] = {6}, some[] = {3}, step[] = {8}, back[] = {-16};
  CHECK(parts.add_array(Dtype::of<double>(), all, step, data) == 0);
  CHECK(parts.add_array(Dtype::of<double>(), some, back, data + 40) == 1);
  const std::string stream = kProto + std::string("(](K\0Q", 6) + "K\x01QK" + std::string("\0Qe", 3) + "Nt.";
  const Graph graph = read_object_stream(bytes_of(stream), parts);
  const test::Written read = test::write(graph);
  CHECK(read.at("[0]").id() == read.at("[2]").id());
  CHECK(read.at("[1]").array().copy<double>() == std::vector<double>{6, 4, 2});
  CHECK(read.at("[0]").array().copy<double>() == numbers);
}

TEST_CASE("object stream: the second of the pair is the metadata") {
  const std::string stream = kProto +
                             "K\x05}\x8c\x01"
                             "aK\x07s\x86.";
  Graph graph = read_object_stream(bytes_of(stream), StreamParts());
  CHECK(graph.integer_value(graph.model_root) == 5);
  CHECK(graph.kind(graph.metadata_root) == Kind::dict);
  CHECK_FALSE(add_program(graph, StoreProgram::automatic).added);
  const std::string list = kProto + "K\x05]\x86.";
  CHECK_THROWS_AS(read_object_stream(bytes_of(list), StreamParts()), Error);
  const std::string one = kProto + "K\x05.";
  CHECK_THROWS_AS(read_object_stream(bytes_of(one), StreamParts()), Error);
}

TEST_CASE("object stream: a number that no part was given for is an error") {
  const std::string stream = kProto + "K\x02QN\x86.";
  CHECK_THROWS_AS(read_object_stream(bytes_of(stream), StreamParts()), Error);
  const std::string text = kProto + "\x8c\x01xQN\x86.";
  CHECK_THROWS_AS(read_object_stream(bytes_of(text), StreamParts()), Error);
}

TEST_CASE("object stream: a function by value becomes an opaque node") {
  // types.FunctionType(None, None), as far as the machine looks.
  const std::string function = kProto +
                               "\x8c\x05types\x8c\x0c"
                               "FunctionType\x93NN\x86R.";
  StreamParts parts;
  CHECK(parts.add_opaque(bytes_of(function)) == 0);
  const std::string stream = kProto + std::string("K\0QN\x86.", 6);
  const Graph graph = read_object_stream(bytes_of(stream), parts);
  CHECK(graph.kind(graph.model_root) == Kind::opaque);
}
