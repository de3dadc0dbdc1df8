#pragma once
// What convert and export have in common: one file is read, another is made, and something is said about it.

#include <cstdint>
#include <functional>
#include <string>

#include "json_writer.hpp"
#include "output.hpp"
#include "terminal.hpp"

namespace mere::command {

// Calls `make` with the path of `in`, a path or "-", whose stream may have `limit_bytes`. Until it returns, an
// interrupt is what stop_if_interrupted() throws, so that no temporary of `out` stays. Returns the seconds it took.
double make_file(const std::string& in, const std::string& out, std::uint64_t limit_bytes, const Manners& manners,
                 const std::function<void(const std::string& path)>& make);

// Says what was made: an object of `members` for --json, else `message`. Standard output carries the file if `out` is
// "-": then the object goes the other way.
void report_file(const std::string& out, const Manners& manners, Output& output,
                 const std::function<void(JsonWriter& json)>& members, const std::function<std::string()>& message);

// "forest.pkl -> forest.mere", with a note behind either.
std::string from_to(const std::string& in, const std::string& in_note, const std::string& out,
                    const std::string& out_note);

// "12.3 MB/s"
std::string rate_text(std::uint64_t bytes, double seconds);

}  // namespace mere::command
