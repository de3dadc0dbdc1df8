#ifndef MERE_MERE_H
#define MERE_MERE_H
/* The C interface of mere: open a model file, find nodes, look at values and arrays in the map. For C and for other
 * languages' foreign function interfaces. What is here stays: functions are only added, and a struct that may grow
 * begins with struct_size, which the caller sets to sizeof of its own version.
 *
 * Ownership   A mere_model is owned by whoever opened it, until mere_close(). Nodes, texts, bytes and arrays borrow
 * from the model and are valid until it is closed. Nothing else has to be freed. Threads     One model may be used from
 * any number of threads at once, except that mere_close() must be the last call. The last error is kept for each
 * thread. Errors      Every function that can fail returns a mere_status, MERE_OK being 0, and then writes its results.
 * If it fails, mere_last_reason() and mere_last_message() tell more, and results are left as they were. Nothing is ever
 * thrown or aborted. A null pointer where one is not allowed is MERE_MISMATCH (bad_argument).
 */

#include <stddef.h>
#include <stdint.h>

#define MERE_C_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* What the caller can do about a failure; the numbers are those of mere::Errc. */
typedef enum mere_status {
  MERE_OK = 0,
  MERE_CORRUPT = 1,     /* the bytes are damaged or hostile */
  MERE_UNSUPPORTED = 2, /* sound, but needs another build or a newer version */
  MERE_MISMATCH = 3,    /* sound, but not what was asked for */
  MERE_UNTRUSTED = 4,   /* names something that nobody has vouched for */
  MERE_LIMIT = 5,       /* would pass a limit that an option can raise; out of memory */
  MERE_NOT_FOUND = 6,   /* no such file, path, key or field */
  MERE_IO = 7,          /* the operating system said no */
  MERE_INTERNAL = 8     /* a fault of the library itself */
} mere_status;

/* Node kinds; the numbers are those of the file (docs/format.md 4). */
typedef enum mere_kind {
  MERE_NULL = 0,
  MERE_BOOL = 1,
  MERE_INT = 2,
  MERE_FLOAT = 3,
  MERE_COMPLEX = 4,
  MERE_STR = 5,
  MERE_BYTES = 6,
  MERE_BYTEARRAY = 7,
  MERE_LIST = 8,
  MERE_TUPLE = 9,
  MERE_SET = 10,
  MERE_FROZENSET = 11,
  MERE_DICT = 12,
  MERE_SLICE = 13,
  MERE_RANGE = 14,
  MERE_ELLIPSIS = 15,
  MERE_ARRAY = 16,
  MERE_SCALAR = 17,
  MERE_DTYPE = 18,
  MERE_NAME = 19,
  MERE_OBJECT = 20,
  MERE_OPAQUE = 21
} mere_kind;

/* Parts of an object (docs/format.md 4). */
typedef enum mere_part {
  MERE_PART_TYPE = 0,
  MERE_PART_ARGS = 1,
  MERE_PART_KWARGS = 2,
  MERE_PART_STATE = 3,
  MERE_PART_ITEMS = 4,
  MERE_PART_ENTRIES = 5,
  MERE_PART_SETTER = 6,
  MERE_PART_INFO = 7
} mere_part;

typedef enum mere_verify_level {
  MERE_VERIFY_NONE = 0,
  MERE_VERIFY_MANIFEST = 1,
  MERE_VERIFY_ALL = 2
} mere_verify_level;
typedef enum mere_expand { MERE_EXPAND_SHARED = 0, MERE_EXPAND_IN_MEMORY = 1, MERE_EXPAND_LAZY = 2 } mere_expand;

/* ---- the library ---- */

/* "0.1.0", of the library that runs. */
MERE_C_API const char* mere_version(void);
/* Counts additions to this header, from 1. */
MERE_C_API uint32_t mere_abi_version(void);
/* The format version that is written: major in the upper 16 bits, minor in the lower ones. */
MERE_C_API uint32_t mere_format_version(void);

/* The last failure of a call on this thread; texts are valid until the next call on this thread that fails. */
MERE_C_API mere_status mere_last_status(void);
MERE_C_API const char* mere_last_reason(void);               /* a stable word: "no_file", "checksum" (docs/errors.md) */
MERE_C_API const char* mere_last_message(void);              /* for a person */
MERE_C_API const char* mere_status_text(mere_status status); /* "corrupt", ... */
MERE_C_API const char* mere_kind_text(mere_kind kind);       /* "null", "bool", ... */

