// The safetensors header, against files made here byte by byte; those of the library are in importers/.

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include <mere/error.hpp>
#include "container/safetensors.hpp"

using namespace mere;
using container::read_safetensors_header;
using container::SafetensorsTensor;

namespace {

std::string file(const std::string& header, const std::string& data = "", std::optional<std::uint64_t> length = {}) {
  std::string out;
  for (int i = 0; i < 8; ++i) out += static_cast<char>(length.value_or(header.size()) >> (8 * i));
  return out + header + data;
}

std::string tensor(const std::string& type, const std::string& shape, const std::string& offsets) {
  return R"({"dtype":")" + type + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

auto read(const std::string& bytes) {
  return read_safetensors_header(std::as_bytes(std::span(bytes)));
}

std::optional<Reason> refusal(const std::string& bytes) {
  try {
    read(bytes);
    return std::nullopt;
  } catch (const Error& error) {
    return error.reason();
  }
}

// One tensor of eight bytes.
std::optional<Reason> refusal_of(const std::string& tensor_text, const std::string& data = "12345678") {
  return refusal(file("{\"a\":" + tensor_text + "}", data));
}

}  // namespace

TEST_CASE("safetensors: tensors are told in the order of their bytes") {
  const std::string good =
      file("{\"__metadata__\":{\"format\":\"pt\",\"x\":\"\"},\"b\":" + tensor("F32", "[1,2]", "[0,8]") +
               ",\"a\":" + tensor("U8", "[]", "[8,9]") + ",\"0\":" + tensor("I64", "[0,5]", "[0,0]") +
               ",\"c\":" + tensor("BF16", "[2]", "[9,13]") + "}   ",
           std::string(13, 'x'));
  const auto header = read(good);
  REQUIRE(header.tensors.size() == 4);
  CHECK(header.tensors[0].name == "0");
  CHECK(header.tensors[1].name == "b");
  CHECK(header.tensors[1].dtype == Dtype::parse("<f4"));
  CHECK(header.tensors[1].shape == std::vector<std::int64_t>{1, 2});
  CHECK(header.tensors[1].offset == header.data_offset);
  CHECK(header.tensors[2].shape.empty());
  CHECK(header.tensors[3].dtype.type_class() == TypeClass::bfloat16);
  CHECK(header.tensors[3].offset + header.tensors[3].bytes == good.size());
  CHECK(header.metadata == std::vector<std::pair<std::string, std::string>>{{"format", "pt"}, {"x", ""}});
  CHECK(read(file("{}")).tensors.empty());
  for (std::size_t length = 0; length < good.size(); ++length) CHECK(refusal(good.substr(0, length)).has_value());
}

TEST_CASE("safetensors: lengths that lie are refused") {
  CHECK(refusal(file("{}", "", 100'000'001)) == Reason::too_large);
  CHECK(refusal(file("{}", "", ~std::uint64_t{0})) == Reason::too_large);
  CHECK(refusal(file("{}", "", 3)) == Reason::truncated);
  CHECK(refusal(file("{}", "", 1)) == Reason::bad_record);
  CHECK(refusal(file("{}", "", 0)) == Reason::bad_record);
  CHECK(refusal(file(" {}")) == Reason::bad_record);
  CHECK(refusal(file("[]")) == Reason::bad_record);
  CHECK(refusal(file("{}x")) == Reason::bad_record);
  CHECK(refusal(file(std::string("{}\0", 3))) == Reason::bad_record);
}

TEST_CASE("safetensors: holes, overlap, trailing bytes and wraps are refused") {
  const auto two = [](const std::string& first, const std::string& second) {
    return refusal(
        file("{\"a\":" + tensor("U8", "[4]", first) + ",\"b\":" + tensor("U8", "[4]", second) + "}", "12345678"));
  };
  CHECK(two("[0,4]", "[4,8]") == std::nullopt);
  CHECK(two("[4,8]", "[0,4]") == std::nullopt);
  CHECK(two("[0,4]", "[0,4]") == Reason::overlap);
  CHECK(two("[0,4]", "[3,7]") == Reason::overlap);
  CHECK(two("[0,4]", "[5,9]") == Reason::overlap);
  CHECK(two("[1,5]", "[5,9]") == Reason::overlap);
  CHECK(refusal_of(tensor("U8", "[4]", "[0,4]")) == Reason::trailing_bytes);
  CHECK(refusal_of(tensor("U8", "[9]", "[0,9]")) == Reason::truncated);
  CHECK(refusal_of(tensor("U8", "[8]", "[0,4]")) == Reason::bad_record);
  CHECK(refusal_of(tensor("F64", "[2305843009213693952,8]", "[0,8]")) == Reason::shape_overflow);
  CHECK(refusal_of(tensor("F64", "[2305843009213693953]", "[0,8]")) == Reason::shape_overflow);
  CHECK(refusal_of(tensor("F64", "[18446744073709551617]", "[0,8]")) == Reason::shape_overflow);
  CHECK(refusal_of(tensor("F64", "[-1]", "[0,8]")) == Reason::shape_overflow);
  CHECK(refusal_of(tensor("F64", "[1]", "[18446744073709551608,18446744073709551616]")) == Reason::out_of_bounds);
  CHECK(refusal_of(tensor("F64", "[1]", "[8,0]")) == Reason::out_of_bounds);
  CHECK(refusal_of(tensor("F64", "[1]", "[-8,0]")) == Reason::out_of_bounds);
  std::string many = "[1";
  for (int i = 0; i < 64; ++i) many += ",1";
  CHECK(refusal_of(tensor("F64", many + "]", "[0,8]")) == Reason::shape_overflow);
}

