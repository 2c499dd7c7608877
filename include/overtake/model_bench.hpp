// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "overtake/device.hpp"
#include "overtake/precision.hpp"
#include "overtake/report.hpp"

namespace overtake {

struct ModelBenchOptions {
  std::string model = "vgg16";  ///< of models.hpp
  std::int64_t batch_size = 64;
  std::vector<Precision> precisions = {Precision::fp32};
  int steps = 10;  ///< that are timed, after two others
};

/// How fast a network of models.hpp trains, or answers, with random images that are on the device already.
struct ModelBenchRow {
  std::string work;  ///< "training", "inference"
  Precision precision = Precision::fp32;
  std::int64_t batch_size = 0;
  double step_seconds = 0;
  double images_per_second = 0;
  double tflops = 0;       ///< operations of convolutions and products: of a training step three times the forward ones
  double peak_tflops = 0;  ///< of a large matrix product in that precision, measured just before; 0: not known
  double first_seconds =
      0;                    ///< from the written step to the end of its first run: plans, kernels, choices of libraries
  int launches = 0;         ///< of a step
  std::uint64_t bytes = 0;  ///< of the device's memory that the plan uses
  std::string failure;      ///< why it did not run; "" where it did
};

/// Measures training (stochastic gradient descent with momentum) and inference in each precision. Throws UsageError for
/// an unknown model and numbers below 1.
[[nodiscard]] std::vector<ModelBenchRow> bench_model(const ModelBenchOptions& options, const Device& device);

[[nodiscard]] report::Table model_bench_table(const std::vector<ModelBenchRow>& rows);
/// Schema "overtake.bench-model/1" (docs/cli.md).
[[nodiscard]] std::string model_bench_json(const ModelBenchOptions& options, const Device& device,
                                           const std::vector<ModelBenchRow>& rows);

}  // namespace overtake
