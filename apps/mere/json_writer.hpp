#pragma once
// JSON as it is made: no tree in memory, no recursion, integers of any size, and no byte that could steer a terminal.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "output.hpp"

namespace mere::command {

// Numbers that JSON lacks are the strings "NaN", "Infinity" and "-Infinity".
class JsonWriter {
 public:
  enum class Layout {
    lines,  // each member on a line of its own, indented
    line,   // all on one line, and all that is inside
  };

  explicit JsonWriter(std::function<void(std::string_view)> sink) : sink_(std::move(sink)) {}
  explicit JsonWriter(Output& out) : sink_([&out](std::string_view text) { out.write(text); }) {}
  explicit JsonWriter(std::string& out) : sink_([&out](std::string_view text) { out += text; }) {}

  void begin_object(Layout layout = Layout::lines) { begin('{', '}', layout); }
  void begin_array(Layout layout = Layout::lines) { begin('[', ']', layout); }
  void end();  // of the innermost object or array
  void key(std::string_view name);

  void null() { raw("null"); }
  void value(bool v) { raw(v ? "true" : "false"); }
  void value(std::int64_t v) { raw(std::to_string(v)); }
  void value(std::uint64_t v) { raw(std::to_string(v)); }
  void value(int v) { raw(std::to_string(v)); }
  void value(unsigned v) { raw(std::to_string(v)); }
  void value(double v);  // the shortest text that reads back as the same number
  void value(float v);   // the same for a float
  void value(std::string_view text);
  void value(const char* text) { value(std::string_view(text)); }
  void value(const std::string& text) { value(std::string_view(text)); }
  void base64(std::string_view bytes);
  // JSON text made elsewhere: a number, or a whole value on one line.
  void raw(std::string_view json);

  template <class T>
  void member(std::string_view name, const T& v) {
    key(name);
    value(v);
  }

 private:
  struct Frame {
    char close;
    Layout layout;
    bool empty;
  };
  void begin(char open, char close, Layout layout);
  void before_member();

  std::function<void(std::string_view)> sink_;
  std::vector<Frame> frames_;
  bool after_key_ = false;
};

// `text` as a JSON string, quotes included. Bytes that are no text become U+FFFD.
std::string json_string(std::string_view text);

}  // namespace mere::command
