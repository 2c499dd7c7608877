// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "overtake/array.hpp"
#include "overtake/nn/module.hpp"

namespace overtake::optim {

/// How LBFGS finds the length of a step: the learning rate, or a search for the strong Wolfe conditions.
enum class LineSearch : std::uint8_t { none, strong_wolfe };

struct LBFGSOptions {
  int max_iter = 20;               ///< iterations of one step()
  int max_eval = 0;                ///< calls of the closure in one step(); 0: max_iter * 5 / 4
  double tolerance_grad = 1e-7;    ///< ends a step() when no part of the gradient is larger
  double tolerance_change = 1e-9;  ///< ends a step() when loss or parameters change by no more
  int history_size = 100;          ///< pairs of changes that the approximation of the curvature keeps
  LineSearch line_search = LineSearch::none;
};

/// Limited-memory BFGS (Nocedal and Wright 2006, algorithms 7.4 and 7.5; the line search is their 3.5 and 3.6 with
/// c1 = 1e-4, c2 = 0.9) with the settings and stopping rules of torch.optim.LBFGS.
///
/// It calls a closure again and again, so it is no Optimizer and no Trainer takes it: it is for full batches and small
/// models. The history and its sums are kept in double on the host; each call of the closure reads the gradient and
/// writes the parameters once. Results repeat run to run on one device. The first iteration of all has, as in PyTorch,
/// the length min(1, 1 / sum |g|) times the learning rate, the others the learning rate (to begin a line search with).
class LBFGS {
 public:
  /// Throws UsageError when there are no parameters or one of them is null or undefined, for a rate that is not a
  /// number above 0, max_iter or history_size below 1, a negative max_eval, and tolerances that are negative or NaN.
  explicit LBFGS(std::vector<nn::Parameter*> parameters, double learning_rate = 1, const LBFGSOptions& options = {});
  ~LBFGS();
  LBFGS(const LBFGS&) = delete;
  LBFGS& operator=(const LBFGS&) = delete;

  /// Up to max_iter iterations. The closure computes the loss of the parameters as they are:
  ///
  ///     optimizer.step([&] {
  ///       optimizer.zero_grad();
  ///       const Array loss = nn::mse_loss(model(x), y);
  ///       loss.backward();
  ///       return loss;
  ///     });
  ///
  /// Returns the loss before the step. Where loss or gradient are not finite the step ends with the parameters of the
  /// last point where they were. Parameters without a gradient, and frozen ones, stay. Throws UsageError for a closure
  /// that returns more than one element, and what the closure throws.
  double step(const std::function<Array()>& closure);
  /// Forgets all gradients.
  void zero_grad();

  [[nodiscard]] double learning_rate() const noexcept { return learning_rate_; }
  /// Takes effect from the next step. Throws UsageError unless it is a number above 0.
  void set_learning_rate(double rate);
  [[nodiscard]] const std::vector<nn::Parameter*>& parameters() const noexcept { return parameters_; }
  /// Calls of the closure and iterations so far.
  [[nodiscard]] std::int64_t evaluations() const noexcept { return evaluations_; }
  [[nodiscard]] std::int64_t iterations() const noexcept { return iterations_; }
  /// "LBFGS(max_iter=20, history_size=100, line_search=none)".
  [[nodiscard]] std::string describe() const;

 private:
  struct Point;
  struct History;
  [[nodiscard]] Point evaluate(const std::function<Array()>& closure);
  [[nodiscard]] std::vector<double> values() const;
  void assign(const std::vector<double>& values);
  [[nodiscard]] Point advance(const std::function<Array()>& closure, const std::vector<double>& start,
                              const Point& from, double& length, bool evaluates);
  [[nodiscard]] double first_length(const Point& from) const;

  std::vector<nn::Parameter*> parameters_;
  double learning_rate_;
  LBFGSOptions options_;
  std::unique_ptr<History> history_;
  std::int64_t evaluations_ = 0;
  std::int64_t iterations_ = 0;
};

}  // namespace overtake::optim
