#pragma once
// States that become memory of compiled code, held against the validators of their types before an object is made of
// them: docs/trust.md, "States". For whoever rebuilds objects.

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mere/model.hpp>

namespace mere {

// Holds the model. Its work is bounded over all calls together. Not safe to share between threads.
class MERE_API StateValidator {
 public:
  explicit StateValidator(const Model& model);
  ~StateValidator();
  StateValidator(StateValidator&&) noexcept;
  StateValidator& operator=(StateValidator&&) noexcept;
  StateValidator(const StateValidator&) = delete;
  StateValidator& operator=(const StateValidator&) = delete;

  // Of one object, by its type; of what else it holds, only what the type's validator looks at. Any other node passes.
  // Throws Error: schema, bad_record, too_large, corrupt.
  void check(NodeId node);
  // Of every object of the file. Throws the same.
  void check_all();

 private:
  struct Work;
  std::unique_ptr<Work> work_;
};

// The types whose states say by which version of their library they were written, under the text key `key`
// ("_sklearn_version"): the node of the type's name and the version, each pair once. In one pass over the nodes.
MERE_API std::vector<std::pair<NodeId, std::string>> versions_in_states(const Model& model, std::string_view key);

// The module and name that a thing has in the releases of its library, the given one first, then today's, then older
// ones: where to look for it when another release is installed. Nothing is looked up here.
MERE_API std::vector<std::pair<std::string, std::string>> names_in_releases(std::string_view module,
                                                                            std::string_view qualname);
// Today's alone: the given one, unless the library has renamed it.
MERE_API std::pair<std::string, std::string> present_name(std::string_view module, std::string_view qualname);

}  // namespace mere
