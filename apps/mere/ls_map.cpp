#include "ls_map.hpp"

#include <unistd.h>
#include <algorithm>
#include <vector>

#include "json_writer.hpp"
#include "printable_text.hpp"

namespace mere::command {

namespace {

// Segments of one kind and codec that follow each other, drawn as one.
struct Run {
  std::string what, codec;
  std::uint64_t count = 0;
  std::uint64_t offset = 0, end = 0;  // in the file
  std::uint64_t raw_bytes = 0;
};

// Which bytes of the file are in memory, by pages.
class Residency {
 public:
  explicit Residency(const Model& model)
      : pages_(model.resident_pages()),
        page_bytes_(static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE))),
        file_bytes_(model.info().file_bytes) {}

  std::uint64_t page_bytes() const { return page_bytes_; }

  // Resident bytes of [begin, end).
  std::uint64_t resident(std::uint64_t begin, std::uint64_t end) const {
    end = std::min(end, file_bytes_);
    std::uint64_t bytes = 0;
    for (std::uint64_t page = begin / page_bytes_; page < pages_.size() && page * page_bytes_ < end; ++page) {
      if (!pages_[page]) continue;
      bytes += std::min(end, (page + 1) * page_bytes_) - std::max(begin, page * page_bytes_);
    }
    return bytes;
  }

 private:
  std::vector<bool> pages_;
  std::uint64_t page_bytes_;
  std::uint64_t file_bytes_;
};

std::vector<SegmentInfo> all_segments(const Model& model) {
  std::vector<SegmentInfo> segments = model.segments();
  std::stable_sort(segments.begin(), segments.end(),
                   [](const SegmentInfo& a, const SegmentInfo& b) { return a.offset < b.offset; });
  return segments;
}

std::vector<Run> runs_of(const std::vector<SegmentInfo>& segments) {
  std::vector<Run> runs;
  for (const SegmentInfo& segment : segments) {
    const std::uint64_t end =
        (Size(segment.offset) + Size(segment.stored_bytes)).get("a segment's end", Reason::bad_segment);
    if (runs.empty() || runs.back().what != segment.what || runs.back().codec != segment.codec) {
      runs.push_back({segment.what, segment.codec, 0, segment.offset, segment.offset, 0});
    }
    Run& run = runs.back();
    ++run.count;
    run.end = std::max(run.end, end);
    run.raw_bytes += segment.raw_bytes;
  }
  return runs;
}

// The letter a kind of segment has in the drawing.
char letter(const std::string& what) {
  if (what == "segment") return 's';
  if (what == "arena") return 'a';
  return 'm';
}

// One character a part of the file: what lies there, in capitals if most of it is in memory.
std::string drawing(const std::vector<Run>& runs, const Residency& residency, std::uint64_t file_bytes,
                    std::size_t cells) {
  std::string line;
  std::size_t run = 0;
  for (std::size_t cell = 0; cell < cells; ++cell) {
    // Not file_bytes * cell / cells, which may wrap.
    const std::uint64_t step = std::max<std::uint64_t>(1, file_bytes / cells);
    const std::uint64_t begin = step * cell;
    if (begin >= file_bytes) break;
    const std::uint64_t end = cell + 1 == cells ? file_bytes : begin + step;
    while (run + 1 < runs.size() && runs[run].end <= begin) ++run;
    const bool covered = run < runs.size() && runs[run].offset < end && runs[run].end > begin;
    char c = covered ? letter(runs[run].what) : '.';
    if (residency.resident(begin, end) * 2 >= end - begin) c = c == '.' ? ':' : static_cast<char>(c - 'a' + 'A');
    line += c;
  }
  return line;
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.insert(0, width - text.size(), ' ');
  return text;
}

void print_json(const ListCommand& command, const Model& model, const std::vector<SegmentInfo>& segments,
                const Residency& residency, Output& out) {
  const std::uint64_t file_bytes = model.info().file_bytes;
  JsonWriter json(out);
  json.begin_object();
  json.member("file", command.file);
  json.member("file_bytes", file_bytes);
  json.member("page_bytes", residency.page_bytes());
  json.member("resident_bytes", residency.resident(0, file_bytes));
  json.key("segments");
  json.begin_array();
  for (const SegmentInfo& segment : segments) {
    const std::uint64_t end =
        (Size(segment.offset) + Size(segment.stored_bytes)).get("a segment's end", Reason::bad_segment);
    json.begin_object(JsonWriter::Layout::line);
    json.member("what", segment.what);
    json.member("offset", segment.offset);
    json.member("stored_bytes", segment.stored_bytes);
    json.member("raw_bytes", segment.raw_bytes);
    json.member("codec", segment.codec);
    json.member("resident_bytes", residency.resident(segment.offset, end));
    json.end();
  }
  json.end();
  json.end();
}

}  // namespace

void print_map(const ListCommand& command, const Model& model, Output& out) {
  const std::vector<SegmentInfo> segments = all_segments(model);
  const Residency residency(model);
  if (command.manners.json) return print_json(command, model, segments, residency, out);
  const std::uint64_t file_bytes = model.info().file_bytes;
  const bool colour = takes_colour(out.descriptor());
  const std::vector<Run> runs = runs_of(segments);
  const std::size_t width = is_terminal(out.descriptor()) ? terminal_width(out.descriptor()) : 80;
  const std::string map = drawing(runs, residency, file_bytes, std::min<std::size_t>(width - 2, 160) * 4);
  for (std::size_t at = 0; at < map.size(); at += width - 2) out.write(" " + map.substr(at, width - 2) + "\n");
  out.write("\n s segment, a arena, m manifest, . neither; capitals and : are in memory\n\n");
  out.write(
      styled(padded("offset", 16) + padded("bytes", 16) + padded("in memory", 12) + "  what", Style::bold, colour) +
      "\n");
  for (const Run& run : runs) {
    const std::uint64_t bytes = run.end - run.offset;
    const std::uint64_t resident = residency.resident(run.offset, run.end);
    const std::uint64_t percent =
        bytes == 0
            ? 100
            : static_cast<std::uint64_t>(100.0 * static_cast<double>(resident) / static_cast<double>(bytes) + 0.5);
    std::string what = run.count == 1 ? run.what : number_text(run.count) + " x " + run.what;
    if (!run.codec.empty() && run.codec != "none") what += ", " + run.codec + " of " + size_text(run.raw_bytes);
    out.write(padded(number_text(run.offset), 16) + padded(number_text(bytes), 16) +
              padded(std::to_string(percent) + " %", 12) + "  " + printable(what) + "\n");
  }
  if (!command.manners.quiet) {
    print_message(shown_name(command.file) + ": " + size_text(residency.resident(0, file_bytes)) + " of " +
                  size_text(file_bytes) + " in memory");
  }
}

}  // namespace mere::command
