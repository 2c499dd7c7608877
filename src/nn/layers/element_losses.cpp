// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "nn/layers/loss_terms.hpp"
#include "nn/training/float_setting.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"

namespace overtake::nn {
namespace {

// (rows,) is taken for (rows, 1) where the output is that.
bool is_column_of(const Shape& shape, const Shape& output) {
  return output.rank() == 2 && output[1] == 1 && shape == Shape{output[0]};
}

// The target in the output's shape.
Array fitted(const char* name, const Array& output, const Array& target) {
  if (!output.defined() || !target.defined()) throw UsageError(fmt::format("[{}] got an undefined array", name));
  const Shape& shape = output.shape();
  if (target.shape() == shape) return target;
  if (is_column_of(target.shape(), shape)) return reshape(target, shape.to_vector());
  throw UsageError(
      fmt::format("[{}] output {} and target {} differ in shape", name, shape.to_string(), target.shape().to_string()));
}

bool broadcasts_to(const Shape& shape, const Shape& output) {
  if (shape.rank() > output.rank()) return false;
  const std::size_t offset = output.rank() - shape.rank();
  for (std::size_t i = 0; i < shape.rank(); ++i) {
    if (shape[i] != 1 && shape[i] != output[i + offset]) return false;
  }
  return true;
}

// Weights of elements, in a shape that broadcasts to the output's.
Array fitted_weight(const char* name, const char* what, const Shape& output, const Array& weight) {
  if (!weight.defined()) return weight;
  if (is_column_of(weight.shape(), output)) return reshape(weight, output.to_vector());
  if (broadcasts_to(weight.shape(), output)) return weight;
  throw UsageError(fmt::format("[{}] {} {}, expected a shape that broadcasts to the output's {}", name, what,
                               weight.shape().to_string(), output.to_string()),
                   "sample_weight takes one weight of each row.");
}

// The losses reduced; `counts` are the weights that a mean divides by, undefined where every loss counts as 1.
Array reduced(const Array& losses, const Array& counts, Reduction reduction) {
  switch (reduction) {
    case Reduction::none: return losses;
    case Reduction::sum: return sum(losses);
    case Reduction::mean: break;
  }
  return counts.defined() ? sum(losses) / sum(broadcast_to(counts, losses.shape())) : mean(losses);
}

Array reduced(const char* name, Array losses, const LossOptions& options) {
  const Shape shape = losses.shape();
  Array counts = fitted_weight(name, "weight", shape, options.weight);
  if (options.sample_weight.defined()) {
    const Array samples = fitted_sample_weight(name, shape, options.sample_weight);
    counts = counts.defined() ? counts * samples : samples;
  }
  if (counts.defined()) losses = losses * counts;
  return reduced(losses, counts, options.reduction);
}

// With |d| and its smaller part c = min(|d|, width): c (|d| - c/2) is d^2/2 up to the width and grows evenly beyond,
// and nothing in it overflows before the loss itself does.
Array bent(const Array& difference, float width) {
  const Array magnitude = abs(difference);
  const Array near = minimum(magnitude, width);
  return near * (magnitude - 0.5F * near);
}

}  // namespace

Array fitted_sample_weight(const char* name, const Shape& output, const Array& weight) {
  if (output.rank() > 0 && weight.shape() == Shape{output[0]}) {
    std::vector<std::int64_t> extents(output.rank(), 1);
    extents[0] = output[0];
    return reshape(weight, std::move(extents));
  }
  throw UsageError(fmt::format("[{}] sample_weight {}, expected ({},)", name, weight.shape().to_string(),
                               output.rank() > 0 ? output[0] : 1),
                   "It has one weight of each row.");
}

void check_huber_delta(double delta) {
  if (delta > 0 && fits_float(delta)) return;
  throw UsageError(fmt::format("[huber_loss] delta {}, expected a number above 0 of float32", delta),
                   "delta is the difference up to which the loss is square; 1 is usual.");
}

void check_smooth_l1_beta(double beta) { require_float("smooth_l1_loss", "beta", beta); }

Array squared_error(const Array& output, const Array& target) {
  return square(output - fitted("mse_loss", output, target));
}

Array absolute_error(const Array& output, const Array& target) {
  return abs(output - fitted("l1_loss", output, target));
}

Array huber_error(const Array& output, const Array& target, double delta) {
  check_huber_delta(delta);
  return bent(output - fitted("huber_loss", output, target), static_cast<float>(delta));
}

Array smooth_l1_error(const Array& output, const Array& target, double beta) {
  check_smooth_l1_beta(beta);
  const Array difference = output - fitted("smooth_l1_loss", output, target);
  if (beta == 0) return abs(difference);
  return bent(difference, static_cast<float>(beta)) * static_cast<float>(1 / beta);
}

// With c = [x >= 0] taken as a constant, max(x, 0) = c ? x : 0 and |x| = c ? x : -x. Their derivatives at 0 then belong
// together, so the gradient there is sigmoid(0) - t, which those of relu and abs would miss.
Array logistic_error(const Array& x, const Array& target, const Array& pos_weight) {
  constexpr const char* name = "binary_cross_entropy_with_logits";
  const Array t = fitted(name, x, target);
  const Array positive = greater_equal(x, 0.0F);
  const Array magnitude = where(positive, x, negative(x));
  if (!pos_weight.defined()) return where(positive, x, 0.0F) - x * t + log1p(exp(-magnitude));
  // -p t log s(x) - (1 - t) log s(-x), with log s(x) = min(x, 0) - log(1 + exp(-|x|)).
  const Array p = fitted_weight(name, "pos_weight", x.shape(), pos_weight);
  const Array share = 1.0F + (p - 1.0F) * t;
  return (1.0F - t) * x + share * (log1p(exp(-magnitude)) + where(positive, 0.0F, negative(x)));
}

Array mse_loss(const Array& output, const Array& target, const LossOptions& options) {
  return reduced("mse_loss", squared_error(output, target), options);
}

Array l1_loss(const Array& output, const Array& target, const LossOptions& options) {
  return reduced("l1_loss", absolute_error(output, target), options);
}

Array huber_loss(const Array& output, const Array& target, double delta, const LossOptions& options) {
  return reduced("huber_loss", huber_error(output, target, delta), options);
}

Array smooth_l1_loss(const Array& output, const Array& target, double beta, const LossOptions& options) {
  return reduced("smooth_l1_loss", smooth_l1_error(output, target, beta), options);
}

Array binary_cross_entropy_with_logits(const Array& logits, const Array& target,
                                       const BinaryCrossEntropyOptions& options) {
  constexpr const char* name = "binary_cross_entropy_with_logits";
  Array losses = logistic_error(logits, target, options.pos_weight);
  const Shape shape = losses.shape();
  if (options.weight.defined()) losses = losses * fitted_weight(name, "weight", shape, options.weight);
  if (!options.sample_weight.defined()) return reduced(losses, Array(), options.reduction);
  const Array samples = fitted_sample_weight(name, shape, options.sample_weight);
  return reduced(losses * samples, samples, options.reduction);
}

}  // namespace overtake::nn
