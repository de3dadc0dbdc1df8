// The pickle machine, against streams written by hand: what it reads, and what it refuses.

#include <doctest/doctest.h>

#include <unistd.h>

#include <cstdlib>
#include <ctime>

#include "importers/import_case.hpp"

using namespace mere;
using test::import_bytes;
using test::little;
using test::raw;
using test::refusal;
using test::refusal_text;
using test::seconds_since;

namespace {

const std::string kProto4 = "\x80\x04";

std::string reverse_double(double value) {
  char bytes[8];
  std::memcpy(bytes, &value, 8);
  return std::string(std::rbegin(bytes), std::rend(bytes));
}

test::Written read(const std::string& bytes) {
  return test::import_written(bytes);
}

}  // namespace

TEST_CASE("pickle: numbers and texts of every spelling") {
  CHECK(read("I42\n.").root().integer() == 42);
  CHECK(read("I01\n.").root().boolean());
  CHECK_FALSE(read("I00\n.").root().boolean());
  CHECK(read("L-123456789012345678901234567890L\n.").root().integer_text() == "-123456789012345678901234567890");
  CHECK(read("L-9223372036854775808L\n.").root().integer() == INT64_MIN);
  CHECK(read("F-1.5\n.").root().real() == -1.5);
  CHECK(read("S'a\\x41\\n\\''\n.").root().text() == "aA\n'");
  CHECK(read("S'\\xff'\n.").root().kind() == Kind::bytes);
  CHECK(read("V\\u00e9\xe9\\U0001f600\n.").root().text() == "\xc3\xa9\xc3\xa9\xf0\x9f\x98\x80");
  CHECK(read(kProto4 + "J\xff\xff\xff\xff.").root().integer() == -1);
  CHECK(read(kProto4 + "G" + reverse_double(0.1) + ".").root().real() == 0.1);
  CHECK(read(kProto4 + raw("\x8a\x02\xff\x00.")).root().integer() == 255);
  CHECK(read(kProto4 + raw("\x8a\x00.")).root().integer() == 0);
  CHECK(read(kProto4 + raw("\x8b\x09\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff.")).root().integer() == -1);
  CHECK(read("T" + little(3, 4) + "abc.").root().text() == "abc");
  CHECK(read(kProto4 + raw("\x8d\x02\0\0\0\0\0\0\0ab.")).root().text() == "ab");
  CHECK(read("\x80\x05" + raw("\x96\x02\0\0\0\0\0\0\0ab.")).root().kind() == Kind::bytearray);
}

TEST_CASE("pickle: containers by every opcode") {
  CHECK(read("(I1\nI2\nl.").root().size() == 2);
  CHECK(read("(S'a'\nI1\nd.").at("a").integer() == 1);
  CHECK(read("(lp0\nI5\na.").at("[0]").integer() == 5);
  CHECK(read("(I1\nt.").root().kind() == Kind::tuple);
  CHECK(read(kProto4 + "\x8f(K\x01K\x02\x90.").root().size() == 2);
  CHECK(read(kProto4 + "(K\x01K\x02\x91.").root().kind() == Kind::frozenset);
  CHECK(read(kProto4 + "K\x01"
                       "2\x86.")
            .root()
            .size() == 2);
  CHECK(read(kProto4 + "](K\x01K\x02"
                       "1.")
            .root()
            .size() == 0);                                    // POP_MARK
  CHECK(read(kProto4 + "](0.").root().kind() == Kind::list);  // POP of a mark
}

TEST_CASE("pickle: INST and OBJ make objects, as Python 2 did") {
  CHECK(read("(im\nC\n.").root().form() == ObjectForm::construct);
  CHECK(read("(I1\nim\nC\n.").root().form() == ObjectForm::call);
  CHECK(read("(cm\nC\no.").root().form() == ObjectForm::construct);
  CHECK(read("(cm\nC\nI1\nI2\no.").root().args()->size() == 2);
}

