// SPDX-License-Identifier: MIT
// Schedules and schedulers for other languages.
#include <fmt/format.h>

#include <array>
#include <limits>
#include <optional>
#include <utility>

#include "c_api/handles.hpp"
#include "c_api/nn/handles.hpp"
#include "overtake/optim/scheduler.hpp"

namespace api = overtake::c_api;
namespace optim = overtake::optim;
using overtake::UsageError;

struct overtake_scheduler {
  std::shared_ptr<optim::Optimizer> kept;      ///< what the scheduler has a reference to
  std::optional<optim::LRScheduler> schedule;  ///< this or
  std::optional<optim::ReduceLROnPlateau> plateau;
};

namespace {

constexpr int most = std::numeric_limits<int>::max();

std::shared_ptr<optim::Optimizer> shared(const overtake_optimizer* optimizer) {
  (void)api::optimizer_of(optimizer, "a scheduler");
  return optimizer->optimizer;
}

}  // namespace

namespace overtake::c_api {

optim::Schedule parse_schedule(const char* json) {
  using Kind = optim::Schedule::Kind;
  constexpr std::array<std::pair<const char*, Kind>, 6> kinds{{{"constant", Kind::constant},
                                                               {"step", Kind::step},
                                                               {"cosine", Kind::cosine},
                                                               {"exponential", Kind::exponential},
                                                               {"multi_step", Kind::multi_step},
                                                               {"linear", Kind::linear}}};
  const Settings settings(json, {"kind", "period", "gamma", "minimum", "start_factor", "end_factor", "milestones",
                                 "warmup_epochs", "warmup_factor"});
  optim::Schedule schedule;
  const std::string wanted = settings.text("kind").value_or("constant");
  bool is_known = false;
  for (const auto& [name, kind] : kinds) {
    if (wanted == name) schedule.kind = kind, is_known = true;
  }
  if (!is_known) throw UsageError(fmt::format("there is no schedule '{}'", wanted));
  Settings::take(settings.whole("period", -most, most), schedule.period);
  Settings::take(settings.number("gamma"), schedule.gamma);
  Settings::take(settings.number("minimum"), schedule.minimum);
  Settings::take(settings.number("start_factor"), schedule.start_factor);
  Settings::take(settings.number("end_factor"), schedule.end_factor);
  Settings::take(settings.wholes("milestones"), schedule.milestones);
  Settings::take(settings.whole("warmup_epochs", -most, most), schedule.warmup_epochs);
  Settings::take(settings.number("warmup_factor"), schedule.warmup_factor);
  schedule.check();
  return schedule;
}

}  // namespace overtake::c_api

overtake_status overtake_schedule_text(const char* schedule, overtake_text** text) {
  return api::guarded([&] { api::hand_out(api::parse_schedule(schedule).describe(), &api::given(text, "text")); });
}

overtake_status overtake_schedule_at(const char* schedule, double base, int32_t epoch, double* rate) {
  return api::guarded([&] { api::given(rate, "rate") = api::parse_schedule(schedule).at(base, epoch); });
}

overtake_status overtake_scheduler_new(const overtake_optimizer* optimizer, const char* schedule,
                                       overtake_scheduler** scheduler) {
  return api::guarded([&] {
    overtake_scheduler*& result = api::given(scheduler, "scheduler");
    auto handle = std::make_unique<overtake_scheduler>();
    handle->kept = shared(optimizer);
    handle->schedule.emplace(*handle->kept, api::parse_schedule(schedule));
    result = handle.release();
  });
}

overtake_status overtake_plateau_new(const overtake_optimizer* optimizer, const char* json,
                                     overtake_scheduler** scheduler) {
  return api::guarded([&] {
    overtake_scheduler*& result = api::given(scheduler, "scheduler");
    const api::Settings settings(
        json, {"mode", "factor", "patience", "threshold", "threshold_mode", "cooldown", "min_lr", "eps"});
    optim::ReduceLROnPlateauOptions options;
    const std::string mode = settings.text("mode").value_or("min");
    const std::string threshold_mode = settings.text("threshold_mode").value_or("rel");
    if (mode != "min" && mode != "max") throw UsageError(fmt::format("mode is '{}'", mode), "Expected min or max.");
    if (threshold_mode != "rel" && threshold_mode != "abs") {
      throw UsageError(fmt::format("threshold_mode is '{}'", threshold_mode), "Expected rel or abs.");
    }
    options.mode = mode == "max" ? optim::PlateauMode::max : optim::PlateauMode::min;
    options.threshold_mode = threshold_mode == "abs" ? optim::ThresholdMode::abs : optim::ThresholdMode::rel;
    api::Settings::take(settings.number("factor"), options.factor);
    api::Settings::take(settings.whole("patience", -most, most), options.patience);
    api::Settings::take(settings.number("threshold"), options.threshold);
    api::Settings::take(settings.whole("cooldown", -most, most), options.cooldown);
    api::Settings::take(settings.number("min_lr"), options.min_lr);
    api::Settings::take(settings.number("eps"), options.eps);
    auto handle = std::make_unique<overtake_scheduler>();
    handle->kept = shared(optimizer);
    handle->plateau.emplace(*handle->kept, options);
    result = handle.release();
  });
}

overtake_status overtake_scheduler_step(overtake_scheduler* scheduler, double metric) {
  return api::guarded([&] {
    overtake_scheduler& held = api::given(scheduler, "scheduler");
    held.plateau ? held.plateau->step(metric) : held.schedule->step();
  });
}

overtake_status overtake_scheduler_now(const overtake_scheduler* scheduler, int64_t* epoch, double* best) {
  return api::guarded([&] {
    const overtake_scheduler& held = api::given(scheduler, "scheduler");
    if (held.schedule && epoch != nullptr) *epoch = held.schedule->last_epoch();
    if (held.plateau && best != nullptr) *best = held.plateau->best();
  });
}

void overtake_scheduler_free(overtake_scheduler* scheduler) { std::unique_ptr<overtake_scheduler>{scheduler}.reset(); }
