#include "importers/registry.hpp"

#include <algorithm>
#include <new>
#include <stdexcept>

#include "importers/joblib/joblib.hpp"
#include "importers/npy/npy.hpp"
#include "importers/pickle/pickle.hpp"
#include "importers/safetensors/safetensors.hpp"
#include "importers/skops/skops.hpp"

namespace mere::importers {

namespace {

// A length of safetensors may look like a magic number of others, whose bytes then look like no header.
constexpr Importer kImporters[] = {
    {"safetensors", safetensors::matches, safetensors::read},
    {"joblib", joblib::matches, joblib::read},
    {"pickle", pickle::matches, pickle::read},
    {"skops", skops::matches, skops::read},
    {"npy", npy::matches_npy, npy::read_npy},
    {"npz", npy::matches_npz, npy::read_npz},
};

// The first bytes, as hexadecimal digits.
std::string describe(std::span<const std::byte> bytes) {
  if (bytes.empty()) return "an empty file";
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "bytes ";
  for (const std::byte byte : bytes.first(std::min<std::size_t>(bytes.size(), 8))) {
    text += kDigits[static_cast<unsigned>(byte) >> 4];
    text += kDigits[static_cast<unsigned>(byte) & 15];
    text += ' ';
  }
  return text + "at the beginning";
}

}  // namespace

std::span<const Importer> importers() {
  return kImporters;
}

std::filesystem::path directory_of(const std::string& name) {
  const std::filesystem::path path(name);
  std::filesystem::path directory = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  if (directory == "/proc/self/fd" || directory == "/dev/fd") directory.clear();
  return directory;
}

const Importer* find_importer(std::span<const std::byte> bytes) {
  for (const Importer& importer : kImporters) {
    if (importer.matches(bytes)) return &importer;
  }
  return nullptr;
}

Imported import_source(const Source& source, const ImportOptions& options) {
  const Importer* importer = find_importer(source.bytes);
  try {
    if (importer == nullptr) {
      throw Error(Reason::unknown_format, "no reader knows a file with " + describe(source.bytes) +
                                              "; known are pickle, joblib, skops, safetensors, npy and npz");
    }
    return importer->read(source, options);
  } catch (const Error& error) {
    throw source.name.empty() ? error : error.with_context(source.name);
  } catch (const std::bad_alloc&) {
    throw Error::out_of_memory();
  } catch (const std::length_error&) {
    throw Error::out_of_memory();
  }
}

}  // namespace mere::importers
