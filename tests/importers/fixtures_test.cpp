// The files of tests/data/importers, against what their maker wrote down from the live objects.

#include <doctest/doctest.h>

#include <cstdio>
#include <map>
#include <set>
#include <sstream>

#include "importers/import_case.hpp"

using namespace mere;
using test::fixture;

namespace {

std::string hex(std::span<const std::byte> bytes) {
  std::string out;
  char digits[3];
  for (const std::byte b : bytes) {
    std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned>(b));
    out += digits;
  }
  return out;
}

std::vector<std::string> split(const std::string& line, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(line);
  for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
  if (!line.empty() && line.back() == separator) parts.emplace_back();
  return parts;
}

bool same_type(const std::string& text, const Dtype& type) {
  // NumPy's short text of a record says its size alone.
  if (type.type_class() == TypeClass::record) return text == "|V" + std::to_string(type.itemsize());
  return Dtype::parse(text) == type;
}

std::string array_text(const Node& node, const std::string& type) {
  const ArrayView array = node.array();
  std::vector<std::byte> bytes(array.nbytes());
  array.copy_to(bytes);
  char sum[9];
  std::snprintf(sum, sizeof sum, "%08lx", ::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
  std::string shape;
  for (const std::int64_t n : array.shape()) shape += (shape.empty() ? "" : ",") + std::to_string(n);
  return "array\t" + (same_type(type, array.dtype()) ? type : array.dtype().to_text()) + "\t" + shape + "\t" + sum;
}

std::string real_text(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%a", value);
  return text;
}

// As make.py describes a value. `wanted` says how NumPy spells the element type.
std::string describe(const Node& node, const std::vector<std::string>& wanted) {
  const std::string word(to_text(node.kind()));
  const std::string type = wanted.size() > 1 ? wanted[1] : "";
  switch (node.kind()) {
    case Kind::array: return array_text(node, type);
    case Kind::scalar:
      return "scalar\t" + (same_type(type, node.dtype()) ? type : node.dtype().to_text()) + "\t" +
             hex(node.scalar_bytes());
    case Kind::boolean: return std::string("bool\t") + (node.boolean() ? "1" : "0");
    case Kind::integer: return "int\t" + node.integer_text();
    case Kind::real:
      return "float\t" +
             (std::stod(type) == node.real() && type[0] == real_text(node.real())[0] ? type : real_text(node.real()));
    case Kind::text: return "str\t" + hex(std::as_bytes(std::span(node.text())));
    case Kind::bytes:
    case Kind::bytearray: return word + "\t" + hex(node.bytes());
    case Kind::complex: {
      const bool equal = std::complex<double>(std::stod(wanted[1]), std::stod(wanted[2])) == node.complex();
      return equal ? "complex\t" + wanted[1] + "\t" + wanted[2] : "complex\tother";
    }
    case Kind::null: return "null";
    case Kind::object: return "object\t" + std::string(node.type_name());
    default: return word + "\t" + std::to_string(node.size());
  }
}

test::Written load(const std::string& file) {
  return test::import_written(fixture(file));
}

}  // namespace

TEST_CASE("fixtures: every value is what the live object had") {
  std::istringstream in(fixture("expected.txt"));
  std::map<std::string, test::Written> files;
  int compared = 0;
  for (std::string line; std::getline(in, line);) {
    std::vector<std::string> parts = split(line, '\t');
    const std::string file = parts.at(0), path = parts.at(1);
    CAPTURE(line);
    if (files.count(file) == 0) files[file] = load(file);
    const std::size_t begin = file.size() + 1 + path.size() + 1;
    const std::vector<std::string> wanted = split(line.substr(begin), '\t');
    std::string found;
    try {
      found = describe(path.empty() ? files[file].root() : files[file].at(path), wanted);
    } catch (const Error& error) {
      found = error.what();
    }
    CHECK(found == line.substr(begin));
    ++compared;
  }
  CHECK(compared > 800);
  CHECK(files.size() > 40);
}

TEST_CASE("fixtures: a model has one content id in protocols 2 to 5") {
  for (const std::string kind : {"forest", "boosting", "pipeline", "neighbors"}) {
    CAPTURE(kind);
    const test::Written first = load(kind + "-p2.pkl");
    for (const std::string protocol : {"3", "4", "5"}) {
      CAPTURE(protocol);
      const test::Written other = load(kind + "-p" + protocol + ".pkl");
      CHECK(first.result.content_low == other.result.content_low);
      CHECK(first.result.content_high == other.result.content_high);
    }
  }
}

