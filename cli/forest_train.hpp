// SPDX-License-Identifier: MIT
#pragma once

#include <CLI/App.hpp>

#include "flags/forest_options.hpp"
#include "flags/train_options.hpp"

namespace cli {

/// `overtake train` for forests. Gives the exit code.
[[nodiscard]] int run_forest_training(const CLI::App& app, const TrainFlags& flags, const ForestFlags& forest_flags);

}  // namespace cli
