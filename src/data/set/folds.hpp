// SPDX-License-Identifier: MIT
#pragma once

#include "overtake/data/folds.hpp"

namespace overtake {

/// What `automatic` stands for: stratified for classes, k_fold for numbers.
[[nodiscard]] FoldKind resolved_kind(FoldKind kind, Task task) noexcept;

}  // namespace overtake
