#pragma once
// Where the libraries of a model keep today what older releases had elsewhere: sklearn.tree.tree.DecisionTreeClassifier
// is sklearn.tree._classes.DecisionTreeClassifier. Graphs keep the names that their file has; whoever compares names
// asks here.

#include <string>
#include <string_view>
#include <vector>

namespace mere::container {

struct CanonicalName {
  std::string module, qualname;

  std::string full_name() const { return module.empty() ? qualname : module + "." + qualname; }
};

// The present name of the same thing; the name itself where nothing is known of it. Names stay what they are under a
// second call. Pure; safe from any thread.
CanonicalName canonical_name(std::string_view module, std::string_view qualname);

// The names that a present name had in releases before, as far as they are known; the order says nothing. Pure.
std::vector<CanonicalName> former_names(const CanonicalName& today);

}  // namespace mere::container
