// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <functional>
#include <utility>

#include "backend/api/details.hpp"
#include "backend/api/device.hpp"
#include "core/clock.hpp"
#include "graph/compiled_step.hpp"
#include "graph/primitives/layout.hpp"
#include "nn/layers/initial.hpp"
#include "nn/training/training_step.hpp"
#include "overtake/device/peak.hpp"
#include "overtake/error.hpp"
#include "overtake/memory.hpp"
#include "overtake/model_bench.hpp"
#include "overtake/models.hpp"
#include "overtake/nn/loss.hpp"
#include "overtake/nn/summary.hpp"
#include "overtake/ops.hpp"
#include "overtake/optim.hpp"
#include "overtake/random.hpp"
#include "vision/need.hpp"
#include "vision/network.hpp"

namespace overtake {
namespace {

// A network on the device with images that lie as the loader would put them.
struct Scene {
  Scene(const ModelBenchOptions& options, const Device& device) {
    const models::ModelInfo& info = models::info_of(options.model);
    network = models::make(options.model, info.classes);
    network->to(device);
    images =
        graph::copy_of(random::uniform({options.batch_size, info.image_size, info.image_size, info.channels}, device));
    labels = graph::copy_of(
        astype(random::uniform({options.batch_size}, device) * static_cast<float>(info.classes), DType::int32));
    const Shape input{options.batch_size, info.channels, info.image_size, info.image_size};
    for (const nn::LayerSummary& layer : summarize(*network, input).layers) tflop += layer.flops / 1e12;
  }

