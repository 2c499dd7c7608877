// SPDX-License-Identifier: MIT
#pragma once

#include "backend/api/sort_key.hpp"
#include "backend/common/lower/kernel_text.hpp"

namespace overtake::backend {

/// Defines what src/kernels/graph/sort_keys.k needs; `of_values`: keys that can be turned back.
void define_keys(KernelText& text, DType dtype, bool of_values = false);

}  // namespace overtake::backend
