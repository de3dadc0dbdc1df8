#include "importers/skops/member_files.hpp"

#include <algorithm>
#include <memory>

#include <mere/error.hpp>

namespace mere::importers::skops {

namespace {

constexpr std::string_view kExtension = ".npy";

[[noreturn]] void fail_missing(std::string_view member) {
  throw Error(Reason::bad_record,
              "'" + std::string(member.substr(0, 200)) + "' is named by schema.json, but is no member of the archive");
}

MemberArray array_of(const container::HeldBytes& held, std::string_view member) {
  try {
    if (!container::is_npy(held.bytes)) throw Error(Reason::bad_record, "not an .npy file");
    MemberArray array;
    array.header = container::read_npy_header(held.bytes);
    array.data = held;
    array.data.bytes = held.bytes.subspan(array.header.data_offset, array.header.data_bytes);
    return array;
  } catch (const Error& error) {
    throw error.with_context("member '" + std::string(member) + "'");
  }
}

// Expands entries of any number of archives into one file, and tells the bytes of each when all are there.
class Expansion {
 public:
  Expansion(std::uint64_t most_bytes, std::uint64_t already) : most_bytes_(most_bytes), already_(already) {}

  void add(const container::HeldBytes& archive, const container::ZipEntry& entry) {
    const std::uint64_t used = already_ + expanded_.size();
    container::StreamOptions options;
    options.most_bytes = most_bytes_ - std::min(most_bytes_, used);
    const container::ZipContent content = container::expand_zip_entry(archive.bytes, entry, expanded_, options);
    contents_.push_back({archive, content, entry.raw_bytes});
  }

  std::uint64_t size() const { return expanded_.size(); }

  // In the order in which they were added.
  std::vector<container::HeldBytes> take() {
    const container::HeldBytes held = expanded_.map();
    std::vector<container::HeldBytes> all;
    for (const Content& content : contents_) {
      container::HeldBytes bytes = content.place.expanded ? held : content.archive;
      bytes.bytes = bytes.bytes.subspan(content.place.offset, content.raw_bytes);
      all.push_back(std::move(bytes));
    }
    return all;
  }

 private:
  struct Content {
    container::HeldBytes archive;
    container::ZipContent place;
    std::uint64_t raw_bytes;
  };
  const std::uint64_t most_bytes_, already_;
  container::ExpandedFile expanded_;
  std::vector<Content> contents_;
};

}  // namespace

MemberFiles::MemberFiles(const Source& source, std::span<const container::ZipEntry> entries,
                         const std::vector<std::string_view>& archives, const ImportOptions& options) {
  const container::HeldBytes whole{source.bytes, source.owner};
  Expansion outer(options.limits.expanded_bytes, 0);
  for (const container::ZipEntry& entry : entries) {
    outer.add(whole, entry);
    if (options.progress) options.progress({entry.offset + entry.stored_bytes, source.bytes.size()});
  }
  const std::uint64_t used = outer.size();
  const std::vector<container::HeldBytes> held = outer.take();
  for (std::size_t i = 0; i < entries.size(); ++i) members_.emplace(entries[i].name, held[i]);

  Expansion inner(options.limits.expanded_bytes, used);
  std::vector<std::pair<std::string, std::string>> places;  // archive, and member of it
  for (const std::string_view name : archives) {
    std::string archive(name);
    if (!archives_.try_emplace(archive).second) continue;
    const container::HeldBytes archive_bytes = bytes(name);
    try {
      for (const container::ZipEntry& entry : container::read_zip_directory(archive_bytes.bytes)) {
        if (!std::string_view(entry.name).ends_with(kExtension)) {
          throw Error(Reason::bad_record, "member '" + entry.name + "' is no .npy file");
        }
        inner.add(archive_bytes, entry);
        places.emplace_back(archive, entry.name.substr(0, entry.name.size() - kExtension.size()));
      }
    } catch (const Error& error) {
      throw error.with_context("member '" + archive + "'");
    }
  }
  const std::vector<container::HeldBytes> inner_held = inner.take();
  for (std::size_t i = 0; i < places.size(); ++i) {
    archives_[places[i].first].emplace_back(places[i].second, inner_held[i]);
  }
}

container::HeldBytes MemberFiles::bytes(std::string_view member) const {
  const auto found = members_.find(std::string(member));
  if (found == members_.end()) fail_missing(member);
  return found->second;
}

MemberArray MemberFiles::array(std::string_view member) const {
  return array_of(bytes(member), member);
}

std::vector<std::pair<std::string, MemberArray>> MemberFiles::archive(std::string_view member) const {
  const auto found = archives_.find(std::string(member));
  if (found == archives_.end()) fail_missing(member);
  std::vector<std::pair<std::string, MemberArray>> arrays;
  for (const auto& [name, held] : found->second) arrays.emplace_back(name, array_of(held, name));
  return arrays;
}

}  // namespace mere::importers::skops
