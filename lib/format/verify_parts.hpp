#pragma once
// The parts of verify(), one a kind of range or record. docs/format.md 10.

#include <atomic>
#include <cstdint>
#include <string>

#include "format/image.hpp"
#include "format/verify.hpp"

namespace mere::format {

// Throws Error(reason) "<file>: <section> <index> (record at offset N): <problem>".
[[noreturn]] void fail_record(const Image& image, Section section, std::uint64_t index, Reason reason,
                              const std::string& problem);

// Throws Error(bad_padding) if a byte of a range that nothing covers is not zero.
void check_zero(const Image& image, std::uint64_t from, std::uint64_t to);

// Section sums, what lies between sections, content id and program id.
void verify_sections(const Image& image, unsigned threads);

// Node, type, field and array records.
void verify_records(const Image& image, unsigned threads);

// Buffer and block records, and where blocks lie; with `padding` also what lies between them.
void verify_layout(const Image& image, bool padding);

// The bytes of all blocks against their sums.
void verify_data(const Image& image, const VerifyOptions& options);

}  // namespace mere::format