TEST_CASE("pickle: names of Python 2 become those of Python 3 in protocols 0 to 2 alone") {
  CHECK(read("\x80\x02"
             "c__builtin__\nunicode\n.")
            .root()
            .name() == "builtins.str");
  CHECK(read("\x80\x02"
             "ccPickle\nX\n.")
            .root()
            .name() == "pickle.X");
  CHECK(read("\x80\x02"
             "cexceptions\nKeyError\n.")
            .root()
            .name() == "builtins.KeyError");
  CHECK(read("\x80\x03"
             "c__builtin__\nunicode\n.")
            .root()
            .name() == "__builtin__.unicode");
}

TEST_CASE("pickle: a state setter (REDUCE, POP) is part of its object") {
  const std::string object = kProto4 + "cm\nC\n)R\x94";
  const test::Written with = read(object + "cm\nset\nh" + raw("\0") + "}\x86R0.");
  CHECK(with.root().setter()->name() == "m.set");
  CHECK(with.root().state()->kind() == Kind::dict);
}

TEST_CASE("pickle: a call whose result is dropped is an error, after its name was judged") {
  const std::string dropped = "cos\nsystem\n(S'echo'\ntR0N.";
  CHECK(refusal(dropped) == Reason::bad_record);
  CHECK_THROWS_WITH_AS(test::import_trusting(dropped), doctest::Contains("os.system at byte 0"), Error);
  CHECK(refusal("(cos\nsystem\nS'echo'\no0N.") == Reason::bad_record);
  CHECK(refusal("(cos\nsystem\nS'echo'\no(1N.") == Reason::bad_record);
  CHECK(refusal("cos\nsystem\n(S'echo'\ntRN.") == Reason::bad_record);  // left below the result
}

TEST_CASE("pickle: nothing is run, whatever opcode asks for it") {
  const std::filesystem::path marker =
      std::filesystem::temp_directory_path() / ("mere-marker-" + std::to_string(getpid()));
  std::filesystem::remove(marker);
  const std::string command = "touch " + marker.string();
  const std::string text = "X" + little(command.size(), 4) + command;
  const std::string short_text = "\x8c" + little(command.size(), 1) + command;
  const std::vector<std::string> streams = {
      "cos\nsystem\n(S'" + command + "'\ntR.",
      "cposix\nsystem\n(S'" + command + "'\ntR.",
      "\x80\x02"
      "cos\nsystem\n" +
          text + "\x85R.",
      kProto4 + "\x8c\x02os\x8c\x06system\x93" + short_text + "\x85R.",
      "(S'" + command + "'\nios\nsystem\n.",
      "(cos\nsystem\nS'" + command + "'\no.",
      "\x80\x02"
      "cos\nsystem\n" +
          text + "\x85\x81.",
      kProto4 + "cos\nsystem\n" + short_text + "\x85}\x92.",
      "\x80\x02"
      "cm\nC\n)\x81}X" +
          little(12, 4) + "__setstate__cos\nsystem\nsb" + text + "b.",
      "cbuiltins\neval\n(S'__import__(\"os\").system(\"" + command + "\")'\ntR.",
      "cbuiltins\nexec\n(S'1'\ntR.",
      "csubprocess\nPopen\n(S'" + command + "'\ntR.",
      "cbuiltins\ngetattr\n(cos\npath\nS'system'\ntR.",
      "cbuiltins\n__import__\n(S'os'\ntR.",
      "cruntime\nx\n0cos\nsystem\n(S'" + command + "'\ntR.",
      "cnumpy.testing._private.utils\nrunstring\n(S'" + command + "'\n}tR.",
      "cpickle\nloads\n(S'cos\\nsystem\\n(S\"" + command + "\"\\ntR.'\ntR.",
      "coperator\nattrgetter\n(S'system'\ntR(cos\npath\ntR.",
      "cfunctools\npartial\n(cos\nsystem\nS'" + command + "'\ntR(tR.",
      "ctimeit\ntimeit\n(S'" + command + "'\ntR.",
      "cbdb\nBdb\n)R.",
      "cwebbrowser\nopen\n(S'http://localhost:9'\ntR.",
      "csocket\ncreate_connection\n((S'localhost'\nI9\nttR.",
      "cshutil\nrmtree\n(S'/nonexistent'\ntR.",
      "ccode\nInteractiveInterpreter\n)R.",
      "cctypes\nCDLL\n(S'libc.so.6'\ntR.",
      "cbuiltins\nopen\n(S'" + marker.string() + "'\nS'w'\ntR.",
      "cnumpy\nload\n(S'x'\ntR.",
      "ctorch\nload\n(S'x'\ntR.",
  };
  for (const std::string& stream : streams) {
    CAPTURE(stream);
    try {
      test::import_trusting(stream);
      FAIL("not refused");
    } catch (const Error& error) {
      const bool untrusted = error.reason() == Reason::forbidden_global;
      CHECK((untrusted || error.reason() == Reason::bad_record));
      if (untrusted) CHECK(std::string(error.message()).find(" at byte ") != std::string::npos);
    }
    // Without a policy it may be read: as data.
    try {
      import_bytes(stream);
    } catch (const Error&) {
    }
  }
  CHECK_FALSE(std::filesystem::exists(marker));
}

