#include "model/source_version.hpp"

namespace mere::model {

std::string source_version(const Model& model) {
  const std::optional<Node> metadata = model.metadata();
  if (!metadata || metadata->kind() != Kind::dict) return {};
  const std::optional<Node> versions = metadata->find("versions");
  if (!versions || versions->kind() != Kind::dict) return {};
  const std::optional<Node> version = versions->find("scikit-learn");
  return version && version->kind() == Kind::text ? std::string(version->text()) : std::string();
}

}  // namespace mere::model
