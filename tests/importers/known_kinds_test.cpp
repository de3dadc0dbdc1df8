// Objects of Python, NumPy, scipy and pandas from Python 2.7 to 3.13, as tests/data/pickle/known/make.py saved them in
// several protocols: one graph each, and what is known in it is understood.

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "importers/import_case.hpp"

using namespace mere;

namespace {

struct Python {
  std::string version;
  std::vector<std::string> protocols;
};
const std::vector<Python> kPythons = {
    {"2.7", {"0", "2"}}, {"3.7", {"0", "2", "4"}}, {"3.9", {"0", "2", "4", "5"}}, {"3.13", {"0", "2", "4", "5"}}};

std::string file_of(const std::string& version, const std::string& protocol) {
  return test::pickle_fixture("known/py" + version + "-p" + protocol + ".pkl.gz");
}

test::Written load(const std::string& version, const std::string& protocol) {
  return test::import_written(file_of(version, protocol));
}

double sum(const ArrayView& array) {
  const std::vector<double> values = array.copy<double>();
  return std::accumulate(values.begin(), values.end(), 0.0);
}

// One byte an element.
std::vector<int> flags(const ArrayView& array) {
  std::vector<std::byte> bytes(array.nbytes());
  array.copy_to(bytes);
  std::vector<int> values;
  for (const std::byte byte : bytes) values.push_back(static_cast<int>(byte));
  return values;
}

}  // namespace

TEST_CASE("known kinds: one graph in every protocol, from Python 2.7 to 3.13") {
  for (const Python& python : kPythons) {
    CAPTURE(python.version);
    const test::Written first = load(python.version, python.protocols.front());
    CHECK(first.root().size() > 55);
    for (const std::string& protocol : python.protocols) {
      CAPTURE(protocol);
      const test::Written other = load(python.version, protocol);
      CHECK(first.result.content_low == other.result.content_low);
      CHECK(first.result.content_high == other.result.content_high);
    }
  }
}

TEST_CASE("known kinds: masked arrays are two arrays each") {
  for (const Python& python : kPythons) {
    CAPTURE(python.version);
    const test::Written kinds = load(python.version, "2");
    CHECK(kinds.at("masked").type_name() == "numpy.ma.core._mareconstruct");
    CHECK(kinds.at("masked@state[4]").array().copy<std::int64_t>() == std::vector<std::int64_t>{1, 2, 3, 4});
    CHECK(kinds.at("masked@state[5]").array().dtype() == Dtype::of<bool>());
    CHECK(kinds.at("masked@state[5]").array().shape()[1] == 2);
    CHECK(flags(kinds.at("masked@state[5]").array()) == std::vector<int>{0, 1, 0, 0});
    CHECK(flags(kinds.at("masked_f@state[5]").array()) == std::vector<int>{0, 1, 0, 0});
    CHECK(kinds.at("masked_f@state[4]").array().copy<double>() == std::vector<double>{1, 2, 3, 4});
    CHECK(kinds.at("masked_record@state[5]").array().dtype().to_text() == "[('a', '?'), ('b', '?')]");
    CHECK(kinds.at("masked_objects@state[4][1]").text() == "x");
    CHECK(flags(kinds.at("masked_objects@state[5]").array()) == std::vector<int>{0, 1, 0});
  }
}

TEST_CASE("known kinds: arrays of NumPy's other classes are calls over arrays") {
  for (const Python& python : kPythons) {
    for (const std::string& protocol : python.protocols) {
      CAPTURE(python.version);
      CAPTURE(protocol);
      const test::Written kinds = load(python.version, protocol);
      CHECK(kinds.at("matrix@args[2]").bytes().size() == 1);
      CHECK(kinds.at("matrix@state[4]").array().copy<std::int64_t>() == std::vector<std::int64_t>{1, 2});
      CHECK(kinds.at("record@state[4]").array().field<double>("b")[0] == 2.0);
      CHECK(kinds.at("record_plain@state[4]").array().field<std::int32_t>("a")[0] == 1);
      CHECK(kinds.at("record_plain@args[0]").name() == "numpy.ndarray");
      CHECK(kinds.at("record_type@args[0]").qualname() == "record");
      CHECK(kinds.at("chararray@state[4]").array().size() == 2);
      CHECK(kinds.at("memmap").array().copy<double>() == std::vector<double>{1, 2, 3});
      // All of their bytes are ASCII, which Python 2 leaves open to be text.
      CHECK(kinds.at("ascii_array").array().copy<std::int32_t>()[0] == 0x64636261);
      CHECK(kinds.at("ascii_scalar").kind() == Kind::scalar);
      CHECK(kinds.at("ufunc").kind() == Kind::name);
      CHECK(kinds.at("ufunc").qualname() == "exp");
      CHECK(kinds.at("expit").qualname() == "expit");
    }
  }
}

