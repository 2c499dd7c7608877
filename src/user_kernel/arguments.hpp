// SPDX-License-Identifier: MIT
// What all kinds of kernels do with the arrays they are called with.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backend/api/device.hpp"
#include "graph/node.hpp"
#include "graph/number.hpp"
#include "user_kernel/signature.hpp"

namespace overtake::user_kernel {

/// Throws UsageError unless there are as many as parameters, each defined.
void check_count(std::string_view kernel, std::size_t given, std::size_t declared);

/// The device of the arrays that have one, or `asked`, or the cpu. Throws UsageError where two differ.
[[nodiscard]] backend::Device& device_of(std::string_view kernel, std::span<const Array> arrays,
                                         std::span<const Parameter> parameters, const std::optional<Device>& asked);

/// The value of an array that is a plain number.
[[nodiscard]] std::optional<graph::Number> number_in(const Array& array);

/// The number as an argument for a parameter of that type. Throws UsageError where the type cannot hold it: a fraction
/// for whole numbers, or one outside of their range.
[[nodiscard]] backend::KernelArgument number_argument(std::string_view kernel, const Parameter& parameter,
                                                      graph::Number number, DType type);

/// The types of the inputs: those declared, or of the arrays given for a letter. Throws UsageError where an array is of
/// another type.
[[nodiscard]] std::vector<DType> input_types(std::string_view kernel, std::span<const Array> arrays,
                                             std::span<const Parameter> parameters);

/// Computes those that are not computed yet, in one plan, row-major. Constants get memory on the device.
[[nodiscard]] std::vector<Array> in_memory_of(backend::Device& device, std::vector<Array> arrays);

/// Memory for a result.
[[nodiscard]] std::shared_ptr<backend::Buffer> memory_for(backend::Device& device, const Shape& shape, DType type);

/// "element 7" of a kernel over elements; "work-item (3, 0, 0)" is raw.cpp's.
[[nodiscard]] std::string element_name(std::int64_t item);

}  // namespace overtake::user_kernel
