// The zip directory, against archives made here byte by byte.

#include <doctest/doctest.h>
#include <zlib.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <mere/error.hpp>
#include "container/zip.hpp"

using namespace mere;
using namespace mere::container;

namespace {

std::string little(std::uint64_t value, int width) {
  std::string out;
  for (int i = 0; i < width; ++i) out += static_cast<char>(value >> (8 * i));
  return out;
}

struct Entry {
  std::string name = "a.npy";
  std::string data = "hello";
  std::uint16_t flags = 0, method = 0;
  std::string local_name, extra, descriptor;  // local_name empty: as name
  std::uint32_t attributes = 0;
  std::optional<std::uint32_t> crc, stored, raw, offset, local_stored;
};

std::uint32_t sum(const std::string& data) {
  return static_cast<std::uint32_t>(::crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size()));
}

std::string archive(const std::vector<Entry>& entries, const std::string& prefix = "", const std::string& gap = "",
                    const std::string& comment = "", const std::function<void(std::string&)>& change_end = {}) {
  std::string out = prefix, directory;
  for (const Entry& e : entries) {
    const std::uint32_t crc = e.crc.value_or(sum(e.data)),
                        stored = e.stored.value_or(static_cast<std::uint32_t>(e.data.size())),
                        raw = e.raw.value_or(stored);
    const std::string local_name = e.local_name.empty() ? e.name : e.local_name;
    const bool described = !e.descriptor.empty();
    const std::uint64_t offset = e.offset.value_or(static_cast<std::uint32_t>(out.size()));
    out += "PK\3\4" + little(20, 2) + little(e.flags, 2) + little(e.method, 2) + little(0, 4) +
           little(described ? 0 : crc, 4) + little(described ? 0 : e.local_stored.value_or(stored), 4) +
           little(described ? 0 : raw, 4) + little(local_name.size(), 2) + little(e.extra.size(), 2) + local_name +
           e.extra + e.data + e.descriptor;
    directory += "PK\1\2" + little(3 << 8 | 20, 2) + little(20, 2) + little(e.flags, 2) + little(e.method, 2) +
                 little(0, 4) + little(crc, 4) + little(stored, 4) + little(raw, 4) + little(e.name.size(), 2) +
                 little(e.extra.size(), 2) + little(0, 2) + little(0, 2) + little(0, 2) + little(e.attributes, 4) +
                 little(offset, 4) + e.name + e.extra;
  }
  out += gap;
  std::string end = "PK\5\6" + little(0, 4) + little(entries.size(), 2) + little(entries.size(), 2) +
                    little(directory.size(), 4) + little(out.size(), 4) + little(comment.size(), 2);
  if (change_end) change_end(end);
  return out + directory + end + comment;
}

std::vector<ZipEntry> read(const std::string& bytes) {
  return read_zip_directory(std::as_bytes(std::span(bytes)));
}

std::optional<Reason> refusal(const std::string& bytes) {
  try {
    ExpandedFile expanded;
    const auto span = std::as_bytes(std::span(bytes));
    for (const ZipEntry& entry : read_zip_directory(span)) expand_zip_entry(span, entry, expanded, {});
    return std::nullopt;
  } catch (const Error& error) {
    return error.reason();
  }
}

std::string deflate_raw(const std::string& data) {
  z_stream state{};
  deflateInit2(&state, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&state, data.size()), '\0');
  state.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  state.avail_in = static_cast<uInt>(data.size());
  state.next_out = reinterpret_cast<Bytef*>(out.data());
  state.avail_out = static_cast<uInt>(out.size());
  deflate(&state, Z_FINISH);
  out.resize(out.size() - state.avail_out);
  deflateEnd(&state);
  return out;
}

Entry named(std::string name) {
  Entry entry;
  entry.name = std::move(name);
  return entry;
}
template <class Change>
std::string changed(Change change) {
  Entry entry;
  change(entry);
  return archive({entry});
}

}  // namespace

