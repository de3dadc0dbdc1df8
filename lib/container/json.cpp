#include "container/json.hpp"

#include <algorithm>
#include <bit>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include <mere/error.hpp>

#include "container/lone_surrogates.hpp"
#include "format/text_form.hpp"

namespace mere::container {

namespace {

constexpr std::uint64_t kFreeValues = 1'000'000;
constexpr std::uint64_t kBytesPerValue = 8;
constexpr std::size_t kPoolBytes = std::size_t{64} << 10;
constexpr std::size_t kShownText = 60;  // of a text, in messages

[[noreturn]] void fail(Reason reason, const std::string& what) {
  throw Error(reason, "JSON: " + what);
}

// Where the parser is: its copies of the iterator share it, so that every event knows its place.
struct Position {
  const char* at = nullptr;
};
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  explicit CountingIterator(Position& position) : position_(&position) {}
  reference operator*() const { return *position_->at; }
  CountingIterator& operator++() {
    ++position_->at;
    return *this;
  }
  friend bool operator==(const CountingIterator& a, const CountingIterator& b) {
    return a.position_->at == b.position_->at;
  }
  friend bool operator!=(const CountingIterator& a, const CountingIterator& b) { return !(a == b); }

 private:
  Position* position_;
};

}  // namespace

std::string_view to_text(JsonKind kind) noexcept {
  constexpr std::string_view kWords[] = {"null", "bool", "int", "large int", "float", "text", "list", "object"};
  return kWords[static_cast<std::size_t>(kind)];
}

// Takes the events of nlohmann's parser, which itself keeps one bit for each open bracket.
class JsonBuilder {
 public:
  using number_integer_t = nlohmann::json::number_integer_t;
  using number_unsigned_t = nlohmann::json::number_unsigned_t;
  using number_float_t = nlohmann::json::number_float_t;
  using string_t = nlohmann::json::string_t;
  using binary_t = nlohmann::json::binary_t;

  JsonBuilder(Json& json, std::uint64_t most_values, std::uint32_t most_depth, const char* begin,
              const Position& position, const std::optional<LoneSurrogates>& surrogates)
      : json_(json),
        most_values_(most_values),
        most_depth_(most_depth),
        begin_(begin),
        position_(position),
        surrogates_(surrogates) {
    intern({});
  }

  bool null() {
    add(JsonKind::null, 0);
    return true;
  }
  bool boolean(bool value) {
    add(JsonKind::boolean, value ? 1 : 0);
    return true;
  }
  bool number_integer(number_integer_t value) {
    add(JsonKind::integer, static_cast<std::uint64_t>(value));
    return true;
  }
  bool number_unsigned(number_unsigned_t value) {
    if (value <= static_cast<number_unsigned_t>(INT64_MAX)) {
      add(JsonKind::integer, value);
    } else {
      add(JsonKind::big_integer, intern(std::to_string(value)));
    }
    return true;
  }
  bool number_float(number_float_t value, const string_t& token) {
    // Integers beyond 64 bits come as floats too; their token says that they are none.
    if (token.find_first_of(".eE") == string_t::npos) {
      add(JsonKind::big_integer, intern(token));
    } else {
      add(JsonKind::real, std::bit_cast<std::uint64_t>(value));
    }
    return true;
  }
  bool string(string_t& value) {
    if (surrogates_) surrogates_->restore(value);
    add(JsonKind::text, intern(value));
    return true;
  }
  bool binary(binary_t&) { return false; }  // JSON has none

  bool start_object(std::size_t) { return open(JsonKind::object); }
  bool start_array(std::size_t) { return open(JsonKind::list); }
  bool end_array() { return close(); }
  bool end_object() {
    check_keys(open_.back());
    return close();
  }
  bool key(string_t& value) {
    if (surrogates_) surrogates_->restore(value);
    next_key_ = intern(value);
    return true;
  }

  bool parse_error(std::size_t position, const std::string& last_token, const nlohmann::detail::exception& error) {
    // 406 is a number that no double holds.
    fail(Reason::bad_record, "byte " + std::to_string(position) + ": " +
                                 (error.id == 406 ? "a number out of range" : "unexpected") + ", last read '" +
                                 last_token.substr(0, kShownText) + "'");
  }

 private:
  void add(JsonKind kind, std::uint64_t bits) {
    if (json_.values_.size() >= most_values_) {
      fail(Reason::too_large, "more than " + std::to_string(most_values_) + " values in a text of this size");
    }
    if (!open_.empty()) ++json_.values_[open_.back()].bits;
    const auto id = static_cast<JsonId>(json_.values_.size());
    const bool bracket = kind == JsonKind::list || kind == JsonKind::object;
    const auto read = static_cast<std::uint32_t>(position_.at - begin_);
    json_.values_.push_back({bits, id + 1, next_key_, bracket ? read - 1 : read, kind});
    next_key_ = 0;
  }

  bool open(JsonKind kind) {
    if (open_.size() >= most_depth_) {
      fail(Reason::too_deep, "more than " + std::to_string(most_depth_) + " lists and objects inside each other");
    }
    add(kind, 0);
    open_.push_back(static_cast<JsonId>(json_.values_.size() - 1));
    return true;
  }

  bool close() {
    json_.values_[open_.back()].end = static_cast<JsonId>(json_.values_.size());
    open_.pop_back();
    return true;
  }

