// Functions and classes by value, as cloudpickle 0.5 to 3.1 write them (tests/data/pickle/cloudpickle): carried, not
// read. Whether the carried bytes are what Python would load was tried in the Pythons that wrote them.

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "importers/import_case.hpp"

using namespace mere;

namespace {

const std::vector<std::string> kFiles = {"0.5.6-py3.6-p2", "0.5.6-py3.6-p4", "0.8.1-py3.6-p2", "0.8.1-py3.6-p4",
                                         "1.2.2-py2.7-p2", "1.2.2-py3.7-p2", "1.2.2-py3.7-p4", "1.6.0-py3.9-p2",
                                         "1.6.0-py3.9-p4", "2.2.1-py3.8-p2", "2.2.1-py3.8-p4", "3.1.2-py3.13-p2",
                                         "3.1.2-py3.13-p4"};

std::string file_of(const std::string& name) {
  return test::pickle_fixture("cloudpickle/cloudpickle-" + name + ".pkl");
}

std::set<std::string> names_of(const importers::Imported& imported) {
  std::set<std::string> names;
  for (const auto& name : imported.names) names.insert(name.full_name());
  return names;
}

std::vector<std::string> texts_of(const Node& list) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < list.size(); ++i) texts.emplace_back(list[i].text());
  return texts;
}

}  // namespace

TEST_CASE("cloudpickle: functions and classes by value are opaque, all around them is read") {
  for (const std::string& file : kFiles) {
    CAPTURE(file);
    const test::Written read = test::import_written(file_of(file));
    CHECK(read.at("numbers[1]").real() == 2.5);
    for (const std::string name : {"lambda", "closure", "even", "runs", "class"}) {
      CAPTURE(name);
      const Node node = read.at(name);
      REQUIRE(node.kind() == Kind::opaque);
      CHECK(node.info()->at("format").text() == "cloudpickle");
      CHECK(node.info()->at("kind").text() == (name == "class" ? "class" : "function"));
      CHECK(node.bytes().size() > 100);
    }
    CHECK(read.at("again").id() == read.at("closure").id());
    CHECK(read.at("partial").type_name() == "functools.partial");
    CHECK(read.at("partial@args[0]").id() == read.at("closure").id());
    // An instance of a class by value: the class is opaque, its attributes are not.
    CHECK(read.at("instance").type_name() == "copyreg.__newobj__");
    CHECK(read.at("instance@args[0]").id() == read.at("class").id());
    CHECK(read.at("instance.value").integer() == 7);
    CHECK(read.at("same").id() == read.at("instance").id());
  }
}

TEST_CASE("cloudpickle: an opaque part says what it is and where it was written") {
  for (const std::string& file : kFiles) {
    CAPTURE(file);
    const test::Written read = test::import_written(file_of(file));
    const Node info = *read.at("closure").info();
    CHECK(info.at("name").text() == "inner");
    CHECK(info.at("module").text() == "__main__");
    CHECK(info.at("line").integer() == 8);
    const std::string source(info.at("file").text());
    CHECK(source.find("values.py") != std::string::npos);
    if (file.find("py2.7") == std::string::npos) CHECK(info.at("qualname").text() == "outer.<locals>.inner");
    CHECK(read.at("lambda").info()->at("name").text() == "<lambda>");
    CHECK(read.at("class").info()->at("name").text() == "Derived");
    CHECK(read.at("runs").info()->at("name").text() == "runs");
    const std::vector<std::string> names = texts_of(info.at("names"));
    CHECK(std::is_sorted(names.begin(), names.end()));
    CHECK(std::find(names.begin(), names.end(), "types.CodeType") != names.end());
  }
}

TEST_CASE("cloudpickle: names inside of opaque parts are theirs, and the file's name is cloudpickle") {
  for (const std::string& file : kFiles) {
    CAPTURE(file);
    const std::set<std::string> names = names_of(test::import_bytes(file_of(file)));
    CHECK(names.count("cloudpickle") == 1);
    CHECK(names.count("functools.partial") == 1);
    for (const std::string& name : names) {
      CHECK(name.find("_make_") == std::string::npos);
      CHECK(name.find("CodeType") == std::string::npos);
    }
    CHECK_THROWS_WITH_AS(test::import_trusting(file_of(file), {"functools.partial", "operator.call"}),
                         doctest::Contains("forbidden_global cloudpickle at byte"), Error);
    CHECK_NOTHROW(test::import_trusting(file_of(file), {"cloudpickle", "functools.partial", "operator.call"}));
  }
}

