/* SPDX-License-Identifier: MIT */
/**
 * Networks in C: overtake/nn.hpp, overtake/optim.hpp and overtake/nn/trainer.hpp for other languages. The rules of
 * c_api.h hold here, too; layers, losses, optimisers and their settings have the names of C++.
 *
 * Functions of the caller (overtake_forward, ...) get handles that live as long as the call, give out handles of their
 * own, and return 0. Another number ends what called them: that call returns OVERTAKE_CALLER_ERROR, and whoever made
 * the number knows why. They are called on the thread of the call that was given them, or that uses their module.
 */
#pragma once

#include "overtake/c_array.h"

#ifdef __cplusplus
extern "C" {
#endif

/* -- parameters ---------------------------------------------------------------------------------------------------- */

/** A value that training changes, or a buffer of a module: a handle to the place of the value. */
typedef struct overtake_parameter overtake_parameter;

/** A parameter of one's own, with a copy of the value; `requires_grad` 0: one that is not learnt. Evaluates. */
overtake_status overtake_parameter_new(const overtake_array* value, int32_t requires_grad,
                                       overtake_parameter** parameter);
/** What it holds now and later, for all functions of arrays; lives as long as the parameter, not to be freed. */
overtake_status overtake_parameter_array(const overtake_parameter* parameter, overtake_array** array);
/** Gives it another value of its shape, converted to its type and moved to its device; gradient and requires_grad stay.
 * Of a buffer (a value that is not learnt) the graph behind the value is cut off. */
overtake_status overtake_parameter_assign(overtake_parameter* parameter, const overtake_array* value);
void overtake_parameter_free(overtake_parameter* parameter);

/* -- modules ------------------------------------------------------------------------------------------------------- */

/** A function of one array with parameters and parts. New ones call their parts one after the other, as Sequential. */
typedef struct overtake_module overtake_module;
/** The value of a module for `input`. */
typedef int32_t (*overtake_forward)(void* context, const overtake_array* input, overtake_array** output);

overtake_status overtake_module_new(overtake_module** module);
/** Makes it a layer: "Linear", ... with attributes (numbers and bools) by the names of the layer's spec() in C++. Its
 * parameters come before those that are added. */
overtake_status overtake_module_set_layer(overtake_module* module, const char* type, const char* attributes);
/** Lets `forward` compute its value; NULL: as layer, or its parts one after the other. */
overtake_status overtake_module_set_forward(overtake_module* module, overtake_forward forward, void* context);
/** Adds a part, or replaces the one of this name; NULL removes it. Parts may be parts of several modules. */
overtake_status overtake_module_set_child(overtake_module* module, const char* name, const overtake_module* child);
/** The same of a parameter, which several modules may share. */
overtake_status overtake_module_set_parameter(overtake_module* module, const char* name,
                                              const overtake_parameter* parameter);
/** The same of a buffer; `persistent`: the state holds it. */
overtake_status overtake_module_set_buffer(overtake_module* module, const char* name, const overtake_parameter* buffer,
                                           int32_t persistent);

/** Its value. Lazy. */
overtake_status overtake_module_forward(const overtake_module* module, const overtake_array* input,
                                        overtake_array** output);
/** What the layer alone computes, whatever set_forward() said. USAGE_ERROR where the module is no layer and has no
 * parts. */
overtake_status overtake_module_layer_forward(const overtake_module* module, const overtake_array* input,
                                              overtake_array** output);
/** nn::predict(): its value in evaluation mode, evaluated, `batch` rows at a time (0: all at once). */
overtake_status overtake_module_predict(const overtake_module* module, const overtake_array* input, int64_t batch,
                                        overtake_array** output);
/** A layer as text: "Linear(in_features=2, out_features=4, bias=True)". */
overtake_status overtake_module_text(const overtake_module* module, overtake_text** text);
/** nn::summarize() for an input of that shape, as JSON: "layers" (name, type, output_shape, parameters, flops,
 * output_bytes), "parameters", "device", "convolutions", and "text", the table. */
overtake_status overtake_module_summary(overtake_module* module, const int64_t* extents, int32_t rank,
                                        overtake_text** json);
/** JSON of its own: {"parameters": ["weight"], "buffers": ["running_mean"], "persistent": [true]}. */
overtake_status overtake_module_names(const overtake_module* module, overtake_text** json);
/** A parameter or buffer of its own, by name; keeps the layer alive. */
overtake_status overtake_module_parameter(const overtake_module* module, const char* name,
                                          overtake_parameter** parameter);
/** Training mode (1) or evaluation mode of it and its parts. */
overtake_status overtake_module_train(overtake_module* module, int32_t on);
overtake_status overtake_module_training(const overtake_module* module, int32_t* on);
/** Moves parameters and buffers to a device. */
overtake_status overtake_module_to(overtake_module* module, const char* device);
/** Draws all parameters of layers anew; those that set_parameter() added stay. */
overtake_status overtake_module_initialize(overtake_module* module, uint64_t seed);
void overtake_module_free(overtake_module* module);

/** Restarts what the layers made next on this thread draw from. */
overtake_status overtake_manual_seed(uint64_t seed);
/** nn::clip_grad_norm(): scales the gradients of parameters; *norm is that before. */
overtake_status overtake_clip_grad_norm(const overtake_parameter* const* parameters, int64_t count, double max_norm,
                                        double norm_type, overtake_array** norm);
/** nn::clip_grad_value(). */
overtake_status overtake_clip_grad_value(const overtake_parameter* const* parameters, int64_t count, double clip_value);

/* -- states -------------------------------------------------------------------------------------------------------- */

/** Named arrays: the state of a module or an optimiser. */
typedef struct overtake_state overtake_state;

overtake_status overtake_state_new(overtake_state** state);
/** Adds an array. */
overtake_status overtake_state_add(overtake_state* state, const char* name, const overtake_array* array);
/** A JSON list of the names. */
overtake_status overtake_state_names(const overtake_state* state, overtake_text** json);
/** Array number `index`. */
overtake_status overtake_state_array(const overtake_state* state, int64_t index, overtake_array** array);
/** Copies of a module's parameters and persistent buffers. */
overtake_status overtake_module_state(const overtake_module* module, overtake_state** state);
/** Module::load_state_dict(); `keys` (may be NULL): JSON with "missing_keys" and "unexpected_keys". */
overtake_status overtake_module_load_state(overtake_module* module, const overtake_state* state, int32_t strict,
                                           overtake_text** keys);
/** load_state() of a safetensors file (overtake/nn/state_file.hpp). */
overtake_status overtake_module_load_file(overtake_module* module, const char* path, int32_t strict,
                                          overtake_text** keys);
/** save_model() of a Sequential of layers (overtake/nn/model_file.hpp). Metadata: a JSON object of texts. */
overtake_status overtake_module_save(const overtake_module* module, const char* path, const char* metadata);
/** load_model(): what to make, as JSON ({"layers": [{"type": "Linear", "in_features": 2, ...}, ...]}, with "layers" of
 * their own in Sequentials), and the values of all parameters and buffers by name. */
overtake_status overtake_module_read(const char* path, overtake_text** architecture, overtake_state** values);
/** Reads and writes safetensors files. Metadata: a JSON object of texts. */
overtake_status overtake_state_read(const char* path, overtake_state** state);
overtake_status overtake_state_write(const overtake_state* state, const char* path, const char* metadata);
void overtake_state_free(overtake_state* state);

/* -- losses -------------------------------------------------------------------------------------------------------- */

typedef struct overtake_loss overtake_loss;
/** The losses of a batch: one a row, or their mean. */
typedef int32_t (*overtake_loss_function)(void* context, const overtake_array* output, const overtake_array* target,
                                          overtake_array** losses);

/** "cross_entropy", "mse", "l1", "huber", "smooth_l1" or "binary_cross_entropy_with_logits". Settings: "reduction"
 * ("mean", "sum", "none"), "label_smoothing" and "ignore_index" of cross_entropy, "delta" of huber, "beta" of
 * smooth_l1. `weight`: of classes, for others of elements; `pos_weight`: of binary_cross_entropy_with_logits. Both may
 * be NULL. */
overtake_status overtake_loss_new(const char* name, const char* settings, const overtake_array* weight,
                                  const overtake_array* pos_weight, overtake_loss** loss);
/** A loss of the caller. Settings: "name", "error_rate" ("class_error" and "binary_error" count wrong answers; with
 * "class_error" targets are int32, else float32). */
overtake_status overtake_loss_of_function(overtake_loss_function function, void* context, const char* settings,
                                          overtake_loss** loss);
/** Computes it, lazily. `sample_weight`: of each row, or NULL. */
overtake_status overtake_loss_call(const overtake_loss* loss, const overtake_array* output,
                                   const overtake_array* target, const overtake_array* sample_weight,
                                   overtake_array** value);
void overtake_loss_free(overtake_loss* loss);

/* -- optimisers ---------------------------------------------------------------------------------------------------- */

typedef struct overtake_optimizer overtake_optimizer;
/** Computes loss and gradients for the parameters as they are. */
typedef int32_t (*overtake_closure)(void* context, overtake_array** loss);

/** "SGD", "Adam", "AdamW" or "RMSprop". Settings: "lr" and the options of C++ by their names there. Keeps the
 * parameters alive. */
overtake_status overtake_optimizer_new(const char* name, const overtake_parameter* const* parameters, int64_t count,
                                       const char* settings, overtake_optimizer** optimizer);
/** LBFGS. Settings: "lr", "max_iter", "max_eval", "tolerance_grad", "tolerance_change", "history_size",
 * "line_search_fn" ("strong_wolfe"). No Trainer and no scheduler takes it. */
overtake_status overtake_lbfgs_new(const overtake_parameter* const* parameters, int64_t count, const char* settings,
                                   overtake_optimizer** optimizer);
overtake_status overtake_optimizer_step(overtake_optimizer* optimizer);
/** LBFGS::step(); *loss is the loss before it. */
overtake_status overtake_lbfgs_step(overtake_optimizer* optimizer, overtake_closure closure, void* context,
                                    double* loss);
overtake_status overtake_optimizer_zero_grad(overtake_optimizer* optimizer);
overtake_status overtake_optimizer_rate(const overtake_optimizer* optimizer, double* rate);
overtake_status overtake_optimizer_set_rate(overtake_optimizer* optimizer, double rate);
/** "SGD(momentum=0.9, nesterov=True, weight_decay=0)" */
overtake_status overtake_optimizer_text(const overtake_optimizer* optimizer, overtake_text** text);
/** Copies of what it keeps beside the parameters, and "lr". USAGE_ERROR for LBFGS. */
overtake_status overtake_optimizer_state(const overtake_optimizer* optimizer, overtake_state** state);
/** Continues with such a state. USAGE_ERROR, before anything is changed, for other names and shapes. */
overtake_status overtake_optimizer_load_state(overtake_optimizer* optimizer, const overtake_state* state);
void overtake_optimizer_free(overtake_optimizer* optimizer);

/** A schedule's description and checks. Schedules are JSON: "kind" ("constant", "step", "cosine", "exponential",
 * "multi_step", "linear") and the members of optim::Schedule. */
overtake_status overtake_schedule_text(const char* schedule, overtake_text** text);
/** The rate of an epoch, counted from 0. */
overtake_status overtake_schedule_at(const char* schedule, double base, int32_t epoch, double* rate);

/** Sets an optimiser's rate in a loop by hand. */
typedef struct overtake_scheduler overtake_scheduler;
/** LRScheduler. The optimiser is kept alive. */
overtake_status overtake_scheduler_new(const overtake_optimizer* optimizer, const char* schedule,
                                       overtake_scheduler** scheduler);
/** ReduceLROnPlateau. Settings: "mode" ("min", "max"), "factor", "patience", "threshold", "threshold_mode" ("rel",
 * "abs"), "cooldown", "min_lr", "eps". */
overtake_status overtake_plateau_new(const overtake_optimizer* optimizer, const char* settings,
                                     overtake_scheduler** scheduler);
/** Goes on by an epoch; `metric` is for ReduceLROnPlateau alone. */
overtake_status overtake_scheduler_step(overtake_scheduler* scheduler, double metric);
/** The epoch whose rate is set; for ReduceLROnPlateau *epoch stays, and *best is the best metric. Both may be NULL. */
overtake_status overtake_scheduler_now(const overtake_scheduler* scheduler, int64_t* epoch, double* best);
void overtake_scheduler_free(overtake_scheduler* scheduler);

/* -- the Trainer --------------------------------------------------------------------------------------------------- */

/** An epoch that was read back; figures that are not known are NaN. */
typedef struct overtake_epoch {
  int64_t epoch; /**< counted from 1 */
  double learning_rate, train_loss, train_error, validation_loss, validation_error;
  int32_t best; /**< the lowest monitored loss so far */
} overtake_epoch;
/** Told of it; what it may change is said at TrainingObserver in overtake/nn/trainer.hpp. */
typedef int32_t (*overtake_on_epoch)(void* context, const overtake_epoch* epoch);

/** What Trainer::fit() is given. */
typedef struct overtake_training {
  const overtake_array* inputs;
  const overtake_array* targets;
  const overtake_array* validation_inputs;  /**< may be NULL */
  const overtake_array* validation_targets; /**< may be NULL */
  const char* settings;       /**< "epochs", "batch_size", ...: the numbers, bools and texts of TrainerOptions */
  const char* schedule;       /**< see overtake_schedule_text(); NULL: a constant rate */
  overtake_on_epoch on_epoch; /**< may be NULL */
  void* context;              /**< handed to on_epoch */
} overtake_training;

/** Trains `module` as Trainer::fit() does: forward() and loss are called a few times to see what a step is, then the
 * step runs compiled. `report`: JSON of the FitReport. A stop ends with stop_reason "interrupted". */
overtake_status overtake_train(overtake_module* module, const overtake_loss* loss, overtake_optimizer* optimizer,
                               const overtake_training* training, const overtake_watch* watch, overtake_text** report);
/** Mean loss and error in evaluation mode; *error is NaN where the loss counts none. */
overtake_status overtake_evaluate(overtake_module* module, const overtake_loss* loss, overtake_optimizer* optimizer,
                                  const overtake_array* inputs, const overtake_array* targets, double* mean_loss,
                                  double* error);

#ifdef __cplusplus
} /* extern "C" */
#endif
