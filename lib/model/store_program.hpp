#pragma once
// A model's program, written into its graph.

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include <mere/convert.hpp>

namespace mere::model {

struct StoredProgram {
  bool stored = false;
  std::string why_not;  // StoreProgram::automatic: lowering was tried and refused
};

// Adds the program of the graph's model as `mode` says; with `only` it takes the model's place. `version`: of the
// library, if the file says so beside the estimators. `release`: as graph::NodeReader's.
// `aliases`: classes that are lowered as another; with such a program is stored whatever the size of the model, since
// whoever opens the file has not their word. Throws Error: bad_argument (an alias of a class that has no rule),
// not_lowerable, schema, bad_record (`with` and `only`; automatic throws what is corrupt alone). `threads`: 0: as many
// as os::thread_count() says; the program does not depend on it.
StoredProgram store_program(Graph& graph, StoreProgram mode, std::string_view version,
                            std::function<void(std::span<const std::byte>)> release = {},
                            const std::map<std::string, std::string>& aliases = {}, unsigned threads = 1);

}  // namespace mere::model
