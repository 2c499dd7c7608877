// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "overtake/array.hpp"

namespace overtake::nn {

/// The state of a module: parameters and persistent buffers by their full names, in PyTorch's order (of each module
/// its parameters, its buffers, then its parts). Names occur once.
using StateDict = std::vector<std::pair<std::string, Array>>;

/// The array called `name`, or nullptr.
[[nodiscard]] const Array* find(const StateDict& state, std::string_view name) noexcept;

/// What load_state_dict() left alone: names that the module has and the state lacks, and the other way round.
struct IncompatibleKeys {
  std::vector<std::string> missing_keys;
  std::vector<std::string> unexpected_keys;

  [[nodiscard]] bool empty() const noexcept { return missing_keys.empty() && unexpected_keys.empty(); }
};

}  // namespace overtake::nn
