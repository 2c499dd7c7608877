// SPDX-License-Identifier: MIT
// The library for matrix products that this build was made with, if any: one of onednn_matmul.cpp and
// no_matmul_library.cpp answers.
#pragma once

#include <string>

#include "backend/cpu/step.hpp"

namespace overtake::backend::cpu {

/// Name and version: "oneDNN 2.6.0"; empty where this build has none.
[[nodiscard]] std::string matmul_library();

/// Null where this build has none.
[[nodiscard]] std::unique_ptr<Step> make_library_matmul(const Operation& operation, int threads);

}  // namespace overtake::backend::cpu
