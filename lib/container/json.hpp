#pragma once
// JSON (RFC 8259) as a flat tree of values, read strictly: the text is data from outside.

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mere::container {

enum class JsonKind : std::uint8_t {
  null,
  boolean,
  integer,      // what 64 bits with a sign hold
  big_integer,  // other integers below 1e308: their digits are kept
  real,         // always finite
  text,
  list,
  object,
};
std::string_view to_text(JsonKind kind) noexcept;

struct JsonLimits {
  std::uint64_t most_bytes = std::uint64_t{128} << 20;  // 4 GiB at most
  std::uint32_t most_depth = 1000;                      // lists and objects inside each other
  // Whether texts may spell half a surrogate pair (\ud800), as Python's json does: three bytes in what was read.
  bool lone_surrogates = false;
};

using JsonId = std::uint32_t;

// Owns its texts. Values are numbered as they stand in the file; 0 is the outermost. Safe to share between threads.
class Json {
 public:
  static constexpr JsonId kRoot = 0;

  // UTF-8 without surrogates, one value, nothing after it but white space; a key twice in one object, NUL bytes,
  // numbers beyond a double's range and the words NaN and Infinity are errors. Nothing recurses.
  // Throws Error: bad_record, bad_text, duplicate_key, too_deep, too_large (bytes, or more values than such a text
  // reasonably has: one each 8 bytes above a million).
  static Json parse(std::string_view text, const JsonLimits& limits = {});

  JsonKind kind(JsonId id) const { return values_[id].kind; }
  std::uint32_t size() const { return static_cast<std::uint32_t>(values_.size()); }
  // Where a list or an object begins in the text; where any other value ends.
  std::uint32_t offset(JsonId id) const { return values_[id].offset; }

  // Each throws Error(bad_record) with the path of the value if it is of another kind.
  bool boolean(JsonId id) const;
  std::int64_t integer(JsonId id) const;
  double real(JsonId id) const;
  std::string_view text(JsonId id) const;
  std::string_view digits(JsonId id) const;  // of a big_integer, with its sign

  // Members of a list or an object, in the order of the file. The first member of `id` is the value after it; that
  // after `member` is end_of(member), as long as it is below end_of(id).
  std::uint32_t member_count(JsonId id) const;
  JsonId first_of(JsonId id) const { return id + 1; }
  JsonId end_of(JsonId id) const { return values_[id].end; }
  std::string_view key(JsonId member) const { return texts_[values_[member].key]; }  // of a member of an object

  std::optional<JsonId> find(JsonId object, std::string_view key) const;
  // Throws Error: bad_record (absent, or `object` is none).
  JsonId get(JsonId object, std::string_view key) const;

  // Where `id` is, for messages: `content.estimators_[3]`, or `the outermost value`.
  std::string path(JsonId id) const;

 private:
  friend class JsonBuilder;
  struct Value {
    std::uint64_t bits = 0;  // of a boolean, an integer or a real; number of a text; number of members
    JsonId end = 0;          // the value after this one and all inside it
    std::uint32_t key = 0;   // number of a text
    std::uint32_t offset = 0;
    JsonKind kind = JsonKind::null;
  };
  [[noreturn]] void refuse(JsonId id, JsonKind wanted) const;
  const Value& expect(JsonId id, JsonKind wanted) const;

  std::deque<Value> values_;             // no copies while it grows
  std::deque<std::string_view> texts_;   // each once; 0 is the empty one
  std::deque<std::vector<char>> pools_;  // what the texts lie in
};

// `utf8` as a JSON text with its quotes; other than quotes, backslashes and control characters, bytes stay as they are.
std::string json_quoted(std::string_view utf8);

}  // namespace mere::container
