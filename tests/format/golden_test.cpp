#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

#include "format/verify.hpp"
#include "golden_models.hpp"

namespace mere::format {
namespace {

using namespace testing;

Bytes read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  REQUIRE_MESSAGE(in, path);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

TEST_CASE("golden files of 1.0: verify, hold what they were made of, and are still written the same") {
  for (const Golden& golden : kGolden) {
    if (!codec::has_codec(golden.codec)) {
      MESSAGE("skipped: this build has no codec for ", golden.name);
      continue;
    }
    const Bytes file = read_file(std::string(MERE_TEST_DATA "/golden/1.0/") + golden.name + ".mere");
    const Image image(file, golden.name);
    verify(image, {});
    SampleModel model;
    golden.make(model);
    CHECK(read_all(image) == model.buffers);
    os::MemorySink sink;
    const WriteResult now = write_file(model.columns, model, golden_options(golden), sink);
    CHECK(image.footer().content_low == now.content_low);
    CHECK(image.footer().content_high == now.content_high);
    CHECK(image.footer().program_low == now.program_low);
    // Encoded bytes may change with the codec's library and our choices; raw ones may not.
    if (golden.codec == codec::CodecId::none) CHECK(sink.take() == file);
  }
}

}  // namespace
}  // namespace mere::format
