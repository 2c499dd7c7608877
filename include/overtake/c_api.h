/* SPDX-License-Identifier: MIT */
/**
 * Overtake in C: for other languages, and for programs built with another C++ compiler.
 *
 * Rules that hold for every function:
 * - It returns an overtake_status; what it makes comes in the last arguments, which stay as they are on failure.
 *  overtake_error_message() and overtake_error_hint() say what was wrong and what to do, for the calling thread.
 * - No exception leaves it, nothing is printed, and the process is never ended.
 * - Who was given a handle gives it back with the function of its type whose name ends in _free (NULL is allowed).
 *  Memory inside of a handle lives as long as the handle; arrays that the caller passes are the caller's.
 * - Handles may be used by several threads at once unless one of them changes it (the functions with "set" in the
 * name).
 * - Settings and parameters are JSON objects as UTF-8; names and defaults are those of the library (docs/), unknown
 *  names are an error. NULL and "" are the empty object.
 * - Loading the library opens no driver and starts no thread.
 *
 * Stability: within one OVERTAKE_API_VERSION functions are added, never changed or removed; fields are never added to
 * structures; JSON objects that come out may get more names. overtake_api_version() is that of the loaded library.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define OVERTAKE_API_VERSION 1

/** What kind of mistake a call reports; the tool's exit codes. */
typedef enum overtake_status {
  OVERTAKE_OK = 0,
  OVERTAKE_USAGE_ERROR = 2,    /**< a wrong argument: a name, a shape, a range */
  OVERTAKE_DATA_ERROR = 3,     /**< a file or data that cannot be used */
  OVERTAKE_DEVICE_ERROR = 4,   /**< a processor or its memory: missing, too small, failing */
  OVERTAKE_INTERNAL_ERROR = 5, /**< a bug in Overtake */
  OVERTAKE_CALLER_ERROR = 6    /**< a function of the caller did not return 0 (c_nn.h) */
} overtake_status;

/** "0.1.0" */
const char* overtake_version(void);
/** OVERTAKE_API_VERSION of the library that was loaded. */
int overtake_api_version(void);

/** What was wrong in this thread's last call that failed, as UTF-8; "" before the first. Valid until its next call that
 * fails. */
const char* overtake_error_message(void);
/** What to do about it; may be "". */
const char* overtake_error_hint(void);

/* -- text ---------------------------------------------------------------------------------------------------------- */

/** A text that a call made, UTF-8. */
typedef struct overtake_text overtake_text;
/** Its characters, with a zero behind the last. */
const char* overtake_text_data(const overtake_text* text);
size_t overtake_text_size(const overtake_text* text);
void overtake_text_free(overtake_text* text);

/* -- long work ----------------------------------------------------------------------------------------------------- */

/** Asks work to stop. A call that was given it returns soon, OVERTAKE_OK and with what there is. */
typedef struct overtake_stop overtake_stop;
overtake_status overtake_stop_new(overtake_stop** stop);
/** From any thread, and from a signal handler. */
void overtake_stop_request(overtake_stop* stop);
void overtake_stop_free(overtake_stop* stop);

/** How far long work is; seconds_left is NaN where it is not known, `what` may be "". */
typedef struct overtake_progress {
  int64_t done, total;
  double seconds, seconds_left;
  double best_score; /**< of a search; NaN: none yet */
  const char* what;
} overtake_progress;

/** Told of it on the thread that asked for the work. May be NULL. */
typedef void (*overtake_on_progress)(void* context, const overtake_progress* now);

/** What a long call may be given; all may be NULL. */
typedef struct overtake_watch {
  overtake_stop* stop;
  overtake_on_progress on_progress;
  void* context; /**< handed to on_progress */
} overtake_watch;

/* -- the machine --------------------------------------------------------------------------------------------------- */

/** A JSON list of the processors, usable or not, with reason and hint: the "devices" of `overtake devices --json`. */
overtake_status overtake_devices(overtake_text** json);
/** The check-up of `overtake doctor` (docs/doctor.md). Settings: "devices" (a list of devices or backends; all),
 * "measure" (true). Either text may be NULL. */
overtake_status overtake_doctor(const char* settings, const overtake_watch* watch, overtake_text** json,
                                overtake_text** html);
/** A race. Settings: "layers" (a list), "epochs", "batch", "samples", "devices" (a list), "repeat", "seed",
 * "learning_rate", "memory_limit", "host_memory_limit", "budget_seconds"; defaults as of `overtake race`. Either text
 * may be NULL. */
overtake_status overtake_race(const char* settings, const overtake_watch* watch, overtake_text** json,
                              overtake_text** html);
/** Threads of the CPU that work started from now on uses, in the whole process; 0: OVERTAKE_THREADS, or all cores. */
overtake_status overtake_set_threads(int threads);
/** The same for the calls of the calling thread alone, predictions too; 0: what the process has. */
overtake_status overtake_set_threads_here(int threads);
/** What calls of this thread use now. */
int overtake_threads(void);

/* -- data ---------------------------------------------------------------------------------------------------------- */