  std::unique_ptr<nn::Module> network;
  Array images, labels;  ///< (n, h, w, c)
  double tflop = 0;      ///< of a batch, forward
};

void measure(ModelBenchRow& row, const Device& device, int steps, Clock::time_point written,
             graph::CompiledStep& step) {
  step.run();
  device.synchronize();
  row.first_seconds = seconds_since(written);
  step.run();
  device.synchronize();
  const auto start = Clock::now();
  for (int i = 0; i < steps; ++i) step.run();
  device.synchronize();
  row.step_seconds = seconds_since(start) / steps;
  row.images_per_second = static_cast<double>(row.batch_size) / row.step_seconds;
  row.launches = step.stats().launches;
  row.bytes = step.bytes();
}

void bench_training(ModelBenchRow& row, const ModelBenchOptions& options, const Device& device) {
  Scene scene(options, device);
  optim::SGD optimizer(scene.network->parameters(), 1e-3, optim::SGDOptions{0.9, false, 0});
  nn::take_own_buffers(*scene.network, optimizer);
  const Clock::time_point written = Clock::now();
  graph::CompiledStep step(nn::step_state(*scene.network, optimizer), [&] {
    const PrecisionScope precision(row.precision);
    const Array logits = astype(scene.network->forward(graph::channels_first(scene.images)), DType::float32);
    const Array loss = nn::cross_entropy(logits, scene.labels);
    nn::learn(*scene.network, optimizer, loss, 0);
    return std::vector<Array>{loss};
  });
  measure(row, device, options.steps, written, step);
  row.tflops = 3 * scene.tflop / row.step_seconds;
}

void bench_inference(ModelBenchRow& row, const ModelBenchOptions& options, const Device& device) {
  Scene scene(options, device);
  scene.network->eval();
  vision::hold_weights(*scene.network, row.precision);
  const std::vector<Array> changing = {scene.images};
  const Clock::time_point written = Clock::now();
  graph::CompiledStep step(
      {},
      [&] {
        const PrecisionScope precision(row.precision);
        return std::vector<Array>{scene.network->forward(graph::channels_first(scene.images))};
      },
      true, changing);
  measure(row, device, options.steps, written, step);
  row.tflops = scene.tflop / row.step_seconds;
}

using Bench = void (*)(ModelBenchRow&, const ModelBenchOptions&, const Device&);

/// The error of a batch that did not fit: what it takes is what its plan takes of a device that computes nothing.
MemoryError too_large_batch(const ModelBenchRow& row, Bench bench, const ModelBenchOptions& options,
                            const Device& device, const MemoryError& cause) {
  const Device nowhere("null");
  nowhere.set_memory_limit(0);
  const nn::Undrawn undrawn(nowhere);
  const auto bytes_of = [&](std::int64_t rows) {
    ModelBenchOptions few = options;
    few.batch_size = rows;
    few.steps = 1;
    ModelBenchRow planned = row;
    bench(planned, few, nowhere);
    return planned.bytes;
  };
  return vision::too_large(fmt::format("{} of {}", row.work, options.model), vision::need_of(bytes_of),
                           options.batch_size, device, device.impl().memory_limit(), cause);
}

double peak_tflops(Precision precision, const Device& device) {
  if (precision == Precision::fp32) return kept_peak(device).gflops / 1000;
  const backend::RateProbe probe = device.impl().probe(name_of(precision));
  if (!probe.run) return 0;
  probe.run();
  device.synchronize();
  constexpr int times = 5;
  const auto start = Clock::now();
  for (int i = 0; i < times; ++i) probe.run();
  device.synchronize();
  return probe.operations * times / seconds_since(start) / 1e12;
}

}  // namespace

std::vector<ModelBenchRow> bench_model(const ModelBenchOptions& options, const Device& device) {
  if (options.batch_size < 1 || options.steps < 1) {
    throw UsageError(fmt::format("batch size {} and {} steps must be at least 1", options.batch_size, options.steps));
  }
  std::vector<ModelBenchRow> rows;
  for (const Precision precision : options.precisions) {
    const double peak = peak_tflops(precision, device);
    for (const bool trains : {true, false}) {
      ModelBenchRow row{.work = trains ? "training" : "inference", .precision = precision, .failure = {}};
      row.batch_size = options.batch_size;
      row.peak_tflops = peak;
      try {
        if (precision != Precision::fp32 && peak == 0) {
          throw DeviceError(fmt::format("{} has no units for {}", device.id(), name_of(precision)));
        }
        const Bench bench = trains ? bench_training : bench_inference;
        try {
          bench(row, options, device);
        } catch (const MemoryError& cause) {
          throw too_large_batch(row, bench, options, device, cause);
        }
      } catch (const Error& error) {
        row.failure = error.what();
      }
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

report::Table model_bench_table(const std::vector<ModelBenchRow>& rows) {
  report::Table table;
  table.columns = {{"work", report::Align::left},
                   {"numbers", report::Align::left},
                   {"batch"},
                   {"a step"},
                   {"images/s"},
                   {"TFLOP/s"},
                   {"of peak"},
                   {"first step"},
                   {"launches", report::Align::right, 2},
                   {"memory", report::Align::right, 1}};
  for (const ModelBenchRow& row : rows) {
    std::vector<std::string> cells = {row.work, std::string(name_of(row.precision)), report::count(row.batch_size)};
    if (!row.failure.empty()) {
      cells.push_back("did not run: " + row.failure);
    } else {
      const std::string share =
          row.peak_tflops > 0 ? report::significant(100 * row.tflops / row.peak_tflops) + " %" : "-";
      cells.insert(cells.end(), {report::seconds(row.step_seconds), report::significant(row.images_per_second, 4),
                                 report::significant(row.tflops), share, report::seconds(row.first_seconds),
                                 report::count(row.launches), report::bytes(row.bytes)});
    }
    table.rows.push_back(std::move(cells));
  }
  return table;
}

std::string model_bench_json(const ModelBenchOptions& options, const Device& device,
                             const std::vector<ModelBenchRow>& rows) {
  report::Json json = report::Json::object();
  json.set("schema", "overtake.bench-model/1").set("model", options.model).set("device", device.id());
  json.set("device_name", device.info().name).set("driver", device.info().driver).set("steps", options.steps);
  report::Json list = report::Json::array();
  for (const ModelBenchRow& row : rows) {
    report::Json entry = report::Json::object();
    entry.set("work", row.work).set("precision", std::string(name_of(row.precision)));
    entry.set("batch_size", row.batch_size).set("step_seconds", row.step_seconds);
    entry.set("images_per_second", row.images_per_second).set("tflops", row.tflops);
    entry.set("peak_tflops", row.peak_tflops).set("first_seconds", row.first_seconds);
    entry.set("launches", row.launches).set("bytes", static_cast<std::int64_t>(row.bytes));
    entry.set("failure", report::Json::text_or_null(row.failure));
    list.push(std::move(entry));
  }
  json.set("rows", std::move(list));
  return json.dump() + "\n";
}

}  // namespace overtake