/* As mere::guard_faults(): a fault in a map of a truncated file becomes MERE_IO (fault). Once a process. */
MERE_C_API void mere_guard_faults(void);

/* ---- models ---- */

typedef struct mere_model mere_model;

/* All zero but struct_size are the defaults. */
typedef struct mere_open_options {
  size_t struct_size;
  int32_t verify;        /* mere_verify_level */
  int32_t expand;        /* mere_expand */
  int32_t copy_on_write; /* flags: 0 or 1 */
  int32_t populate;
  int32_t huge_pages;
  uint32_t threads;        /* 0: as many as there are processors, at most 4 */
  const char* content_id;  /* 32 hexadecimal digits that the file must have, or null */
  uint64_t expanded_bytes; /* limits; 0: the library's own */
  uint64_t memory_bytes;
} mere_open_options;

/* `options` may be null. */
MERE_C_API mere_status mere_open(const char* path, const mere_open_options* options, mere_model** model);
/* The descriptor stays the caller's and may be closed after. length UINT64_MAX: up to the end of the file. */
MERE_C_API mere_status mere_open_fd(int fd, uint64_t offset, uint64_t length, const mere_open_options* options,
                                    mere_model** model);
/* The bytes stay the caller's and must not change until mere_close(). */
MERE_C_API mere_status mere_open_bytes(const void* data, size_t size, const mere_open_options* options,
                                       mere_model** model);
/* Null is allowed. */
MERE_C_API void mere_close(mere_model* model);

MERE_C_API mere_status mere_file_bytes(const mere_model* model, uint64_t* bytes);
MERE_C_API mere_status mere_content_id(const mere_model* model, char text[33]);
MERE_C_API mere_status mere_sha256(const mere_model* model, char text[65]);    /* reads the file in full */
MERE_C_API mere_status mere_verify(const mere_model* model, uint32_t threads); /* reads the file in full */
MERE_C_API mere_status mere_stale(const mere_model* model, int* stale);
MERE_C_API mere_status mere_faulted(const mere_model* model, int* faulted);

/* ---- nodes ---- */

/* Borrowed; a plain value that may be copied. */
typedef struct mere_node {
  const void* image;
  uint64_t id;
} mere_node;

MERE_C_API mere_status mere_root(const mere_model* model, mere_node* node);
MERE_C_API mere_status mere_program(const mere_model* model, mere_node* node); /* MERE_NOT_FOUND: there is none */
MERE_C_API mere_status mere_metadata(const mere_model* model, mere_node* node);
/* By path, "estimators_[3].tree_.nodes"; grammar in docs/format.md 8. */
MERE_C_API mere_status mere_find(const mere_model* model, const char* path, mere_node* node);
MERE_C_API mere_status mere_node_find(mere_node from, const char* path, mere_node* node);

MERE_C_API mere_status mere_node_kind(mere_node node, mere_kind* kind);

/* Values. MERE_MISMATCH (wrong_kind, out_of_range) if the node is something else. */
MERE_C_API mere_status mere_node_bool(mere_node node, int* value);
MERE_C_API mere_status mere_node_int64(mere_node node, int64_t* value);
MERE_C_API mere_status mere_node_double(mere_node node, double* value);
MERE_C_API mere_status mere_node_complex(mere_node node, double value[2]);
/* UTF-8 in the map, not terminated by a zero. */
MERE_C_API mere_status mere_node_text(mere_node node, const char** data, size_t* size);
MERE_C_API mere_status mere_node_bytes(mere_node node, const void** data, size_t* size);
/* Of a name node, or of the type of an object: its full name. */
MERE_C_API mere_status mere_node_name(mere_node node, const char** data, size_t* size);

