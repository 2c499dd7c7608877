// SPDX-License-Identifier: MIT
#include "overtake/optim/lbfgs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <numeric>
#include <utility>

#include "nn/training/wolfe.hpp"
#include "overtake/error.hpp"

namespace overtake::optim {
namespace {

using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

double largest(const Vector& a) {
  double result = 0;
  for (const double value : a) result = std::max(result, std::abs(value));
  return result;
}

double total(const Vector& a) {
  return std::accumulate(a.begin(), a.end(), 0.0, [](double sum, double value) { return sum + std::abs(value); });
}

// a + factor * b
Vector moved(Vector a, double factor, const Vector& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += factor * b[i];
  return a;
}

void check(double rate, const LBFGSOptions& options) {
  if (!(rate > 0) || !std::isfinite(rate)) {
    throw UsageError(fmt::format("[LBFGS] the learning rate {}, expected a number above 0", rate), "1 is usual.");
  }
  if (options.max_iter < 1 || options.history_size < 1 || options.max_eval < 0) {
    throw UsageError(fmt::format("[LBFGS] max_iter {}, history_size {} and max_eval {}, expected at least 1, 1 and 0",
                                 options.max_iter, options.history_size, options.max_eval),
                     "max_eval 0 takes max_iter * 5 / 4.");
  }
  if (!(options.tolerance_grad >= 0) || !(options.tolerance_change >= 0)) {
    throw UsageError(fmt::format("[LBFGS] tolerance_grad {} and tolerance_change {}, expected at least 0",
                                 options.tolerance_grad, options.tolerance_change));
  }
}

}  // namespace

struct LBFGS::Point {
  double loss = 0;
  Vector gradient;

  // The largest part is NaN only by chance (max() of NaN), the sum always.
  [[nodiscard]] bool is_finite() const { return std::isfinite(loss) && std::isfinite(total(gradient)); }
};

/// What the iterations so far tell of the curvature.
struct LBFGS::History {
  struct Pair {
    Vector step;         // s
    Vector gradient;     // y: how the gradient changed along s
    double inverse = 0;  // 1 / (s y)
  };
  std::deque<Pair> pairs;
  double scale = 1;  // of the first approximation of the inverse Hessian, which is a multiple of the identity
  Vector direction;
  double length = 0;
  Vector gradient;  // where the last iteration began

  void add(const Vector& now, std::size_t most) {
    Pair pair{direction, moved(now, -1, gradient), 0};
    for (double& value : pair.step) value *= length;
    const double product = dot(pair.gradient, pair.step);
    // A curvature that is not clearly positive would turn the direction uphill.
    if (!(product > 1e-10)) return;
    if (pairs.size() == most) pairs.pop_front();
    pair.inverse = 1 / product;
    scale = product / dot(pair.gradient, pair.gradient);
    pairs.push_back(std::move(pair));
  }

  /// Minus the approximate inverse Hessian times the gradient.
  [[nodiscard]] Vector newton_direction(const Vector& now) const {
    Vector result = now;
    for (double& value : result) value = -value;
    Vector shares(pairs.size());
    for (std::size_t i = pairs.size(); i-- > 0;) {
      shares[i] = dot(pairs[i].step, result) * pairs[i].inverse;
      result = moved(std::move(result), -shares[i], pairs[i].gradient);
    }
    for (double& value : result) value *= scale;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const double back = dot(pairs[i].gradient, result) * pairs[i].inverse;
      result = moved(std::move(result), shares[i] - back, pairs[i].step);
    }
    return result;
  }
};

LBFGS::LBFGS(std::vector<nn::Parameter*> parameters, double learning_rate, const LBFGSOptions& options)
    : parameters_(std::move(parameters)),
      learning_rate_(learning_rate),
      options_(options),
      history_(std::make_unique<History>()) {
  check(learning_rate, options);
  if (parameters_.empty()) {
    throw UsageError("[LBFGS] got no parameters", "Pass model.parameters() of a model that has layers with weights.");
  }
  for (const nn::Parameter* parameter : parameters_) {
    if (parameter == nullptr || !parameter->value.defined()) throw UsageError("[LBFGS] got an undefined parameter");
  }
}

LBFGS::~LBFGS() = default;

void LBFGS::set_learning_rate(double rate) {
  check(rate, options_);
  learning_rate_ = rate;
}

void LBFGS::zero_grad() {
  for (nn::Parameter* parameter : parameters_) {
    if (std::as_const(parameter->value).requires_grad()) parameter->value.set_grad(Array());
  }
}

std::vector<double> LBFGS::values() const {
  Vector result;
  for (const nn::Parameter* parameter : parameters_) {
    const std::vector<float> part = parameter->value.to_vector<float>();
    result.insert(result.end(), part.begin(), part.end());
  }
  return result;
}

