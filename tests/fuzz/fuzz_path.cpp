// Any bytes as a path: its steps are read or refused. And as a key: the step that is written for it leads back to it.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "format/text_form.hpp"
#include "graph/path.hpp"

namespace {

using mere::graph::PathReader;
using mere::graph::PathStep;

void read_steps(std::string_view path) {
  try {
    PathReader reader(path);
    reader.take_root();
    PathStep step;
    std::size_t before = reader.taken().size();
    while (reader.take_step(step)) {
      // Every step takes some of the path.
      if (reader.taken().size() <= before) std::abort();
      before = reader.taken().size();
    }
    if (before != path.size()) std::abort();
  } catch (const mere::Error& error) {
    if (error.reason() != mere::Reason::bad_argument) std::abort();
  }
}

void find_key(std::string_view key) {
  if (!mere::graph::has_name(key)) return;
  std::string path;
  mere::graph::append_name(key, path);
  PathReader reader(path);
  PathStep step;
  if (!reader.take_root().empty() || !reader.take_step(step)) std::abort();
  if (step.how != PathStep::How::name || step.name != key) std::abort();
  if (reader.take_step(step)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  mere::format::text_form(text);
  read_steps(text);
  find_key(text);
  return 0;
}
