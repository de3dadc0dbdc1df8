/* The C interface of predictors over sparse rows and tables, from C. Each returns 0, or the line of the first promise
 * that was not kept. */

#include <mere/mere.h>

#include <math.h>
#include <string.h>

#include "model/expect.h"

/* `path` predicts 2 x0 - x2 + 0.5 of three columns. */
int mere_c_sparse_test(const char* path) {
  /* [[1, 0, 2], [0, 0, 0], [0, 5, 3]]; the first row gives column 0 in two parts. */
  const double values[] = {0.25, 2, 0.75, 5, 3};
  const float singles[] = {0.25f, 2, 0.75f, 5, 3};
  const int32_t indices[] = {0, 2, 0, 1, 2};
  const int64_t wide[] = {0, 2, 0, 1, 2};
  const int32_t starts[] = {0, 3, 3, 5};
  const int64_t wide_starts[] = {0, 3, 3, 5};
  const int32_t outside[] = {0, 3, 0, 1, 2};
  const int32_t falling[] = {0, 3, 2, 5};
  const int32_t beyond[] = {0, 3, 3, 6};
  mere_model* model = NULL;
  mere_predictor* predictor = NULL;
  mere_input_column column;
  mere_predict_options options;
  mere_csr x;
  char text[8];
  size_t needed = 0;
  double out[3];

  EXPECT(mere_open(path, NULL, &model) == MERE_OK);
  EXPECT(mere_predictor_open(model, &predictor) == MERE_OK);
  mere_close(model);
  EXPECT(mere_predictor_refuses_sparse(predictor, text, sizeof text, &needed) == MERE_OK);
  EXPECT(text[0] == 0 && needed == 1);
  memset(&column, 0, sizeof column);
  EXPECT(mere_predictor_column(predictor, 0, &column) == MERE_MISMATCH); /* struct_size is not set */
  column.struct_size = sizeof column;
  EXPECT(mere_predictor_column(predictor, 2, &column) == MERE_OK && column.name[0] == 0 && column.text == 0);
  EXPECT(mere_predictor_column(predictor, 3, &column) == MERE_MISMATCH);

  memset(&x, 0, sizeof x);
  x.values = values;
  x.indices = indices;
  x.starts = starts;
  x.rows = x.columns = 3;
  x.entries = 5;
  EXPECT(mere_predict_csr(predictor, "predict", &x, out, 3, NULL) == MERE_MISMATCH);
  EXPECT(strcmp(mere_last_reason(), "bad_argument") == 0);
  x.struct_size = sizeof x;
  EXPECT(mere_predict_csr(predictor, "predict", &x, out, 3, NULL) == MERE_OK);
  EXPECT(out[0] == 0.5 && out[1] == 0.5 && out[2] == -2.5);
  x.values = singles;
  x.is_float32 = 1;
  x.indices = wide;
  x.wide_indices = 1;
  x.starts = wide_starts;
  x.wide_starts = 1;
  memset(out, 0, sizeof out);
  memset(&options, 0, sizeof options);
  EXPECT(mere_predict_csr(predictor, "predict", &x, out, 3, &options) == MERE_MISMATCH);
  options.struct_size = sizeof options;
  options.threads = 2;
  EXPECT(mere_predict_csr(predictor, "predict", &x, out, 3, &options) == MERE_OK);
  EXPECT(out[0] == 0.5 && out[1] == 0.5 && out[2] == -2.5);

  x.wide_indices = x.wide_starts = 0;
  x.starts = starts;
  x.indices = outside;
  EXPECT(mere_predict_csr(predictor, "predict", &x, out, 3, NULL) == MERE_MISMATCH);
  EXPECT(strcmp(mere_last_reason(), "bad_argument") == 0);
  x.indices = indices;
  x.starts = falling;
  EXPECT(mere_predict_csr(predictor, "predict", &x, out, 3, NULL) == MERE_MISMATCH);
  x.starts = beyond;
  EXPECT(mere_predict_csr(predictor, "predict", &x, out, 3, NULL) == MERE_MISMATCH);
  x.starts = NULL;
  EXPECT(mere_predict_csr(predictor, "predict", &x, out, 3, NULL) == MERE_MISMATCH);
  x.starts = starts;
  x.columns = 4;
  EXPECT(mere_predict_csr(predictor, "predict", &x, out, 3, NULL) == MERE_MISMATCH);
  EXPECT(strcmp(mere_last_reason(), "wrong_shape") == 0);
  x.columns = 3;
  EXPECT(mere_predict_csr(predictor, "predict", &x, out, 2, NULL) == MERE_MISMATCH);
  EXPECT(mere_predict_csr(predictor, "predict", NULL, out, 3, NULL) == MERE_MISMATCH);
  EXPECT(mere_predict_csr(NULL, "predict", &x, out, 3, NULL) == MERE_MISMATCH);
  EXPECT(mere_predict_csr(predictor, "predict", &x, NULL, 3, NULL) == MERE_MISMATCH);
  x.rows = 0;
  x.values = x.indices = x.starts = NULL;
  EXPECT(mere_predict_csr(predictor, "predict", &x, NULL, 0, NULL) == MERE_OK);
  mere_predictor_close(predictor);
  return 0;
}

