// The words of export's options, the same in C++, on the command line and in Python.

#include <mere/export.hpp>

#include "container/stream_decoder.hpp"
#include "exporters/registry.hpp"

namespace mere {

namespace {

constexpr std::string_view kFormats[] = {"joblib", "pickle", "skops", "safetensors", "npz", "npy"};
constexpr std::string_view kCompressions[] = {"none", "zlib", "gzip", "lz4", "xz", "bz2"};

template <class Enum, std::size_t N>
std::optional<Enum> find_word(const std::string_view (&words)[N], std::string_view word) noexcept {
  for (std::size_t i = 0; i < N; ++i) {
    if (words[i] == word) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_text(ExportFormat value) noexcept {
  const auto number = static_cast<std::size_t>(value);
  return number < std::size(kFormats) ? kFormats[number] : "unknown";
}

std::string_view to_text(Compression value) noexcept {
  const auto number = static_cast<std::size_t>(value);
  return number < std::size(kCompressions) ? kCompressions[number] : "unknown";
}

std::optional<ExportFormat> find_export_format(std::string_view word) noexcept {
  return find_word<ExportFormat>(kFormats, word);
}

std::optional<Compression> find_compression(std::string_view word) noexcept {
  return find_word<Compression>(kCompressions, word);
}

bool has_compression(Compression compression) noexcept {
  switch (compression) {
    case Compression::xz: return container::has_codec(container::StreamCodec::xz);
    case Compression::bz2: return container::has_codec(container::StreamCodec::bz2);
    default: return true;
  }
}

std::optional<ExportFormat> find_export_format_of(const std::filesystem::path& path) noexcept {
  const std::string& name = path.native();
  for (const exporters::Exporter& exporter : exporters::exporters()) {
    for (const std::string_view extension : {exporter.extension, exporter.other_extension}) {
      if (!extension.empty() && name.size() > extension.size() &&
          std::string_view(name).substr(name.size() - extension.size()) == extension) {
        return exporter.format;
      }
    }
  }
  return std::nullopt;
}

}  // namespace mere
