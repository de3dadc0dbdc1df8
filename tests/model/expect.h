/* What the tests in C promise: a function that ends at the first promise not kept, with its line. */
#ifndef MERE_TESTS_MODEL_EXPECT_H
#define MERE_TESTS_MODEL_EXPECT_H

#include <mere/mere.h>

#include <stdio.h>

#define EXPECT(condition)                                                              \
  do {                                                                                 \
    if (!(condition)) {                                                                \
      fprintf(stderr, "line %d: %s: %s\n", __LINE__, #condition, mere_last_message()); \
      return __LINE__;                                                                 \
    }                                                                                  \
  } while (0)

#endif
