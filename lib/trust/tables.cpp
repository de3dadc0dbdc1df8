#include "trust/tables.hpp"

#include <algorithm>
#include <utility>

namespace mere::trust {

namespace {

constexpr ListedName kPython[] = {
#include "trust/tables/python.inc"
};
constexpr ListedName kJoblib[] = {
#include "trust/tables/joblib.inc"
};
constexpr ListedName kNumpy[] = {
#include "trust/tables/numpy.inc"
};
constexpr ListedName kScipy[] = {
#include "trust/tables/scipy.inc"
};
constexpr ListedName kPandas[] = {
#include "trust/tables/pandas.inc"
};
constexpr ListedName kScikitLearn[] = {
#include "trust/tables/scikit_learn.inc"
};

constexpr Table kTables[] = {
    {"Python", kPython}, {"joblib", kJoblib}, {"numpy", kNumpy},
    {"scipy", kScipy},   {"pandas", kPandas}, {"scikit-learn", kScikitLearn},
};

constexpr bool before(const ListedName& a, const ListedName& b) {
  return a.module != b.module ? a.module < b.module : a.qualname < b.qualname;
}

}  // namespace

std::span<const Table> tables() {
  return kTables;
}

std::optional<Listed> find_listed(std::string_view module, std::string_view qualname) noexcept {
  for (const Table& table : kTables) {
    const auto found = std::lower_bound(table.names.begin(), table.names.end(), ListedName{module, qualname}, before);
    if (found != table.names.end() && found->module == module && found->qualname == qualname) {
      return Listed{&table, &*found};
    }
  }
  return std::nullopt;
}

bool is_listed(std::string_view module, std::string_view qualname) noexcept {
  return find_listed(module, qualname).has_value();
}

}  // namespace mere::trust
