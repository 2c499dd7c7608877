// SPDX-License-Identifier: MIT
// What the writer and the reader of checkpoints share.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "overtake/nn/module.hpp"
#include "overtake/optim.hpp"

namespace overtake::nn {

inline constexpr const char* checkpoint_key = "overtake.checkpoint";  // of the metadata
inline constexpr const char* checkpoint_format = "overtake.checkpoint/2";
inline constexpr std::string_view checkpoint_figures = "figures.";  // begins the tensors of TrainingState::figures
inline constexpr std::size_t checkpoint_record_fields = 6;          // of an epoch, in the tensor "history"

/// The arrays that a checkpoint holds, beside earlier weights, under the names of their tensors.
[[nodiscard]] std::vector<NamedValue> stored_values(Module& model, optim::Optimizer& optimizer);

}  // namespace overtake::nn
