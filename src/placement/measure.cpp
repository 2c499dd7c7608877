// SPDX-License-Identifier: MIT
#include "placement/measure.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "core/parallel.hpp"
#include "core/philox.hpp"
#include "overtake/forest/training.hpp"
#include "overtake/nn/network.hpp"
#include "platform/host_limits.hpp"
#include "platform/process.hpp"

namespace overtake::placement {
namespace {

/// Uniform inputs, and targets that three columns decide.
Dataset random_data(std::int64_t rows, std::int64_t features, std::int32_t classes) {
  Dataset data;
  data.task = classes > 0 ? Task::classification : Task::regression;
  data.rows = rows;
  data.features = features;
  data.classes = classes;
  data.inputs.resize(static_cast<std::size_t>(rows * features));
  philox::fill_uniform(data.inputs, 0, 0, 0);
  for (std::int64_t row = 0; row < rows; ++row) {
    const float* of = &data.inputs[row * features];
    const float signal = of[0] + of[1] * of[2];
    if (classes > 0) {
      data.labels.push_back(std::clamp(static_cast<std::int32_t>(std::floor(signal * 2)), 0, classes - 1));
    } else {
      data.targets.push_back(signal);
    }
  }
  return data;
}

struct ForestTrial {
  Dataset data;
  ForestParameters parameters;

  ForestTrial(Dataset of, int trees) : data(std::move(of)) {
    parameters = ForestParameters::defaults(ForestKind::random_forest, data.task);
    parameters.n_estimators = trees;
  }
  /// The shorter of two; the first may compile.
  [[nodiscard]] double seconds(const Device& device) const {
    double best = 1e9;
    for (int run = 0; run < 2; ++run) {
      ForestReport report;
      ForestOptions options;
      options.device = device;
      (void)train_forest(parameters, data, options, {}, nullptr, &report);
      best = std::min(best, report.seconds.compute);
    }
    return best;
  }
};

struct NetworkTrial {
  Dataset data;
  NetworkOptions options;

  NetworkTrial(std::int64_t rows, std::vector<std::int64_t> hidden, std::int64_t batch, int epochs)
      : data(random_data(rows, hidden.front(), 2)) {
    options.hidden = std::move(hidden);
    options.training.batch_size = batch;
    options.training.epochs = epochs;
  }
  [[nodiscard]] double seconds(const Device& device) const {
    const DataArrays arrays = arrays_of(data);
    double best = 1e9;
    for (int run = 0; run < 4; ++run) {
      nn::Sequential model = make_network(options, data.features, 2);
      model.to(device);
      const auto optimizer = make_optimizer(options, model);
      TrainerOptions training = options.training;
      training.report_every = training.epochs;
      const FitReport report =
          Trainer(model, network_loss(data.task), *optimizer, training).fit(arrays.inputs, arrays.targets);
      best = std::min(best, report.seconds.compute);
    }
    return best;
  }
};

/// Seconds of the trials on the devices that the rates are of.
struct Reference {
  double forest_chain, forest_wide, network_small, network_large;
};
constexpr Reference on_h100{0.0551, 0.1468, 0.00342, 0.000347};
constexpr double host_forest_seconds = 0.0185;  // one thread's trees
constexpr Reference on_xeon{0, 0, 0.0033, 0.029};

double clamped(double ratio) { return std::clamp(ratio, 0.02, 50.0); }

/// The part of the cores that this process gets while it could use them all: of the time in which a thread a core wants
/// to run, what they ran. Trainings cannot tell, since their threads wait for each other.
double share_of_cores() {
  constexpr double seconds = 0.025;  // several turns of a scheduler that lets two programs take 3 to 12 ms each
  const int threads = std::min(thread_count(), platform::usable_cores());
  std::vector<double> ran(static_cast<std::size_t>(threads));
  const auto begin = Clock::now();  // one for all: a thread that is late was kept from its core
  parallel_for(ran.size(), threads, [&](std::size_t i) {
    const double before = platform::thread_seconds();
    while (seconds_since(begin) < seconds) {
    }
    ran[i] = platform::thread_seconds() - before;
  });
  return std::min(1.0, std::accumulate(ran.begin(), ran.end(), 0.0) / (seconds * threads));
}

}  // namespace

KeptRates measure_rates(const DeviceInfo& info) {
  const Device device(info.id);
  const bool cpu = info.kind == DeviceKind::cpu;
  const Reference& reference = cpu ? on_xeon : on_h100;
  const int threads = thread_count();
  KeptRates rates;
  Slowness& slowness = rates.slowness;
  if (cpu) {
    const ForestTrial trial(random_data(2000, 16, 3), 8 * std::min(threads, platform::usable_cores()));
    slowness.host = clamped(trial.seconds(device) / host_forest_seconds);
  } else {
    slowness.forest_chain = clamped(ForestTrial(random_data(1500, 8, 0), 1).seconds(device) / reference.forest_chain);
    slowness.forest_wide = clamped(ForestTrial(random_data(2000, 16, 0), 400).seconds(device) / reference.forest_wide);
  }
  rates.cores = share_of_cores();
  if (cpu) set_thread_count(1);
  slowness.network_step = clamped(NetworkTrial(640, {16, 16}, 32, 10).seconds(device) / reference.network_small);
  set_thread_count(threads);
  rates.cores += share_of_cores();
  if (cpu) set_thread_count(1);
  slowness.network_product = clamped(NetworkTrial(512, {384, 384}, 128, 2).seconds(device) / reference.network_large);
  set_thread_count(threads);
  rates.cores = (rates.cores + share_of_cores()) / 3;
  return rates;
}

}  // namespace overtake::placement
