/* SPDX-License-Identifier: MIT */
/**
 * Kernels of one's own in C: overtake/kernel.hpp for other languages. The rules of c_api.h hold here, too.
 */
#pragma once

#include "overtake/c_array.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A kernel of any kind. */
typedef struct overtake_kernel overtake_kernel;

/** ElementwiseKernel: inputs "float32 x, int32 n", outputs "float32 y", body "y = x * n;". Compiles nothing. `debug` is
 * 1 to find places outside of arrays; `time_limit` in seconds, 0: none. NULL for `preamble`: none. */
overtake_status overtake_kernel_elementwise(const char* inputs, const char* outputs, const char* body, const char* name,
                                            const char* preamble, int32_t debug, double time_limit,
                                            overtake_kernel** kernel);
/** ReductionKernel. */
overtake_status overtake_kernel_reduction(const char* inputs, const char* output, const char* map, const char* reduce,
                                          const char* post, const char* identity, const char* name,
                                          const char* preamble, int32_t debug, double time_limit,
                                          overtake_kernel** kernel);
/** RawKernel: parameters "const float32* x, int32* counts, int64 n". */
overtake_status overtake_kernel_raw(const char* parameters, const char* body, const char* name, const char* preamble,
                                    int32_t debug, double time_limit, overtake_kernel** kernel);
void overtake_kernel_free(overtake_kernel* kernel);

/** Calls an element-wise kernel; `outputs` has room for as many arrays as it declares. `device` (NULL: that of the
 * arrays, or the cpu) is for kernels of numbers alone. */
overtake_status overtake_kernel_call(const overtake_kernel* kernel, const overtake_array* const* inputs, int64_t count,
                                     const char* device, overtake_array** outputs);
/** Calls a reduction over `axes` (`axis_count` -1: all). */
overtake_status overtake_kernel_reduce(const overtake_kernel* kernel, const overtake_array* const* inputs,
                                       int64_t count, const int32_t* axes, int32_t axis_count, int32_t keepdims,
                                       overtake_array** output);
/** Launches a raw kernel. Arguments are arrays and plain numbers (overtake_array_scalar) in the order of its
 * parameters; the handles of those that it writes get new values. */
overtake_status overtake_kernel_launch(const overtake_kernel* kernel, const int64_t groups[3],
                                       const int32_t group_size[3], overtake_array* const* arguments, int64_t count,
                                       const char* device);
/** The text compiled for a device (NULL: the cpu). */
overtake_status overtake_kernel_source(const overtake_kernel* kernel, const char* device, overtake_text** text);

#ifdef __cplusplus
}
#endif