/* Members: of lists, tuples, sets, arrays of objects by item(); of dicts by key() and value(). */
MERE_C_API mere_status mere_node_size(mere_node node, uint64_t* size);
MERE_C_API mere_status mere_node_item(mere_node node, uint64_t index, mere_node* item);
MERE_C_API mere_status mere_node_key(mere_node node, uint64_t index, mere_node* key);
MERE_C_API mere_status mere_node_value(mere_node node, uint64_t index, mere_node* value);
/* A dict's value by text key, or what an object's state has under that name. */
MERE_C_API mere_status mere_node_get(mere_node node, const char* key, size_t key_size, mere_node* value);
MERE_C_API mere_status mere_node_part(mere_node node, mere_part part, mere_node* value);
/* Writes at most `capacity` bytes, the last of them zero; `needed` (may be null) becomes what a whole text takes. */
MERE_C_API mere_status mere_node_path(mere_node node, char* buffer, size_t capacity, size_t* needed);

/* ---- arrays ---- */

#define MERE_MAX_DIMS 64

typedef struct mere_array {
  size_t struct_size; /* set by the caller */
  const void* data;   /* the element at index 0...0; null: compressed, only mere_array_copy() reads it */
  uint64_t size;      /* elements */
  uint64_t nbytes;    /* size * itemsize */
  uint64_t itemsize;
  int32_t ndim;
  int32_t c_contiguous;
  char type[16];                  /* NumPy's: "<f8", "|b1", ">i4"; "|V56" for records; "" for what has no such text */
  int64_t shape[MERE_MAX_DIMS];   /* the first ndim */
  int64_t strides[MERE_MAX_DIMS]; /* in bytes, of any sign; every element lies in the map, but need not be aligned */
} mere_array;

MERE_C_API mere_status mere_node_array(mere_node node, mere_array* array);
/* The element type as NumPy prints it, fields and all: as mere_node_path(). */
MERE_C_API mere_status mere_array_type_text(mere_node node, char* buffer, size_t capacity, size_t* needed);
/* All elements in C order, in the byte order of the file; decompresses if need be. `bytes` is nbytes. */
MERE_C_API mere_status mere_array_copy(mere_node node, void* out, size_t bytes);

/* ---- predicting ---- */

/* A model's program, bound to its map: from what the file holds, or made on the spot of a model of at most 1 MB. Holds
 * the map, so the model may be closed before. Any number of threads may predict by one at once; mere_predictor_close()
 * must be the last call. */
typedef struct mere_predictor mere_predictor;

MERE_C_API mere_status mere_predictor_open(const mere_model* model, mere_predictor** predictor);
/* Null is allowed. */
MERE_C_API void mere_predictor_close(mere_predictor* predictor);
/* Columns that rows to predict for have. */
MERE_C_API mere_status mere_predictor_columns(const mere_predictor* predictor, uint64_t* columns);

typedef struct mere_input_column {
  size_t struct_size; /* set by the caller */
  const char* name;   /* until the predictor is closed; "": the model knows no names */
  int32_t text;       /* texts, which only a mere_table has; 0: numbers */
} mere_input_column;

MERE_C_API mere_status mere_predictor_column(const mere_predictor* predictor, uint64_t index,
                                             mere_input_column* column);
/* Why sparse rows are refused, as mere_node_path(); the empty text: they are taken. */
MERE_C_API mere_status mere_predictor_refuses_sparse(const mere_predictor* predictor, char* buffer, size_t capacity,
                                                     size_t* needed);

typedef struct mere_method {
  size_t struct_size; /* set by the caller */
  const char* name;   /* "predict_proba"; until the predictor is closed */
  uint64_t columns;   /* numbers it gives for a row */
  int32_t flat;       /* one column, and NumPy would give a vector */
  int32_t classes;    /* the numbers are indices of classes, a table a column */
  int32_t integer;    /* whole numbers */
} mere_method;

MERE_C_API mere_status mere_predictor_method_count(const mere_predictor* predictor, uint64_t* count);
MERE_C_API mere_status mere_predictor_method(const mere_predictor* predictor, uint64_t index, mere_method* method);
/* MERE_UNSUPPORTED (no_method): there is none of that name. */
MERE_C_API mere_status mere_predictor_find_method(const mere_predictor* predictor, const char* name,
                                                  mere_method* method);
MERE_C_API mere_status mere_predictor_class_count(const mere_predictor* predictor, const char* method, uint64_t column,
                                                  uint64_t* count);
