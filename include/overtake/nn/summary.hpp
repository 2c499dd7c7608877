// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "overtake/nn/module.hpp"
#include "overtake/report.hpp"

namespace overtake::nn {

/// What a layer does with one batch.
struct LayerSummary {
  std::string name;  ///< "features.0"
  std::string type;  ///< "Conv2d"
  Shape output;
  std::int64_t parameters = 0;
  double flops = 0;                ///< forward, a multiply-add counted as 2: convolutions and products alone
  std::uint64_t output_bytes = 0;  ///< float32
};

/// What computes convolutions on a device: "oneDNN 2.6.0", "cuDNN 9.10.2", or "Overtake's own kernels".
[[nodiscard]] std::string convolution_library(const Device& device);

/// What a model does with one batch, layer by layer.
struct Summary {
  std::vector<LayerSummary> layers;  ///< without parts of their own, in the order in which they run
  std::int64_t parameters = 0;       ///< of the whole model, each once; those that are in no layer, too
  std::string device;                ///< that the model is on
  std::string convolutions;          ///< convolution_library() of that device
};

/// Of a batch of that shape, the rows counted. Layers are seen where a Sequential or operator() calls them, not where
/// forward() itself is called. Nothing is computed. Throws what forward() throws for the shape.
[[nodiscard]] Summary summarize(Module& model, const Shape& input);

/// As a table with a line of sums.
[[nodiscard]] report::Table summary_table(const Summary& summary);
/// The table for a terminal, and a line that says what computes the convolutions; `width` as report::table_text().
[[nodiscard]] std::string summary_text(const Summary& summary, int width = 0);

}  // namespace overtake::nn
