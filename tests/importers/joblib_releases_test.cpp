// Files that releases of joblib from 0.8.4 on wrote (tests/data/joblib), against the live value and each other.

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdio>
#include <sstream>

#include "importers/import_case.hpp"
#include "os/scratch_directory.hpp"

using namespace mere;
namespace fs = std::filesystem;

namespace {

const fs::path kFolder = fs::path(MERE_TEST_DATA) / "joblib";

importers::Imported import_path(const fs::path& path, const importers::ImportOptions& options = {}) {
  auto kept = std::make_shared<const std::string>(test::read_file(path));
  return importers::import_source({std::as_bytes(std::span(*kept)), kept, path.string(), path.parent_path(), {}},
                                  options);
}

std::optional<Reason> refusal_of(const fs::path& path) {
  try {
    import_path(path);
    return std::nullopt;
  } catch (const Error& error) {
    return error.reason();
  }
}

struct Row {
  std::string release, way, file;
};

std::vector<Row> read_index() {
  std::istringstream in(test::read_file(kFolder / "index.txt"));
  std::vector<Row> rows;
  for (Row row; in >> row.release >> row.way >> row.file;) rows.push_back(row);
  return rows;
}

std::string hex(std::span<const std::byte> bytes) {
  std::string out;
  for (const std::byte b : bytes) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned>(b));
    out += digits;
  }
  return out;
}

// As make.py spells a value; `wanted` is the line's second half, whose spelling of an element type is taken if it means
// the one that is there.
std::string describe(const Node& node, const std::string& wanted) {
  switch (node.kind()) {
    case Kind::array: {
      const ArrayView array = node.array();
      std::vector<std::byte> bytes(array.nbytes());
      array.copy_to(bytes);
      const std::string type = wanted.substr(wanted.find('\t') + 1, wanted.find('\t', 6) - 6);
      const bool same = type[0] == '[' ? array.dtype().to_text() == type : Dtype::parse(type) == array.dtype();
      std::string text = "array\t" + (same ? type : array.dtype().to_text()) + "\t";
      for (std::size_t i = 0; i < array.shape().size(); ++i)
        text += (i > 0 ? "," : "") + std::to_string(array.shape()[i]);
      char sum[9];
      std::snprintf(sum, sizeof sum, "%08lx", ::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
      return text + "\t" + sum;
    }
    case Kind::scalar: {
      const std::string type = wanted.substr(wanted.find('\t') + 1, wanted.rfind('\t') - wanted.find('\t') - 1);
      return "scalar\t" + (Dtype::parse(type) == node.dtype() ? type : "another") + "\t" + hex(node.scalar_bytes());
    }
    case Kind::bytes: return "bytes\t" + hex(node.bytes());
    case Kind::text: return "str\t" + hex(std::as_bytes(std::span(node.text())));
    case Kind::null: return "None";
    case Kind::boolean: return node.boolean() ? "True" : "False";
    case Kind::integer: return node.integer_text();
    case Kind::real: return std::stod(wanted) == node.real() ? wanted : "another float";
    default: return std::string(to_text(node.kind()));
  }
}

void copy_case(const fs::path& from, std::string_view way, const fs::path& to) {
  for (const auto& entry : fs::directory_iterator(from)) {
    const std::string name = entry.path().filename().string();
    if (name == way || name.starts_with(std::string(way) + "_")) fs::copy_file(entry.path(), to / name);
  }
}

}  // namespace

TEST_CASE("joblib releases: every value is what was saved") {
  const test::Written newest = test::write(import_path(kFolder / "1.5.3" / "raw").graph);
  std::istringstream in(test::read_file(kFolder / "expected.txt"));
  int compared = 0;
  for (std::string line; std::getline(in, line); ++compared) {
    CAPTURE(line);
    const std::size_t tab = line.find('\t');
    CHECK(describe(newest.at(line.substr(0, tab)), line.substr(tab + 1)) == line.substr(tab + 1));
  }
  CHECK(compared == 30);
}

TEST_CASE("joblib releases: what 17 releases wrote, in every codec of each, is one value") {
  const test::Written newest = test::write(import_path(kFolder / "1.5.3" / "raw").graph);
  int read = 0;
  for (const Row& row : read_index()) {
    if (row.file != row.release + "/" + row.way) continue;
    CAPTURE(row.file);
    const importers::Imported imported = import_path(kFolder / row.file);
    CHECK(imported.format == "joblib");
    const bool zf = row.way.starts_with("zf");
    CHECK(imported.codec == (zf ? "zf" : row.way == "raw" || row.way == "p5" ? "none" : row.way));
    const bool beside = row.way == "zfcache" || (row.way == "raw" && row.release < "0.9.9" && row.release > "0.8");
    CHECK(imported.companions.size() == (beside ? 16 : 0));
    CHECK(test::write(imported.graph).result.content_low == newest.result.content_low);
    ++read;
  }
  CHECK(read > 30);
}

