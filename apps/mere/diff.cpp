// mere diff: which arrays and parameters of two models differ.

#include "commands.hpp"

namespace mere::command {

int run(const DiffCommand&, Output&) { throw Error(Reason::not_supported, "diff is not in this build yet"); }

}  // namespace mere::command