TEST_CASE("cloudpickle: the carried bytes are a pickle of their own, and the same again when it is read") {
  for (const std::string& file : kFiles) {
    CAPTURE(file);
    const test::Written read = test::import_written(file_of(file));
    for (const std::string name : {"lambda", "closure", "even", "runs", "class"}) {
      CAPTURE(name);
      const Node node = read.at(name);
      const std::string bytes(reinterpret_cast<const char*>(node.bytes().data()), node.bytes().size());
      CHECK(bytes.substr(0, 2) == "\x80\x05");
      const test::Written alone = test::import_written(bytes);
      REQUIRE(alone.root().kind() == Kind::opaque);
      CHECK(std::ranges::equal(alone.root().bytes(), node.bytes()));
      CHECK(texts_of(alone.root().info()->at("names")) == texts_of(node.info()->at("names")));
    }
  }
}

TEST_CASE("cloudpickle: functions that know each other are carried whole, each in its own part") {
  const std::string function = "ccloudpickle.cloudpickle\n_make_skel_func\n(ctypes\nCodeType\n(I0\ntRI0\n}tR";
  // f and g, each in the other's state, and both in a list.
  std::string both = "\x80\x02(";
  both += "ccloudpickle.cloudpickle\n_fill_function\n(" + function + "q\x01}";
  both += test::raw("X\1\0\0\0g");
  both += "ccloudpickle.cloudpickle\n_fill_function\n(" + function + "q\x02}";
  both += test::raw("X\1\0\0\0fh\1stRstR");
  both += "h\x02l.";
  const test::Written read = test::import_written(both);
  CHECK(read.root().size() == 2);
  CHECK(read.at("[0]").kind() == Kind::opaque);
  CHECK(read.at("[1]").kind() == Kind::opaque);
  CHECK(read.at("[0]").id() != read.at("[1]").id());
}

TEST_CASE("cloudpickle: functions as releases before 0.5 filled them, by many arguments") {
  const std::string stream =
      "\x80\x02"
      "ccloudpickle.cloudpickle\n_fill_function\n(ccloudpickle.cloudpickle\n_make_skel_func\n"
      "(ctypes\nCodeType\n(I0\n)X" +
      test::raw("\4\0\0\0a.pyX\1\0\0\0fI7\ntRI0\n}tRq\1}NN}X\3\0\0\0doctR(h\1h\1t\x86.");
  const test::Written read = test::import_written(stream);
  const Node function = read.at("[0]");
  REQUIRE(function.kind() == Kind::opaque);
  CHECK(function.info()->at("name").text() == "f");
  CHECK(function.info()->at("file").text() == "a.py");
  CHECK(function.info()->at("line").integer() == 7);
  // What is filled is the function itself.
  CHECK(read.at("[1][0]").id() == function.id());
  const std::string bytes(reinterpret_cast<const char*>(function.bytes().data()), function.bytes().size());
  CHECK(std::ranges::equal(test::import_written(bytes).root().bytes(), function.bytes()));
}

TEST_CASE("cloudpickle: what is used inside and outside of an opaque part is a name of the file") {
  const std::string stream =
      test::raw("\x80\x04(ccloudpickle.cloudpickle\n_make_cell\n(cos\nsystem\ncos\npopen\ntRcos\nsystem\nt.");
  const std::set<std::string> names = names_of(test::import_bytes(stream));
  CHECK(names == std::set<std::string>{"os.system", "cloudpickle"});
  CHECK_THROWS_WITH_AS(test::import_trusting(stream, {"cloudpickle"}), doctest::Contains("os.system"), Error);
  // Used nowhere: still a name of the file.
  CHECK_THROWS_WITH_AS(test::import_trusting("\x80\x04"
                                             "cos\npopen\n0ccloudpickle.cloudpickle\n_make_cell\n(tR.",
                                             {"cloudpickle"}),
                       doctest::Contains("os.popen"), Error);
}

TEST_CASE("cloudpickle: opaque parts that share much are bounded together") {
  // A list of 1 MiB of bytes, in each of a thousand cells.
  std::string stream = "\x80\x04(" + test::raw("B\0\0\x10\0") + std::string(1 << 20, 'x') + "\x94";
  for (int i = 0; i < 1000; ++i) stream += test::raw("ccloudpickle.cloudpickle\n_make_cell\nh\0\x85R");
  CHECK(test::refusal(stream + "t.") == Reason::too_large);
}
