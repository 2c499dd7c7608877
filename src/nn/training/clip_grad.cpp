// SPDX-License-Identifier: MIT
#include "overtake/nn/clip_grad.hpp"

#include <fmt/format.h>

#include <cmath>

#include "nn/training/float_setting.hpp"
#include "overtake/error.hpp"
#include "overtake/no_grad.hpp"
#include "overtake/ops.hpp"

namespace overtake::nn {
namespace {

// PyTorch's: a norm of 0 must not be divided by.
constexpr float smallest_norm = 1e-6F;

std::vector<Array> leaves_with_gradients(const char* name, std::span<Parameter* const> parameters) {
  std::vector<Array> result;
  for (const Parameter* parameter : parameters) {
    if (parameter == nullptr || !parameter->value.defined()) {
      throw UsageError(fmt::format("[{}] got an undefined parameter", name), "Pass model.parameters().");
    }
    if (parameter->value.grad().defined()) result.push_back(parameter->value);
  }
  return result;
}

// The part of one gradient in the norm, before the root is taken.
Array norm_part(const Array& gradient, double norm_type) {
  if (std::isinf(norm_type)) return max(abs(gradient));
  if (norm_type == 2) return sum(square(gradient));
  if (norm_type == 1) return sum(abs(gradient));
  return sum(power(abs(gradient), static_cast<float>(norm_type)));
}

Array norm_of(const std::vector<Array>& leaves, double norm_type) {
  Array total;
  for (const Array& leaf : leaves) {
    if (leaf.size() == 0) continue;
    const Array part = norm_part(leaf.grad(), norm_type);
    if (!total.defined()) {
      total = part;
    } else {
      total = std::isinf(norm_type) ? maximum(total, part) : total + part;
    }
  }
  if (!total.defined()) return zeros(Shape{});
  if (norm_type == 2) return sqrt(total);
  if (norm_type == 1 || std::isinf(norm_type)) return total;
  return power(total, static_cast<float>(1 / norm_type));
}

}  // namespace

Array clip_grad_norm(std::span<Parameter* const> parameters, double max_norm, double norm_type,
                     bool error_if_nonfinite) {
  if (!(max_norm > 0 && std::isinf(max_norm))) require_float("clip_grad_norm", "max_norm", max_norm);
  if (!(norm_type > 0)) {
    throw UsageError(fmt::format("[clip_grad_norm] norm_type {}, expected a number above 0 or infinity", norm_type),
                     "2 is the Euclidean norm, 1 the sum of the absolute values.");
  }
  const NoGrad no_grad;
  const std::vector<Array> leaves = leaves_with_gradients("clip_grad_norm", parameters);
  Array norm = norm_of(leaves, norm_type);
  if (error_if_nonfinite && !std::isfinite(norm.item())) {
    throw UsageError(
        fmt::format("[clip_grad_norm] the norm of the gradients is {}, expected a finite one", norm.item()),
        "Lower the learning rate, or look for the loss or the data that is not finite.");
  }
  const Array scale = minimum(static_cast<float>(max_norm) / (norm + smallest_norm), 1.0F);
  for (const Array& leaf : leaves) leaf.set_grad(leaf.grad() * scale);
  return norm;
}

void clip_grad_value(std::span<Parameter* const> parameters, double clip_value) {
  require_float("clip_grad_value", "clip_value", clip_value);
  const NoGrad no_grad;
  const auto limit = static_cast<float>(clip_value);
  for (const Array& leaf : leaves_with_gradients("clip_grad_value", parameters)) {
    leaf.set_grad(minimum(maximum(leaf.grad(), -limit), limit));
  }
}

}  // namespace overtake::nn
