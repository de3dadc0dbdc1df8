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
constexpr ListedName kScikitLearn[] = {
#include "trust/tables/scikit_learn.inc"
};

constexpr Table kTables[] = {
    {"Python", kPython}, {"joblib", kJoblib}, {"numpy", kNumpy}, {"scipy", kScipy}, {"scikit-learn", kScikitLearn},
};

constexpr bool before(const ListedName& a, const ListedName& b) {
  return a.module != b.module ? a.module < b.module : a.qualname < b.qualname;
}

}  // namespace

std::span<const Table> tables() {
  return kTables;
}

bool is_listed(std::string_view module, std::string_view qualname) noexcept {
  return std::any_of(std::begin(kTables), std::end(kTables), [&](const Table& table) {
    return std::binary_search(table.names.begin(), table.names.end(), ListedName{module, qualname}, before);
  });
}

}  // namespace mere::trust