TEST_CASE("pickle: all untrusted names are listed, with the offset of the first, also when they are never called") {
  const std::string stream = "(cos\nsystem\ncbuiltins\neval\ncsklearn.tree._tree\nTree\ncevil\nX\nl.";
  try {
    test::import_trusting(stream);
    FAIL("not refused");
  } catch (const Error& error) {
    CHECK(error.reason() == Reason::forbidden_global);
    CHECK(error.code() == Errc::untrusted);
    CHECK(error.message() ==
          "forbidden_global os.system at byte 1 (and 2 more: builtins.eval at byte 12, evil.X at byte 52)");
  }
  CHECK_NOTHROW(test::import_trusting(stream, {"os.system", "builtins.eval", "evil.X"}));
  CHECK_THROWS_AS(test::import_trusting(stream, {"os", "builtins", "evil"}), Error);
}

TEST_CASE("pickle: names put together from the memo are names like others") {
  const std::string stream = kProto4 +
                             "\x8c\x02os\x94"
                             "0\x8c\x06system\x94"
                             "0h" +
                             raw("\0") + "h\x01\x93.";
  CHECK_THROWS_WITH_AS(test::import_trusting(stream), doctest::Contains("os.system"), Error);
}

TEST_CASE("pickle: a dotted name passes only as itself") {
  // sklearn.tree._tree.Tree is listed; a walk from sklearn to it is not.
  CHECK_THROWS_AS(test::import_trusting(kProto4 + "\x8c\x07sklearn\x8c\x0ftree._tree.Tree\x93."), Error);
  CHECK_THROWS_AS(test::import_trusting(kProto4 + "\x8c\x05numpy\x8c\x0c"
                                                  "f2py.os.path\x93."),
                  Error);
  CHECK_NOTHROW(test::import_trusting(kProto4 + "\x8c\x12sklearn.tree._tree\x8c\x04Tree\x93."));
}

TEST_CASE("pickle: a call of what a call gave is operator.call, which nobody trusts by default") {
  const std::string stream = "cfunctools\npartial\n(I1\ntR(I2\ntR.";
  const test::Written read_back = read(stream);
  CHECK(read_back.root().type_name() == "operator.call");
  CHECK(read_back.root().args()->size() == 2);
  CHECK_THROWS_WITH_AS(test::import_trusting(stream), doctest::Contains("operator.call"), Error);
}

