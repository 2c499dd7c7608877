// SPDX-License-Identifier: MIT
#pragma once

/// Functions on arrays. All are lazy and throw UsageError("[name] reason") on bad arguments; names and semantics are
/// those of the Python array API standard (2024.12) and NumPy, the default floating type is float32. Operands broadcast
/// and are converted to their result_type(); plain numbers take the type of the arrays beside them.
///
/// Determinism: element-wise functions and reductions give the same bits run to run on one device; sums are taken in
/// one canonical order on every device. matmul is run-to-run.
#include "overtake/ops/creation.hpp"
#include "overtake/ops/elements.hpp"
#include "overtake/ops/images.hpp"
#include "overtake/ops/indexing.hpp"
#include "overtake/ops/manipulation.hpp"
#include "overtake/ops/products.hpp"
#include "overtake/ops/reductions.hpp"
#include "overtake/ops/sorting.hpp"
