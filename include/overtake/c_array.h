/* SPDX-License-Identifier: MIT */
/**
 * Arrays in C: overtake/array.hpp and overtake/ops.hpp for other languages. The rules of c_api.h hold here, too.
 *
 * Functions on arrays are lazy: they check their arguments and build a graph, which overtake_array_eval(), and whatever
 * reads values, computes. They are called by number: overtake_array_function() finds the number of a name once.
 */
#pragma once

#include "overtake/c_api.h"

#ifdef __cplusplus
extern "C" {
#endif

/** An array: a handle to values that never change. */
typedef struct overtake_array overtake_array;

/** Element types; the numbers are part of the interface. */
typedef enum overtake_element {
  OVERTAKE_ELEMENT_BOOL = 0, /**< a byte each */
  OVERTAKE_ELEMENT_INT8 = 1,
  OVERTAKE_ELEMENT_INT16 = 2,
  OVERTAKE_ELEMENT_INT32 = 3,
  OVERTAKE_ELEMENT_INT64 = 4,
  OVERTAKE_ELEMENT_UINT8 = 5,
  OVERTAKE_ELEMENT_UINT16 = 6,
  OVERTAKE_ELEMENT_UINT32 = 7,
  OVERTAKE_ELEMENT_UINT64 = 8,
  OVERTAKE_ELEMENT_FLOAT16 = 9,
  OVERTAKE_ELEMENT_BFLOAT16 = 10,
  OVERTAKE_ELEMENT_FLOAT32 = 11,
  OVERTAKE_ELEMENT_FLOAT64 = 12
} overtake_element;

/** Copies row-major elements of `dtype` to a device ("cpu", "cuda:0"; NULL: the cpu). */
overtake_status overtake_array_from(const void* values, int32_t dtype, const int64_t* extents, int32_t rank,
                                    const char* device, overtake_array** array);
/** A plain number, which takes the type of the arrays it meets (overtake/array.hpp); on any device. `dtype` is
 * OVERTAKE_ELEMENT_BOOL, _INT64, _UINT64 (`whole` has its bits) or _FLOAT32 (of which `number` keeps all digits). */
overtake_status overtake_array_scalar(int32_t dtype, int64_t whole, double number, overtake_array** array);
/** Another handle to the same array. */
overtake_status overtake_array_share(const overtake_array* array, overtake_array** other);
void overtake_array_free(overtake_array* array);

/** Everything about it at once; extents has room for 8. Never computes anything. */
overtake_status overtake_array_describe(const overtake_array* array, int32_t* dtype, int32_t* rank, int64_t* extents);
/** "cpu", "cuda:0"; valid until the process ends. A plain number is on "cpu". */
overtake_status overtake_array_device(const overtake_array* array, const char** device);
/** The same values on another device: crossing is never done unasked. Evaluates. */
overtake_status overtake_array_to(const overtake_array* array, const char* device, overtake_array** moved);

/** Waits until a device has finished everything that was asked of it. */
overtake_status overtake_synchronize(const char* device);

/** The same, with what other libraries of this process asked of it. */
overtake_status overtake_synchronize_everyone(const char* device);

/** Computes arrays, in one plan. Does not wait for GPUs. */
overtake_status overtake_array_eval(const overtake_array* const* arrays, int64_t count);
/** Computes, waits and copies the row-major elements to `values`, which has room for `bytes`. */
overtake_status overtake_array_read(const overtake_array* array, void* values, int64_t bytes);
/** The values of an array of the cpu where they lie, row-major; valid as long as the handle. Evaluates. USAGE_ERROR on
 * another device. */
overtake_status overtake_array_memory(const overtake_array* array, const void** values);

/** The values as text in NumPy's manner, long arrays summarised; `indent` is that of the lines after the first.
 * Evaluates and reads no more than is shown. */
overtake_status overtake_array_text(const overtake_array* array, int32_t indent, overtake_text** text);

/** Draws without a seed (functions random_...) are those of this seed from now on. */
overtake_status overtake_random_seed(uint64_t seed);

/** Writes a .npy file, whole or not at all. Evaluates. */
overtake_status overtake_array_save_npy(const overtake_array* array, const char* path);
/** Reads one to a device (NULL: the cpu). */
overtake_status overtake_array_load_npy(const char* path, const char* device, overtake_array** array);
/** Writes arrays, each under its name, to a .npz file, whole or not at all; `deflate` is 1 to pack them. */
overtake_status overtake_arrays_save_npz(const char* path, const char* const* names,
                                         const overtake_array* const* arrays, int64_t count, int32_t deflate);
/** The names of the arrays of a .npz file, each followed by a null byte. */
overtake_status overtake_npz_names(const char* path, overtake_text** names);
/** One array of a .npz file. */
overtake_status overtake_array_load_npz(const char* path, const char* name, const char* device, overtake_array** array);

/** Lends the memory of an array of a cpu or cuda device: *tensor is a DLManagedTensorVersioned (version 1.0), or, with
 * `versioned` 0, a DLManagedTensor. Its deleter is to be called once. Evaluates; with `wait` 1 the values are there for
 * every stream, otherwise behind overtake_stream_of(). */
overtake_status overtake_array_to_dlpack(const overtake_array* array, int32_t versioned, int32_t wait, void** tensor);
/** Takes a tensor over, without a copy. Unless it is OVERTAKE_OK the tensor stays the caller's. */
overtake_status overtake_array_from_dlpack(void* tensor, int32_t versioned, overtake_array** array);
/** Calls the deleter of a tensor that was lent and not taken. */
void overtake_dlpack_delete(void* tensor, int32_t versioned);
/** What capsules of tensors, and Ctrl-C while arrays are computed on the cpu, need of Python, which this library does
 * not know: PyCapsule_IsValid, PyCapsule_GetPointer, PyErr_Fetch, PyErr_Restore, PyErr_CheckSignals, PyGILState_Ensure,
 * PyGILState_Release. */
typedef struct overtake_python {
  int (*is_valid)(void* capsule, const char* name);
  void* (*pointer)(void* capsule, const char* name);
  void (*fetch_error)(void** type, void** value, void** trace);
  void (*restore_error)(void* type, void* value, void* trace);
  int (*check_signals)(void);
  int (*ensure_thread)(void);
  void (*release_thread)(int state);
} overtake_python;
/** Sets them for the process. From then on a call that computes arrays on the cpu lets Python handle its signals about
 * every 50 ms, between operations and parts of them; where a handler raises, the call ends with OVERTAKE_CALLER_ERROR,
 * and what was to be computed still is. */
void overtake_python_set(const overtake_python* functions);
/** What that handler raised on this thread, as PyErr_Fetch gives it, once; NULLs where there is nothing. */
void overtake_python_error(void** type, void** value, void** trace);
/** The destructor of such a capsule (PyCapsule_Destructor): deletes a tensor that nobody took, and leaves an error of
 * Python that is on its way alone. */
void overtake_python_capsule_end(void* capsule);
/** An array over memory of a device ("cpu", "cuda:0") without a copy; strides in elements, NULL: row-major. `release`
 * (which may be NULL) is called with `context` once, from any thread, when no array needs the memory any more; unless
 * it is OVERTAKE_OK it is not called. */
overtake_status overtake_array_from_foreign(uint64_t address, int32_t dtype, const int64_t* extents,
                                            const int64_t* strides, int32_t rank, const char* device,
                                            void (*release)(void* context), void* context, overtake_array** array);
/** Where the row-major elements of an array of a cpu or cuda device are; valid as long as the handle. Evaluates. */
overtake_status overtake_array_address(const overtake_array* array, uint64_t* address);
/** The CUstream of a cuda device; 0 for other devices. */
overtake_status overtake_stream_of(const char* device, uint64_t* stream);

/** The number of a function (the names of overtake/ops.hpp). */
overtake_status overtake_array_function(const char* name, int32_t* function);
/** The names of all functions, one a line. */
overtake_status overtake_array_functions(overtake_text** names);
/**
 * Calls a function: `inputs` may hold NULL where an array is optional; settings are the function's other arguments in
 * the order of its C++ declaration: numbers in `numbers`, all else in `integers` (bool, dtype and axis: one each; a
 * list: its length, then its members; a pair: both; an optional one: 0, or 1 and itself; options: their members).
 * `outputs` has room for `room` handles; *count says how many were made.
 */
overtake_status overtake_array_call(int32_t function, const overtake_array* const* inputs, int64_t input_count,
                                    const int64_t* integers, int64_t integer_count, const double* numbers,
                                    int64_t number_count, overtake_array** outputs, int64_t room, int64_t* count);
/** The same for functions of one or two arrays, without settings. */
overtake_status overtake_array_unary(int32_t function, const overtake_array* a, overtake_array** result);
overtake_status overtake_array_binary(int32_t function, const overtake_array* a, const overtake_array* b,
                                      overtake_array** result);

/** Marks a leaf to differentiate by, or not any more. Evaluates. */
overtake_status overtake_array_set_requires_grad(overtake_array* array, int32_t required);
overtake_status overtake_array_requires_grad(const overtake_array* array, int32_t* required);
/** Differentiates a one-element array by every leaf that requires a gradient. */
overtake_status overtake_array_backward(const overtake_array* array);
/** The gradient that has come together; NULL before the first. */
overtake_status overtake_array_grad(const overtake_array* array, overtake_array** gradient);
/** Replaces it; NULL clears it. */
overtake_status overtake_array_set_grad(const overtake_array* array, const overtake_array* gradient);
/** While the depth is above 0, new arrays of this thread do not require gradients. Adds `change` to it. */
overtake_status overtake_array_no_grad(int32_t change);
/** Products, convolutions and layers that this thread writes down from now on are of a precision: "fp32", "tf32" or
 * "bf16" (overtake/precision.hpp); NULL leaves it. *before (may be NULL): the one until now, a text that is not to be
 * freed; set it again at the end of the block. */
overtake_status overtake_set_precision(const char* precision, const char** before);

/** The type that two types make together. */
overtake_status overtake_result_type(int32_t a, int32_t b, int32_t* result);

#ifdef __cplusplus
} /* extern "C" */
#endif
