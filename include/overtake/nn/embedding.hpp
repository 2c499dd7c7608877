// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "overtake/nn/module.hpp"

namespace overtake::nn {

/// Rows of a table by their numbers, as PyTorch's: the parameter "weight" (num_embeddings, embedding_dim) starts
/// normally distributed, drawn on the host by Philox, so every device gets the same values.
///
/// The row `padding_idx` starts as zeros, and its gradient is 0. State files hold the layer, model files do not.
class Embedding : public Module {
 public:
  /// A negative padding_idx counts from the end. Throws UsageError unless both sizes are at least 1, and for a
  /// padding_idx outside the table.
  Embedding(std::int64_t num_embeddings, std::int64_t embedding_dim,
            std::optional<std::int64_t> padding_idx = std::nullopt);

  /// Numbers of rows, of any shape -> that shape with an axis of embedding_dim at its end. They are whole numbers, or
  /// float32, as a Trainer's inputs are, which must be whole (looked at on the cpu; elsewhere they are cut toward
  /// zero). A number outside the table is refused as by take(). Throws UsageError for bool, and for more axes than an
  /// array may have.
  [[nodiscard]] Array forward(const Array& input) override;

  [[nodiscard]] std::int64_t num_embeddings() const noexcept { return rows_; }
  [[nodiscard]] std::int64_t embedding_dim() const noexcept { return width_; }
  [[nodiscard]] std::optional<std::int64_t> padding_idx() const noexcept { return padding_; }
  [[nodiscard]] Parameter& weight() noexcept { return weight_; }

  [[nodiscard]] LayerSpec spec() const override;
  [[nodiscard]] std::vector<Parameter*> own_parameters() override { return {&weight_}; }

 protected:
  void draw(Streams& streams) override;

 private:
  std::int64_t rows_;
  std::int64_t width_;
  std::optional<std::int64_t> padding_;
  Parameter weight_{"weight", {}};
};

}  // namespace overtake::nn