/* Class `index` of a column of a method, as text: as mere_node_path(). */
MERE_C_API mere_status mere_predictor_class_text(const mere_predictor* predictor, const char* method, uint64_t column,
                                                 uint64_t index, char* buffer, size_t capacity, size_t* needed);

typedef struct mere_matrix {
  size_t struct_size; /* set by the caller */
  const void* data;   /* of any alignment, native byte order */
  int32_t is_float32; /* 0: float64 */
  uint64_t rows, columns;
  int64_t row_stride, column_stride; /* in bytes, of any sign; 0: rows follow each other, and so do columns */
} mere_matrix;

typedef struct mere_predict_options {
  size_t struct_size;        /* set by the caller */
  uint32_t threads;          /* 0: one; UINT32_MAX: as many as there are processors */
  int32_t skip_finite_check; /* 1: no look for what the estimator refuses */
} mere_predict_options;

/* Writes rows x columns of the method numbers, row-major; `out_count` is how many. `options` may be null.
 * MERE_MISMATCH: wrong_shape, not_finite (the message has row and column). */
MERE_C_API mere_status mere_predict(const mere_predictor* predictor, const char* method, const mere_matrix* x,
                                    double* out, uint64_t out_count, const mere_predict_options* options);

/* Rows of which only some columns are given, the others are 0: scipy's csr_matrix. Any alignment, no gaps. Of a column
 * that a row gives twice the numbers are added, in order. */
typedef struct mere_csr {
  size_t struct_size;   /* set by the caller */
  const void* values;   /* `entries` of float64, or of float32 */
  const void* indices;  /* `entries` columns: int32, or int64 */
  const void* starts;   /* rows + 1, scipy's indptr: int32, or int64 */
  int32_t is_float32;   /* 0: float64 */
  int32_t wide_indices; /* 0: int32 */
  int32_t wide_starts;  /* 0: int32 */
  uint64_t rows, columns, entries;
} mere_csr;

/* As mere_predict(). MERE_MISMATCH: bad_argument too, for starts and indices that lead outside; MERE_UNSUPPORTED
 * (not_supported): the estimator refuses sparse rows. */
MERE_C_API mere_status mere_predict_csr(const mere_predictor* predictor, const char* method, const mere_csr* x,
                                        double* out, uint64_t out_count, const mere_predict_options* options);

typedef enum mere_column_kind {
  MERE_COLUMN_FLOAT64 = 0,
  MERE_COLUMN_FLOAT32 = 1,
  MERE_COLUMN_INT64 = 2,
  MERE_COLUMN_BOOL = 3, /* a byte each */
  MERE_COLUMN_TEXT = 4  /* UTF-8 */
} mere_column_kind;

/* One column of a table, all zero but what it has. NaN is missing, and so is a null text. */
typedef struct mere_column {
  const char* name;       /* ended by a zero; null: none */
  int32_t kind;           /* mere_column_kind */
  const uint8_t* missing; /* a byte a row, not 0: missing; or null */
  /* Numbers: the first, and the bytes from one to the next, of any sign; 0: they follow each other. */
  const void* values;
  int64_t stride;
  /* Texts, in one of three forms. Each ended by a zero: a row of them each; or, where `codes` is given, `text_count`
   * categories, and a category's index a row, negative or past the end if it is missing. Or, where `offsets` is given,
   * `byte_count` bytes, of which row i has those from offsets[i] to offsets[i + 1]. */
  const char* const* texts;
  uint64_t text_count;
  const int32_t* codes;
  const int64_t* offsets;
  const char* bytes;
  uint64_t byte_count;
} mere_column;

/* Columns are found by name, in any order, if the model and every column have one, and others are ignored; else they go
 * by their position. */
typedef struct mere_table {
  size_t struct_size; /* set by the caller */
  size_t column_size; /* the same of mere_column */
  const mere_column* columns;
  uint64_t column_count, rows;
} mere_table;

/* As mere_predict(). MERE_NOT_FOUND (no_path): a column that the model takes is not there; MERE_MISMATCH: wrong_type
 * (texts for numbers, numbers for texts) and bad_argument (a category never seen) too. */
MERE_C_API mere_status mere_predict_table(const mere_predictor* predictor, const char* method, const mere_table* x,
                                          double* out, uint64_t out_count, const mere_predict_options* options);

#ifdef __cplusplus
}
#endif

#endif
