#pragma once
// The models that a command reads, so that nothing leaves it that may be the zeros of a page that could not be read.

#include <mere/model.hpp>

namespace mere::command {

// From now on check_opened_models() asks this one too; it stays open as long as the process lives.
void remember_opened(const Model& model);

// Asked by every Output before it writes and by main when a command failed. Throws Error: fault.
void check_opened_models();

// Throws Error(fault) if a page of `model` could not be read.
void check_faults(const Model& model);

}  // namespace mere::command
