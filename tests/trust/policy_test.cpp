// The lists of names, and what is said of those not on them.

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <utility>

#include <mere/error.hpp>
#include "trust/policy.hpp"
#include "trust/tables.hpp"
#include "trust/validators.hpp"

using namespace mere;
using container::ForeignName;
using trust::Policy;

TEST_CASE("trust: tables are in order, without repeats, each name a full one without a walk") {
  for (const trust::Table& table : trust::tables()) {
    CAPTURE(table.library);
    CHECK(!table.names.empty());
    for (std::size_t i = 0; i < table.names.size(); ++i) {
      const trust::ListedName& name = table.names[i];
      CAPTURE(name.module);
      CAPTURE(name.qualname);
      CHECK(name.qualname.find('.') == std::string_view::npos);
      CHECK(name.qualname.find('*') == std::string_view::npos);
      CHECK(!name.module.empty());
      CHECK(trust::is_listed(name.module, name.qualname));
      CHECK(!name.versions.empty());
      // Nothing may become memory of compiled code that no validator has looked at.
      CHECK((!name.is_native || trust::has_validator(name.module, name.qualname)));
      if (i > 0)
        CHECK(std::pair(table.names[i - 1].module, table.names[i - 1].qualname) <
              std::pair(name.module, name.qualname));
    }
  }
}

TEST_CASE("trust: what runs code, reaches other names or touches files is on no list") {
  for (const auto& row :
       std::initializer_list<std::pair<const char*, const char*>>{{"builtins", "eval"},
                                                                  {"numpy.core", "_ufunc_reconstruct"},
                                                                  {"re", "_compile"},
                                                                  {"enum", "Enum"},
                                                                  {"pandas", "read_pickle"},
                                                                  {"pandas.io.pickle", "read_pickle"},
                                                                  {"pandas.core.computation.eval", "eval"},
                                                                  {"builtins", "exec"},
                                                                  {"builtins", "getattr"},
                                                                  {"builtins", "open"},
                                                                  {"builtins", "__import__"},
                                                                  {"builtins", "map"},
                                                                  {"builtins", "type"},
                                                                  {"os", "system"},
                                                                  {"posix", "system"},
                                                                  {"nt", "system"},
                                                                  {"subprocess", "Popen"},
                                                                  {"operator", "attrgetter"},
                                                                  {"operator", "methodcaller"},
                                                                  {"operator", "call"},
                                                                  {"functools", "partial"},
                                                                  {"pickle", "loads"},
                                                                  {"numpy", "load"},
                                                                  {"numpy", "fromfile"},
                                                                  {"numpy", "memmap"},
                                                                  {"numpy", "save"},
                                                                  {"numpy.core.multiarray", "fromfile"},
                                                                  {"joblib", "load"},
                                                                  {"joblib.numpy_pickle", "load"},
                                                                  {"importlib", "import_module"},
                                                                  {"sklearn.utils", "load"},
                                                                  {"scipy.io", "loadmat"},
                                                                  {"types", "CodeType"}}) {
    CAPTURE(row.first);
    CAPTURE(row.second);
    CHECK_FALSE(Policy().is_trusted(row.first, row.second));
  }
}

TEST_CASE("trust: common models are on the lists, by every module they had there") {
  for (const auto& row : std::initializer_list<std::pair<const char*, const char*>>{
           {"sklearn.ensemble._forest", "RandomForestClassifier"},
           {"sklearn.tree._tree", "Tree"},
           {"sklearn.tree.tree", "DecisionTreeClassifier"},
           {"sklearn.externals.joblib.numpy_pickle", "NumpyArrayWrapper"},
           {"numpy.random._pickle", "__randomstate_ctor"},
           {"builtins", "method"},
           {"datetime", "datetime"},
           {"decimal", "Decimal"},
           {"uuid", "UUID"},
           {"pathlib", "PosixPath"},
           {"collections", "deque"},
           {"numpy", "log1p"},
           {"sklearn.pipeline", "Pipeline"},
           {"numpy", "ndarray"},
           {"numpy", "dtype"},
           {"numpy.core.multiarray", "_reconstruct"},
           {"numpy._core.multiarray", "scalar"},
           {"scipy.sparse._csr", "csr_matrix"},
           {"builtins", "set"},
           {"collections", "OrderedDict"},
           {"joblib.numpy_pickle", "NumpyArrayWrapper"},
           {"sklearn.ensemble._hist_gradient_boosting.predictor", "TreePredictor"},
           {"pandas.core.internals.managers", "BlockManager"},
           {"pandas._libs.internals", "_unpickle_block"},
           {"pandas._libs.arrays", "__pyx_unpickle_NDArrayBacked"},
           {"_codecs", "encode"}}) {
    CAPTURE(row.first);
    CAPTURE(row.second);
    CHECK(Policy().is_trusted(row.first, row.second));
  }
}

TEST_CASE("trust: a name is admitted by its full text and nothing less") {
  const Policy policy({"my.models.Net", "os.path.join"});
  CHECK(policy.is_trusted("my.models", "Net"));
  CHECK_FALSE(policy.is_trusted("my.models", "Net2"));
  CHECK_FALSE(policy.is_trusted("my", "Net"));
  CHECK_FALSE(policy.is_trusted("my.models.Net", "fit"));
  CHECK_FALSE(Policy({"my", "my.", "my.*", "*"}).is_trusted("my", "x"));
  CHECK_FALSE(Policy().is_trusted("sklearn", "tree._tree.Tree"));  // a walk to a listed name is not that name
  CHECK_FALSE(Policy().is_trusted("sklearn.tree._tree", ""));
}

TEST_CASE("trust: a refusal lists all names, and never more than its message holds") {
  const std::vector<ForeignName> names = {{"builtins", "set", 3, 1}, {"os", "system", 17, 2}, {"a.b", "c", 30, 1}};
  CHECK(Policy().untrusted(names).size() == 2);
  try {
    Policy().require(names);
    FAIL("not refused");
  } catch (const Error& error) {
    CHECK(error.code() == Errc::untrusted);
    CHECK(error.message() == "forbidden_global os.system at byte 17 (and 1 more: a.b.c at byte 30)");
  }
  CHECK_NOTHROW(Policy({"os.system", "a.b.c"}).require(names));
  const std::vector<ForeignName> many(1000, ForeignName{"evil\n\x1b[31m", "x", 1, 1});
  try {
    Policy().require(many);
  } catch (const Error& error) {
    CHECK(std::string(error.what()).size() < 1100);
    CHECK(std::string(error.what()).find('\n') == std::string::npos);
  }
}

TEST_CASE("trust: the names of a graph are found in it") {
  Graph graph;
  ObjectParts parts;
  parts.type = graph.name("m", "C");
  const NodeId object = graph.object(ObjectForm::construct, parts);
  const NodeId name = graph.name("a.b", "f");
  const NodeId again = graph.name("m", "C");
  const NodeId members[] = {object, name, again};
  graph.model_root = graph.list(members);
  const auto names = trust::names_of(graph);
  REQUIRE(names.size() == 2);
  CHECK(names[0].full_name() == "a.b.f");
  CHECK(names[1].uses == 2);
}
