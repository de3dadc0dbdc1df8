// joblib's arrays in the stream, and its compressed streams, against files that lie.

#include <doctest/doctest.h>

#include "importers/import_case.hpp"

using namespace mere;
using test::fixture;
using test::little;
using test::raw;
using test::refusal;

namespace {

std::string text(std::string_view value) {
  return "X" + little(value.size(), 4) + std::string(value);
}

struct Wrapper {
  std::string shape = "K\x02\x85";  // (2,)
  std::string order = "C";
  std::string dtype_code = "i4";
  std::string alignment = text("numpy_array_alignment_bytes") + "K\x10";
  std::string more;
  std::string payload = "\x01\xff" + std::string("\x01\0\0\0\x02\0\0\0", 8);
  std::string subclass = "cnumpy\nndarray\n";
  std::string tail = ".";
};

std::string dtype(const std::string& code) {
  return "cnumpy\ndtype\n(" + text(code) + "\x89\x88tR(K\x03" + text("<") + "NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK" +
         raw("\0") + "tb";
}

std::string stream(const Wrapper& w) {
  return "\x80\x03"
         "cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(" +
         text("subclass") + w.subclass + text("shape") + w.shape + text("order") + text(w.order) + text("dtype") +
         dtype(w.dtype_code) + text("allow_mmap") + "\x88" + w.alignment + w.more + "ub" + w.payload + w.tail;
}

}  // namespace

TEST_CASE("joblib: an array's bytes follow its wrapper, with padding from 1.2 on and without before") {
  CHECK(test::import_written(stream({})).root().array().copy<std::int32_t>() == std::vector<std::int32_t>{1, 2});
  Wrapper old;
  old.alignment = "";
  old.payload = std::string("\x03\0\0\0\x04\0\0\0", 8);
  CHECK(test::import_written(stream(old)).root().array().copy<std::int32_t>() == std::vector<std::int32_t>{3, 4});
  old.alignment = text("numpy_array_alignment_bytes") + "N";
  CHECK(test::import_written(stream(old)).root().array().copy<std::int32_t>() == std::vector<std::int32_t>{3, 4});
  Wrapper none;
  none.payload = raw("\0\x03\0\0\0\x04\0\0\0");  // no padding: joblib never writes it, but reads it
  CHECK(test::import_written(stream(none)).root().array().copy<std::int32_t>() == std::vector<std::int32_t>{3, 4});
}

TEST_CASE("joblib: a memmap is a plain array, a matrix keeps its class") {
  Wrapper wrapper;
  wrapper.subclass = "cnumpy\nmemmap\n";
  CHECK(test::import_written(stream(wrapper)).root().kind() == Kind::array);
  wrapper.subclass = "cnumpy\nmatrix\n";
  const test::Written matrix = test::import_written(stream(wrapper));
  CHECK(matrix.root().type_name() == "numpy.core.multiarray._reconstruct");
  CHECK(matrix.at("@state[4]").array().copy<std::int32_t>() == std::vector<std::int32_t>{1, 2});
}

