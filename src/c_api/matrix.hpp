// SPDX-License-Identifier: MIT
// Numbers of the caller, as the library takes them.
#pragma once

#include <cstdint>
#include <vector>

#include "overtake/c_api.h"

namespace overtake::c_api {

/// The matrix as float32, row by row; NaN stays. Throws UsageError for a shape that cannot be, for NULL and for another
/// element type, DataError for a number that is infinite or beyond float32, naming its place (counted from 0).
[[nodiscard]] std::vector<float> values_of(const overtake_matrix* matrix, const char* argument);

}  // namespace overtake::c_api
