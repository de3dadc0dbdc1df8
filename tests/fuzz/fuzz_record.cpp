// Any bytes as a .mere file that is loaded into a C++ struct. What loads is dumped, loaded and dumped again: the same
// bytes. Input: a file; its header's and footer's sums are mended.

#include <cstdlib>
#include <cstring>

#include "codec/checksum.hpp"
#include "format/image.hpp"
#include "fuzz_record.hpp"

namespace {

using namespace mere;
using Bytes = std::vector<std::byte>;

void mend_sums(Bytes& file) {
  if (file.size() < format::kHeaderBytes + format::kFooterBytes) return;
  const auto put = [&](std::size_t begin, std::size_t bytes) {
    const std::uint64_t sum = codec::xxh3_64(std::span(file).subspan(begin, bytes));
    std::memcpy(file.data() + begin + bytes, &sum, sizeof sum);
  };
  put(0, offsetof(format::Header, sum));
  put(file.size() - format::kFooterBytes, offsetof(format::Footer, sum));
}

LoadOptions options(bool ignore_unknown) {
  LoadOptions options;
  options.open.expand = Expand::lazy;
  options.open.limits.expanded_bytes = 16 << 20;
  options.open.limits.depth = 100;
  options.ignore_unknown = ignore_unknown;
  options.copied_bytes = 1 << 20;
  return options;
}

// The value is dumped while the file it was loaded from is still mapped by its arrays.
template <class T>
std::optional<Bytes> dumped_again(const Bytes& file, const LoadOptions& options) {
  try {
    const T value = load<T>(Model::from_bytes(file, nullptr, options.open), options);
    return dump_bytes(value);
  } catch (const Error& error) {
    if (error.what()[0] == 0 || error.message().size() > 1100) std::abort();
    return std::nullopt;
  }
}

template <class T>
void check(const Bytes& file, const LoadOptions& options) {
  const std::optional<Bytes> first = dumped_again<T>(file, options);
  if (!first) return;
  // No bound of the first load can be met by what it let through: a dump has no more bytes, members or levels.
  LoadOptions wide;
  wide.open.expand = Expand::lazy;
  const std::optional<Bytes> second = dumped_again<T>(*first, wide);
  if (!second || *second != *first) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes file(size);
  if (size != 0) std::memcpy(file.data(), data, size);
  mend_sums(file);
  const LoadOptions how = options(size % 2 == 1);
  check<fuzz::Everything>(file, how);
  check<fuzz::Chain>(file, how);
  check<std::map<std::string, fuzz::Choice>>(file, how);
  return 0;
}