TEST_CASE("fixtures: values of every kind have one content id in protocols 0 to 5") {
  const test::Written first = load("kinds-p2.pkl");
  for (const std::string protocol : {"0", "1", "3", "4", "5"}) {
    CAPTURE(protocol);
    CHECK(first.result.content_low == load("kinds-p" + protocol + ".pkl").result.content_low);
  }
}

TEST_CASE("fixtures: a joblib file is one model whatever its codec and protocol") {
  const test::Written plain = load("forest.joblib");
  for (const std::string extension : {"z", "gz", "lz4", "bz2", "xz", "lzma"}) {
    CAPTURE(extension);
    CHECK(plain.result.content_low == load("forest.joblib." + extension).result.content_low);
  }
  const test::Written arrays = load("arrays.joblib");
  CHECK(arrays.result.content_low == load("arrays.joblib.z").result.content_low);
  for (const std::string protocol : {"2", "3", "4", "5"}) {
    CAPTURE(protocol);
    CHECK(arrays.result.content_low == load("arrays-p" + protocol + ".joblib").result.content_low);
  }
}

TEST_CASE("fixtures: a forest saved by pickle and by joblib is the same model") {
  CHECK(load("forest-p4.pkl").result.content_low == load("forest.joblib").result.content_low);
}

TEST_CASE("fixtures: sharing and cycles are kept") {
  for (const std::string protocol : {"0", "2", "4", "5"}) {
    CAPTURE(protocol);
    const test::Written kinds = load("kinds-p" + protocol + ".pkl");
    CHECK(kinds.at("twice[0]").id() == kinds.at("twice[1]").id());
    CHECK(kinds.at("twice[0]").id() != kinds.at("list").id());
    CHECK(kinds.at("ring[0]").id() == kinds.at("ring").id());
    CHECK(kinds.at("knot.self[0]").id() == kinds.at("knot").id());
    CHECK(kinds.at("knot.self[1][0]").id() == kinds.at("knot").id());
    if (protocol == "0") continue;
    const test::Written arrays = load("arrays-p" + protocol + ".pkl");
    CHECK(arrays.at("shared[0]").id() == arrays.at("shared[1]").id());
    CHECK(arrays.at("objects_2d[3]").id() == arrays.at("shared[0]").id());
    // Python keeps one bytes object for each byte, so both arrays come from one in the stream; they are two all the
    // same.
    CHECK(arrays.at("one_byte").id() != arrays.at("same_byte").id());
    CHECK(arrays.at("one_byte").array().data() != arrays.at("same_byte").array().data());
  }
  // joblib writes a shared array twice, and equal bytes alone never make two one.
  const test::Written joblib = load("arrays.joblib");
  CHECK(joblib.at("shared[0]").id() != joblib.at("shared[1]").id());
}

TEST_CASE("fixtures: objects keep their form and parts") {
  const test::Written kinds = load("kinds-p4.pkl");
  CHECK(kinds.at("ordered").form() == ObjectForm::call);
  CHECK(kinds.at("ordered").entries()->size() == 2);
  CHECK(kinds.at("deque").args()->size() == 2);
  CHECK(kinds.at("deque").items()->size() == 2);
  CHECK(kinds.at("counter").args()->size() == 1);
  CHECK(kinds.at("class").name() == "collections.OrderedDict");
  CHECK(kinds.at("dots").kind() == Kind::ellipsis);
  CHECK(kinds.at("dtypes[1]").dtype().to_text() == "[('a', '<f8'), ('b', 'S2', (3,))]");
  CHECK(kinds.at("matrix@args[0]").name() == "numpy.matrix");
  CHECK(kinds.at("matrix@state[4]").array().copy<std::int64_t>() == std::vector<std::int64_t>{1, 2, 3, 4});
  const test::Written forest = load("forest.joblib");
  CHECK(forest.root().form() == ObjectForm::construct);
  CHECK(!forest.root().args());
  CHECK(forest.at("estimators_[0].tree_").form() == ObjectForm::call);
  CHECK(forest.at("estimators_[0].tree_").args()->size() == 3);
}

