// SPDX-License-Identifier: MIT
// The device sources of this folder, embedded in the binary.
#pragma once

#include <string_view>

namespace overtake::kernels {

/// Part of every program cache key. To be raised when a prelude changes the meaning of kernels already compiled.
inline constexpr int dialect_version = 2;

}  // namespace overtake::kernels

namespace overtake::embedded {

/// Prepended to dialect source by the backend that compiles it; see docs/dialect.md.
extern const std::string_view prelude_c, prelude_c_entries;
extern const std::string_view prelude_cuda;
extern const std::string_view prelude_opencl;

/// Kernel families: templates that backend/common/lowering completes.
extern const std::string_view kernel_tape;
extern const std::string_view kernel_philox;
extern const std::string_view kernel_map;
extern const std::string_view kernel_matmul;
extern const std::string_view kernel_reduce;
extern const std::string_view kernel_rows;
extern const std::string_view kernel_gather;
extern const std::string_view kernel_scan;
extern const std::string_view kernel_sort_keys;
extern const std::string_view kernel_sort_rows;
extern const std::string_view kernel_sort_pass;
extern const std::string_view kernel_sort_count;
extern const std::string_view kernel_sort_scatter;
extern const std::string_view kernel_search;
extern const std::string_view kernel_segment;
extern const std::string_view kernel_histogram;
extern const std::string_view kernel_convolution;
extern const std::string_view kernel_convolution_few;
extern const std::string_view kernel_convolution_small;
extern const std::string_view kernel_convolution_small_filters;
extern const std::string_view kernel_convolution_shallow;
extern const std::string_view kernel_convolution_product;
extern const std::string_view kernel_winograd;
extern const std::string_view kernel_winograd_product;
extern const std::string_view kernel_product_thin;
extern const std::string_view kernel_parts;
extern const std::string_view kernel_pool;

/// Complete sources; that of forests with the definitions that forest/nodes.k lists.
extern const std::string_view kernel_forest;
extern const std::string_view kernel_self_test;
extern const std::string_view kernel_peak;
extern const std::string_view kernel_peak_double;
extern const std::string_view kernel_interpreted;
extern const std::string_view kernel_image;

}  // namespace overtake::embedded