typedef enum overtake_dtype { OVERTAKE_FLOAT32 = 0, OVERTAKE_FLOAT64 = 1 } overtake_dtype;

/** Numbers of the caller: rows x columns, strides in bytes (0 and negative ones too). NaN: missing. */
typedef struct overtake_matrix {
  const void* data;
  int32_t dtype; /**< overtake_dtype */
  int64_t rows, columns;
  int64_t row_stride, column_stride;
} overtake_matrix;

/** Rows to train on, as float32. */
typedef struct overtake_data overtake_data;
/** Copies the inputs. float64 becomes float32; a number that float32 does not hold is a data error naming its place. */
overtake_status overtake_data_new(const overtake_matrix* inputs, overtake_data** data);
/** Classes: labels from 0 to classes - 1, one a row. Copied. */
overtake_status overtake_data_set_labels(overtake_data* data, const int32_t* labels, int64_t count, int32_t classes);
/** Numbers to learn, one a row. Copied. */
overtake_status overtake_data_set_targets(overtake_data* data, const double* targets, int64_t count);
/** How much rows count: finite numbers >= 0, one a row; NULL: alike. Copied. */
overtake_status overtake_data_set_weights(overtake_data* data, const float* weights, int64_t count);
/** A JSON list of names, one a feature. */
overtake_status overtake_data_set_feature_names(overtake_data* data, const char* names);
/** Says that column `feature` of the inputs holds categories: places among `names`, a JSON list of distinct texts
 * (4,096 at most), NaN: missing. `ordered` 0: the forest gets their places among those that rows have, sorted by bytes,
 * as it does from a text column of a file; 1: among all of them, in the order given. Models know them: they are in
 * overtake_model_describe() and in the model's file, so that the tool takes a column of texts. Whoever asks the model
 * for answers gives places among those, NaN for any other text. */
overtake_status overtake_data_set_categories(overtake_data* data, int64_t feature, const char* names, int32_t ordered);
/** A JSON list, one a feature: the categories whose places the forest is given; null: numbers. */
overtake_status overtake_data_categories(const overtake_data* data, overtake_text** json);
/** A JSON list of names, one a class; class_weight and positive classes are given by them. */
overtake_status overtake_data_set_class_names(overtake_data* data, const char* names);
void overtake_data_free(overtake_data* data);

/* -- models -------------------------------------------------------------------------------------------------------- */

/** A trained model; it never changes. */
typedef struct overtake_model overtake_model;
void overtake_model_free(overtake_model* model);

/** Trains a forest on data with labels (a classifier) or targets (a regressor). `kind`: "random-forest" or
 * "extra-trees". Parameters: scikit-learn's names, and "max_bins"; class_weight may be an object of class names.
 * Settings: "device" ("auto", the default, chooses; docs/placement.md), "memory_limit", "host_memory_limit" (bytes).
 * `earlier`: NULL, or with "warm_start" the forest that gets more trees. `report` (may be NULL): JSON of the schema
 * "overtake.train-forest/1" without what only a file has. A stop gives the trees grown so far; none at all is a usage
 * error. Determinism: exact, on every device. */
overtake_status overtake_forest_train(const char* kind, const char* parameters, const overtake_data* data,
                                      const char* settings, const overtake_model* earlier, const overtake_watch* watch,
                                      overtake_model** model, overtake_text** report);
/** The parameters of a forest with their defaults, and the given ones over them, checked, as a JSON object.
 * `task`: "classification" or "regression". */
overtake_status overtake_forest_parameters(const char* kind, const char* task, const char* parameters,
                                           overtake_text** json);

/** JSON: "kind" ("random-forest", "extra-trees" or "network"), "description", "task", "features", "outputs", "classes",
 * and of forests "feature_names", "class_names", "parameters", "trees", "oob_score", "oob_rows", "categories" (a list,
 * one a feature: the texts whose places it takes; null: it takes numbers). */
overtake_status overtake_model_describe(const overtake_model* model, overtake_text** json);
/** rows x outputs numbers: the share of each class, or what a regressor predicts (outputs: 1). `count` is the room in
 * `answers`; another one than rows x outputs is a usage error. */
overtake_status overtake_model_predict(const overtake_model* model, const overtake_matrix* inputs, double* answers,
                                       int64_t count);
/** The most likely class of each row, the first of equals. */
overtake_status overtake_model_predict_classes(const overtake_model* model, const overtake_matrix* inputs,
                                               int32_t* classes, int64_t count);
/** The leaf that each row reaches in each tree of a forest, rows x trees. */
overtake_status overtake_model_apply(const overtake_model* model, const overtake_matrix* inputs, int32_t* leaves,
                                     int64_t count);

/** What a forest has of each feature, or of each training row: "feature_importances", "oob_prediction" (rows x outputs,
 * NaN where no tree judges a row; empty unless oob_score was asked for). Lives in the model. */
overtake_status overtake_forest_array(const overtake_model* model, const char* name, const double** values,
                                      int64_t* count);

