// CSV as RFC 4180 has it: commas, a header line, quoted cells with doubled quotes, lines that end in LF or CRLF.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "matrix_file.hpp"
#include "printable_text.hpp"

namespace mere::command {

namespace {

class CsvReader {
 public:
  CsvReader(std::string_view text, std::string_view name) : text_(text), name_(name) {
    if (text_.starts_with("\xef\xbb\xbf")) text_.remove_prefix(3);
  }

  // The cells of the next line; false at the end. Empty lines are passed over.
  bool next(std::vector<std::string>& cells) {
    while (at_ < text_.size() && (text_[at_] == '\n' || text_[at_] == '\r')) {
      line_ += text_[at_] == '\n';
      ++at_;
    }
    cells.clear();
    if (at_ >= text_.size()) return false;
    ++line_;
    for (;;) {
      cells.push_back(cell());
      if (at_ >= text_.size()) return true;
      const char c = text_[at_++];
      if (c == ',') continue;
      if (c == '\r' && at_ < text_.size() && text_[at_] == '\n') ++at_;
      return true;
    }
  }
  std::size_t line() const { return line_; }

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(Reason::bad_record, std::string(name_) + ", line " + std::to_string(line_) + ": " + what);
  }

 private:
  std::string cell() {
    std::string out;
    if (at_ < text_.size() && text_[at_] == '"') {
      for (++at_;; ++at_) {
        if (at_ >= text_.size()) fail("a quoted cell does not end");
        if (text_[at_] == '"') {
          if (at_ + 1 >= text_.size() || text_[at_ + 1] != '"') break;
          ++at_;
        }
        if (text_[at_] == '\n') ++line_;
        out += text_[at_];
      }
      ++at_;
      if (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '\n' && text_[at_] != '\r') {
        fail("text follows a quoted cell");
      }
      return out;
    }
    const std::size_t end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
    out = text_.substr(at_, end - at_);
    at_ = end;
    return out;
  }

  std::string_view text_, name_;
  std::size_t at_ = 0, line_ = 0;
};

// Which cell of a line each column is in.
std::vector<std::size_t> places(const CsvReader& reader, const std::vector<std::string>& header,
                                const std::vector<std::string>& names, std::size_t columns) {
  std::vector<std::size_t> out;
  if (names.empty()) {
    if (header.size() != columns) {
      reader.fail(std::to_string(header.size()) + " columns; the model expects " + std::to_string(columns) +
                  ", and has no names to find them by");
    }
    for (std::size_t i = 0; i < columns; ++i) out.push_back(i);
    return out;
  }
  for (const std::string& name : names) {
    const auto found = std::find(header.begin(), header.end(), name);
    if (found == header.end()) throw Error(Reason::no_path, "the header has no column '" + printable(name, 80) + "'");
    if (std::find(found + 1, header.end(), name) != header.end()) {
      reader.fail("two columns are called '" + printable(name, 80) + "'");
    }
    out.push_back(static_cast<std::size_t>(found - header.begin()));
  }
  return out;
}

}  // namespace

std::optional<double> parse_number(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  if (text.empty()) return std::numeric_limits<double>::quiet_NaN();
  if (text.front() == '+') text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    // from_chars says no more than that: too large is an infinity, too small a zero or a denormal number.
    return std::strtod(std::string(text).c_str(), nullptr);
  }
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

std::vector<double> parse_csv(std::string_view text, std::string_view name, const std::vector<std::string>& names,
                              std::size_t columns) {
  CsvReader reader(text, name);
  std::vector<std::string> cells;
  if (!reader.next(cells)) throw Error(Reason::bad_record, std::string(name) + ": no header line");
  const std::size_t width = cells.size();
  const std::vector<std::size_t> place = places(reader, cells, names, columns);
  std::vector<double> values;
  while (reader.next(cells)) {
    if (cells.size() != width) {
      reader.fail(std::to_string(cells.size()) + " cells, where the header has " + std::to_string(width));
    }
    for (std::size_t i = 0; i < place.size(); ++i) {
      const std::optional<double> value = parse_number(cells[place[i]]);
      if (!value) reader.fail("'" + printable(cells[place[i]], 80) + "' is no number");
      values.push_back(*value);
    }
  }
  return values;
}

void parse_csv_table(std::string_view text, std::string_view name, const std::vector<InputColumn>& columns,
                     LoadedRows& to) {
  CsvReader reader(text, name);
  std::vector<std::string> cells;
  if (!reader.next(cells)) throw Error(Reason::bad_record, std::string(name) + ": no header line");
  const std::size_t width = cells.size();
  const bool by_name = !columns.empty() && !columns[0].name.empty();
  // What is not in the header is left out: the model says whether it needs it.
  std::vector<std::pair<std::size_t, const InputColumn*>> found;
  if (!by_name) {
    const std::vector<std::size_t> place = places(reader, cells, {}, columns.size());
    for (std::size_t i = 0; i < columns.size(); ++i) found.emplace_back(place[i], &columns[i]);
  }
  for (const InputColumn& column : columns) {
    if (!by_name || std::find(cells.begin(), cells.end(), column.name) == cells.end()) continue;
    found.emplace_back(places(reader, cells, {column.name}, 1)[0], &column);
  }
  to.numbers.resize(found.size());
  to.texts.resize(found.size());
  std::size_t rows = 0;
  std::vector<std::vector<bool>> empty(found.size());
  for (; reader.next(cells); ++rows) {
    if (cells.size() != width) {
      reader.fail(std::to_string(cells.size()) + " cells, where the header has " + std::to_string(width));
    }
    for (std::size_t i = 0; i < found.size(); ++i) {
      std::string& cell = cells[found[i].first];
      if (found[i].second->text) {
        empty[i].push_back(cell.empty());
        to.texts[i].push_back(std::move(cell));
        continue;
      }
      const std::optional<double> value = parse_number(cell);
      if (!value) reader.fail("'" + printable(cell, 80) + "' is no number");
      to.numbers[i].push_back(*value);
    }
  }
  for (const auto& [place, column] : found) to.names.push_back(column->name);
  for (std::size_t i = 0; i < found.size(); ++i) {
    std::vector<std::string_view>& views = to.views.emplace_back(to.texts[i].begin(), to.texts[i].end());
    for (std::size_t r = 0; r < views.size(); ++r) {
      if (empty[i][r]) views[r] = {};
    }
    to.columns.push_back(found[i].second->text ? Column::strings(to.names[i], std::span<const std::string_view>(views))
                                               : Column::numbers(to.names[i], std::span<const double>(to.numbers[i])));
  }
  TableView table(to.columns);
  table.rows = rows;
  to.view = table;
}

std::vector<std::string> parse_csv_column(std::string_view text, std::string_view name, std::string_view column) {
  CsvReader reader(text, name);
  std::vector<std::string> cells, out;
  if (!reader.next(cells)) throw Error(Reason::bad_record, std::string(name) + ": no header line");
  const std::size_t width = cells.size();
  const std::size_t place = width == 1 ? 0 : places(reader, cells, {std::string(column)}, 1)[0];
  while (reader.next(cells)) {
    if (cells.size() != width) {
      reader.fail(std::to_string(cells.size()) + " cells, where the header has " + std::to_string(width));
    }
    out.push_back(std::move(cells[place]));
  }
  return out;
}

}  // namespace mere::command