TEST_CASE("known kinds: sparse matrices of every layout are read, also as arrays") {
  for (const Python& python : kPythons) {
    for (const std::string& protocol : python.protocols) {
      const test::Written kinds = load(python.version, protocol);
      for (const std::string layout : {"csr", "csc", "coo", "bsr", "dia", "dok", "lil"}) {
        for (const std::string kind : {"_matrix", "_array"}) {
          CAPTURE(python.version);
          CAPTURE(layout + kind);
          const auto found = kinds.root().find(layout + kind);
          // scipy has sparse arrays from 1.8 on.
          CHECK((found || (kind == "_array" && python.version != "3.13")));
          if (!found) continue;
          const SparseView view = found->sparse();
          CHECK(view.layout == layout);
          CHECK(view.rows == 6);
          CHECK(view.columns == 4);
          if (layout != "dok" && layout != "lil") CHECK(sum(*view.data) == 15.0);
          if (layout == "coo") CHECK(view.row->copy<std::int32_t>() == std::vector<std::int32_t>{0, 1, 1, 3, 5});
          if (layout == "csr") CHECK(view.indptr->size() == 7);
          if (layout == "dia") CHECK(view.offsets->size() > 1);
        }
      }
    }
  }
}

TEST_CASE("known kinds: random states hold their words as an array") {
  CHECK(load("2.7", "0").at("state@state[1]").array().size() == 624);
  CHECK(load("2.7", "0").at("state").type_name() == "numpy.random.__RandomState_ctor");
  CHECK(load("3.7", "4").at("state@state.state.key").array().size() == 624);
  CHECK(load("3.9", "5").at("state@state.state.key").array().size() == 624);
  CHECK(load("3.13", "5").at("state@args[0]@state[0].state.key").array().size() == 624);
  for (const std::string version : {"3.7", "3.9", "3.13"}) {
    const test::Written kinds = load(version, "4");
    CHECK(kinds.at("generator").type()->qualname() == "__generator_ctor");
    CHECK(kinds.at("bits[0]").type()->qualname() == "__bit_generator_ctor");
    CHECK(kinds.at("seeds").type()->qualname() == "__pyx_unpickle_SeedSequence");
  }
}

TEST_CASE("known kinds: the standard library's objects have the documented form") {
  for (const Python& python : kPythons) {
    for (const std::string& protocol : python.protocols) {
      CAPTURE(python.version);
      CAPTURE(protocol);
      const test::Written kinds = load(python.version, protocol);
      CHECK(kinds.at("date@args[0]").kind() == Kind::bytes);  // of 1900: all ASCII in Python 2
      CHECK(kinds.at("datetime@args[0]").bytes().size() == 10);
      CHECK(kinds.at("decimal@args[0]").text() == "1.50");
      CHECK(kinds.at("uuid.int").is_big());
      if (python.version != "2.7") CHECK(kinds.at("ordered@entries").size() == 1);
      CHECK(kinds.at("default@args[0]").name() == "builtins.list");
      // Python 2 hands over its members as an argument.
      CHECK((python.version == "2.7" ? kinds.at("deque@args[0]") : kinds.at("deque@items")).size() == 2);
      CHECK(kinds.at("partial@state[2].reverse").boolean());
      CHECK(kinds.at("pattern").type_name() == "re._compile");
      for (const std::string name :
           {"plain", "dict_sub", "list_sub", "int_sub", "str_sub", "float_sub", "complex_sub"}) {
        CAPTURE(name);
        CHECK(kinds.at(name).form() == ObjectForm::construct);
      }
      CHECK(kinds.at("dict_sub@entries").size() == 1);
      CHECK(kinds.at("dict_sub.extra").integer() == 1);
      CHECK(kinds.at("list_sub@items").size() == 2);
      CHECK(kinds.at("int_sub@args[0]").integer() == 5);
      CHECK(kinds.at("complex_sub@args").size() == 2);
      if (python.version == "2.7") continue;
      CHECK(kinds.at("bound").type_name() == "builtins.method");
      CHECK(kinds.at("bound").form() == ObjectForm::construct);
      CHECK(kinds.at("bound@args[0].a").integer() == 1);
      CHECK(kinds.at("bound@args[1]").text() == "method");
      CHECK(kinds.at("bound_class").name() == "__main__.Plain.make");
      CHECK(kinds.at("inner").name() == "__main__.Plain.Inner");
      CHECK(kinds.at("inner_object").type_name() == "__main__.Plain.Inner");
      CHECK(kinds.at("none_type").name() == "types.NoneType");
      CHECK(kinds.at("dots_type").name() == "types.EllipsisType");
      CHECK(kinds.at("color@args[0]").integer() == 1);
      CHECK(kinds.at("namespace.a").integer() == 1);
      if (python.version != "3.7") CHECK(kinds.at("zone_name").type_name() == "zoneinfo.ZoneInfo._unpickle");
    }
  }
}

