#include "container/companion_files.hpp"

#include <string_view>

namespace mere::container {

namespace {

// A name that a message may show: control bytes are escaped by Error, but it may be long.
std::string shown(const std::string& name) {
  constexpr std::size_t kMost = 200;
  return name.size() <= kMost ? "'" + name + "'" : "'" + name.substr(0, kMost) + "...'";
}

}  // namespace

const HeldBytes& CompanionFiles::open(const std::string& name) {
  const auto known = opened_.find(name);
  if (known != opened_.end()) return known->second.held;
  if (name.empty() || name == "." || name == ".." || name.find_first_of(std::string_view("/\\\0", 3)) != name.npos) {
    throw Error(Reason::bad_record, shown(name) + " is no plain name of a companion file");
  }
  if (directory_.empty()) {
    throw Error(Reason::no_file,
                "its companion file " + shown(name) + " is looked for beside it, but this file came without a folder");
  }
  const std::string path = (directory_ / name).string();
  const os::Descriptor file = os::open_beneath(directory_, name);
  Opened opened;
  opened.stamp = os::stamp_of(file.get(), path);
  os::MapOptions options;
  options.sequential = true;
  auto mapping = std::make_shared<const os::Mapping>(file.get(), 0, opened.stamp.size, options, path);
  opened.held = {mapping->bytes(), mapping, mapping};
  return opened_.emplace(name, std::move(opened)).first->second.held;
}

void CompanionFiles::check_unchanged() const {
  for (const auto& [name, opened] : opened_) {
    const std::string path = (directory_ / name).string();
    if (opened.held.faulted()) {
      throw Error(Reason::fault, path + ": a page could not be read: the file was cut, or the disk is bad");
    }
    const os::FileStamp now = os::stamp_of(os::open_beneath(directory_, name).get(), path);
    if (now.device != opened.stamp.device || now.inode != opened.stamp.inode || now.size != opened.stamp.size ||
        now.mtime_ns != opened.stamp.mtime_ns) {
      throw Error(Reason::file_changed, path + ": the companion file changed while it was read");
    }
  }
}

}  // namespace mere::container
