#pragma once
// A type or function that a foreign file names: what readers collect and trust decides about. Data, never looked up.

#include <cstdint>
#include <string>

namespace mere::container {

struct ForeignName {
  std::string module;        // "sklearn.tree._tree"
  std::string qualname;      // "Tree"; with a dot it is a walk over attributes
  std::uint64_t offset = 0;  // of the first use, in the bytes of the stream that holds it (expanded, if compressed)
  std::uint64_t uses = 0;    // how often the stream names it

  std::string full_name() const { return module.empty() ? qualname : module + "." + qualname; }
};

}  // namespace mere::container
