// SPDX-License-Identifier: MIT
// Optimisers for other languages.
#include <fmt/format.h>

#include <limits>

#include "c_api/array_handle.hpp"
#include "c_api/handles.hpp"
#include "c_api/nn/handles.hpp"

namespace api = overtake::c_api;
namespace nn = overtake::nn;
namespace optim = overtake::optim;
using overtake::UsageError;

namespace {

using Parameters = std::vector<nn::Parameter*>;
constexpr int most = std::numeric_limits<int>::max();

std::shared_ptr<optim::Optimizer> sgd(const Parameters& parameters, const char* json) {
  const api::Settings settings(json, {"lr", "momentum", "dampening", "weight_decay", "nesterov", "maximize"});
  optim::SGDOptions options;
  api::Settings::take(settings.number("momentum"), options.momentum);
  api::Settings::take(settings.number("dampening"), options.dampening);
  api::Settings::take(settings.number("weight_decay"), options.weight_decay);
  api::Settings::take(settings.flag("nesterov"), options.nesterov);
  api::Settings::take(settings.flag("maximize"), options.maximize);
  return std::make_shared<optim::SGD>(parameters, settings.number("lr").value_or(1e-3), options);
}

template <typename Kind>
std::shared_ptr<optim::Optimizer> adam(const Parameters& parameters, const char* json, optim::AdamOptions options) {
  const api::Settings settings(json, {"lr", "beta1", "beta2", "epsilon", "weight_decay", "amsgrad", "maximize"});
  api::Settings::take(settings.number("beta1"), options.beta1);
  api::Settings::take(settings.number("beta2"), options.beta2);
  api::Settings::take(settings.number("epsilon"), options.epsilon);
  api::Settings::take(settings.number("weight_decay"), options.weight_decay);
  api::Settings::take(settings.flag("amsgrad"), options.amsgrad);
  api::Settings::take(settings.flag("maximize"), options.maximize);
  return std::make_shared<Kind>(parameters, settings.number("lr").value_or(1e-3), options);
}

std::shared_ptr<optim::Optimizer> rmsprop(const Parameters& parameters, const char* json) {
  const api::Settings settings(json, {"lr", "alpha", "epsilon", "weight_decay", "momentum", "centered", "maximize"});
  optim::RMSpropOptions options;
  api::Settings::take(settings.number("alpha"), options.alpha);
  api::Settings::take(settings.number("epsilon"), options.epsilon);
  api::Settings::take(settings.number("weight_decay"), options.weight_decay);
  api::Settings::take(settings.number("momentum"), options.momentum);
  api::Settings::take(settings.flag("centered"), options.centered);
  api::Settings::take(settings.flag("maximize"), options.maximize);
  return std::make_shared<optim::RMSprop>(parameters, settings.number("lr").value_or(1e-2), options);
}

std::shared_ptr<optim::Optimizer> named(const std::string& name, const Parameters& parameters, const char* json) {
  if (name == "SGD") return sgd(parameters, json);
  if (name == "Adam") return adam<optim::Adam>(parameters, json, {});
  if (name == "AdamW") return adam<optim::AdamW>(parameters, json, optim::adamw_defaults());
  if (name == "RMSprop") return rmsprop(parameters, json);
  throw UsageError(fmt::format("there is no optimiser '{}'", name), "There are SGD, Adam, AdamW and RMSprop.");
}

optim::LBFGSOptions lbfgs_options(const api::Settings& settings) {
  optim::LBFGSOptions options;
  api::Settings::take(settings.whole("max_iter", 1, most), options.max_iter);
  api::Settings::take(settings.whole("max_eval", 0, most), options.max_eval);
  api::Settings::take(settings.number("tolerance_grad"), options.tolerance_grad);
  api::Settings::take(settings.number("tolerance_change"), options.tolerance_change);
  api::Settings::take(settings.whole("history_size", 1, most), options.history_size);
  const std::string search = settings.text("line_search_fn").value_or("none");
  if (search == "strong_wolfe") {
    options.line_search = optim::LineSearch::strong_wolfe;
  } else if (search != "none") {
    throw UsageError(fmt::format("line_search_fn is '{}'", search), "Expected 'strong_wolfe', or leave it out.");
  }
  return options;
}

}  // namespace