TEST_CASE("safetensors: names twice and what is not known are refused") {
  const std::string good = tensor("F64", "[1]", "[0,8]");
  CHECK(refusal(file("{\"a\":" + good + ",\"a\":" + good + "}", "12345678")) == Reason::duplicate_key);
  CHECK(refusal_of(tensor("F128", "[1]", "[0,8]")) == Reason::unknown_type);
  CHECK(refusal_of(R"({"dtype":"F64","shape":[1]})") == Reason::bad_record);
  CHECK(refusal_of(R"({"dtype":"F64","shape":[1],"data_offsets":[0,8],"x":1})") == Reason::bad_record);
  CHECK(refusal_of(R"({"dtype":8,"shape":[1],"data_offsets":[0,8]})") == Reason::bad_record);
  CHECK(refusal_of(tensor("F64", "1", "[0,8]")) == Reason::bad_record);
  CHECK(refusal_of(tensor("F64", "[1.0]", "[0,8]")) == Reason::bad_record);
  CHECK(refusal_of(tensor("F64", "[1]", "[0,8,8]")) == Reason::bad_record);
  CHECK(refusal_of("null") == Reason::bad_record);
  CHECK(refusal(file(R"({"__metadata__":{"a":1}})")) == Reason::bad_record);
  CHECK(refusal(file(R"({"__metadata__":[]})")) == Reason::bad_record);
  CHECK(refusal(file("{\"\xff\":1}")) == Reason::bad_text);
  CHECK(refusal(file("{\"a\":" + std::string(100'000, '['))) == Reason::too_deep);
}

TEST_CASE("safetensors: elements of less than a byte are told several at a time") {
  const auto four = read(file("{\"a\":" + tensor("F4", "[2,8]", "[0,8]") + "}", "12345678")).tensors[0];
  CHECK(four.dtype == Dtype::other("float4_e2m1fn_x2", 1));
  CHECK(four.shape == std::vector<std::int64_t>{2, 4});
  const auto six = read(file("{\"a\":" + tensor("F6_E2M3", "[1,8]", "[0,6]") + "}", "123456")).tensors[0];
  CHECK(six.dtype.itemsize() == 3);
  CHECK(six.shape == std::vector<std::int64_t>{1, 2});
  CHECK(refusal_of(tensor("F4", "[16,1]", "[0,8]")) == Reason::not_supported);
  CHECK(refusal_of(tensor("F4", "[]", "[0,8]")) == Reason::not_supported);
}

TEST_CASE("safetensors: what is written is read back, in every type of the format") {
  std::vector<SafetensorsTensor> tensors;
  std::uint64_t bytes = 0;
  const auto add = [&](const Dtype& dtype) {
    CAPTURE(dtype.to_text());
    CHECK_FALSE(container::safetensors_word(dtype).empty());
    tensors.push_back({"t\"\n" + std::to_string(tensors.size()), dtype, {2, 3}, 0, 0});
    bytes += 6 * dtype.itemsize();
  };
  for (const char* text :
       {"|b1", "|u1", "|i1", "<u2", "<i2", "<u4", "<i4", "<u8", "<i8", "<f2", "<f4", "<f8", "<c8", "bfloat16",
        "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu"}) {
    add(Dtype::parse(text));
  }
  add(Dtype::other("float4_e2m1fn_x2", 1));
  add(Dtype::other("float6_e3m2fn_x4", 3));
  const std::vector<std::pair<std::string, std::string>> metadata{{"k\x01", "v\xc3\xa9"}};
  std::string text = container::safetensors_header(tensors, metadata);
  CHECK(text.size() % 8 == 0);
  const auto header = read(text + std::string(bytes, 'x'));
  REQUIRE(header.tensors.size() == tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    CHECK(header.tensors[i].name == tensors[i].name);
    CHECK(header.tensors[i].dtype == tensors[i].dtype);
    CHECK(header.tensors[i].shape == tensors[i].shape);
  }
  CHECK(header.metadata == metadata);
  CHECK(read(container::safetensors_header({}, {})).tensors.empty());
}

TEST_CASE("safetensors: what the format cannot say is not written") {
  const auto refused = [](std::vector<SafetensorsTensor> tensors) -> std::optional<Reason> {
    try {
      container::safetensors_header(tensors, {});
      return std::nullopt;
    } catch (const Error& error) {
      return error.reason();
    }
  };
  for (const char* text : {">f8", "<c16", "<f16", "|S5", "|V8", "<M8[s]", "|O"}) {
    CAPTURE(text);
    CHECK(container::safetensors_word(Dtype::parse(text)).empty());
    CHECK(refused({{"a", Dtype::parse(text), {1}, 0, 0}}) == Reason::not_supported);
  }
  const Dtype real = Dtype::parse("<f8");
  CHECK(refused({{"a", real, {1}, 0, 0}, {"a", real, {1}, 0, 0}}) == Reason::duplicate_key);
  CHECK(refused({{"__metadata__", real, {1}, 0, 0}}) == Reason::duplicate_key);
  CHECK(refused({{"\xff", real, {1}, 0, 0}}) == Reason::bad_text);
  CHECK(refused({{"a", real, {INT64_MAX, 9}, 0, 0}}) == Reason::shape_overflow);
}
