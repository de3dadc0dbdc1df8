/* A C program of somebody else: opens the model that consumer.cpp wrote, reads an array in the map, and meets an error.
 */

#include <stdio.h>
#include <string.h>

#include <mere/mere.h>

int main(int argc, char** argv) {
  mere_model* model = NULL;
  mere_node node;
  mere_array array;
  if (argc != 2) return 2;
  if (mere_open(argv[1], NULL, &model) != MERE_OK) {
    fprintf(stderr, "%s\n", mere_last_message());
    return 1;
  }
  memset(&array, 0, sizeof array);
  array.struct_size = sizeof array;
  if (mere_find(model, "weights", &node) != MERE_OK || mere_node_array(node, &array) != MERE_OK) {
    fprintf(stderr, "%s\n", mere_last_message());
    return 1;
  }
  if (strcmp(array.type, "<f8") != 0 || array.ndim != 1 || array.shape[0] != 3 || array.data == NULL) return 1;
  if (((const double*)array.data)[2] != 3.0) return 1;
  if (mere_find(model, "absent", &node) != MERE_NOT_FOUND || strcmp(mere_last_reason(), "no_path") != 0) return 1;
  mere_close(model);
  puts("consumer_c: ok");
  return 0;
}
