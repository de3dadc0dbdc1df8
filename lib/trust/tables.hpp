#pragma once
// The shipped lists of names that a model may name: full names, never modules or prefixes. Made by
// scripts/make-trust-tables; docs/trust.md says what a name must be to stand there.

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace mere::trust {

struct ListedName {
  std::string_view module;
  std::string_view qualname;
  std::string_view versions{};  // of the library, in which it was seen: "1.1.3 to 1.9.1"
  // Its state becomes memory of compiled code, so that a validator must have seen it (validators.hpp).
  bool is_native = false;
};

struct Table {
  std::string_view library;           // "scikit-learn"
  std::span<const ListedName> names;  // in order of module, then name
};

std::span<const Table> tables();

// A listed name, and the table that has it.
struct Listed {
  const Table* table = nullptr;
  const ListedName* name = nullptr;
};
// Pure; safe from any thread.
std::optional<Listed> find_listed(std::string_view module, std::string_view qualname) noexcept;

// True if some table has exactly this name.
bool is_listed(std::string_view module, std::string_view qualname) noexcept;

}  // namespace mere::trust
