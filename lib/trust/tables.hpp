#pragma once
// The shipped lists of names that a model may name: full names, never modules or prefixes. Made by
// scripts/make-trust-tables; docs/trust.md says what a name must be to stand there.

#include <cstddef>
#include <span>
#include <string_view>

namespace mere::trust {

struct ListedName {
  std::string_view module;
  std::string_view qualname;
};

struct Table {
  std::string_view library;           // "scikit-learn"
  std::span<const ListedName> names;  // in order of module, then name
};

std::span<const Table> tables();

// True if some table has exactly this name. Pure; safe from any thread.
bool is_listed(std::string_view module, std::string_view qualname) noexcept;

}  // namespace mere::trust