void LBFGS::assign(const std::vector<double>& values) {
  auto at = values.begin();
  for (nn::Parameter* parameter : parameters_) {
    const Array before = parameter->value;
    std::vector<float> part(static_cast<std::size_t>(before.size()));
    for (float& value : part) value = static_cast<float>(*at++);
    if (!before.requires_grad()) continue;
    Array after = Array::from(part, before.shape(), before.device());
    after.requires_grad();
    // As in Optimizer::step(): the gradient moves along, and the old leaf lets go of it, or neither would be freed.
    after.set_grad(before.grad());
    before.set_grad(Array());
    parameter->value = after;
  }
}

LBFGS::Point LBFGS::evaluate(const std::function<Array()>& closure) {
  ++evaluations_;
  const Array loss = closure();
  if (!loss.defined() || loss.size() != 1) {
    throw UsageError("[LBFGS] the closure must return the loss, one element",
                     "Reduce the loss with mean() or sum(), call backward() on it and return it.");
  }
  std::vector<Array> wanted{loss};
  for (const nn::Parameter* parameter : parameters_) {
    const Array gradient = parameter->value.grad();
    if (gradient.defined()) wanted.push_back(gradient);
  }
  overtake::eval(wanted);
  Point point{loss.item(), {}};
  for (const nn::Parameter* parameter : parameters_) {
    const Array gradient = parameter->value.grad();
    if (gradient.defined()) {
      const std::vector<float> part = gradient.to_vector<float>();
      point.gradient.insert(point.gradient.end(), part.begin(), part.end());
    } else {
      point.gradient.resize(point.gradient.size() + static_cast<std::size_t>(parameter->value.size()));
    }
  }
  return point;
}

double LBFGS::first_length(const Point& from) const {
  // Nothing is known of the curvature yet, and a whole gradient may be much too far.
  if (history_->gradient.empty()) return std::min(1.0, 1 / total(from.gradient)) * learning_rate_;
  return learning_rate_;
}

// From `start`, where `from` was computed, along the direction; `length` becomes that of the step taken.
LBFGS::Point LBFGS::advance(const std::function<Array()>& closure, const std::vector<double>& start, const Point& from,
                            double& length, bool evaluates) {
  const Vector& direction = history_->direction;
  if (options_.line_search == LineSearch::none) {
    assign(moved(start, length, direction));
    return evaluates ? evaluate(closure) : from;
  }
  const WolfeOptions wolfe{.smallest_interval = options_.tolerance_change / largest(direction)};
  const auto along = [&](double t) {
    assign(moved(start, t, direction));
    Point point = evaluate(closure);
    const double slope = dot(point.gradient, direction);
    return LinePoint{t, point.loss, slope, std::move(point.gradient)};
  };
  LinePoint found = strong_wolfe({0, from.loss, dot(from.gradient, direction), from.gradient}, length, along, wolfe);
  length = found.t;
  assign(moved(start, length, direction));
  return {found.value, std::move(found.gradient)};
}

double LBFGS::step(const std::function<Array()>& closure) {
  if (!closure) throw UsageError("[LBFGS] step() got no closure", "Pass a function that computes the loss.");
  const std::int64_t most = options_.max_eval > 0 ? options_.max_eval : std::int64_t{options_.max_iter} * 5 / 4;
  const std::int64_t before = evaluations_;
  Point now = evaluate(closure);
  const double first_loss = now.loss;
  History& history = *history_;
  for (int i = 1; i <= options_.max_iter; ++i) {
    if (!now.is_finite() || largest(now.gradient) <= options_.tolerance_grad) break;
    ++iterations_;
    if (!history.gradient.empty()) history.add(now.gradient, static_cast<std::size_t>(options_.history_size));
    history.direction = history.newton_direction(now.gradient);
    history.length = first_length(now);
    history.gradient = now.gradient;
    if (dot(now.gradient, history.direction) > -options_.tolerance_change) break;
    const Vector start = values();
    Point next = advance(closure, start, now, history.length, i < options_.max_iter);
    if (!next.is_finite()) {
      assign(start);
      history = History{};
      break;
    }
    const double change = std::abs(next.loss - now.loss);
    now = std::move(next);
    if (evaluations_ - before >= most) break;
    if (largest(history.direction) * history.length <= options_.tolerance_change) break;
    if (i < options_.max_iter && change < options_.tolerance_change) break;
  }
  return first_loss;
}

std::string LBFGS::describe() const {
  return fmt::format("LBFGS(max_iter={}, history_size={}, line_search={})", options_.max_iter, options_.history_size,
                     options_.line_search == LineSearch::none ? "none" : "strong_wolfe");
}

}  // namespace overtake::optim
