// Pickles that mean harm: names in disguise, depth, bombs, sizes, cuts. More of them in pickle_test.cpp.

#include <doctest/doctest.h>

#include <ctime>

#include "importers/import_case.hpp"
#include "importers/pickle/pickle.hpp"

using namespace mere;
using test::import_bytes;
using test::little;
using test::raw;
using test::refusal;
using test::seconds_since;

namespace {

const std::string kProto2 = "\x80\x02";
const std::string kProto4 = "\x80\x04";
const std::string kProto5 = "\x80\x05";

std::string text(const std::string& value) {
  return "X" + little(value.size(), 4) + value;
}

std::string repeated(const std::string& piece, int times) {
  std::string all;
  all.reserve(piece.size() * static_cast<std::size_t>(times));
  for (int i = 0; i < times; ++i) all += piece;
  return all;
}

// A graph that can be written, or an Error.
void read_or_refuse(const std::string& bytes) {
  try {
    const importers::Imported imported = import_bytes(bytes);
    graph::encode(imported.graph);
  } catch (const Error&) {
  }
}

}  // namespace

TEST_CASE("hostile: names that calls spell are judged like others") {
  const std::vector<std::string> streams = {
      // numpy.core._ufunc_reconstruct imports what it is told.
      kProto2 + "cnumpy.core\n_ufunc_reconstruct\n" + text("os") + text("system") + "\x86R.",
      kProto2 + "cnumpy.core\n_ufunc_reconstruct\n" + text("os") + text("system") + "\x86R" + text("id") + "\x85R.",
      // A walk from a name that is trusted.
      kProto2 + "cbuiltins\ngetattr\ncnumpy\nndarray\n" + text("os") + "\x86R.",
      kProto2 + "cbuiltins\ngetattr\ncbuiltins\ngetattr\ncnumpy\nndarray\n" + text("f2py") + "\x86R" + text("os") +
          "\x86R.",
      kProto2 + "ccloudpickle.cloudpickle\n_builtin_type\n" + text("FunctionType") + "\x85R.",
      // getattr in any use but its own.
      kProto2 + "cbuiltins\ngetattr\n.",
      kProto2 + "(cbuiltins\ngetattr\ncbuiltins\ngetattr\ncnumpy\nndarray\n" + text("T") + "\x86Rl.",
      kProto2 +
          "cbuiltins\ngetattr\nq\x01"
          "0h\x01"
          "cnumpy\nndarray\n" +
          text("T") + "\x86Rh\x01\x86.",
      kProto2 + "cbuiltins\ngetattr\n2](N\x86R.",
      kProto2 + "cbuiltins\ntype\n(" + text("X") + ")}tR.",
      kProto2 + "cbuiltins\ntype\nK\x01\x85R.",
      // The call of a bound method.
      kProto2 + "cbuiltins\ngetattr\n]" + text("append") + "\x86RN\x85R.",
      // Classes and functions by value.
      kProto2 + "ctypes\nFunctionType\n)R.",
      kProto2 + "ctypes\nCodeType\n)R.",
      kProto2 + "cjoblib.externals.cloudpickle.cloudpickle\n_make_skel_func\n)R.",
      kProto2 + "ctypes\nFunctionType\n)R)R.",
      kProto2 + "ctypes\nFunctionType\n)R)\x81.",
      kProto2 + "ccloudpickle\nloads\nU\x01.\x85R.",
      kProto2 + "ccloudpickle.cloudpickle\nsubimport\n" + text("os") + "\x85R.",
  };
  for (const std::string& stream : streams) {
    CAPTURE(stream);
    try {
      test::import_trusting(stream);
      FAIL("not refused");
    } catch (const Error& error) {
      CHECK((error.reason() == Reason::forbidden_global || error.reason() == Reason::bad_record));
    }
    read_or_refuse(stream);
  }
  const auto first = test::import_bytes(streams[0]);
  CHECK(first.names.back().full_name() == "os.system");
  CHECK(first.graph.kind(first.graph.model_root) == Kind::name);
}

