// SPDX-License-Identifier: MIT
// What the handles of networks hold.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "c_api/call.hpp"
#include "c_api/nn/open_module.hpp"
#include "c_api/settings.hpp"
#include "overtake/c_nn.h"
#include "overtake/nn/loss.hpp"
#include "overtake/nn/state_dict.hpp"
#include "overtake/optim.hpp"
#include "overtake/optim/lbfgs.hpp"

struct overtake_parameter {
  std::shared_ptr<overtake::nn::Parameter> value;
};

struct overtake_module {
  std::shared_ptr<overtake::c_api::OpenModule> module;
};

struct overtake_state {
  overtake::nn::StateDict arrays;
};

struct overtake_loss {
  std::function<overtake::Array(const overtake::Array& output, const overtake::Array& target,
                                const overtake::Array& sample_weight)>
      call;
  std::function<overtake::nn::Loss()> for_trainer;  ///< throws UsageError for options that no Trainer takes
};

struct overtake_optimizer {
  std::vector<std::shared_ptr<overtake::nn::Parameter>> kept;  ///< what the optimiser has pointers to
  std::shared_ptr<overtake::optim::Optimizer> optimizer;       ///< this or
  std::shared_ptr<overtake::optim::LBFGS> lbfgs;
};

namespace overtake::c_api {

[[nodiscard]] inline OpenModule& module_of(const overtake_module* handle) { return *given(handle, "module").module; }

/// The parameters of a list of handles.
[[nodiscard]] inline std::vector<std::shared_ptr<nn::Parameter>> values_of(const overtake_parameter* const* parameters,
                                                                           std::int64_t count) {
  if (count < 0) throw UsageError("parameters: a negative count");
  if (count > 0) (void)given(parameters, "parameters");
  std::vector<std::shared_ptr<nn::Parameter>> all;
  for (const overtake_parameter* each : std::span(parameters, static_cast<std::size_t>(count))) {
    all.push_back(given(each, "parameters").value);
  }
  return all;
}

[[nodiscard]] inline std::vector<nn::Parameter*> pointers_to(
    const std::vector<std::shared_ptr<nn::Parameter>>& values) {
  std::vector<nn::Parameter*> all;
  for (const auto& each : values) all.push_back(each.get());
  return all;
}

/// The optimiser of a handle. Throws UsageError for LBFGS, naming what needs another.
[[nodiscard]] inline optim::Optimizer& optimizer_of(const overtake_optimizer* handle, const char* what) {
  const overtake_optimizer& held = given(handle, "optimizer");
  if (held.optimizer != nullptr) return *held.optimizer;
  throw UsageError(std::string("[LBFGS] ") + what + " takes no LBFGS: it computes the loss again and again",
                   "Call step(closure) in a loop of your own, or use another optimiser.");
}

/// The schedule that JSON describes (c_nn.h).
[[nodiscard]] optim::Schedule parse_schedule(const char* json);

}  // namespace overtake::c_api
