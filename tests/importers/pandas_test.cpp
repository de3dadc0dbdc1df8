// Frames, series and indices as pandas 0.25 to 3.1 pickled them (tests/data/pandas): read without trust in anybody, and
// their states are sound.

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>

#include "importers/import_case.hpp"
#include "trust/validators.hpp"

using namespace mere;

namespace {

std::string unzipped(const std::filesystem::path& path) {
  gzFile file = ::gzopen(path.c_str(), "rb");
  REQUIRE(file != nullptr);
  std::string bytes;
  char part[1 << 16];
  for (int got = 0; (got = ::gzread(file, part, sizeof part)) > 0;) bytes.append(part, static_cast<std::size_t>(got));
  ::gzclose(file);
  return bytes;
}

// Name to pickle: the file is a pickle of a dict of them.
std::map<std::string, std::string> things_of(const std::string& version) {
  const auto path = std::filesystem::path(MERE_TEST_DATA) / "pandas" / ("pandas-" + version + ".pkl.gz");
  const importers::Imported held = test::import_bytes(unzipped(path));
  const Graph& graph = held.graph;
  std::map<std::string, std::string> things;
  const std::span<const NodeId> members = graph.members(graph.model_root);
  for (std::size_t i = 0; i + 1 < members.size(); i += 2)
    things.emplace(graph.text_value(members[i]), graph.text_value(members[i + 1]));
  return things;
}

}  // namespace

TEST_CASE("pandas: all that its releases pickle is on the lists, and its states are sound") {
  for (const std::string version : {"0.25.3", "1.0.5", "1.3.5", "1.5.3", "2.1.4", "2.3.3", "3.1.1"}) {
    CAPTURE(version);
    const auto things = things_of(version);
    CHECK(things.size() > 170);
    for (const auto& thing : things) {
      const auto& name = thing.first;  // clang 14 captures no structured binding
      const auto& bytes = thing.second;
      CAPTURE(name);
      // pandas 1.3 pickles a call of functools.partial for each block of a frame.
      std::vector<std::string> trusted;
      if (version == "1.3.5" && name.starts_with("frame_")) trusted = {"operator.call", "functools.partial"};
      try {
        const importers::Imported imported = test::import_trusting(bytes, trusted);
        trust::validate_states(imported.graph, "thing.pkl");
      } catch (const Error& error) {
        FAIL_CHECK(error.what());
      }
    }
  }
}

TEST_CASE("pandas: a number changed in the bytes of a real frame is found") {
  const auto things = things_of("2.3.3");
  // BININT1 2, the end of the slice (1, 2, 1) of the block of whole numbers; its places follow as (1, 3, 1).
  const auto changed = [&](const std::string& name, std::string_view before, std::string_view after) {
    std::string bytes = things.at(name);
    const std::size_t at = bytes.find(before);
    REQUIRE(at != std::string::npos);
    REQUIRE(bytes.find(before, at + 1) == std::string::npos);
    bytes.replace(at, before.size(), after);
    try {
      trust::validate_states(test::import_bytes(bytes).graph);
    } catch (const Error& error) {
      return std::string(error.message());
    }
    return std::string();
  };
  const std::string_view slice("K\x01K\x02K\x01\x87", 7);
  CHECK(changed("frame_mixed", slice, slice) == "");
  CHECK(changed("frame_mixed", slice, std::string_view("K\x02K\x03K\x01\x87", 7)).find("has place 2") !=
        std::string::npos);
  CHECK(changed("frame_mixed", slice, std::string_view("K\xf0K\xf1K\x01\x87", 7)).find("has place 240") !=
        std::string::npos);
  CHECK(changed("frame_mixed", slice, std::string_view("K\x01K\x04K\x01\x87", 7)).find("the number of places") !=
        std::string::npos);
  // The codes of a categorical: 0, 1 and -1.
  const std::string_view codes("\x00\x01\xff", 3);
  CHECK(changed("series_category", codes, codes) == "");
  CHECK(changed("series_category", codes, std::string_view("\x00\x02\xff", 3)).find("code 1 is 2") !=
        std::string::npos);
}
