// SPDX-License-Identifier: MIT
#pragma once

#include "overtake/stop.hpp"

namespace overtake {

/// True when somebody asks to stop; without a token nobody does.
[[nodiscard]] inline bool is_stopped(const StopToken* stop) noexcept { return stop != nullptr && stop->requested(); }

}  // namespace overtake
