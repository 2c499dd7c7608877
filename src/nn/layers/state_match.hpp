// SPDX-License-Identifier: MIT
// Which array of a state belongs to which of a module: the rules of load_state_dict() for states from anywhere.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "overtake/nn/module.hpp"
#include "overtake/nn/state_dict.hpp"

namespace overtake::nn {

struct StateMatch {
  IncompatibleKeys keys;
  std::vector<std::string> misshapen;                  ///< "0.weight (3, 2), expected (2, 3)"
  std::vector<std::pair<Array*, const Array*>> pairs;  ///< an array of the module, its value in the state

  /// What forbids loading, in words; empty: nothing.
  [[nodiscard]] std::string problem(bool strict) const;
  [[nodiscard]] std::string hint() const;
};

/// Throws UsageError for names that occur twice and undefined arrays. Module and state must outlive the result.
[[nodiscard]] StateMatch match_state(Module& module, const StateDict& state);

/// Gives the place of a parameter or buffer another value of its shape: a copy on its device and of its type, with the
/// gradient of the old one and what was said of needing one. While a step is traced a buffer takes the value as it is.
void replace_value(Array& place, const Array& value);

/// Gives the module the values; returns the keys.
IncompatibleKeys apply(StateMatch match);

}  // namespace overtake::nn
