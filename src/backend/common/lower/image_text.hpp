// SPDX-License-Identifier: MIT
// What kernels over images say of their operands.
#pragma once

#include <string_view>

#include "backend/common/lower/kernel_text.hpp"

namespace overtake::backend {

/// For the prefix "X" and the name "x": X_ELEMENT, X_VECTOR (four of them), WIDEN_X(value), the parameters
/// X_PARAMETERS, and X_BEGINS, a statement after which `x` points to the operand's first element. An operand that is
/// not there has no parameters and is null.
void define_operand(KernelText& text, std::string_view prefix, std::string_view name, const ImageOperand& operand);

/// The arguments of such parameters.
void add_operand(KernelText& text, const ImageOperand& operand);

}  // namespace overtake::backend