TEST_CASE("pickle: protocols, extensions, persistent ids and buffers that are not known are refused") {
  CHECK(refusal("\x80\x06N.") == Reason::unknown_opcode);
  CHECK(refusal(raw("\x80\x02\xff.")) == Reason::unknown_opcode);
  CHECK(refusal(raw("\x80\x02\0.")) == Reason::unknown_opcode);
  CHECK(refusal("\x80\x02\x82\x01.") == Reason::unknown_opcode);
  CHECK(refusal("\x80\x02\x83\x01\x01.") == Reason::unknown_opcode);
  CHECK(refusal("\x80\x02\x84\x01\x01\x01\x01.") == Reason::unknown_opcode);
  CHECK(refusal("\x80\x02Pid\n.") == Reason::unknown_opcode);
  CHECK(refusal("\x80\x02NQ.") == Reason::unknown_opcode);
  CHECK(refusal("\x80\x05\x97.") == Reason::unknown_opcode);
  CHECK(refusal("\x80\x05N\x98.") == Reason::unknown_opcode);
  CHECK(refusal("\x80\x02N\x80\x02.") == Reason::bad_record);
}

TEST_CASE("pickle: frames must agree with the stream") {
  CHECK(read(kProto4 + "\x95" + little(2, 8) + "N.").root().is_null());
  CHECK(read(kProto4 + "\x95" + little(1, 8) + "N.").root().is_null());  // a frame may end anywhere between opcodes
  CHECK(read(kProto4 + "\x95" + little(0, 8) + "N.").root().is_null());
  CHECK(refusal(kProto4 + "\x95" + little(3, 8) + "N.") == Reason::truncated);  // longer than the file
  CHECK(refusal(kProto4 + "\x95" + little(~0ull, 8) + "N.") == Reason::truncated);
  CHECK(refusal(kProto4 + "\x95" + little(1, 8) + "K\x01.") == Reason::bad_record);  // cuts an operand
  CHECK(refusal(kProto4 + "\x95" + little(11, 8) + "\x95" + little(1, 8) + "N.") ==
        Reason::bad_record);  // inside another
}

TEST_CASE("pickle: bytes after STOP are an error") {
  CHECK(refusal("N.N.") == Reason::trailing_bytes);
  CHECK(refusal(kProto4 + "N.\n") == Reason::trailing_bytes);
  CHECK(refusal_text(kProto4 + "N.cos\nsystem\n.") == "byte 4: 12 bytes follow the end of the pickle");
}

