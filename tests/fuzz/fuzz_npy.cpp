// Any bytes as an .npy file: Error, or an array whose header is written and read again as the same.

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "container/npy.hpp"
#include "graph/encode.hpp"
#include "importers/npy/npy.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mere;
  const auto bytes = std::as_bytes(std::span(data, size));
  auto kept = std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.end());
  if (!importers::npy::matches_npy(*kept)) return 0;
  try {
    const importers::Imported imported = importers::npy::read_npy({*kept, kept, "", {}}, {});
    graph::encode(imported.graph);
    const container::NpyHeader header = container::read_npy_header(*kept);
    std::string again = container::npy_header(header.dtype, header.shape, header.fortran);
    if (header.data_bytes > (std::uint64_t{1} << 24)) return 0;
    again.append(header.data_bytes, '\0');
    const container::NpyHeader second = container::read_npy_header(std::as_bytes(std::span(again)));
    if (!(second.dtype == header.dtype) || second.shape != header.shape || second.fortran != header.fortran)
      std::abort();
  } catch (const Error&) {
  }
  return 0;
}
