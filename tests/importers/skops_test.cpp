// Files of skops releases against pickles of the same objects; schemas that lie.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include <mere/diff.hpp>
#include "container/stream_decoder.hpp"
#include "importers/import_case.hpp"
#include "importers/skops_case.hpp"

using namespace mere;
using test::refusal;
using test::skops_case::archive;
using test::skops_case::dict;
using test::skops_case::json;
using test::skops_case::list;
using test::skops_case::node;
using test::skops_case::npy;
using test::skops_case::schema;
using test::skops_case::skops;

namespace {

std::filesystem::path skops_directory() {
  return std::filesystem::path(MERE_TEST_DATA) / "skops";
}

// Those of codecs that this build lacks are left out.
bool is_readable(const std::filesystem::path& path) {
  using container::StreamCodec;
  return (path.stem() != "bzip2" || container::has_codec(StreamCodec::bz2)) &&
         (path.stem() != "lzma" || container::has_codec(StreamCodec::lzma));
}

std::vector<std::filesystem::path> skops_files() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(skops_directory())) {
    if (entry.path().extension() == ".skops" && is_readable(entry.path())) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// What skops does not keep, or pickle says in another way: releases ("" all), file ("" all), part of the path.
struct KnownLoss {
  std::string_view releases, file, path;
  std::string_view why;
};
constexpr KnownLoss kKnownLosses[] = {
    {"", "", "_rng@args", "NumPy pickles a generator with its own functions, or its bit generator"},
    {"", "", "_rng@state", "with a seed sequence the state is the bit generator's"},
    {"", "generators", "@args", "as above"},
    {"", "generators", "@state", "as above"},
    {"", "", "random_state@args", "RandomState: as above"},
    {"", "random_state", "@args", "as above"},
    {"", "", "_loss.closs", "a Cython class is pickled by its checksum, which skops leaves out"},
    {"", "", "csr_matrix@state", "as below"},
    {"", "sparse", "@state", "scipy.sparse.save_npz says nothing of the order of attributes"},
    {"", "sparse", ".coords", "save_npz writes them as row and col"},
    {"", "sparse", ".row", "as above"},
    {"", "sparse", ".col", "as above"},
    {"", "sparse", ".has_canonical_format", "save_npz does not write it"},
    {"0.9", "words", "_idf_diag._has_", "as above"},
    {"0.3 0.4 0.6 0.9 0.11", "reduced", "", "arguments of __reduce__ are kept from 0.13 on"},
    {"0.3", "bytes", "", "kept from 0.4 on"},
    {"0.3 0.4", "functions", "[3]", "builtin functions are kept from 0.6 on"},
    {"0.3 0.4", "operators", "", "kept from 0.6 on"},
    {"0.3 0.4 0.6 0.9", "defaultdict", "@args", "the default is kept from 0.11 on"},
};

bool is_known(const KnownLoss& loss, const std::string& release, const std::string& file, const std::string& path) {
  const std::string releases = " " + std::string(loss.releases) + " ";
  return (loss.releases.empty() || releases.find(" " + release + " ") != std::string::npos) &&
         (loss.file.empty() || file.starts_with(loss.file)) && path.find(loss.path) != std::string::npos;
}

std::vector<std::string> names_of(const std::string& bytes) {
  std::vector<std::string> names;
  for (const container::ForeignName& name : test::import_bytes(bytes).names) names.push_back(name.full_name());
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("skops: every release gives the graph that pickle gives, but for what it does not keep") {
  std::set<const KnownLoss*> met;
  std::size_t files = 0;
  for (const std::filesystem::path& path : skops_files()) {
    CAPTURE(path.string());
    const std::string release = path.parent_path().filename().string();
    const importers::Imported imported = test::import_bytes(test::read_file(path));
    CHECK(imported.format == "skops");
    CHECK(imported.protocol == (release == "0.3" || release == "0.4"   ? 0
                                : release == "0.6" || release == "0.9" ? 1
                                                                       : 2));
    REQUIRE(imported.versions.size() == 1);
    CHECK(imported.versions[0].first == "skops");
    CHECK(imported.versions[0].second.starts_with(release + "."));
    const test::Written skops = test::write(imported.graph);
    const test::Written pickle =
        test::import_written(test::read_file(std::filesystem::path(path).replace_extension(".pkl")));
    for (const Difference& difference : diff(pickle.root(), skops.root()).differences) {
      const auto* found = std::find_if(std::begin(kKnownLosses), std::end(kKnownLosses), [&](const KnownLoss& loss) {
        return is_known(loss, release, path.stem().string(), difference.path);
      });
      CAPTURE(to_text(difference.change));
      CAPTURE(difference.path);
      CAPTURE(difference.first);
      CAPTURE(difference.second);
      CHECK(found != std::end(kKnownLosses));
      if (found != std::end(kKnownLosses)) met.insert(found);
    }
    ++files;
  }
  CHECK(files > 130);
  for (const KnownLoss& loss : kKnownLosses) {
    CAPTURE(loss.file);
    CAPTURE(loss.path);
    CHECK(met.count(&loss) == 1);
  }
}

TEST_CASE("skops: models of every release pass the shipped lists, functions of other places do not") {
  for (const std::filesystem::path& path : skops_files()) {
    const std::string stem = path.stem().string();
    CAPTURE(path.string());
    if (stem == "functions") {
      CHECK_THROWS_AS(test::import_trusting(test::read_file(path)), Error);
    } else if (stem != "operators" && stem != "partial") {
      CHECK_NOTHROW(test::import_trusting(test::read_file(path)));
    }
  }
}

TEST_CASE("skops: whole files are told as stored or compressed") {
  CHECK(test::import_bytes(test::read_file(skops_directory() / "0.16" / "kinds.skops")).codec == "none");
  CHECK(test::import_bytes(test::read_file(skops_directory() / "0.16" / "tree.skops")).codec == "deflate");
  for (const auto& [file, codec] : {std::pair("bzip2.skops", "bz2"), std::pair("lzma.skops", "lzma")}) {
    const std::filesystem::path path = skops_directory() / "0.16" / file;
    if (is_readable(path)) {
      CHECK(test::import_bytes(test::read_file(path)).codec == codec);
    } else {
      CHECK(refusal(test::read_file(path)) == Reason::not_supported);
    }
  }
}

TEST_CASE("skops: leaves are what json.loads makes of their text") {
  const auto leaf = [](const std::string& text) { return test::import_written(skops(json(text))); };
  CHECK(leaf("null").root().kind() == Kind::null);
  CHECK(leaf("-12").root().integer() == -12);
  CHECK(leaf("123456789012345678901234567890").root().integer_text() == "123456789012345678901234567890");
  CHECK(leaf("1" + std::string(1000, '0')).root().integer_text().size() == 1001);
  CHECK(leaf("1.5e3").root().real() == 1500);
  CHECK(std::isnan(leaf("NaN").root().real()));
  CHECK(leaf("-Infinity").root().real() == -HUGE_VAL);
  CHECK(leaf(R"(\"a\\u00e9\\n\")").root().text() == "a\xc3\xa9\n");
  CHECK(leaf(R"(\"\\ud800\")").root().text() == "\xed\xa0\x80");
  CHECK(leaf("[1, {\\\"a\\\": [null]}]").root()[1]["a"][0].kind() == Kind::null);
  for (const std::string bad : {"", "nan", "1e400", "NaN1", "+1", "01", "tru", "[NaN]", R"(\"a)"}) {
    CAPTURE(bad);
    CHECK(refusal(skops(json(bad))).has_value());
  }
  CHECK(refusal(skops(json("1" + std::string(30'000, '0')))) == Reason::too_large);
}

TEST_CASE("skops: one object is one node, wherever it stands") {
  const std::string shared = node("builtins.list", "ListNode", R"("content": [], "__id__": 7)");
  const test::Written written = test::import_written(skops(list({shared, shared, list({})})));
  CHECK(written.root()[0].id() == written.root()[1].id());
  CHECK(written.root()[0].id() != written.root()[2].id());
  const std::string cached = R"({"__class__": null, "__module__": null, "__loader__": "CachedNode", "__id__": 7})";
  const test::Written by_cache = test::import_written(skops(list({shared, cached})));
  CHECK(by_cache.root()[0].id() == by_cache.root()[1].id());
}

TEST_CASE("skops: an object inside itself, an unknown one and two of one id are refused") {
  const std::string cached = R"({"__class__": null, "__module__": null, "__loader__": "CachedNode", "__id__": 7})";
  const auto with_id = [](const std::string& inner) {
    return node("builtins.list", "ListNode", R"("content": [)" + inner + R"(], "__id__": 7)");
  };
  CHECK(refusal(skops(with_id(cached))) == Reason::bad_record);
  CHECK(refusal(skops(with_id(list({cached})))) == Reason::bad_record);
  CHECK(refusal(skops(with_id(with_id("")))) == Reason::bad_record);
  CHECK(refusal(skops(list({cached}))) == Reason::bad_record);
  CHECK(refusal(skops(list({cached, with_id("")}))) == Reason::bad_record);
  const std::string other = node("os.system", "TypeNode", R"("__id__": 7)");
  CHECK(refusal(skops(list({with_id(""), other}))) == Reason::bad_record);
}

TEST_CASE("skops: the names shown are those of what is built, and no others") {
  CHECK(names_of(skops(list({json("1"), dict({{"a", json("2")}}, "str")}))).empty());
  CHECK(names_of(skops(node("os.system", "TypeNode", ""))) == Names{"os.system"});
  CHECK(names_of(skops(node("os.system", "FunctionNode", ""))) == Names{"os.system"});
  CHECK(names_of(skops(node("os.system", "ObjectNode", ""))) == Names{"os.system"});
  CHECK(names_of(skops(node("os.system", "ListNode", R"("content": [])"))) == Names{"os.system"});
  CHECK(names_of(skops(node("os.system", "SetNode", R"("content": [])"))) == Names{"os.system"});
  CHECK(names_of(skops(node("os.system", "TupleNode", R"("content": [])"))) == Names{"os.system"});
  CHECK(names_of(skops(node("os.system", "ConstructorFromReduceNode",
                            R"("content": )" + test::skops_case::tuple({json("1")})))) == Names{"os.system"});
  CHECK(names_of(skops(node("os.system", "DictNode", R"("content": {}, "key_types": )" + list({})))) ==
        Names{"os.system"});
  CHECK(names_of(skops(node("os.system", "LossNode",
                            R"("__reduce__": {"args": )" + test::skops_case::tuple({}) + R"(}, "content": )" +
                                dict({}, "str")))) == Names{"os.system"});
  const std::string owner = node("m.C", "ObjectNode", "");
  CHECK(names_of(skops(node("m.C", "MethodNode", R"("content": {"func": "run", "obj": )" + owner + "}"))) ==
        Names{"m.C", "builtins.method"});
  CHECK(names_of(skops(node("sklearn.neighbors._kd_tree.KDTree", "ObjectNode", ""))) ==
        Names{"sklearn.neighbors._kd_tree.newObj", "sklearn.neighbors._kd_tree.KDTree"});
  CHECK(names_of(skops(node("evil.Array", "NdArrayNode", R"("type": "numpy", "file": "a.npy")"), {{"a.npy", npy()}})) ==
        Names{"numpy.core.multiarray._reconstruct", "evil.Array"});
  CHECK(names_of(skops(node("builtins.NoneType", "TypeNode", ""))) == Names{"types.NoneType"});
  // Protocol 0 says the function in its content; later ones must not.
  const std::string old = R"("content": {"module_path": "os", "function": "system"})";
  CHECK(names_of(skops(node("numpy.ufunc", "FunctionNode", old), {}, "0")) == Names{"os.system"});
  CHECK(refusal(skops(node("numpy.ufunc", "FunctionNode", old))) == Reason::bad_record);
  CHECK(refusal(skops(node("numpy.exp", "FunctionNode", ""), {}, "0")) == Reason::bad_record);
  // Every name node of the graph is one that was shown.
  for (const std::filesystem::path& path : skops_files()) {
    const importers::Imported imported = test::import_bytes(test::read_file(path));
    std::set<std::pair<std::string_view, std::string_view>> shown, built;
    for (const container::ForeignName& name : imported.names) shown.emplace(name.module, name.qualname);
    for (NodeId id = 0; id < imported.graph.node_count(); ++id) {
      if (imported.graph.kind(id) == Kind::name) built.insert(imported.graph.name_value(id));
    }
    CAPTURE(path.string());
    CHECK(shown == built);
  }
}

TEST_CASE("skops: a loader that builds one class is not let show another") {
  const std::string args =
      R"("__reduce__": {"args": )" + test::skops_case::tuple({}) + R"(}, "content": )" + dict({}, "str");
  for (const auto& row : std::vector<std::pair<std::string, std::string>>{
           {"JsonNode", R"("content": "1", "is_json": true)"},
           {"SliceNode", R"("content": {"start": 1, "stop": 2, "step": null})"},
           {"OperatorFuncNode", R"("attrs": )" + test::skops_case::tuple({})},
           {"TreeNode", args},
           {"QuantileForestNode", args},
           {"BytesNode", R"("file": "a.npy")"},
           {"DTypeNode",
            R"("content": )" + node("numpy.ndarray", "NdArrayNode", R"("type": "numpy", "file": "a.npy")")},
           {"SparseMatrixNode", R"("type": "scipy", "file": "a.npy")"},
           {"RandomStateNode", R"("content": )" + dict({{"bit_generator", json(R"(\"MT19937\")")}}, "str")}}) {
    const auto& loader = row.first;  // clang 14 captures no structured binding
    const auto& fields = row.second;
    CAPTURE(loader);
    CHECK(refusal(skops(node("os.system", loader, fields), {{"a.npy", npy()}})) == Reason::bad_record);
  }
}

TEST_CASE("skops: unknown loaders, protocols, fields and parts are refused") {
  CHECK(refusal(skops(node("os.system", "EvilNode", ""))) == Reason::unknown_kind);
  CHECK(refusal(skops(node("builtins.list", "ListNode", R"("content": [], "extra": 1)"))) == Reason::bad_record);
  CHECK(refusal(skops(node("builtins.list", "ListNode", ""))) == Reason::bad_record);
  CHECK(refusal(skops(node("builtins.list", "ListNode", R"("content": {})"))) == Reason::bad_record);
  CHECK(refusal(skops(node("builtins.list", "ListNode", R"("content": [1])"))) == Reason::bad_record);
  CHECK(refusal(skops(node("builtins.list", "ListNode", R"("content": [], "__id__": "x")"))) == Reason::bad_record);
  CHECK(refusal(skops(list({}), {}, "3")) == Reason::unsupported_version);
  for (const std::string protocol : {"-1", "true", "\"2\"", "2.0", "null", "99999999999999999999"}) {
    CAPTURE(protocol);
    CHECK(refusal(skops(list({}), {}, protocol)) == Reason::bad_record);
  }
  CHECK(refusal(archive({{"schema.json", list({})}})) == Reason::bad_record);  // neither protocol nor version
  CHECK(refusal(archive({{"schema.json", "[]"}})) == Reason::bad_record);
}

TEST_CASE("skops: the schema is read strictly, whatever its size and depth") {
  for (const std::string& bad :
       {std::string("{"), std::string(100'000, '['), std::string("{\"protocol\": NaN}"),
        std::string("{\"a\":1,\"a\":2}"), std::string("{\"a\":\"\\ud800\"}"), std::string("{\"a\":\"\xff\"}"),
        std::string("{\"a\":1e400}"), schema(list({})) + "x", schema(list({})) + std::string(1, '\0'),
        std::string("\xef\xbb\xbf") + schema(list({}))}) {
    CHECK(refusal(archive({{"schema.json", bad}})).has_value());
  }
  std::string deep = json("1");
  for (int i = 0; i < 2000; ++i) deep = list({deep});
  CHECK(test::import_written(skops(deep)).root().kind() == Kind::list);
  for (int i = 0; i < 4000; ++i) deep = list({deep});
  CHECK(refusal(skops(deep)) == Reason::too_deep);
}

TEST_CASE("skops: keys are of the types that stand beside them") {
  const std::string one = json("1");
  std::vector<test::Written> files;  // nodes borrow from them
  files.reserve(5);
  const auto key = [&](const std::string& text, const std::string& type) {
    files.push_back(test::import_written(skops(dict({{text, one}}, type))));
    return files.back().root().key(0);
  };
  CHECK(key("5", "int").integer() == 5);
  CHECK(key("1.5", "float").real() == 1.5);
  CHECK(key("true", "bool").boolean());
  CHECK(key("null", "NoneType").kind() == Kind::null);
  CHECK(key("5", "str").text() == "5");
  for (const auto& row : std::vector<std::pair<std::string, std::string>>{
           {"x", "int"}, {"5.0", "int"}, {"x", "float"}, {"yes", "bool"}, {"none", "NoneType"}}) {
    const std::string &text = row.first, &type = row.second;
    CAPTURE(type);
    CHECK(refusal(skops(dict({{text, one}}, type))) == Reason::bad_record);
  }
  CHECK(refusal(skops(dict({{"x", one}}, "tuple"))) == Reason::not_supported);
  CHECK(refusal(skops(node("builtins.dict", "DictNode",
                           R"("content": {"a": )" + one + R"(}, "key_types": )" + list({})))) == Reason::bad_record);
}

TEST_CASE("skops: members that are not there, not named, or not what they should be are refused") {
  const std::string array = node("numpy.ndarray", "NdArrayNode", R"("type": "numpy", "file": "a.npy")");
  CHECK(refusal(skops(array, {{"a.npy", npy()}})) == std::nullopt);
  CHECK(refusal(skops(array)) == Reason::bad_record);
  CHECK(refusal(skops(array, {{"a.npy", npy()}, {"b.npy", npy()}})) == Reason::bad_record);
  CHECK(refusal(skops(array, {{"a.npy", npy() + "x"}})) == Reason::trailing_bytes);
  CHECK(refusal(skops(array, {{"a.npy", test::raw("\x80\x04K\1.")}})) == Reason::bad_record);
  for (const std::string name : {"../a.npy", "/etc/passwd", "schema.json"}) {
    CHECK(refusal(skops(node("numpy.ndarray", "NdArrayNode", R"("type": "numpy", "file": ")" + name + "\""),
                        {{"a.npy", npy()}})) == Reason::bad_record);
  }
  CHECK(refusal(skops(node("numpy.float64", "NdArrayNode", R"("type": "numpy", "file": "a.npy")"),
                      {{"a.npy", npy()}})) == Reason::bad_record);
  CHECK(refusal(skops(node("numpy.ndarray", "NdArrayNode", R"("type": "pickle", "file": "a.npy")"),
                      {{"a.npy", npy()}})) == Reason::bad_record);
  const std::string sparse =
      node("scipy.sparse._csr.csr_matrix", "SparseMatrixNode", R"("type": "scipy", "file": "a.npz")");
  CHECK(refusal(skops(sparse, {{"a.npz", npy()}})).has_value());
  CHECK(refusal(skops(sparse, {{"a.npz", archive({{"x.pkl", "."}})}})) == Reason::bad_record);
  CHECK(refusal(skops(sparse, {{"a.npz", archive({{"format.npy", npy()}})}})) == Reason::bad_record);
}

TEST_CASE("skops: a pickle under its name is a pickle, one in an archive is nothing") {
  CHECK(test::import_bytes(test::raw("\x80\x04K\1.")).format == "pickle");
  CHECK(refusal(archive({{"model.pkl", test::raw("\x80\x04K\1.")}})) == Reason::unknown_format);
  CHECK(refusal(archive({{"schema.json", test::raw("\x80\x04K\1.")}})) == Reason::bad_text);
}

TEST_CASE("skops: arrays of objects have their shape, however their lists are shared") {
  const auto array = [](const std::string& content, const std::string& dims) {
    return skops(
        node("numpy.ndarray", "NdArrayNode",
             R"("type": "json", "content": [)" + content + R"(], "shape": )" + test::skops_case::tuple({dims})));
  };
  CHECK(test::import_written(array(json("1") + "," + json("2"), json("2"))).root().size() == 2);
  CHECK(refusal(array(json("1"), json("2"))) == Reason::bad_record);
  CHECK(refusal(array(json("1"), json("-1"))).has_value());
  CHECK(refusal(array(json("1"), json("1.5"))) == Reason::bad_record);
  CHECK(refusal(array(json("1"), json("1") + "," + json("1"))) == Reason::bad_record);
  // A list of two that are one list of two ...: 2^40 elements in 40 nodes.
  std::string content = json("1"), dims;
  for (int i = 0; i < 40; ++i) {
    const std::string id = R"(], "__id__": )" + std::to_string(i);
    content = node("builtins.list", "ListNode", R"("content": [)" + content + id);
    content +=
        R"(, {"__class__": null, "__module__": null, "__loader__": "CachedNode", "__id__": )" + std::to_string(i) + "}";
    dims += (i > 0 ? "," : "") + json("2");
  }
  CHECK(refusal(array(content, dims)) == Reason::bad_record);
}

TEST_CASE("skops: a random state names one of NumPy's own bit generators") {
  const auto state = [](const std::string& name) {
    return dict({{"bit_generator", json("\\\"" + name + "\\\"")}}, "str");
  };
  const auto random = [&](const std::string& name) {
    return skops(node("numpy.random.mtrand.RandomState", "RandomStateNode", R"("content": )" + state(name)));
  };
  CHECK(refusal(random("MT19937")) == std::nullopt);
  CHECK(refusal(random("set_state")) == Reason::bad_record);
  CHECK(refusal(skops(node("numpy.random.mtrand.RandomState", "RandomStateNode", R"("content": )" + list({})))) ==
        Reason::bad_record);
  const std::string old = R"("content": {"bit_generator": {"bit_generator": "PCG64", "state": {"state": 1}}})";
  const test::Written written =
      test::import_written(skops(node("numpy.random._generator.Generator", "RandomGeneratorNode", old), {}, "0"));
  CHECK(written.root()["state"]["state"].integer() == 1);
  const std::string forged = R"("content": {"bit_generator": {"bit_generator": "seed"}})";
  CHECK(refusal(skops(node("numpy.random._generator.Generator", "RandomGeneratorNode", forged), {}, "0")) ==
        Reason::bad_record);
}

TEST_CASE("skops: every truncation is refused, every changed byte gives a graph or an Error") {
  for (const std::string file : {"logistic.skops", "sparse.skops"}) {
    const std::string good = test::read_file(skops_directory() / "0.16" / file);
    for (std::size_t length = 0; length < good.size(); ++length) CHECK(refusal(good.substr(0, length)).has_value());
    for (std::size_t at = 0; at < good.size(); at += 3) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 0x41);
      refusal(bad);
    }
  }
}