/* `path` encodes the columns "city" (Oslo, Paris, Zuerich with its u umlaut: 0, 1, 2) and "size" (1, 2.5, 4). */
int mere_c_table_test(const char* path) {
  const char* cities[] = {"Z\xc3\xbcrich", "Atlantis", NULL, "Oslo"};
  const int32_t codes[] = {0, 1, -1, 3};
  const int64_t offsets[] = {0, 7, 15, 15, 19};
  const int64_t outside[] = {0, 7, 15, 15, 20};
  const char bytes[] = "Z\xc3\xbcrichAtlantisOslo";
  const uint8_t missing[] = {0, 0, 1, 0};
  const double sizes[] = {4, 2.5, 1, NAN};
  const float single_sizes[] = {4, 2.5f, 1, NAN};
  const int64_t whole_sizes[] = {4, 1, 1, 7};
  const uint8_t flags[] = {0, 1, 1, 0};
  const double backwards[] = {NAN, 0, 1, 0, 2.5, 0, 4};
  mere_model* model = NULL;
  mere_predictor* predictor = NULL;
  mere_input_column named;
  mere_column columns[3];
  mere_table x;
  mere_csr sparse;
  char why[200];
  double out[8];
  int form;

  EXPECT(mere_open(path, NULL, &model) == MERE_OK);
  EXPECT(mere_predictor_open(model, &predictor) == MERE_OK);
  mere_close(model);
  named.struct_size = sizeof named;
  EXPECT(mere_predictor_column(predictor, 0, &named) == MERE_OK && strcmp(named.name, "city") == 0 && named.text == 1);
  EXPECT(mere_predictor_column(predictor, 1, &named) == MERE_OK && strcmp(named.name, "size") == 0 && named.text == 0);

  memset(&x, 0, sizeof x);
  memset(columns, 0, sizeof columns);
  columns[0].name = "size";
  columns[0].kind = MERE_COLUMN_FLOAT64;
  columns[0].values = sizes;
  columns[1].name = "not asked for";
  columns[1].kind = MERE_COLUMN_BOOL;
  columns[1].values = flags;
  columns[2].name = "city";
  columns[2].kind = MERE_COLUMN_TEXT;
  columns[2].texts = cities;
  x.struct_size = sizeof x;
  x.columns = columns;
  x.column_count = 3;
  x.rows = 4;
  EXPECT(mere_predict_table(predictor, "transform", &x, out, 8, NULL) == MERE_MISMATCH); /* column_size is not set */
  x.column_size = sizeof columns[0];
  for (form = 0; form < 3; ++form) {
    columns[2].codes = form == 1 ? codes : NULL;
    columns[2].text_count = 4;
    columns[2].offsets = form == 2 ? offsets : NULL;
    columns[2].bytes = bytes;
    columns[2].byte_count = 19;
    columns[2].missing = form == 2 ? missing : NULL;
    memset(out, 0, sizeof out);
    EXPECT(mere_predict_table(predictor, "transform", &x, out, 8, NULL) == MERE_OK);
    EXPECT(out[0] == 2 && out[1] == 2 && out[2] == -1 && out[3] == 1 && out[4] == -1 && out[5] == 0 && out[6] == 0 &&
           out[7] == -1);
  }
  columns[2].offsets = outside;
  EXPECT(mere_predict_table(predictor, "transform", &x, out, 8, NULL) == MERE_MISMATCH);
  EXPECT(strcmp(mere_last_reason(), "bad_argument") == 0);
  columns[2].offsets = NULL;

  /* Numbers of each kind, at any stride. */
  columns[0].kind = MERE_COLUMN_FLOAT32;
  columns[0].values = single_sizes;
  EXPECT(mere_predict_table(predictor, "transform", &x, out, 8, NULL) == MERE_OK);
  EXPECT(out[1] == 2 && out[3] == 1 && out[5] == 0);
  columns[0].kind = MERE_COLUMN_INT64;
  columns[0].values = whole_sizes;
  EXPECT(mere_predict_table(predictor, "transform", &x, out, 8, NULL) == MERE_OK);
  EXPECT(out[1] == 2 && out[3] == 0 && out[5] == 0 && out[7] == -1);
  columns[0].kind = MERE_COLUMN_BOOL;
  columns[0].values = flags;
  EXPECT(mere_predict_table(predictor, "transform", &x, out, 8, NULL) == MERE_OK);
  EXPECT(out[1] == -1 && out[3] == 0 && out[5] == 0 && out[7] == -1);
  columns[0].kind = MERE_COLUMN_FLOAT64;
  columns[0].values = backwards + 6;
  columns[0].stride = -16;
  EXPECT(mere_predict_table(predictor, "transform", &x, out, 8, NULL) == MERE_OK);
  EXPECT(out[1] == 2 && out[3] == 1 && out[5] == 0 && out[7] == -1);

  /* A column of another name, of no name, of another type, of no kind, of nothing. */
  columns[0].name = "seize";
  EXPECT(mere_predict_table(predictor, "transform", &x, out, 8, NULL) == MERE_NOT_FOUND);
  EXPECT(strcmp(mere_last_reason(), "no_path") == 0 && strstr(mere_last_message(), "'size'") != NULL);
  columns[0].name = NULL;
  EXPECT(mere_predict_table(predictor, "transform", &x, out, 8, NULL) == MERE_MISMATCH);
  EXPECT(strcmp(mere_last_reason(), "wrong_shape") == 0); /* three columns by position */
  x.column_count = 2;
  EXPECT(mere_predict_table(predictor, "transform", &x, out, 8, NULL) == MERE_MISMATCH);
  EXPECT(strcmp(mere_last_reason(), "wrong_type") == 0); /* numbers where texts are expected */
  columns[1] = columns[0];
  columns[0] = columns[2];
  EXPECT(mere_predict_table(predictor, "transform", &x, out, 8, NULL) == MERE_OK); /* by position */
  EXPECT(out[0] == 2 && out[1] == 2);
  EXPECT(mere_predict_table(predictor, "transform", &x, out, 7, NULL) == MERE_MISMATCH);
  columns[1].kind = 5;
  EXPECT(mere_predict_table(predictor, "transform", &x, out, 8, NULL) == MERE_MISMATCH);
  columns[1].kind = -1;
  EXPECT(mere_predict_table(predictor, "transform", &x, out, 8, NULL) == MERE_MISMATCH);
  columns[1].kind = MERE_COLUMN_FLOAT64;
  columns[1].values = NULL;
  EXPECT(mere_predict_table(predictor, "transform", &x, out, 8, NULL) == MERE_MISMATCH);
  columns[1].values = sizes;
  columns[1].stride = 0;
  columns[0].texts = NULL;
  EXPECT(mere_predict_table(predictor, "transform", &x, out, 8, NULL) == MERE_MISMATCH);
  x.rows = 0;
  EXPECT(mere_predict_table(predictor, "transform", &x, NULL, 0, NULL) == MERE_OK);
  x.columns = NULL;
  EXPECT(mere_predict_table(predictor, "transform", &x, NULL, 0, NULL) == MERE_MISMATCH);

  /* Texts do not come as a matrix. */
  memset(&sparse, 0, sizeof sparse);
  sparse.struct_size = sizeof sparse;
  sparse.columns = 2;
  EXPECT(mere_predict_csr(predictor, "transform", &sparse, NULL, 0, NULL) != MERE_OK);
  EXPECT(mere_predictor_refuses_sparse(predictor, why, sizeof why, NULL) == MERE_OK);
  mere_predictor_close(predictor);
  return 0;
}
