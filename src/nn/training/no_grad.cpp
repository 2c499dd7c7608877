// SPDX-License-Identifier: MIT
#include "overtake/no_grad.hpp"

#include "graph/node.hpp"

namespace overtake {

class NoGrad::Guard {
 private:
  graph::NoGradient guard_;
};

NoGrad::NoGrad() : guard_(std::make_unique<Guard>()) {}
NoGrad::~NoGrad() = default;

}  // namespace overtake
