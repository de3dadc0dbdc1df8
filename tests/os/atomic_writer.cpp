// A dump of the smallest kind, for tests that fail its system calls or kill it: copies IN to OUT as an AtomicFile,
// through as many pieces and the same steps as a real one. Exit codes as of the command.
//   atomic_writer IN OUT [--endless]     --endless: again and again

#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "os/descriptor.hpp"
#include "os/mapping.hpp"
#include "os/sink.hpp"

using namespace mere;

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const std::string in = argv[1], out = argv[2];
  const bool endless = argc > 3 && std::strcmp(argv[3], "--endless") == 0;
  try {
    os::guard_faults();
    do {
      const os::Descriptor source = os::open_regular(in);
      const os::Mapping map(source.get(), 0, os::stamp_of(source.get(), in).size, {}, in);
      os::AtomicFile file(out);
      file.expect(map.bytes().size());
      const auto middle = map.bytes().size() / 2;
      file.write(map.bytes().first(middle));
      const std::span<const std::byte> rest[] = {map.bytes().subspan(middle, middle / 2),
                                                 map.bytes().subspan(middle + middle / 2)};
      file.write_pieces(rest);
      file.commit(true);
    } while (endless);
  } catch (const Error& error) {
    std::fprintf(stderr, "atomic_writer: %s\n", error.what());
    return error.code() == Errc::not_found ? 3 : 6;
  }
  return 0;
}
