// SPDX-License-Identifier: MIT
#pragma once

namespace overtake {

/// What thread_count() is for calls of the calling thread, instead of the process's number; 0: that.
void set_thread_count_here(int threads) noexcept;

}  // namespace overtake
