/* The C interface, from C. Returns 0, or the line of the first promise that was not kept. */

#include <mere/mere.h>

#include <string.h>

#include "model/expect.h"

/* `path` holds {"name": "C", "n": 3, "x": 1.5, "z": 1+2j, "yes": true, "raw": b"..", "w": 2x3 float64, "rows": [1, 2],
 * "leaf": Leaf}. */
int mere_c_abi_test(const char* path, const char* compressed) {
  mere_model* model = NULL;
  mere_open_options options;
  mere_node root, node, item;
  mere_kind kind;
  mere_array array;
  const char* text;
  const void* bytes;
  size_t size;
  uint64_t count;
  int64_t integer;
  double real, pair[2];
  int flag;
  char id[33], digest[65], place[64];
  double copy[6];

  EXPECT(strlen(mere_version()) >= 5);
  EXPECT(mere_abi_version() == 2);
  EXPECT(mere_format_version() >> 16 == 1);
  EXPECT(strcmp(mere_kind_text(MERE_DICT), "dict") == 0);
  EXPECT(strcmp(mere_status_text(MERE_NOT_FOUND), "not_found") == 0);

  EXPECT(mere_open("/nonexistent/a.mere", NULL, &model) == MERE_NOT_FOUND);
  EXPECT(model == NULL);
  EXPECT(mere_last_status() == MERE_NOT_FOUND);
  EXPECT(strcmp(mere_last_reason(), "no_file") == 0);
  EXPECT(strstr(mere_last_message(), "/nonexistent/a.mere") != NULL);
  EXPECT(mere_open(NULL, NULL, &model) == MERE_MISMATCH);
  EXPECT(mere_open(path, NULL, NULL) == MERE_MISMATCH);
  mere_close(NULL);

  memset(&options, 0, sizeof options);
  EXPECT(mere_open(path, &options, &model) == MERE_MISMATCH); /* struct_size is not set */
  options.struct_size = sizeof options;
  options.verify = MERE_VERIFY_ALL;
  options.content_id = "00000000000000000000000000000000";
  EXPECT(mere_open(path, &options, &model) == MERE_MISMATCH);
  EXPECT(strcmp(mere_last_reason(), "content_differs") == 0);
  options.content_id = NULL;
  EXPECT(mere_open(path, &options, &model) == MERE_OK);
  EXPECT(mere_content_id(model, id) == MERE_OK && strlen(id) == 32);
  EXPECT(mere_sha256(model, digest) == MERE_OK && strlen(digest) == 64);
  EXPECT(mere_verify(model, 0) == MERE_OK);
  EXPECT(mere_stale(model, &flag) == MERE_OK && flag == 0);
  EXPECT(mere_faulted(model, &flag) == MERE_OK && flag == 0);
  EXPECT(mere_file_bytes(model, &count) == MERE_OK && count > 1000);

  EXPECT(mere_root(model, &root) == MERE_OK);
  EXPECT(mere_node_kind(root, &kind) == MERE_OK && kind == MERE_OBJECT);
  EXPECT(mere_node_name(root, &text, &size) == MERE_OK && size == 7 && memcmp(text, "CSample", 7) == 0);
  EXPECT(mere_find(model, "name", &node) == MERE_OK);
  EXPECT(mere_node_text(node, &text, &size) == MERE_OK && size == 1 && text[0] == 'C');
  EXPECT(mere_node_int64(node, &integer) == MERE_MISMATCH);
  EXPECT(strcmp(mere_last_reason(), "wrong_kind") == 0);
  EXPECT(mere_node_get(root, "n", 1, &node) == MERE_OK);
  EXPECT(mere_node_int64(node, &integer) == MERE_OK && integer == 3);
  EXPECT(mere_node_find(root, "x", &node) == MERE_OK && mere_node_double(node, &real) == MERE_OK && real == 1.5);
  EXPECT(mere_find(model, "z", &node) == MERE_OK && mere_node_complex(node, pair) == MERE_OK && pair[1] == 2);
  EXPECT(mere_find(model, "yes", &node) == MERE_OK && mere_node_bool(node, &flag) == MERE_OK && flag == 1);
  EXPECT(mere_find(model, "raw", &node) == MERE_OK && mere_node_bytes(node, &bytes, &size) == MERE_OK && size == 2);
  EXPECT(mere_find(model, "absent", &node) == MERE_NOT_FOUND);
  EXPECT(strcmp(mere_last_reason(), "no_path") == 0);
  EXPECT(mere_program(model, &node) == MERE_NOT_FOUND);
  EXPECT(mere_metadata(model, &node) == MERE_OK);

  EXPECT(mere_find(model, "rows", &node) == MERE_OK && mere_node_size(node, &count) == MERE_OK && count == 2);
  EXPECT(mere_node_item(node, 1, &item) == MERE_OK && mere_node_text(item, &text, &size) == MERE_OK && text[0] == 'b');
  EXPECT(mere_node_item(node, 2, &item) == MERE_NOT_FOUND);
  EXPECT(mere_node_path(item, place, sizeof place, &size) == MERE_OK && strcmp(place, "rows[1]") == 0 && size == 8);
  EXPECT(mere_node_path(item, place, 5, &size) == MERE_OK && strcmp(place, "rows") == 0 && size == 8);
  EXPECT(mere_node_part(root, MERE_PART_STATE, &node) == MERE_OK);
  EXPECT(mere_node_part(root, MERE_PART_ARGS, &item) == MERE_NOT_FOUND);
  EXPECT(mere_node_key(node, 0, &item) == MERE_OK && mere_node_text(item, &text, &size) == MERE_OK && size == 4);
  EXPECT(mere_node_value(node, 1, &item) == MERE_OK && mere_node_int64(item, &integer) == MERE_OK && integer == 3);

  EXPECT(mere_find(model, "w", &node) == MERE_OK);
  memset(&array, 0, sizeof array);
  EXPECT(mere_node_array(node, &array) == MERE_MISMATCH);
  array.struct_size = sizeof array;
  EXPECT(mere_node_array(node, &array) == MERE_OK);
  EXPECT(array.ndim == 2 && array.shape[0] == 2 && array.shape[1] == 3 && array.strides[0] == 24 &&
         array.strides[1] == 8);
  EXPECT(array.size == 6 && array.nbytes == 48 && array.itemsize == 8 && array.c_contiguous == 1);
  EXPECT(strcmp(array.type, "<f8") == 0);
  memcpy(copy, array.data, sizeof copy);
  EXPECT(copy[5] == 5);
  EXPECT(mere_array_type_text(node, place, sizeof place, NULL) == MERE_OK && strcmp(place, "float64") == 0);
  EXPECT(mere_array_copy(node, copy, sizeof copy) == MERE_OK && copy[4] == 4);
  EXPECT(mere_array_copy(node, copy, 1) == MERE_MISMATCH);
  memset(&node, 0, sizeof node);
  EXPECT(mere_node_kind(node, &kind) == MERE_MISMATCH);
  mere_close(model);

  options.verify = MERE_VERIFY_NONE;
  options.expand = MERE_EXPAND_LAZY;
  EXPECT(mere_open(compressed, &options, &model) == MERE_OK);
  EXPECT(mere_find(model, "w", &node) == MERE_OK && mere_node_array(node, &array) == MERE_OK);
  EXPECT(array.data == NULL);
  EXPECT(mere_array_copy(node, copy, sizeof copy) == MERE_OK && copy[3] == 3);
  mere_close(model);
  return 0;
}
