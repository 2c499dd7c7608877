// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <vector>

#include "overtake/array.hpp"
#include "overtake/nn/module.hpp"

/// Limits on gradients, between backward() and the optimiser's step(): torch.nn.utils.clip_grad_norm_ and
/// clip_grad_value_. Both replace gradients by new lazy arrays, which step() computes in its one plan. Parameters
/// without a gradient do not count.
namespace overtake::nn {

/// Scales all gradients by min(1, max_norm / (norm + 1e-6)), where norm is that of all of them as one vector:
/// (sum |g|^norm_type)^(1/norm_type), the largest |g| for an infinite norm_type. Returns the norm before that, a
/// one-element float32 array, 0 where there are no gradients. A norm that is infinite makes the gradients 0 (NaN where
/// they were infinite), one that is NaN makes them NaN, as in PyTorch; with `error_if_nonfinite` that is a UsageError,
/// for which the norm is computed at once. An infinite max_norm only tells the norm. Throws UsageError unless max_norm
/// >= 0 and norm_type > 0, for a null or undefined parameter, and for parameters on several devices.
Array clip_grad_norm(std::span<Parameter* const> parameters, double max_norm, double norm_type = 2,
                     bool error_if_nonfinite = false);

/// Brings every value of the gradients into [-clip_value, clip_value]; NaN stays. Throws UsageError unless clip_value
/// is a number of at least 0, and for a null or undefined parameter.
void clip_grad_value(std::span<Parameter* const> parameters, double clip_value);

}  // namespace overtake::nn
