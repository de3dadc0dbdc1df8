#include "importers/pickle/pickle.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "importers/joblib/companions.hpp"
#include "importers/pickle/graph_builder.hpp"
#include "importers/pickle/machine.hpp"
#include "importers/pickle/opcodes.hpp"

namespace mere::importers::pickle {

bool matches(std::span<const std::byte> bytes) {
  if (bytes.size() < 2) return false;
  // PROTO with a small number: protocols from 2 on, also those that do not exist yet.
  if (bytes[0] == std::byte{static_cast<std::uint8_t>(Op::proto)}) return bytes[1] < std::byte{32};
  // Protocols 0 and 1 have no magic: an opcode that can begin one, and STOP at the end.
  constexpr std::string_view kFirst = "(]}cNIJKMLFGSTUVX)";
  return kFirst.find(static_cast<char>(bytes[0])) != std::string_view::npos && bytes.back() == std::byte{'.'};
}

Imported read(const Source& source, const ImportOptions& options) {
  Budget budget;
  Values values(budget);
  joblib::Companions companions(source.directory, {.most_bytes = options.limits.expanded_bytes,
                                                   .most_ratio = options.limits.expand_ratio,
                                                   .decoder_bytes = options.limits.decoder_bytes,
                                                   .progress = {}});
  values.set_companions(&companions);
  Machine machine(source.bytes, 0, values, false);
  const Outcome outcome = machine.run();
  if (outcome.end != source.bytes.size()) {
    throw Error(Reason::trailing_bytes, "byte " + std::to_string(outcome.end) + ": " +
                                            std::to_string(source.bytes.size() - outcome.end) +
                                            " bytes follow the end of the pickle");
  }
  Imported result;
  for (const Global& global : values.globals()) result.names.push_back(global.name);
  // Names are judged before anything else about the pickle, so that a hostile one is called so.
  if (options.admit) options.admit(result.names);
  if (outcome.dropped_call) {
    throw Error(Reason::bad_record,
                "byte " + std::to_string(*outcome.dropped_call) +
                    " of the pickle: a call whose result is dropped, so that the graph could not say what it did");
  }
  std::shared_ptr<const void> owner = source.owner;
  if (!companions.owners().empty()) {
    auto owners = std::make_shared<std::vector<std::shared_ptr<const void>>>(companions.owners());
    owners->push_back(source.owner);
    owner = std::move(owners);
    for (const auto& [name, opened] : companions.files().opened()) {
      result.companions.push_back({name, opened.held});
    }
    result.check_unchanged = [files = companions.files()] { files.check_unchanged(); };
  }
  result.graph = build_graph(values, outcome.root, std::move(owner));
  result.format = outcome.has_joblib_arrays ? "joblib" : "pickle";
  result.protocol = outcome.protocol;
  return result;
}

}  // namespace mere::importers::pickle