/** The rows that a tree of a forest drew from `rows` training rows, in the order of drawing, one as often as it was
 * drawn; without bootstrap every row once. Worked out anew on every call. `count` is the room in `drawn`:
 * overtake_forest_draws(). Where rows weigh nothing, a tree may have drawn on until one does; those are not told. */
overtake_status overtake_forest_draws(const overtake_model* model, int64_t rows, int64_t* count);
overtake_status overtake_forest_drawn_rows(const overtake_model* model, int64_t index, int64_t rows, int32_t* drawn,
                                           int64_t count);

/** A tree of a forest, in the order of scikit-learn's tree_. The arrays live in the model. */
typedef struct overtake_tree {
  int64_t nodes;
  const int32_t* feature;         /**< -1: a leaf */
  const double* threshold;        /**< left if value <= threshold; NaN of leaves */
  const uint8_t* missing_go_left; /**< 1: a missing value goes left */
  const int32_t *left, *right;    /**< -1 of leaves */
  const double* impurity;
  const int32_t* samples; /**< distinct training rows */
  const double* weighted_samples;
  const double* value; /**< nodes x outputs */
} overtake_tree;
overtake_status overtake_forest_tree(const overtake_model* model, int64_t index, overtake_tree* tree);
/** A tree as text: `format` is "text" (scikit-learn's export_text) or "dot". */
overtake_status overtake_forest_export(const overtake_model* model, int64_t index, const char* format,
                                       overtake_text** text);

/** Writes a model file, which `overtake predict` reads, too: the features are columns of numbers with the names of the
 * data, or feature_0, feature_1, ...; a model that was loaded keeps what its file says of columns. Path: UTF-8. The
 * file appears complete or not at all. */
overtake_status overtake_model_save(const overtake_model* model, const char* path);
/** Reads what overtake_model_save() or the tool wrote; networks compute on `device` (NULL: the CPU). */
overtake_status overtake_model_load(const char* path, const char* device, overtake_model** model);

/** A forest as the bytes of its file, and back: for pickles and databases. The bytes are not trusted: they are checked
 * as a file is. The same forest gives the same bytes. */
overtake_status overtake_model_to_bytes(const overtake_model* model, overtake_text** bytes);
overtake_status overtake_model_from_bytes(const void* bytes, size_t size, overtake_model** model);

/* -- searches ------------------------------------------------------------------------------------------------------ */

/** The folds of a cross-validation, as row indices: of fold i those from train_starts[i] to train_starts[i + 1] in
 * `train`, and likewise for the rows to score. No fold is empty, and no row comes twice among those to train on, or
 * those to score, of a fold; they are taken in ascending order. */
typedef struct overtake_folds {
  int64_t count;
  const int32_t* train;
  const int64_t* train_starts; /**< count + 1 */
  const int32_t* test;
  const int64_t* test_starts; /**< count + 1 */
} overtake_folds;

/** What a search found. */
typedef struct overtake_search_result overtake_search_result;

/** Every candidate on every fold, as one batch. `candidates`: a JSON list of objects of parameters. Settings:
 * "estimator" ("random-forest"), "fixed" (parameters of all), "scoring" (a list of names; accuracy or r2), "refit"
 * (true; the best by the first name, or by "refit_metric"), "train_scores" (false), "predictions" (false: keep those of
 * every candidate and fold), "invalid_candidates_fail" (false; true: parameters that are never valid are a failure of
 * their candidate instead of a usage error), "seed", "positive_class", "device" ("auto"; "cpu,cuda:0": both share the
 * search), "memory_limit", "host_memory_limit", "journal" (a path; without train_scores and predictions), "data_name"
 * (for the journal), and where `folds` is NULL "cv" (5). A stop gives what was scored so far. Determinism: exact. */
overtake_status overtake_search(const overtake_data* data, const char* candidates, const overtake_folds* folds,
                                const char* settings, const overtake_watch* watch, overtake_search_result** result);
/** The schema "overtake.search/1". */
overtake_status overtake_search_json(const overtake_search_result* result, overtake_text** json);
/** The report as one offline page. */
overtake_status overtake_search_html(const overtake_search_result* result, const char* title, overtake_text** html);
/** Scores of one metric, candidates x folds; NaN where there is none. `of_training`: those of the training rows. Lives
 * in the result. */
overtake_status overtake_search_scores(const overtake_search_result* result, const char* metric, int of_training,
                                       const double** values, int64_t* count);
/** What a candidate predicted for the rows of a fold, rows x outputs, in ascending order of the rows; `count` is 0
 * where nothing was kept. `of_training`: for the rows that it was trained on. Lives in the result. */
overtake_status overtake_search_predictions(const overtake_search_result* result, int64_t candidate, int64_t fold,
                                            int of_training, const double** values, int64_t* count);
/** The best candidate, trained on all rows: a model of its own. A usage error where there is none. */
overtake_status overtake_search_best(const overtake_search_result* result, overtake_model** model);
void overtake_search_result_free(overtake_search_result* result);

#ifdef __cplusplus
}
#endif
