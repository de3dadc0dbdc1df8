#pragma once
// The one exception of mere: a code that says what can be done, a stable reason word, and a message for a person.
// The table of reasons is docs/errors.md; a test holds it against MERE_REASONS.

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#define MERE_API __attribute__((visibility("default")))

namespace mere {

// What the caller can do about it: the remedy.
enum class Errc : std::uint8_t {
  corrupt = 1,      // the bytes are damaged or hostile: get the file again
  unsupported = 2,  // sound, but needs another build or a newer version
  mismatch = 3,     // sound, but not what the caller asked for
  untrusted = 4,    // names something that nobody has vouched for
  limit = 5,        // would pass a limit that an option can raise
  not_found = 6,    // no such file, path, key or field
  io = 7,           // the operating system said no
};

// Every reason: X(word, code). A word never changes its meaning; new ones are added at the end of their group.
#define MERE_REASONS(X)                                                                                  \
  X(bad_magic, corrupt)               /* not a .mere file, or one damaged in its first bytes */          \
  X(truncated, corrupt)               /* the file ends before its footer */                              \
  X(bad_header, corrupt)              /* a header or footer field has a value it may not have */         \
  X(bad_segment, corrupt)             /* a section or block lies outside its file or is misplaced */     \
  X(bad_node, corrupt)                /* a node record is of no known shape, or an id is out of range */ \
  X(bad_type, corrupt)                /* an element type record contradicts itself */                    \
  X(shape_overflow, corrupt)          /* shape, strides or item size pass what can be addressed */       \
  X(out_of_bounds, corrupt)           /* an array reaches outside its buffer */                          \
  X(checksum, corrupt)                /* a sum differs from the bytes it is over */                      \
  X(bad_padding, corrupt)             /* padding or a reserved field is not zero */                      \
  X(overlap, corrupt)                 /* two ranges of the file that must not share bytes do */          \
  X(bad_text, corrupt)                /* a text is not UTF-8 and is not flagged so */                    \
  X(duplicate_key, corrupt)           /* one mapping has a key twice */                                  \
  X(schema, corrupt)                  /* a node has a child of the wrong kind, or lacks one */           \
  X(bad_stream, corrupt)              /* a compressed or foreign stream is damaged */                    \
  X(trailing_bytes, corrupt)          /* bytes follow the end of the data */                             \
  X(bad_record, corrupt)              /* foreign data contradicts itself */                              \
  X(bad_alignment, corrupt)           /* an offset is not the multiple it must be */                     \
  X(unsupported_version, unsupported) /* written by a newer major version */                             \
  X(endianness, unsupported)          /* byte order of another machine */                                \
  X(unknown_section, unsupported)     /* a section that is not marked optional is unknown */             \
  X(unknown_kind, unsupported)        /* a node kind that this version does not know */                  \
  X(unknown_type, unsupported)        /* an element type that this version does not know */              \
  X(unknown_codec, unsupported)       /* a codec that this build does not have */                        \
  X(unknown_filter, unsupported)      /* a filter that this build does not have */                       \
  X(unknown_format, unsupported)      /* no reader knows these bytes */                                  \
  X(unknown_opcode, unsupported)      /* a pickle operation or protocol outside those known */           \
  X(not_regular, unsupported)         /* a directory, pipe, device or socket where a file must be */     \
  X(no_program, unsupported)          /* the model holds no program to predict with */                   \
  X(not_supported, unsupported)       /* this build or system cannot do it */                            \
  X(not_lowerable, unsupported)       /* no standard operators mean what this estimator does */          \
  X(no_method, unsupported)           /* the model predicts, but not by that method */                   \
  X(wrong_kind, mismatch)             /* the node is of another kind than was asked for */               \
  X(wrong_type, mismatch)             /* the array has another element type */                           \
  X(wrong_shape, mismatch)            /* the array has another shape */                                  \
  X(not_contiguous, mismatch)         /* no span exists for these strides: use copy() */                 \
  X(not_aligned, mismatch)            /* no span exists at this address: use copy() */                   \
  X(not_native, mismatch)             /* no span exists for this byte order: use copy() */               \
  X(not_mapped, mismatch)             /* the array is compressed: use copy(), or another expand */       \
  X(out_of_range, mismatch)           /* a number does not fit the type asked for */                     \
  X(missing_field, mismatch)          /* a record lacks a field that has no default */                   \
  X(unknown_field, mismatch)          /* a record has a field that the struct lacks */                   \
  X(content_differs, mismatch)        /* content id or digest is not the expected one */                 \
  X(file_changed, mismatch)           /* the file changed while it was read */                           \
  X(file_replaced, mismatch)          /* the name now leads to another file */                           \
  X(bad_argument, mismatch)           /* an argument outside what the function takes */                  \
  X(not_finite, mismatch)             /* the input has a NaN or an infinity that the model refuses */    \
  X(forbidden_global, untrusted)      /* a name that is on no allow-list */                              \
  X(unsafe_directory, untrusted)      /* a directory that somebody else could write */                   \
  X(out_of_memory, limit)             /* memory could not be had */                                      \
  X(too_large, limit)                 /* a size, count or work limit was reached */                      \
  X(too_deep, limit)                  /* nesting limit was reached */                                    \
  X(too_many_files, limit)            /* descriptor or mapping limit of the process was reached */       \
  X(no_cache, limit)                  /* no expanded copy can be shared: see the alternatives named */   \
  X(no_file, not_found)               /* the file does not exist */                                      \
  X(no_path, not_found)               /* no node has that path or key */                                 \
  X(system_call, io)                  /* a system call failed */                                         \
  X(interrupted, io)                  /* stopped on request */                                           \
  X(fault, io)                        /* a page of the mapped file could not be read */

enum class Reason : std::uint8_t {
#define MERE_REASON_ENUM(word, code) word,
  MERE_REASONS(MERE_REASON_ENUM)
#undef MERE_REASON_ENUM
};

// The stable word of a reason ("bad_magic") and its code's ("corrupt"); both live for ever.
MERE_API std::string_view to_text(Reason reason) noexcept;
MERE_API std::string_view to_text(Errc code) noexcept;
MERE_API Errc code_of(Reason reason) noexcept;
MERE_API std::optional<Reason> find_reason(std::string_view word) noexcept;

// Thrown by everything in mere. Copies share the text and do not throw.
class MERE_API Error : public std::exception {
 public:
  // `message` names the file, the byte offset or node path, what was found and what was expected. It is cut
  // to 1 kB and its control bytes are escaped, so that it can be printed whatever a file put into it.
  Error(Reason reason, std::string_view message);

  // The error for memory that could not be had: takes no memory itself.
  static Error out_of_memory() noexcept;

  // The same error, with `context` ("models/a.mere") and ": " before its message.
  Error with_context(std::string_view context) const;

  Errc code() const noexcept { return code_of(reason_); }
  Reason reason() const noexcept { return reason_; }
  const char* what() const noexcept override;  // "corrupt (checksum): a.mere: ..."
  std::string_view message() const noexcept;   // without code and reason

 private:
  explicit Error(Reason reason) noexcept : reason_(reason) {}
  Reason reason_;
  std::shared_ptr<const std::string> text_;  // null: out of memory
};

}  // namespace mere
