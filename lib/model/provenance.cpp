#include "model/provenance.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "codec/sha256.hpp"
#include "graph/store.hpp"
#include "model/metadata.hpp"

namespace mere {

namespace {

// A finite number, all of `text`, written with a point in every locale.
std::optional<double> parse_real(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return {};
  return value;
}

}  // namespace

std::optional<CvScore> CvScore::parse(std::string_view text) {
  // From the end: numbers hold no colons.
  std::vector<std::string_view> parts;
  while (parts.size() < 3 && text.find(':') != text.npos) {
    const std::size_t colon = text.rfind(':');
    parts.insert(parts.begin(), text.substr(colon + 1));
    text = text.substr(0, colon);
  }
  const auto is_number = [](std::string_view part) { return parse_real(part).has_value(); };
  CvScore score;
  // METRIC:MEAN:STD has one number less than METRIC:MEAN:STD:N_SPLITS; "a:1:2" is a metric of its own in the latter.
  if (parts.size() == 3 && is_number(parts[0]) && is_number(parts[1])) {
    std::uint32_t splits = 0;
    const auto [end, error] = std::from_chars(parts[2].data(), parts[2].data() + parts[2].size(), splits);
    if (error != std::errc() || end != parts[2].data() + parts[2].size() || splits < 2) return std::nullopt;
    score.n_splits = splits;
    parts.pop_back();
  } else if (parts.size() == 3) {
    text = std::string_view(text.data(), text.size() + 1 + parts[0].size());
    parts.erase(parts.begin());
  }
  if (parts.size() != 2 || text.empty()) return std::nullopt;
  const auto mean = parse_real(parts[0]), std = parse_real(parts[1]);
  if (!mean || !std || *std < 0) return std::nullopt;
  score.metric = text;
  score.mean = *mean;
  score.std = *std;
  return score;
}

namespace model {

namespace {

std::string sha256_of(const container::HeldBytes& held) {
  constexpr std::uint64_t kPiece = std::uint64_t{1} << 20;
  codec::Sha256 sum;
  for (std::uint64_t at = 0; at < held.bytes.size(); at += kPiece) {
    const std::uint64_t length = std::min<std::uint64_t>(kPiece, held.bytes.size() - at);
    sum.update(held.bytes.subspan(at, length));
    if (held.mapping) held.mapping->release(at, at + length);
  }
  return codec::Sha256::to_hex(sum.finish());
}

class DictBuilder {
 public:
  explicit DictBuilder(Graph& graph) : graph_(graph) {}
  void add(std::string_view key, NodeId value) { entries_.emplace_back(graph_.text(key), value); }
  void add(std::string_view key, std::string_view value) { add(key, graph_.text(value)); }
  NodeId finish() { return graph_.dict(entries_); }

 private:
  Graph& graph_;
  std::vector<std::pair<NodeId, NodeId>> entries_;
};

}  // namespace

LateText::LateText(const Graph& graph, std::size_t length) {
  // A graph may hold any text, also this one: then the next number does.
  for (std::uint64_t number = 0;; ++number) {
    stand_in_ = "not known yet " + std::to_string(number);
    stand_in_.resize(length, '.');
    if (graph.store().heap.find(stand_in_) == std::string::npos) return;
  }
}

void LateText::settle(format::Columns& columns, const std::string& text) const {
  const std::size_t at = columns.heap.find(stand_in_, columns.ends[2].program);
  if (at == std::string::npos || text.size() != stand_in_.size()) {
    throw Error(Reason::bad_argument, "a text of the metadata that was to be filled in is not there");
  }
  columns.heap.replace(at, text.size(), text);
}

void add_source_metadata(Graph& graph, const importers::Imported& imported, const SourceFacts& facts) {
  DictBuilder source(graph);
  source.add("format", imported.format);
  source.add("codec", imported.codec);
  if (imported.protocol) source.add("protocol", graph.integer(*imported.protocol));
  source.add("bytes", graph.unsigned_integer(facts.bytes));
  if (!facts.sha256.empty()) source.add("sha256", facts.sha256);
  if (!imported.companions.empty()) {
    std::vector<NodeId> companions;
    for (const importers::Companion& companion : imported.companions) {
      DictBuilder file(graph);
      file.add("name", companion.name);
      file.add("bytes", graph.unsigned_integer(companion.held.bytes.size()));
      if (!facts.sha256.empty()) file.add("sha256", sha256_of(companion.held));
      companions.push_back(file.finish());
    }
    source.add("companions", graph.list(companions));
  }
  DictBuilder versions(graph);
  for (const auto& [library, version] : imported.versions) versions.add(library, version);
  const std::pair<std::string, NodeId> entries[] = {{"source", source.finish()}, {"versions", versions.finish()}};
  add_metadata(graph, entries);
}

bool has_given_metadata(const ConvertOptions& options) {
  return options.training_data || options.source_code || options.cv_score;
}

void add_given_metadata(Graph& graph, const ConvertOptions& options) {
  std::vector<std::pair<std::string, NodeId>> entries;
  if (options.training_data) entries.emplace_back("training_data", graph.text(*options.training_data));
  if (options.source_code) entries.emplace_back("source_code", graph.text(*options.source_code));
  if (options.cv_score) {
    const CvScore& given = *options.cv_score;
    if (given.metric.empty() || !std::isfinite(given.mean) || !std::isfinite(given.std) || given.std < 0 ||
        (given.n_splits && *given.n_splits < 2)) {
      throw Error(Reason::bad_argument,
                  "ConvertOptions::cv_score: a metric, a finite mean, a standard deviation of 0 or "
                  "more and at least 2 splits are expected");
    }
    DictBuilder score(graph);
    score.add("metric", options.cv_score->metric);
    score.add("mean", graph.real(options.cv_score->mean));
    score.add("std", graph.real(options.cv_score->std));
    if (options.cv_score->n_splits) score.add("n_splits", graph.unsigned_integer(*options.cv_score->n_splits));
    entries.emplace_back("cv_score", score.finish());
  }
  if (!entries.empty()) add_metadata(graph, entries);
}

}  // namespace model

}  // namespace mere
