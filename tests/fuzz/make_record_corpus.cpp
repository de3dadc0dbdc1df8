// Writes the corpus of fuzz_record into a folder: make_record_corpus tests/fuzz/corpus/record

#include <cstdio>
#include <filesystem>

#include "fuzz_record.hpp"

namespace {

fuzz::Everything full() {
  fuzz::Everything e;
  e.nodes = mere::Array<fuzz::TreeNode>(std::vector<fuzz::TreeNode>(5, {1, 2, 0.5, {1, 2, 3}, 7}));
  e.table = mere::Array<double>({1, 2, 3, 4, 5, 6}, {2, 3});
  static const bool flags[] = {true, false, true};
  e.flags = mere::Array<bool>::borrow(flags);
  e.weights = {1.5f, -2};
  e.raw = {std::byte{0}, std::byte{255}};
  e.rows = {{1, 2}, {}, {65535}};
  e.names = {"left", "\xff\xfe no UTF-8"};
  e.wave = {1, -2};
  e.wide = 1.25L;
  e.color = fuzz::Color::blue;
  e.choices = {std::monostate(),
               true,
               3,
               2.5,
               "text",
               fuzz::Leaf{4, "leaf"},
               std::vector<double>{1, 2},
               std::list<double>{3},
               std::map<std::string, std::int16_t>{{"a", 1}},
               std::optional(fuzz::Color::red)};
  e.chain = {1, std::make_unique<fuzz::Chain>(fuzz::Chain{2.5, std::make_unique<fuzz::Chain>()})};
  for (int i = 0; i < 10; ++i) e.named["key" + std::to_string(i)] = i;  // enough for an index of keys
  e.hashed = {{1, {}}, {2, std::optional<std::optional<int>>(std::in_place)}, {3, 5}};
  e.many = {{1, "x"}, {1, "y"}};
  e.words = {"p", "q"};
  e.tuple = {1, 2.5f, "three"};
  e.shared = e.same = std::make_shared<fuzz::Leaf>(fuzz::Leaf{9, {}});
  e.seen = e.shared;
  e.texts = e.same_texts = std::make_shared<std::vector<std::string>>(std::vector<std::string>{"a", "b"});
  return e;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_record_corpus FOLDER\n");
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  std::filesystem::create_directories(folder);
  const fuzz::Everything all = full();
  mere::dump(all, folder / "full.mere");
  mere::dump(all, folder / "zlib.mere", {.codec = mere::Codec::zlib});
  mere::dump(fuzz::Everything(), folder / "empty.mere");
  mere::dump(all.chain, folder / "chain.mere");
  mere::dump(all.named, folder / "map.mere");
}