TEST_CASE("joblib: wrappers that lie are refused") {
  const auto lie = [](auto change) {
    Wrapper wrapper;
    change(wrapper);
    return refusal(stream(wrapper));
  };
  CHECK(lie([](Wrapper& x) { x.shape = "K\x04\x85"; }) == Reason::out_of_bounds);
  CHECK(lie([](Wrapper& x) { x.shape = "J\xff\xff\xff\xff\x85"; }) == Reason::shape_overflow);
  CHECK(lie([](Wrapper& x) { x.shape = "\x8a\x08" + little((1ull << 61) + 1, 8) + "K\x08\x86"; }) ==
        Reason::shape_overflow);
  CHECK(lie([](Wrapper& x) { x.shape = raw("K\0\x8a\x08") + little((1ull << 62), 8) + "K\x08\x87"; }).has_value());
  CHECK(lie([](Wrapper& x) { x.shape = text("x"); }) == Reason::bad_record);
  CHECK(lie([](Wrapper& x) { x.shape = text("x") + "\x85"; }) == Reason::bad_record);
  std::string ones;
  for (int i = 0; i < 65; ++i) ones += "K\x01";
  CHECK(lie([&](Wrapper& x) { x.shape = "(" + ones + "t"; }) == Reason::shape_overflow);
  CHECK(lie([](Wrapper& x) { x.order = "K"; }) == Reason::bad_record);
  CHECK(lie([](Wrapper& x) { x.dtype_code = "q9"; }) == Reason::unknown_type);
  CHECK(lie([](Wrapper& x) {
          x.payload = raw("\x11\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\0\0\0\2\0\0\0");
        }) == Reason::bad_record);
  CHECK(lie([](Wrapper& x) { x.payload = raw("\x02\xff\0\1\0\0\0\2\0\0\0"); }) == Reason::bad_record);
  CHECK(lie([](Wrapper& x) {
          x.payload = "\x10\xff";
          x.tail = "";
        }) == Reason::truncated);
  CHECK(lie([](Wrapper& x) {
          x.payload = "";
          x.tail = "";
        }) == Reason::truncated);
  CHECK(lie([](Wrapper& x) { x.alignment = text("numpy_array_alignment_bytes") + raw("K\0"); }) == Reason::bad_record);
  CHECK(lie([](Wrapper& x) { x.more = text("filename") + text("../x.npy"); }) == Reason::bad_record);
  CHECK(lie([](Wrapper& x) { x.more = text("order") + text("F"); }) == Reason::bad_record);
  CHECK(lie([](Wrapper& x) { x.dtype_code = "O"; }).has_value());  // no pickle follows
}

TEST_CASE("joblib: arrays of objects are a pickle of their own, under the same rules") {
  Wrapper w;
  w.dtype_code = "O8";
  w.alignment = "";
  w.payload =
      "\x80\x02"
      "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK" +
      raw("\0") +
      "\x85U\x01"
      "btR(K\x01K\x01\x85" +
      dtype("O8") +
      "\x89](cos\nsystem\nU\x04"
      "echo\x85Retb.";
  const std::string nested = stream(w);
  CHECK(test::import_written(nested).at("[0]").type_name() == "os.system");
  CHECK_THROWS_WITH_AS(test::import_trusting(nested), doctest::Contains("os.system"), Error);
  // Another wrapper in it would be one that joblib itself does not read.
  Wrapper inner;
  w.payload = stream(inner);
  CHECK(refusal(stream(w)) == Reason::bad_record);
  w.payload = "\x80\x02N.";
  CHECK(refusal(stream(w)) == Reason::bad_record);
}

TEST_CASE("joblib: an array's bytes stand outside of frames") {
  std::string framed = stream({});
  framed[1] = '\x04';
  framed.insert(2, "\x95" + little(framed.size() - 2, 8));
  CHECK(refusal(framed) == Reason::bad_record);
}

TEST_CASE("joblib: a compressed stream that is cut or damaged is refused, with its offset") {
  for (const std::string extension : {"z", "gz", "lz4", "bz2", "xz", "lzma"}) {
    CAPTURE(extension);
    const std::string good = fixture("forest.joblib." + extension);
    CHECK_FALSE(refusal(good).has_value());
    for (std::size_t length = 2; length < good.size(); length += 7) CHECK(refusal(good.substr(0, length)).has_value());
    CHECK(refusal(good + "x") == Reason::trailing_bytes);
    CHECK(refusal(good + good) == Reason::trailing_bytes);
    std::string bad_sum = good;
    // joblib's lz4 and lzma streams have no sum, and xz ends with a copy of its header's flags.
    if (extension == "z" || extension == "gz" || extension == "bz2") {
      bad_sum[good.size() - (extension == "z" ? 1 : 5)] ^= 1;
      CHECK(refusal(bad_sum) == Reason::bad_stream);
      CHECK(test::refusal_text(bad_sum).find("stream, byte ") != std::string::npos);
    }
    for (std::size_t at = 0; at < good.size(); at += 3) {
      std::string bad = good;
      bad[at] ^= 0x10;
      refusal(bad);
    }
  }
}

