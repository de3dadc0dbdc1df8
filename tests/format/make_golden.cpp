// Writes the golden files of this version into a directory (tests/data/golden/make.py runs it), or, with --small, the
// corpus of fuzz_image (tests/fuzz/make_image_corpus.py does).

#include <cstdio>
#include <fstream>
#include <span>
#include <string>
#include <string_view>

#include "golden_models.hpp"

int main(int argc, char** argv) {
  using namespace mere::format;
  const bool small = argc == 3 && std::string_view(argv[1]) == "--small";
  if (argc != 2 && !small) {
    std::fprintf(stderr, "usage: make_golden [--small] DIRECTORY\n");
    return 2;
  }
  const std::string directory = argv[argc - 1];
  for (const testing::Golden& golden : small ? std::span<const testing::Golden>(testing::kSmall) : testing::kGolden) {
    testing::SampleModel model;
    golden.make(model);
    const testing::Bytes file = testing::write_to_memory(model, testing::golden_options(golden));
    const std::string path = directory + "/" + golden.name + ".mere";
    std::ofstream out(path, std::ios::binary);
    out.write(reinterpret_cast<const char*>(file.data()), static_cast<std::streamsize>(file.size()));
    if (!out.flush()) return 1;
    std::printf("%s: %zu bytes\n", path.c_str(), file.size());
  }
}
