#pragma once
// Lone surrogates in JSON (\ud800 without its other half): Python's json writes and reads them, nlohmann's parser does
// not. Each is parsed as a stand-in, a private character that the text does not have, and put back afterwards.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mere::container {

class LoneSurrogates {
 public:
  // Of a JSON text; nothing if it has no lone surrogate, or if it has characters of all three blocks of stand-ins.
  static std::optional<LoneSurrogates> find(std::string_view json);

  // The text with stand-ins: as long as before, so that offsets stay.
  const std::string& text() const { return text_; }
  // Puts the surrogates back into a string that was parsed, as three bytes each.
  void restore(std::string& utf8) const;

 private:
  std::string text_;
  std::uint32_t first_ = 0;  // the stand-in of U+D800
};

}  // namespace mere::container