  // Equal texts have one number.
  std::uint32_t intern(std::string_view text) {
    const auto found = numbers_.find(text);
    if (found != numbers_.end()) return found->second;
    if (json_.pools_.empty() || json_.pools_.back().capacity() - json_.pools_.back().size() < text.size()) {
      json_.pools_.emplace_back().reserve(std::max(text.size(), kPoolBytes));
    }
    std::vector<char>& pool = json_.pools_.back();
    const std::size_t begin = pool.size();
    pool.insert(pool.end(), text.begin(), text.end());
    const auto number = static_cast<std::uint32_t>(json_.texts_.size());
    json_.texts_.emplace_back(pool.data() + begin, text.size());
    numbers_.emplace(json_.texts_.back(), number);
    return number;
  }

  void check_keys(JsonId object) {
    const auto end = static_cast<JsonId>(json_.values_.size());
    keys_.clear();
    for (JsonId member = object + 1; member < end; member = json_.values_[member].end) {
      keys_.push_back(json_.values_[member].key);
    }
    std::sort(keys_.begin(), keys_.end());
    const auto twice = std::adjacent_find(keys_.begin(), keys_.end());
    if (twice == keys_.end()) return;
    fail(Reason::duplicate_key,
         "key '" + std::string(json_.texts_[*twice].substr(0, kShownText)) + "' twice in one object");
  }

  Json& json_;
  const std::uint64_t most_values_;
  const std::uint32_t most_depth_;
  const char* const begin_;
  const Position& position_;
  const std::optional<LoneSurrogates>& surrogates_;
  std::vector<JsonId> open_;
  std::vector<std::uint32_t> keys_;
  std::unordered_map<std::string_view, std::uint32_t> numbers_;
  std::uint32_t next_key_ = 0;
};

Json Json::parse(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.most_bytes) {
    fail(Reason::too_large, std::to_string(text.size()) + " bytes, at most " + std::to_string(limits.most_bytes));
  }
  if (format::text_form(text) != format::TextForm::utf8) fail(Reason::bad_text, "the text is not UTF-8");
  // The parser takes a NUL for the end of the text, and skips a byte order mark.
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    fail(Reason::bad_record, "byte " + std::to_string(nul) + ": a NUL");
  }
  if (text.starts_with("\xef\xbb\xbf")) fail(Reason::bad_record, "a byte order mark");
  Json json;
  const std::optional<LoneSurrogates> surrogates = limits.lone_surrogates ? LoneSurrogates::find(text) : std::nullopt;
  if (surrogates) text = surrogates->text();
  Position position{text.data()}, end{text.data() + text.size()};
  JsonBuilder builder(json, kFreeValues + text.size() / kBytesPerValue, limits.most_depth, text.data(), position,
                      surrogates);
  nlohmann::json::sax_parse(CountingIterator(position), CountingIterator(end), &builder);
  return json;
}

void Json::refuse(JsonId id, JsonKind wanted) const {
  fail(Reason::bad_record, path(id) + " is " + std::string(container::to_text(kind(id))) + ", expected " +
                               std::string(container::to_text(wanted)));
}

const Json::Value& Json::expect(JsonId id, JsonKind wanted) const {
  if (values_[id].kind != wanted) refuse(id, wanted);
  return values_[id];
}

bool Json::boolean(JsonId id) const {
  return expect(id, JsonKind::boolean).bits != 0;
}

std::int64_t Json::integer(JsonId id) const {
  return static_cast<std::int64_t>(expect(id, JsonKind::integer).bits);
}

double Json::real(JsonId id) const {
  return std::bit_cast<double>(expect(id, JsonKind::real).bits);
}

std::string_view Json::text(JsonId id) const {
  return texts_[expect(id, JsonKind::text).bits];
}

std::string_view Json::digits(JsonId id) const {
  return texts_[expect(id, JsonKind::big_integer).bits];
}

std::uint32_t Json::member_count(JsonId id) const {
  const Value& value = values_[id];
  if (value.kind != JsonKind::list && value.kind != JsonKind::object) refuse(id, JsonKind::list);
  return static_cast<std::uint32_t>(value.bits);
}

std::optional<JsonId> Json::find(JsonId object, std::string_view key) const {
  if (values_[object].kind != JsonKind::object) return std::nullopt;
  for (JsonId member = first_of(object); member < end_of(object); member = end_of(member)) {
    if (this->key(member) == key) return member;
  }
  return std::nullopt;
}

JsonId Json::get(JsonId object, std::string_view key) const {
  expect(object, JsonKind::object);
  if (const auto found = find(object, key)) return *found;
  fail(Reason::bad_record, path(object) + " lacks '" + std::string(key) + "'");
}

std::string Json::path(JsonId id) const {
  if (id == kRoot) return "the outermost value";
  std::string path;
  for (JsonId at = kRoot; at != id;) {
    const bool in_list = kind(at) == JsonKind::list;
    std::uint64_t index = 0;
    JsonId member = first_of(at);
    for (; end_of(member) <= id; member = end_of(member)) ++index;
    if (in_list) {
      path += '[' + std::to_string(index) + ']';
    } else {
      path += (path.empty() ? "" : ".") + std::string(key(member).substr(0, kShownText));
    }
    at = member;
  }
  return path;
}

std::string json_quoted(std::string_view utf8) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : utf8) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace mere::container