overtake_status overtake_optimizer_new(const char* name, const overtake_parameter* const* parameters, int64_t count,
                                       const char* settings, overtake_optimizer** optimizer) {
  return api::guarded([&] {
    overtake_optimizer*& result = api::given(optimizer, "optimizer");
    auto handle = std::make_unique<overtake_optimizer>();
    handle->kept = api::values_of(parameters, count);
    handle->optimizer = named(api::text_of(name, "name"), api::pointers_to(handle->kept), settings);
    result = handle.release();
  });
}

overtake_status overtake_lbfgs_new(const overtake_parameter* const* parameters, int64_t count, const char* settings,
                                   overtake_optimizer** optimizer) {
  return api::guarded([&] {
    overtake_optimizer*& result = api::given(optimizer, "optimizer");
    const api::Settings given(settings, {"lr", "max_iter", "max_eval", "tolerance_grad", "tolerance_change",
                                         "history_size", "line_search_fn"});
    auto handle = std::make_unique<overtake_optimizer>();
    handle->kept = api::values_of(parameters, count);
    handle->lbfgs = std::make_shared<optim::LBFGS>(api::pointers_to(handle->kept), given.number("lr").value_or(1),
                                                   lbfgs_options(given));
    result = handle.release();
  });
}

overtake_status overtake_optimizer_step(overtake_optimizer* optimizer) {
  return api::guarded([&] { api::optimizer_of(optimizer, "step() without a closure").step(); });
}

overtake_status overtake_lbfgs_step(overtake_optimizer* optimizer, overtake_closure closure, void* context,
                                    double* loss) {
  return api::guarded([&] {
    const overtake_optimizer& held = api::given(optimizer, "optimizer");
    if (held.lbfgs == nullptr) throw UsageError("[Optimizer] only LBFGS takes a closure", "Call step() without one.");
    if (closure == nullptr) throw UsageError("closure is NULL");
    api::given(loss, "loss") = held.lbfgs->step([&] {
      overtake_array* value = nullptr;
      const std::int32_t failed = closure(context, &value);
      overtake::Array result = api::take_over(value);
      if (failed != 0) throw api::CallerFailed();
      return result;
    });
  });
}

overtake_status overtake_optimizer_zero_grad(overtake_optimizer* optimizer) {
  return api::guarded([&] {
    const overtake_optimizer& held = api::given(optimizer, "optimizer");
    held.lbfgs != nullptr ? held.lbfgs->zero_grad() : held.optimizer->zero_grad();
  });
}

overtake_status overtake_optimizer_rate(const overtake_optimizer* optimizer, double* rate) {
  return api::guarded([&] {
    const overtake_optimizer& held = api::given(optimizer, "optimizer");
    api::given(rate, "rate") =
        held.lbfgs != nullptr ? held.lbfgs->learning_rate() : static_cast<double>(held.optimizer->learning_rate());
  });
}

overtake_status overtake_optimizer_set_rate(overtake_optimizer* optimizer, double rate) {
  return api::guarded([&] {
    const overtake_optimizer& held = api::given(optimizer, "optimizer");
    held.lbfgs != nullptr ? held.lbfgs->set_learning_rate(rate) : held.optimizer->set_learning_rate(rate);
  });
}

overtake_status overtake_optimizer_text(const overtake_optimizer* optimizer, overtake_text** text) {
  return api::guarded([&] {
    const overtake_optimizer& held = api::given(optimizer, "optimizer");
    api::hand_out(held.lbfgs != nullptr ? held.lbfgs->describe() : held.optimizer->describe(),
                  &api::given(text, "text"));
  });
}

void overtake_optimizer_free(overtake_optimizer* optimizer) { std::unique_ptr<overtake_optimizer>{optimizer}.reset(); }
