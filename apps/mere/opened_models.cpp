#include "opened_models.hpp"

#include <vector>

#include <mere/error.hpp>

namespace mere::command {

namespace {

std::vector<Model>& opened_models() {
  static std::vector<Model> models;
  return models;
}

}  // namespace

void remember_opened(const Model& model) {
  opened_models().push_back(model);
}

void check_opened_models() {
  for (const Model& model : opened_models()) check_faults(model);
}

void check_faults(const Model& model) {
  if (!model.faulted()) return;
  throw Error(Reason::fault,
              model.name() + ": a page of the file could not be read (it was cut short, or the device failed)");
}

}  // namespace mere::command