TEST_CASE("zip: stored and deflated entries, sizes behind the data, and comments") {
  CHECK(read(archive({})).empty());
  const auto entries = read(archive({named("a.npy"), named("d/b.npy")}, "", "", "a comment"));
  REQUIRE(entries.size() == 2);
  CHECK(entries[1].name == "d/b.npy");
  CHECK(entries[0].stored_bytes == 5);
  Entry deflated;
  deflated.method = 8;
  const std::string data(10'000, 'x');
  deflated.data = deflate_raw(data);
  deflated.raw = static_cast<std::uint32_t>(data.size());
  deflated.crc = sum(data);
  CHECK_FALSE(refusal(archive({deflated})).has_value());
  Entry described;
  described.flags = 8;
  described.descriptor = "PK\7\10" + little(sum("hello"), 4) + little(5, 4) + little(5, 4);
  CHECK_FALSE(refusal(archive({described, named("b")})).has_value());
  described.descriptor = little(sum("hello"), 4) + little(5, 8) + little(5, 8);
  CHECK_FALSE(refusal(archive({described, named("b")})).has_value());
  Entry wide;
  wide.extra = little(1, 2) + little(16, 2) + little(5, 8) + little(5, 8);
  wide.stored = wide.raw = 0xffffffff;
  CHECK_FALSE(refusal(archive({wide})).has_value());
}

TEST_CASE("zip: names that could leave their place are refused") {
  for (const std::string& name : {std::string("/etc/passwd"), std::string("../x"), std::string("a/../../x"),
                                  std::string("a\\..\\x"), std::string("C:x"), std::string("a\0b", 3), std::string(""),
                                  std::string("d/"), std::string("."), std::string("a//b"), std::string("\xff")}) {
    CAPTURE(name);
    CHECK(refusal(archive({named(name)})).has_value());
  }
  CHECK(refusal(archive({named("a"), named("a")})) == Reason::duplicate_key);
}

TEST_CASE("zip: what is said twice has to be said alike") {
  CHECK(refusal(changed([](Entry& e) { e.local_name = "b.npy"; })) == Reason::bad_record);
  CHECK(refusal(changed([](Entry& e) { e.local_stored = 4; })) == Reason::bad_record);
  CHECK(refusal(changed([](Entry& e) {
          e.stored = 4;
          e.raw = 5;
        })) == Reason::bad_record);
  CHECK(refusal(changed([](Entry& e) { e.crc = 1; })) == Reason::checksum);
  CHECK(refusal(changed([](Entry& e) {
          e.flags = 8;
          e.descriptor = std::string(16, 'x');
        })) == Reason::bad_record);
  CHECK(refusal(changed([](Entry& e) { e.stored = e.raw = 0xffffffff; })) == Reason::bad_record);  // no zip64 field
  CHECK(refusal(changed([](Entry& e) { e.extra = "\1"; })) == Reason::bad_record);
}

TEST_CASE("zip: encryption, links and other methods are refused") {
  CHECK(refusal(changed([](Entry& e) { e.flags = 1; })) == Reason::not_supported);
  CHECK(refusal(changed([](Entry& e) { e.method = 99; })) == Reason::not_supported);
  CHECK(refusal(changed([](Entry& e) { e.method = 12; })) == Reason::bad_stream);
  CHECK(refusal(changed([](Entry& e) { e.method = 14; })) == Reason::bad_stream);
  CHECK(refusal(changed([](Entry& e) { e.attributes = 0120777u << 16; })) == Reason::not_supported);
  CHECK(refusal(changed([](Entry& e) { e.attributes = 040755u << 16; })) == Reason::not_supported);
}

TEST_CASE("zip: every byte belongs to one entry") {
  CHECK(refusal(archive({named("a")}, "prefix")).has_value());
  CHECK(refusal(archive({named("a")}, "", "gap")) == Reason::overlap);
  Entry again = named("b");
  again.offset = 0;
  again.local_name = "a";
  CHECK(refusal(archive({named("a"), again})).has_value());
  Entry nested = named("a");  // a bomb: a second entry inside the first one's data
  const std::string inner = archive({named("b")});
  nested.data = inner;
  CHECK_FALSE(refusal(archive({nested})).has_value());  // an archive in an archive is data
  CHECK(refusal(archive({named("a")}) + archive({named("b")})).has_value());
  CHECK(refusal(archive({named("a")}, "", "", "PK\5\6" + std::string(16, '\0') + little(0, 2))) ==
        Reason::bad_record);  // two ends
  CHECK(refusal(archive({named("a")}) + "x").has_value());
}

TEST_CASE("zip: ends that lie are refused") {
  for (const int at : {4, 8, 10, 12, 16, 20}) {
    CAPTURE(at);
    CHECK(refusal(archive({named("a")}, "", "", "", [&](std::string& end) {
            end[static_cast<std::size_t>(at)] = static_cast<char>(end[static_cast<std::size_t>(at)] + 1);
          })).has_value());
  }
  CHECK(refusal(archive({named("a")}, "", "", "", [](std::string& end) {
          end.replace(16, 4, "\xff\xff\xff\xff");
        })).has_value());
}

TEST_CASE("zip: a deflated entry longer or shorter than it says is refused") {
  const std::string data(1000, 'x');
  for (const std::uint32_t size : {999u, 1001u, 0u}) {
    Entry entry;
    entry.method = 8;
    entry.data = deflate_raw(data);
    entry.raw = size;
    entry.crc = sum(data);
    CHECK(refusal(archive({entry})).has_value());
  }
}