TEST_CASE("joblib releases: what Python 2 wrote, in every codec and protocol, is what was saved") {
  const fs::path folder = fs::path(MERE_TEST_DATA) / "joblib_python2";
  const std::string expected = test::read_file(folder / "expected.txt");
  const std::pair<std::string, std::string> files[] = {
      {"0.9.4/raw", "none"},  {"0.9.4/zf", "zf"},      {"0.9.4/zfcache", "zf"},
      {"0.14.1/raw", "none"}, {"0.14.1/zlib", "zlib"}, {"0.14.1/gzip", "gzip"},
      {"0.14.1/bz2", "bz2"},  {"0.14.1/p0", "none"},   {"0.14.1/p1", "none"},
  };
  for (const auto& file : files) {
    const auto& name = file.first;  // clang 14 captures no structured binding
    const auto& codec = file.second;
    CAPTURE(name);
    const importers::Imported imported = import_path(folder / name);
    CHECK(imported.format == "joblib");
    CHECK(imported.codec == codec);
    const test::Written written = test::write(imported.graph);
    std::istringstream in(expected);
    int compared = 0;
    for (std::string line; std::getline(in, line); ++compared) {
      CAPTURE(line);
      const std::size_t tab = line.find('\t');
      CHECK(describe(written.at(line.substr(0, tab)), line.substr(tab + 1)) == line.substr(tab + 1));
    }
    CHECK(compared == 39);
  }
}

TEST_CASE("joblib releases: companion files are looked for in the file's own folder alone") {
  for (const std::string way : {"raw", "zfcache"}) {
    CAPTURE(way);
    const fs::path from = kFolder / "0.9.4";
    const std::string first = way == "raw" ? "raw_01.npy" : "zfcache_01.npy.z";
    const std::string content = test::read_file(from / way);
    // Without a folder.
    auto kept = std::make_shared<const std::string>(content);
    const auto reason = [](const auto& body) -> std::optional<Reason> {
      try {
        body();
        return std::nullopt;
      } catch (const Error& error) {
        CHECK(std::string(error.what()).find(".npy") != std::string::npos);
        return error.reason();
      }
    };
    CHECK(reason([&] {
            importers::import_source({std::as_bytes(std::span(*kept)), kept, "stdin", {}, {}});
          }) == Reason::no_file);
    const test::ScratchDirectory scratch;
    copy_case(from, way, scratch.path());
    CHECK(!refusal_of(scratch / way));
    // Absent, a link, a hard link, a directory, a pipe, cut, followed by more.
    fs::rename(scratch / first, scratch / "kept");
    CHECK(refusal_of(scratch / way) == Reason::no_file);
    fs::create_symlink("kept", scratch / first);
    CHECK(refusal_of(scratch / way) == Reason::not_regular);
    fs::remove(scratch / first);
    fs::create_hard_link(scratch / "kept", scratch / first);
    CHECK(refusal_of(scratch / way) == Reason::not_regular);
    fs::remove(scratch / first);
    fs::create_directory(scratch / first);
    CHECK(refusal_of(scratch / way) == Reason::not_regular);
    fs::remove(scratch / first);
    REQUIRE(::mkfifo((scratch / first).c_str(), 0600) == 0);
    CHECK(refusal_of(scratch / way) == Reason::not_regular);
    fs::remove(scratch / first);
    const std::string companion = test::read_file(scratch / "kept");
    for (std::size_t length = 0; length < companion.size(); ++length) {
      test::write_file(scratch / first, companion.substr(0, length));
      CHECK(refusal_of(scratch / way).has_value());
    }
    test::write_file(scratch / first, companion + "x");
    CHECK(refusal_of(scratch / way) == Reason::trailing_bytes);
    test::write_file(scratch / first, companion);
    CHECK(!refusal_of(scratch / way));
    if (way == "zfcache") continue;  // its names are compressed
    // Names that lead elsewhere, of the same length: they stand in frames.
    for (const std::string name : {"../raw.npy", "/etc/hosts", "a/b/cc.npy", "a\\b\\cc.npy", "./w_01.npy"}) {
      CAPTURE(name);
      std::string lie = content;
      const std::size_t at = lie.find(first);
      REQUIRE(at != std::string::npos);
      REQUIRE(name.size() == first.size());
      lie.replace(at, first.size(), name);
      test::write_file(scratch / way, lie);
      CHECK(refusal_of(scratch / way) == Reason::bad_record);
    }
  }
}

TEST_CASE("joblib releases: a companion that changes before its arrays were read is an error") {
  const test::ScratchDirectory scratch;
  copy_case(kFolder / "0.9.4", "raw", scratch.path());
  const importers::Imported imported = import_path(scratch / "raw");
  REQUIRE(imported.check_unchanged);
  CHECK(imported.companions.size() == 16);
  CHECK_NOTHROW(imported.check_unchanged());
  test::write_file(scratch / "raw_03.npy", test::read_file(scratch / "raw_03.npy") + "more");
  CHECK_THROWS_AS(imported.check_unchanged(), Error);
}

TEST_CASE("joblib releases: cut at any byte, a file of any codec is an error") {
  for (const Row& row : read_index()) {
    if (row.file != row.release + "/" + row.way) continue;
    if (row.release != "0.9.2" && row.release != "1.2.0" && row.release != "1.5.3") continue;
    CAPTURE(row.file);
    const std::string good = test::read_file(kFolder / row.file);
    const auto reason = [&](const std::string& bytes) -> std::optional<Reason> {
      auto kept = std::make_shared<const std::string>(bytes);
      try {
        importers::import_source({std::as_bytes(std::span(*kept)), kept, "", (kFolder / row.file).parent_path(), {}});
        return std::nullopt;
      } catch (const Error& error) {
        return error.reason();
      }
    };
    CHECK(!reason(good));
    for (std::size_t length = 0; length < good.size(); ++length) {
      if (!reason(good.substr(0, length))) FAIL_CHECK("read after a cut at " << length);
    }
    CHECK(reason(good + "x") == Reason::trailing_bytes);
    CHECK(reason(good + good) == Reason::trailing_bytes);
    for (std::size_t at = 0; at < good.size(); ++at) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 0x10);
      reason(bad);
    }
  }
}
