#pragma once
// mere ls --map: the file from its first byte to its last, and what of it is in memory.

#include "commands.hpp"

namespace mere::command {

void print_map(const ListCommand& command, const Model& model, Output& out);

}  // namespace mere::command