TEST_CASE("pickle: lengths are held against the bytes there are, before anything is made") {
  for (const std::uint64_t length : {std::uint64_t{5}, std::uint64_t{1} << 31, (std::uint64_t{1} << 32) - 1}) {
    for (const char op : {'X', 'B', 'T'}) {
      CAPTURE(op);
      const auto reason = refusal("\x80\x02" + std::string(1, op) + little(length, 4) + "ab.");
      CHECK((reason == Reason::truncated || reason == Reason::bad_record));
    }
    CHECK(refusal("\x80\x02\x8b" + little(length, 4) + "ab.").has_value());
  }
  for (const std::uint64_t length :
       {std::uint64_t{5}, std::uint64_t{1} << 31, std::uint64_t{1} << 32, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    for (const char op : {'\x8d', '\x8e', '\x96'})
      CHECK(refusal("\x80\x05" + std::string(1, op) + little(length, 8) + "ab.") == Reason::truncated);
  }
  CHECK(refusal("\x80\x02U\x05"
                "ab.") == Reason::truncated);
  CHECK(refusal(kProto4 + "\x8c\x05"
                          "ab.") == Reason::truncated);
  CHECK(refusal_text(kProto4 + "\x8e" + little(1ull << 63, 8) + "ab.") ==
        "byte 11 of the pickle: bytes of 9223372036854775808 bytes, but 3 remain");
}

TEST_CASE("pickle: streams that contradict themselves are refused") {
  const std::vector<std::string> streams = {".",
                                            "\x80\x02.",
                                            "(.",
                                            "\x80\x02"
                                            "0.",
                                            "\x80\x02\x86.",
                                            "\x80\x02NR.",
                                            "\x80\x02NNR.",
                                            "\x80\x02NNb.",
                                            "\x80\x02]}b.",
                                            "\x80\x02NNa.",
                                            "\x80\x02}NNa.",
                                            "\x80\x02](NNu.",
                                            "\x80\x02}(Nu.",
                                            "\x80\x02h\x05.",
                                            "g7\n.",
                                            "gx\n.",
                                            "\x80\x02t.",
                                            "\x80\x02"
                                            "e.",
                                            "\x80\x02)\x94.e",
                                            "cm\n\n.",
                                            "c\nC\n.",
                                            "\x80\x02NN.",
                                            "\x80\x02(N.",
                                            "\x80\x04"
                                            "NN\x93.",
                                            "\x80\x04"
                                            "cm\nC\nN\x81.",
                                            "\x80\x04"
                                            "cm\nC\n)N\x92.",
                                            "\x80\x04N)\x81.",
                                            "\x80\x02"
                                            "cm\nC\n)\x81}b}b.",
                                            "Ix\n.",
                                            "I\n.",
                                            "L1x\n.",
                                            "Fx\n.",
                                            "S'a\n.",
                                            "Sa\n.",
                                            "V\\u12\n.",
                                            "\x80\x02o.",
                                            "(o.",
                                            "\x80\x02q\x01.",
                                            "\x80\x04](N\x90.",
                                            "\x80\x04\x8f(Ne."};
  for (const std::string& stream : streams) {
    CAPTURE(stream);
    CHECK(refusal(stream).has_value());
  }
}

TEST_CASE("pickle: text has to be UTF-8; lone surrogates are let through") {
  CHECK(refusal(kProto4 + "\x8c\x01\xff.") == Reason::bad_text);
  CHECK(refusal(kProto4 + "\x8c\x02\xc0\x80.") == Reason::bad_text);
  CHECK(refusal(kProto4 + "\x8c\x04\xf4\x90\x80\x80.") == Reason::bad_text);
  CHECK(read(kProto4 + "\x8c\x03\xed\xb2\x80.").root().text() == "\xed\xb2\x80");
  CHECK(refusal("cm\n\xff\n.") == Reason::bad_text);
}

TEST_CASE("pickle: a million brackets are read on a stack of 256 kB") {
  test::with_small_stack([] {
    for (const std::string& open : {std::string("]"), std::string("(")}) {
      const std::string close = open == "]" ? "a" : "t";
      std::string deep = "\x80\x02";
      for (int i = 0; i < 1'000'000; ++i) deep += open;
      deep += open == "]" ? "" : "N";
      for (int i = 0; i < 1'000'000 - (open == "]" ? 1 : 0); ++i) deep += close;
      CHECK_NOTHROW(import_bytes(deep + "."));
    }
    std::string tuples = "\x80\x02N";
    for (int i = 0; i < 1'000'000; ++i) tuples += '\x85';
    CHECK_NOTHROW(import_bytes(tuples + "."));
    // Slices in slices are made from the inside out, without recursion.
    std::string slices =
        "\x80\x04"
        "cbuiltins\nslice\n\x94"
        "0";
    for (int i = 0; i < 100'000; ++i) slices += raw("h\0");
    slices += "N";
    for (int i = 0; i < 100'000; ++i) slices += "NN\x87R";
    CHECK_NOTHROW(import_bytes(slices + "."));
  });
}

TEST_CASE("pickle: memo indexes take memory by their number, not their size") {
  std::string sparse = "\x80\x02";
  for (std::uint32_t i = 0; i < 1000; ++i) sparse += "Nr" + little(0xffffffffu - i, 4) + "0";
  sparse += "Nr" + little(0xffffffffu, 4) + "j" + little(0xffffffffu, 4) + "\x86.";
  CHECK_NOTHROW(import_bytes(sparse));
  // A bomb of references: each list holds the one before ten times. It is a graph of 30 lists.
  std::string bomb = kProto4 + "]\x94";
  for (int i = 0; i < 30; ++i) {
    bomb += "](";
    for (int k = 0; k < 10; ++k) bomb += "h" + little(static_cast<std::uint64_t>(i), 1);
    bomb += "e\x94";
  }
  std::string popped = bomb + ".";
  CHECK(refusal(popped) == Reason::bad_record);  // values are left below
  bomb = kProto4 + "(]\x94";
  for (int i = 0; i < 30; ++i) {
    bomb += "](";
    for (int k = 0; k < 10; ++k) bomb += "h" + little(static_cast<std::uint64_t>(i), 1);
    bomb += "e\x94";
  }
  CHECK(import_bytes(bomb + "t.").graph.node_count() < 40);
}

TEST_CASE("pickle: a number of 500,000 digits is read, one of 1,000,001 refused, both in time") {
  const std::clock_t begin = std::clock();
  std::string digits(500'000, '9');
  const test::Written number = read("L" + digits + "L\n.");
  CHECK(number.root().is_big());
  CHECK(number.root().integer_bytes().size() > 200'000);
  CHECK(refusal("L" + std::string(1'000'010, '1') + "L\n.") == Reason::too_large);
  CHECK(seconds_since(begin) < 5.0);
}

TEST_CASE("pickle: appending one by one is not quadratic") {
  const std::clock_t begin = std::clock();
  std::string one_by_one = "\x80\x02]";
  for (int i = 0; i < 1'000'000; ++i)
    one_by_one +=
        "K\x01"
        "a";
  CHECK(import_bytes(one_by_one + ".").graph.members(import_bytes(one_by_one + ".").graph.model_root).size() ==
        1'000'000);
  std::string keys = "\x80\x02}";
  for (std::uint32_t i = 0; i < 100'000; ++i)
    keys += "X" + little(4, 4) +
            std::string{char('a' + i % 26), char('a' + i / 26 % 26), char('a' + i / 676 % 26), char('a' + i / 17576)} +
            "K\x01s";
  CHECK_NOTHROW(import_bytes(keys + "."));
  CHECK(seconds_since(begin) < 5.0);
}

TEST_CASE("pickle: every truncation and every changed byte of good files gives a graph or an Error") {
  for (const std::string file : {"forest-p4.pkl", "neighbors-p2.pkl", "arrays-p5.pkl", "arrays-p3.pkl"}) {
    CAPTURE(file);
    const std::string good = test::fixture(file);
    for (std::size_t length = 0; length < good.size(); ++length) {
      CHECK(refusal(good.substr(0, length)).has_value());
    }
    for (std::size_t at = 0; at < good.size(); ++at) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (at % 3 == 0 ? 0xff : 1 << at % 8));
      try {
        const importers::Imported imported = import_bytes(bad);
        graph::encode(imported.graph);
      } catch (const Error&) {
      }
    }
  }
}

TEST_CASE("registry: what no reader knows is named") {
  CHECK(refusal("") == Reason::unknown_format);
  CHECK(refusal_text("%PDF-1.4 and more").find("25 50 44 46 2d 31 2e 34") != std::string::npos);
  CHECK(refusal("hello") == Reason::unknown_format);
}

TEST_CASE("pickle: an array of a type that is given by a class stays the call that it is") {
  const std::string type = "cnumpy\ndtype\n(cml_dtypes\nbfloat16\n\x89\x88tR";
  const std::string array =
      "\x80\x03"
      "cnumpy._core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK" +
      raw("\0") +
      "\x85"
      "C\x01"
      "btR(K\x01K\x01\x85" +
      type +
      "\x89"
      "C\x02"
      "abtb.";
  const test::Written kept = read(array);
  CHECK(kept.root().type_name() == "numpy._core.multiarray._reconstruct");
  CHECK(kept.at("@state[4]").bytes().size() == 2);
  CHECK(read("\x80\x03" + type + ".").root().kind() == Kind::object);
}
