// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "overtake/nn/module.hpp"
#include "overtake/report.hpp"

namespace overtake::nn {

/// What a layer does with one batch. Layers are those inside Sequentials, in the order in which they run.
struct LayerSummary {
  std::string name;  ///< "features.0"
  std::string type;  ///< "Conv2d"
  Shape output;
  std::int64_t parameters = 0;
  double flops = 0;                ///< forward, a multiply-add counted as 2: convolutions and products alone
  std::uint64_t output_bytes = 0;  ///< float32
};

/// Of a batch of that shape, the rows counted. Nothing is computed. Throws what forward() throws for the shape.
[[nodiscard]] std::vector<LayerSummary> summarize(Module& model, const Shape& input);

/// As a table with a line of sums.
[[nodiscard]] report::Table summary_table(const std::vector<LayerSummary>& layers);

}  // namespace overtake::nn