TEST_CASE("hostile: deep nesting of every kind on a stack of 256 kB") {
  test::with_small_stack([] {
    constexpr int kDeep = 100'000;
    const std::string cell = "ccloudpickle.cloudpickle\n_make_cell\n";
    const std::vector<std::string> streams = {
        // Calls of calls, methods of methods, classes of classes.
        kProto2 + "cm\nf\n" + repeated(")R", kDeep) + ".",
        kProto2 + "cm\nf\n)R" + repeated(")\x81", kDeep) + ".",
        kProto4 + "cbuiltins\ngetattr\n\x94" + repeated(raw("h\0"), kDeep) + "N" +
            repeated(text("a") + "\x86R", kDeep) + "0N.",
        // One opaque part, as deep as can be: written on its own without recursion.
        kProto2 + cell + repeated("(", kDeep) + repeated("t", kDeep) + "\x85R.",
        kProto2 + cell + repeated("]", kDeep) + repeated("a", kDeep - 1) + "\x85R.",
        kProto2 +
            "cm\nf\nq\x01"
            "0" +
            cell + repeated("h\x01", kDeep) + ")" + repeated("R\x85", kDeep) + "R.",
        // States in states.
        kProto2 + repeated("cm\nC\n)\x81", kDeep) + "N" + repeated("b", kDeep) + ".",
        kProto2 + cell + repeated("cm\nC\n)\x81", kDeep) + "N" + repeated("b", kDeep) + "\x85R.",
    };
    for (const std::string& stream : streams) {
      CAPTURE(stream.substr(0, 40));
      const std::clock_t begin = std::clock();
      read_or_refuse(stream);
      CHECK(seconds_since(begin) < 5.0);
    }
  });
}

TEST_CASE("hostile: names do not grow without a bound") {
  // getattr(getattr(...)) of a name spells one ever longer name.
  const std::string step = text(std::string(1000, 'a')) + "\x86R";
  CHECK(refusal(kProto4 + "cbuiltins\ngetattr\n\x94" + repeated(raw("h\0"), 10) + "cm\nC\n" + repeated(step, 10) +
                "0N.") == Reason::too_large);
  CHECK(refusal("c" + std::string(5000, 'm') + "\nx\n.") == Reason::too_large);
}

TEST_CASE("hostile: an opaque part whose tuple leads back to it through many lists ends") {
  // A tuple of lists, each of which holds the tuple: it is met again inside of itself.
  std::string stream = kProto4 + "ccloudpickle.cloudpickle\n_make_cell\n(";
  for (int i = 0; i < 200; ++i) stream += "]\x94";
  stream += "t\x94";
  for (int i = 0; i < 200; ++i)
    stream += "h" + little(static_cast<std::uint64_t>(i), 1) +
              "h\xc8"
              "a0";
  stream += "\x85R.";
  const std::clock_t begin = std::clock();
  read_or_refuse(stream);
  CHECK(seconds_since(begin) < 5.0);
}

TEST_CASE("hostile: every sized opcode with every odd size is refused before anything is made") {
  for (const std::uint64_t size :
       {std::uint64_t{1} << 31, (std::uint64_t{1} << 31) - 1, (std::uint64_t{1} << 32) - 1}) {
    for (const char op : {'T', 'X', 'B', '\x8b'}) {
      CAPTURE(op);
      CHECK(refusal(kProto5 + op + little(size, 4) + "ab.").has_value());
    }
    CHECK(refusal(kProto5 + "j" + little(size, 4) + ".") == Reason::bad_record);
    CHECK_NOTHROW(import_bytes(kProto5 + "Nr" + little(size, 4) + "."));
  }
  for (const std::uint64_t size : {std::uint64_t{1} << 31, std::uint64_t{1} << 32, std::uint64_t{1} << 63,
                                   (std::uint64_t{1} << 63) - 1, ~std::uint64_t{0}}) {
    for (const char op : {'\x8d', '\x8e', '\x96', '\x95'}) {
      CAPTURE(op);
      CHECK(refusal(kProto5 + op + little(size, 8) + "ab.") == Reason::truncated);
    }
  }
  for (const char op : {'U', 'C', '\x8a', '\x8c'})
    CHECK(refusal(kProto5 + op +
                  "\xff"
                  "ab.") == Reason::truncated);
}