TEST_CASE("fixtures: an object of copyreg._reconstructor, __newobj__ and NEWOBJ is the same") {
  const char* const state = "}(X\1\0\0\0aK\1ub.";
  const std::string tail(state, 13);
  const auto id = [](const std::string& bytes) { return test::import_written(bytes).result.content_low; };
  const std::uint64_t by_opcode =
      id("\x80\x02"
         "cm\nC\n)\x81" +
         tail);
  CHECK(by_opcode == id("\x80\x02"
                        "ccopy_reg\n_reconstructor\n(cm\nC\nc__builtin__\nobject\nNtR" +
                        tail));
  CHECK(by_opcode == id("\x80\x03"
                        "ccopyreg\n__newobj__\n(cm\nC\ntR" +
                        tail));
  CHECK(by_opcode == id("\x80\x03"
                        "ccopyreg\n__newobj_ex__\n(cm\nC\n)}tR" +
                        tail));
  CHECK(by_opcode != id("\x80\x03"
                        "cm\nC\n)R" +
                        tail));
}

TEST_CASE("fixtures: every name in them is on the lists") {
  for (const auto& entry : std::filesystem::directory_iterator(test::data_directory())) {
    const std::string file = entry.path().filename().string();
    if (file.find(".pkl") == std::string::npos && file.find(".joblib") == std::string::npos) continue;
    CAPTURE(file);
    CHECK_NOTHROW(test::import_trusting(fixture(file)));
  }
}

TEST_CASE("fixtures: an npy file of objects is read") {
  const test::Written objects = load("objects.npy");
  CHECK(objects.at("[0]").integer() == 1);
  CHECK(objects.at("[1]").text() == "abc");
  CHECK(objects.at("[2].b[0]").real() == 2.5);
}

TEST_CASE("fixtures: format, codec and protocol are told") {
  const importers::Imported plain = test::import_bytes(fixture("forest.joblib"));
  CHECK(plain.format == "joblib");
  CHECK(plain.codec == "none");
  CHECK(plain.protocol == 4);
  CHECK(test::import_bytes(fixture("forest.joblib.gz")).codec == "gzip");
  CHECK(test::import_bytes(fixture("forest-p2.pkl")).format == "pickle");
  CHECK(test::import_bytes(fixture("record.npy")).format == "npy");
  CHECK(test::import_bytes(fixture("arrays.npz")).format == "npz");
}

TEST_CASE("fixtures: arrays of an uncompressed file lie in it") {
  auto bytes = std::make_shared<const std::string>(fixture("forest.joblib"));
  const auto span = std::as_bytes(std::span(*bytes));
  importers::Imported imported = importers::import_source({span, bytes, "forest", {}});
  CHECK(bytes.use_count() > 1);  // the graph holds it
  const graph::Encoded encoded = graph::encode(imported.graph);
  CHECK(encoded.source != nullptr);
}

TEST_CASE("versions: joblib 1.0 to 1.5 give the same arrays, with and without alignment bytes") {
  const test::Written oldest = load("versions/arrays-joblib1.0.1.joblib");
  CHECK(oldest.at("f").array().copy<std::int64_t>() == std::vector<std::int64_t>{0, 1, 2, 3, 4, 5});
  CHECK(oldest.at("o[1]").text() == "x");
  CHECK(oldest.at("r").array().field<std::int32_t>("a")[1] == 2);
  CHECK(oldest.result.content_low == load("versions/arrays-joblib1.3.2.joblib").result.content_low);
  CHECK(oldest.result.content_low == load("versions/arrays-joblib1.5.3.joblib").result.content_low);
}

TEST_CASE("versions: scikit-learn 1.9 with numpy 2.4: trusted, one content id, and its trees are there") {
  const std::string name = "versions/forest-sklearn1.9.1";
  const test::Written forest = load(name + ".joblib");
  CHECK(forest.at("estimators_[2].tree_.nodes").array().dtype().find_field("missing_go_to_left") != nullptr);
  const std::uint64_t id = load(name + "-p2.pkl").result.content_low;
  CHECK(id == load(name + "-p4.pkl").result.content_low);
  CHECK(id == load(name + "-p5.pkl").result.content_low);
  for (const std::string& file :
       {name + ".joblib", name + "-p2.pkl", name + "-p5.pkl", std::string("versions/histogram-sklearn1.9.1.pkl")}) {
    CAPTURE(file);
    CHECK_NOTHROW(test::import_trusting(fixture(file)));
  }
}
