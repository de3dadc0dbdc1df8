#pragma once
// What Python 2 called the names of Python 3.

#include <string_view>
#include <utility>

namespace mere::importers::pickle {

// Protocols 0 to 2 write names as Python 2 had them: their names in Python 3, as CPython maps them
// (Lib/_compat_pickle.py).
std::pair<std::string_view, std::string_view> python3_name(std::string_view module, std::string_view qualname);

}  // namespace mere::importers::pickle