TEST_CASE("known kinds: names that only spell a method or a type are none of the file's") {
  for (const std::string protocol : {"0", "2", "4", "5"}) {
    std::set<std::string> names;
    for (const auto& name : test::import_bytes(file_of("3.13", protocol)).names) names.insert(name.full_name());
    CHECK(names.count("builtins.getattr") == 0);
    CHECK(names.count("builtins.type") == 0);
    CHECK(names.count("numpy._core._ufunc_reconstruct") == 0);
    CHECK(names.count("builtins.method") == 1);
    CHECK(names.count("__main__.Plain.make") == 1);
  }
}

TEST_CASE("known kinds: the columns of a pandas table are arrays") {
  for (const Python& python : kPythons) {
    for (const std::string& protocol : python.protocols) {
      CAPTURE(python.version);
      CAPTURE(protocol);
      const test::Written kinds = load(python.version, protocol);
      for (const std::string name : {"series", "frame", "dates", "range_index", "multi_index", "categories"}) {
        CAPTURE(name);
        bool has_bytes = false;
        int arrays = 0;
        for (Walk walk(kinds.at(name)); walk.next();) {
          const Kind kind = walk.node().kind();
          arrays += kind == Kind::array ? 1 : 0;
          // One byte is the type code of _reconstruct.
          has_bytes = has_bytes || (kind == Kind::bytes && walk.node().bytes().size() > 1);
        }
        CHECK_FALSE(has_bytes);
        CHECK(arrays >= (name == "range_index" ? 0 : 1));
      }
    }
  }
}

TEST_CASE("known kinds: trees of scikit-learn 0.20 to 1.9 are read by field name, with their version") {
  struct Release {
    std::string file, version;
    std::size_t fields;
  };
  for (const Release& release : {Release{"0.20.4-py2.7", "0.20.4", 7},
                                 {"0.20.4-py3.7", "0.20.4", 7},
                                 {"0.24.2-py3.9", "0.24.2", 7},
                                 {"1.2.1-py3.11", "1.2.1", 7},
                                 {"1.9.1-py3.13", "1.9.1", 8}}) {
    CAPTURE(release.file);
    const test::Written forest =
        test::import_written(test::pickle_fixture("trees/forest-sklearn" + release.file + ".pkl"));
    CHECK(forest.root().type()->qualname() == "RandomForestClassifier");
    CHECK(forest.at("_sklearn_version").text() == release.version);
    for (const std::string tree : {"estimators_[0].tree_", "estimators_[1].tree_"}) {
      const ArrayView nodes = forest.at(tree + ".nodes").array();
      CHECK(forest.at(tree).type_name() == "sklearn.tree._tree.Tree");
      CHECK(nodes.dtype().fields().size() == release.fields);
      CHECK(forest.at(tree + ".node_count").integer() == nodes.shape()[0]);
      const auto left = nodes.field<std::int64_t>("left_child");
      const auto threshold = nodes.field<double>("threshold");
      CHECK(left[0] == 1);
      CHECK(threshold[0] > 0.0);
      CHECK(threshold[0] < 3.0);
      CHECK(forest.at(tree + ".values").array().shape()[0] == nodes.shape()[0]);
    }
  }
}