TEST_CASE("hostile: every cut of a pickle of many kinds is an Error") {
  for (const std::string name :
       {"cloudpickle/cloudpickle-3.1.2-py3.13-p4.pkl", "cloudpickle/cloudpickle-1.2.2-py2.7-p2.pkl"}) {
    CAPTURE(name);
    const std::string good = test::pickle_fixture(name);
    REQUIRE_FALSE(refusal(good).has_value());
    for (std::size_t length = 0; length < good.size(); ++length) CHECK(refusal(good.substr(0, length)).has_value());
    for (std::size_t at = 0; at < good.size(); ++at) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (at % 3 == 0 ? 0xff : 1 << at % 8));
      read_or_refuse(bad);
    }
  }
}

TEST_CASE("hostile: states of masked arrays that lie are refused") {
  const auto masked = [](const std::string& shape, const std::string& data, const std::string& mask) {
    const auto bytes = [](const std::string& value) { return "C" + little(value.size(), 1) + value; };
    return raw("\x80\x03"
               "cnumpy.ma.core\n_mareconstruct\n(cnumpy.ma.core\nMaskedArray\ncnumpy\nndarray\nK\0\x85") +
           text("b") + "tR(K\x01" + shape + "cnumpy\ndtype\n" + text("i4") + "\x89\x88\x87R\x89" + bytes(data) +
           bytes(mask) + "Ntb.";
  };
  CHECK_NOTHROW(import_bytes(masked("K\x01\x85", "abcd", "\x01")));
  CHECK(refusal(masked("K\x01\x85", "abcd", "")) == Reason::out_of_bounds);
  CHECK(refusal(masked("K\x01\x85", "abcd", "ab")) == Reason::out_of_bounds);
  CHECK(refusal(masked("K\x02\x85", "abcd", "ab")) == Reason::out_of_bounds);
  CHECK(refusal(masked("J\xff\xff\xff\xff\x85", "abcd", "ab")) == Reason::shape_overflow);
  CHECK(refusal(masked("N", "abcd", "a")) == Reason::bad_record);
}

TEST_CASE("hostile: persistent ids and buffers are for streams of our own process alone") {
  const std::string stream = kProto5 + "K\x05Q\x97\x97\x98\x87.";
  CHECK(refusal(stream) == Reason::unknown_opcode);
  const std::string first = "abc", second = "de";
  const std::span<const std::byte> buffers[] = {std::as_bytes(std::span(first)), std::as_bytes(std::span(second))};
  importers::pickle::Surroundings surroundings;
  surroundings.buffers = buffers;
  surroundings.resolve = [](importers::pickle::Values& values, importers::pickle::ValueId id) {
    return values.integer(values.integer_of(id) * 2);
  };
  const auto source = std::make_shared<const std::string>(stream);
  const importers::Imported imported =
      importers::pickle::read_within({std::as_bytes(std::span(*source)), source, "", {}, {}}, {}, surroundings);
  const test::Written read = test::write(imported.graph);
  CHECK(read.at("[0]").integer() == 10);
  CHECK(read.at("[1]").kind() == Kind::bytearray);
  CHECK(read.at("[1]").bytes().size() == 3);
  CHECK(read.at("[2]").kind() == Kind::bytes);
  // One more than was given.
  const auto more = std::make_shared<const std::string>(kProto5 + "\x97\x97\x97\x87.");
  CHECK_THROWS_AS(importers::pickle::read_within({std::as_bytes(std::span(*more)), more, "", {}, {}}, {}, surroundings),
                  Error);
}
