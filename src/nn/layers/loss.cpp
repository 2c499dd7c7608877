// SPDX-License-Identifier: MIT
#include "overtake/nn/loss.hpp"

#include <fmt/format.h>

#include <array>

#include "core/nearest.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"

namespace overtake::nn {
namespace {

// The target in the output's shape: (rows,) is taken for (rows, 1).
Array fitted(const char* name, const Array& output, const Array& target) {
  if (!output.defined() || !target.defined()) throw UsageError(fmt::format("[{}] got an undefined array", name));
  const Shape& shape = output.shape();
  if (target.shape() == shape) return target;
  if (shape.rank() == 2 && shape[1] == 1 && target.shape() == Shape{shape[0]}) return reshape(target, shape.extents());
  throw UsageError(
      fmt::format("[{}] output {} and target {} differ in shape", name, shape.to_string(), target.shape().to_string()));
}

// (rows, ...) -> (rows,): the mean of each row. One column needs no reduction.
Array row_means(const Array& values) {
  const Shape& shape = values.shape();
  if (shape.rank() == 0) return reshape(values, {1});
  if (shape.rank() == 1) return values;
  const std::int64_t rows = shape[0];
  if (values.size() == rows) return reshape(values, {rows});
  return mean(reshape(values, {rows, -1}), 1);
}

Array squared_error(const Array& output, const Array& target) {
  return square(output - fitted("mse_loss", output, target));
}

// With c = [x >= 0] and s = 2c - 1 taken as constants, max(x, 0) = c ? x : 0 and |x| = s x. Their derivatives at 0 then
// belong together, so the gradient there is sigmoid(0) - t, which those of relu and abs would miss.
Array logistic_error(const Array& x, const Array& target) {
  const Array t = fitted("binary_cross_entropy_with_logits", x, target);
  const Array positive = greater_equal(x, 0.0F);
  const Array magnitude = x * (2.0F * positive - 1.0F);
  return where(positive, x, 0.0F) - x * t + log1p(exp(-magnitude));
}

}  // namespace

Array cross_entropy(const Array& logits, const Array& labels) { return mean(cross_entropy_rows(logits, labels)); }
Array mse_loss(const Array& output, const Array& target) { return mean(squared_error(output, target)); }
Array binary_cross_entropy_with_logits(const Array& logits, const Array& target) {
  return mean(logistic_error(logits, target));
}

Array Loss::operator()(const Array& output, const Array& target) const {
  if (!rows) throw UsageError("the loss has no function");
  return mean(rows(output, target));
}

Loss Loss::cross_entropy() {
  return {"cross_entropy", [](const Array& o, const Array& t) { return cross_entropy_rows(o, t); },
          ErrorRate::class_error};
}

Loss Loss::mse() {
  return {"mse", [](const Array& o, const Array& t) { return row_means(squared_error(o, t)); }, ErrorRate::none};
}

Loss Loss::binary_cross_entropy_with_logits() {
  return {"binary_cross_entropy_with_logits",
          [](const Array& o, const Array& t) { return row_means(logistic_error(o, t)); }, ErrorRate::binary_error};
}

Loss Loss::named(const std::string& name) {
  if (name == "cross_entropy") return cross_entropy();
  if (name == "mse") return mse();
  if (name == "binary_cross_entropy_with_logits") return binary_cross_entropy_with_logits();
  const std::array<std::string, 3> names = {"cross_entropy", "mse", "binary_cross_entropy_with_logits"};
  const std::string near = nearest(name, names);
  throw UsageError(
      fmt::format("there is no loss \"{}\"", name),
      near.empty() ? "cross_entropy, mse, binary_cross_entropy_with_logits" : "Did you mean " + near + "?");
}

}  // namespace overtake::nn
