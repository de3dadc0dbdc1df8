#pragma once
// The records of a .mere file, exactly as they lie in it. docs/format.md is normative; section numbers refer to it.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mere::format {

inline constexpr std::array<std::uint8_t, 8> kMagic = {0x89, 0x4d, 0x45, 0x52, 0x0d, 0x0a, 0x1a, 0x0a};
inline constexpr std::uint16_t kMajor = 1;
inline constexpr std::uint16_t kMinor = 0;

inline constexpr std::uint64_t kHeaderBytes = 64;
inline constexpr std::uint64_t kFooterBytes = 1152;
inline constexpr std::uint64_t kSectionAlignment = 64;
inline constexpr std::uint64_t kArrayAlignment = 64;      // of arrays inside an arena
inline constexpr std::uint64_t kSegmentBytes = 16 << 10;  // arrays from this size on have a segment of their own
inline constexpr std::uint64_t kBlockBytes = 1 << 20;
inline constexpr std::uint64_t kGroupBytes = 16 << 20;
inline constexpr std::uint64_t kMinAlignment = 4096;
inline constexpr std::uint64_t kMaxAlignment = 1 << 30;
inline constexpr std::size_t kDirectorySlots = 16;
inline constexpr std::uint32_t kNone = 0xffffffff;
inline constexpr std::uint32_t kIndexedKeys = 8;  // a dict with more text keys has an index

// Section numbers (3).
enum class Section : std::uint16_t {
  nodes = 1,
  links = 2,
  heap = 3,
  extents = 4,
  types = 5,
  fields = 6,
  arrays = 7,
  buffers = 8,
  blocks = 9,
  sums = 10,
};
inline constexpr std::size_t kSectionCount = 10;
std::string_view to_text(Section section) noexcept;  // "nodes", "links", ...

struct Header {  // section 2
  std::array<std::uint8_t, 8> magic;
  std::uint16_t major, minor;
  std::uint8_t alignment_log2;
  std::uint8_t reserved[43];
  std::uint64_t sum;
};
static_assert(sizeof(Header) == kHeaderBytes);

inline constexpr std::uint16_t kOptionalSection = 1;

struct DirectoryEntry {  // section 3
  std::uint16_t number, flags;
  std::uint32_t record_bytes;
  std::uint64_t offset, count, model_end, program_end, sum;
  std::uint64_t reserved[2];
};
static_assert(sizeof(DirectoryEntry) == 64);

inline constexpr std::uint32_t kHasEncodedBlocks = 1;

struct Footer {  // section 3
  std::array<DirectoryEntry, kDirectorySlots> sections;
  std::uint64_t file_bytes;
  std::uint64_t content_low, content_high;
  std::uint64_t program_low, program_high;
  std::uint32_t model_root, program_root, metadata_root;
  std::uint32_t section_count;
  std::uint32_t flags;
  std::uint8_t reserved[52];
  std::uint64_t sum;
  std::array<std::uint8_t, 8> end_magic;
};
static_assert(sizeof(Footer) == kFooterBytes);

// Flags of nodes, by kind (4).
inline constexpr std::uint8_t kBigInteger = 1;
inline constexpr std::uint8_t kSurrogates = 1;
inline constexpr std::uint8_t kLongText = 2;
inline constexpr std::uint8_t kIndexedDict = 1;
enum class Layout : std::uint8_t { c = 0, fortran = 1, strided = 2, objects = 3 };
// Bits of an object's parts, also their order.
inline constexpr std::uint8_t kPartType = 1, kPartArgs = 2, kPartKwargs = 4, kPartState = 8, kPartItems = 16,
                              kPartEntries = 32, kPartSetter = 64;

struct NodeRecord {
  std::uint8_t kind, flags;
  std::uint16_t form;
  std::uint32_t a;
  std::uint64_t b;
};
static_assert(sizeof(NodeRecord) == 16);

struct TypeRecord {  // section 5
  std::uint8_t type_class, byte_order, flags, unit;
  std::uint32_t count;
  std::uint64_t itemsize, first;
  std::uint32_t base, reserved;
};
static_assert(sizeof(TypeRecord) == 32);

struct FieldRecord {
  std::uint64_t name;
  std::uint32_t name_bytes, type;
  std::uint64_t offset;
  std::uint64_t title;
  std::uint32_t title_bytes, reserved;
};
static_assert(sizeof(FieldRecord) == 40);

struct ArrayRecord {
  std::uint32_t type, buffer;
  std::uint64_t offset;
};
static_assert(sizeof(ArrayRecord) == 16);

inline constexpr std::uint32_t kArenaBuffer = 1;

struct BufferRecord {  // section 6
  std::uint64_t raw_bytes;
  std::uint32_t first_block, flags;
};
static_assert(sizeof(BufferRecord) == 16);

inline constexpr std::uint8_t kMappedBuffer = 1;
inline constexpr std::uint32_t kGroupLeader = 0x80000000;
inline constexpr std::uint32_t kGroupBlocks = 1024;  // the most blocks of a group: 16 MiB of the smallest segments

struct BlockRecord {
  std::uint64_t offset;
  std::uint32_t stored_bytes, raw_bytes;
  std::uint8_t codec, flags;
  std::uint16_t reserved;
  std::array<std::uint8_t, 4> filters;
  std::uint32_t group, filtered_bytes;
};
static_assert(sizeof(BlockRecord) == 32);

}  // namespace mere::format
