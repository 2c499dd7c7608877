/* SPDX-License-Identifier: MIT */
/* A random forest in C99: train, predict, save, load, and what an error says. Usage: c_forest [model file] */
#include <stdio.h>
#include <string.h>

#include "overtake/c_api.h"

enum { rows = 200, columns = 2 };

/* Points in a square; class 1 is the lower left half of it. */
static void make_points(double points[rows][columns], int32_t labels[rows]) {
  for (int row = 0; row < rows; ++row) {
    points[row][0] = (row * 37 % rows) / (double)rows;
    points[row][1] = (row * 101 % rows) / (double)rows;
    labels[row] = points[row][0] + points[row][1] < 1;
  }
}

static int fail(const char* what) {
  fprintf(stderr, "%s: %s\nhint: %s\n", what, overtake_error_message(), overtake_error_hint());
  return 1;
}

int main(int argc, char** argv) {
  const char* path = argc > 1 ? argv[1] : "forest.overtake";
  static double points[rows][columns], shares[rows][2], again[rows][2];
  static int32_t labels[rows];
  make_points(points, labels);

  const overtake_matrix inputs = {points, OVERTAKE_FLOAT64, rows, columns, sizeof points[0], sizeof points[0][0]};
  overtake_data* data = NULL;
  overtake_model *forest = NULL, *loaded = NULL;
  if (overtake_data_new(&inputs, &data) || overtake_data_set_labels(data, labels, rows, 2) ||
      overtake_data_set_feature_names(data, "[\"x\", \"y\"]"))
    return fail("data");
  if (overtake_forest_train("random-forest", "{\"n_estimators\": 50, \"max_depth\": 6}", data, NULL, NULL, NULL,
                            &forest, NULL))
    return fail("training");
  if (overtake_model_predict(forest, &inputs, &shares[0][0], 2 * rows)) return fail("prediction");
  if (overtake_model_save(forest, path) || overtake_model_load(path, NULL, &loaded)) return fail("file");
  if (overtake_model_predict(loaded, &inputs, &again[0][0], 2 * rows)) return fail("prediction");
  printf("a point of class %d is class 1 with share %.2f\n", labels[0], shares[0][1]);
  printf("%s from the file\n", memcmp(shares, again, sizeof shares) == 0 ? "the same answers" : "OTHER answers");

  overtake_model* none = NULL;
  const overtake_status status =
      overtake_forest_train("random-forest", "{\"max_dept\": 6}", data, NULL, NULL, NULL, &none, NULL);
  printf("status %d: %s\nhint: %s\n", status, overtake_error_message(), overtake_error_hint());

  overtake_model_free(loaded);
  overtake_model_free(forest);
  overtake_data_free(data);
  return status == OVERTAKE_USAGE_ERROR && none == NULL ? 0 : 1;
}