TEST_CASE("joblib: a stream that expands past the limit is stopped") {
  importers::ImportOptions options;
  options.limits.expanded_bytes = 1000;
  CHECK(refusal(fixture("forest.joblib.z"), options) == Reason::too_large);
  // 100 MB of zeros in 100 kB: more than 1000 times.
  const std::string zeros(100'000'000, '\0');
  std::string packed(::compressBound(zeros.size()), '\0');
  uLongf length = packed.size();
  REQUIRE(::compress2(reinterpret_cast<Bytef*>(packed.data()), &length, reinterpret_cast<const Bytef*>(zeros.data()),
                      zeros.size(), 9) == Z_OK);
  packed.resize(length);
  CHECK(refusal(packed) == Reason::too_large);
}

TEST_CASE("joblib: a stream without a pickle in it is no model") {
  const std::string inside = "hello, this is a text\n";
  std::string packed(100, '\0');
  uLongf length = packed.size();
  ::compress2(reinterpret_cast<Bytef*>(packed.data()), &length, reinterpret_cast<const Bytef*>(inside.data()),
              inside.size(), 6);
  packed.resize(length);
  CHECK(refusal(packed) == Reason::unknown_format);
}

TEST_CASE("joblib: every changed byte of a raw file gives a graph or an Error") {
  const std::string good = fixture("arrays.joblib");
  for (std::size_t length = 0; length < good.size(); ++length) CHECK(refusal(good.substr(0, length)).has_value());
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ flip);
      refusal(bad);
    }
  }
}

TEST_CASE("joblib: a companion's name leads nowhere but into the file's folder") {
  for (const std::string name : {"..", ".", "", "/", "/etc/passwd", "../x.npy", "a/../../x.npy", "x/", "a\\b"}) {
    CAPTURE(name);
    for (const std::string module : {"joblib.numpy_pickle", "sklearn.externals.joblib.numpy_pickle"}) {
      const std::string stream =
          "\x80\x02"
          "c" +
          module + "\nNDArrayWrapper\n)\x81}(" + text("filename") + text(name) + text("subclass") +
          "cnumpy\nndarray\n" + "ub.";
      CHECK(refusal(stream) == Reason::bad_record);
    }
  }
  const std::string plain =
      "\x80\x02"
      "cjoblib.numpy_pickle\nNDArrayWrapper\n)\x81}(" +
      text("filename") + text("x_01.npy") + text("subclass") + "cnumpy\nndarray\n" + "ub.";
  CHECK(refusal(plain) == Reason::no_file);
  CHECK(test::refusal_text(plain).find("x_01.npy") != std::string::npos);
}

TEST_CASE("joblib: a ZF stream of Python 2 has a header one byte longer, and its length is held to") {
  std::string pickled =
      "\x80\x02]q\x01(K\x01U\x04"
      "abcde.";
  std::string packed(::compressBound(pickled.size()), '\0');
  uLongf length = packed.size();
  REQUIRE(::compress2(reinterpret_cast<Bytef*>(packed.data()), &length, reinterpret_cast<const Bytef*>(pickled.data()),
                      pickled.size(), 3) == Z_OK);
  packed.resize(length);
  const auto zf = [&](std::string digits, std::size_t width = 19) {
    digits.resize(width, ' ');
    return "ZF" + digits + packed;
  };
  CHECK(pickled.size() == 16);
  for (const std::size_t width : {19u, 20u}) {
    const test::Written read = test::import_written(zf("0x10", width));
    CHECK(read.at("[1]").text() == "abcd");
  }
  CHECK(test::import_bytes(zf("0x10")).codec == "zf");
  CHECK(!refusal(zf("0x10L", 20)));
  CHECK(refusal(zf("0xf")) == Reason::bad_stream);
  CHECK(refusal(zf("0x11")) == Reason::bad_stream);
  CHECK(refusal(zf("0xffffffffffffffff")) == Reason::too_large);
  CHECK(refusal(zf("0x1ffffffffffffffff")) == Reason::bad_record);
  for (const std::string digits : {"", "0x", "16", "0xg", "-0x10", "0x 10", "0x10 1"}) {
    CAPTURE(digits);
    CHECK(refusal(zf(digits)) == Reason::bad_record);
  }
  CHECK(refusal(zf("0x10", 21)).has_value());
  CHECK(refusal("ZF0x10") == Reason::truncated);
}
