#include "importers/pickle/pickle.hpp"

#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "container/pickle_opcodes.hpp"
#include "importers/joblib/companions.hpp"
#include "importers/pickle/graph_builder.hpp"
#include "importers/pickle/machine.hpp"
#include "importers/pickle/opaque_parts.hpp"

namespace mere::importers::pickle {

bool matches(std::span<const std::byte> bytes) {
  if (bytes.size() < 2) return false;
  // PROTO with a small number: protocols from 2 on, also those that do not exist yet.
  if (bytes[0] == std::byte{static_cast<std::uint8_t>(Op::proto)}) return bytes[1] < std::byte{32};
  // Protocols 0 and 1 have no magic: an opcode that can begin one, and STOP at the end.
  constexpr std::string_view kFirst = "(]}cNIJKMLFGSTUVX)";
  return kFirst.find(static_cast<char>(bytes[0])) != std::string_view::npos && bytes.back() == std::byte{'.'};
}

namespace {

// Room for functions and classes by value, all together: what they share with the rest of the file is written again.
std::uint64_t most_opaque_bytes(std::uint64_t file_bytes) {
  constexpr std::uint64_t kLeast = std::uint64_t{64} << 20;
  return kLeast + file_bytes / 2 * 3;
}

// The names of the file but those that a shape of their own uses up: builtins.getattr where it spells a method.
// With `builder`, names that only opaque parts use are not among them; "cloudpickle" stands for all of those.
std::vector<container::ForeignName> names_of(const Values& values, const GraphBuilder* builder) {
  std::vector<bool> inside;
  if (builder != nullptr && !builder->opaque_parts().empty()) inside = names_inside(values, builder->opaque_parts());
  std::vector<container::ForeignName> names;
  for (std::size_t i = 0; i < values.globals().size(); ++i) {
    const Global& global = values.globals()[i];
    if (global.used_up > 0 && global.used_up == global.pushes) continue;
    if (!inside.empty() && inside[global.id] && !builder->is_reached(global.id)) continue;
    names.push_back(global.name);
  }
  if (!inside.empty()) {
    const std::span<const ValueId> parts = builder->opaque_parts();
    names.push_back({"", "cloudpickle", values.call_of(parts.front()).offset, parts.size()});
  }
  return names;
}

}  // namespace

Imported read(const Source& source, const ImportOptions& options) {
  return read_within(source, options, {});
}

Imported read_within(const Source& source, const ImportOptions& options, const Surroundings& surroundings) {
  return read_values(source, options, [&](Values& values) {
    Machine machine(source.bytes, 0, values, false, &surroundings);
    const Outcome outcome = machine.run();
    if (outcome.end != source.bytes.size()) {
      throw Error(Reason::trailing_bytes, "byte " + std::to_string(outcome.end) + ": " +
                                              std::to_string(source.bytes.size() - outcome.end) +
                                              " bytes follow the end of the pickle");
    }
    return outcome;
  });
}

Imported read_values(const Source& source, const ImportOptions& options, const std::function<Outcome(Values&)>& run) {
  Budget budget;
  Values values(budget);
  values.expect(source.bytes.size());
  joblib::Companions companions(source.directory, {.most_bytes = options.limits.expanded_bytes,
                                                   .most_ratio = options.limits.expand_ratio,
                                                   .decoder_bytes = options.limits.decoder_bytes,
                                                   .progress = {}});
  values.set_companions(&companions);
  if (source.release) {
    // What stands between large arrays is little, but each look at it maps pages of the arrays around it too.
    values.set_passed([&source, done = std::uint64_t{0}](std::uint64_t position) mutable {
      constexpr std::uint64_t kStep = std::uint64_t{8} << 20;
      if (position < done + kStep) return;
      source.release(done, position);
      done = position;
    });
  }
  const Outcome outcome = run(values);
  Imported result;
  // Arrays lie in the stream, in texts that had to be decoded, or in companions.
  std::vector<std::shared_ptr<const void>> owners = companions.owners();
  if (values.owned()) owners.push_back(values.owned());
  std::shared_ptr<const void> owner = source.owner;
  if (!owners.empty()) {
    owners.push_back(source.owner);
    owner = std::make_shared<const std::vector<std::shared_ptr<const void>>>(std::move(owners));
  }
  if (!companions.owners().empty()) {
    for (const auto& [name, opened] : companions.files().opened()) {
      result.companions.push_back({name, opened.held});
    }
    result.release = [opened = companions.held()](std::span<const std::byte> bytes) {
      // By address: the last that begins at or before these bytes.
      const auto after = opened.upper_bound(bytes.data());
      if (after != opened.begin()) std::prev(after)->second.release(bytes);
    };
    result.check_unchanged = [files = companions.files()] { files.check_unchanged(); };
  }
  GraphBuilder builder(values, std::move(owner), most_opaque_bytes(source.bytes.size()));
  // Names are judged before anything else about the pickle, so that a hostile one is called so.
  try {
    builder.find_parts(outcome.root);
  } catch (const Error&) {
    if (options.admit) options.admit(names_of(values, nullptr));
    throw;
  }
  result.names = names_of(values, &builder);
  if (options.admit) options.admit(result.names);
  if (outcome.dropped_call) {
    throw Error(Reason::bad_record,
                "byte " + std::to_string(*outcome.dropped_call) +
                    " of the pickle: a call whose result is dropped, so that the graph could not say what it did");
  }
  result.graph = builder.build();
  result.format = outcome.has_joblib_arrays ? "joblib" : "pickle";
  result.protocol = outcome.protocol;
  return result;
}

}  // namespace mere::importers::pickle
