// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "backend/api/details.hpp"

namespace overtake::backend::cpu {

/// Work that shows the rate in "fp64" (chains of multiply-adds in registers) or "bf16" (a product of the library's,
/// where the processor has instructions for it), on so many threads. Empty for other formats.
[[nodiscard]] RateProbe rate_probe(std::string_view format, int threads);

}  // namespace overtake::backend::cpu
