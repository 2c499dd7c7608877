// SPDX-License-Identifier: MIT
#pragma once

#include "overtake/search.hpp"

namespace overtake::search_detail {

/// What `automatic` stands for: stratified for classes, k_fold for numbers.
[[nodiscard]] FoldKind resolved(FoldKind kind, Task task) noexcept;

}  // namespace overtake::search_detail
