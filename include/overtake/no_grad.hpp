// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

namespace overtake {

/// While one lives, the arrays that this thread makes do not require gradients: they are not differentiated, and keep
/// nothing that a gradient would need. torch.no_grad() of PyTorch:
///
///     {
///       const NoGrad no_grad;
///       const Array output = model(x);   // backward() of it throws UsageError: there is nothing to differentiate by
///     }
///
/// backward() takes what is made inside and goes on into something outside as a constant. Guards nest. Leaves that
/// require a gradient keep doing so, and requires_grad() works as ever. Other threads are not touched. Destroy a guard
/// on the thread that made it.
class NoGrad {
 public:
  NoGrad();
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  class Guard;
  std::unique_ptr<Guard> guard_;
};

}  // namespace overtake
