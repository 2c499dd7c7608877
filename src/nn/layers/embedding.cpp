// SPDX-License-Identifier: MIT
#include "overtake/nn/embedding.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/checked.hpp"
#include "graph/primitives/order.hpp"
#include "nn/layers/initial.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"

namespace overtake::nn {

Embedding::Embedding(std::int64_t num_embeddings, std::int64_t embedding_dim, std::optional<std::int64_t> padding_idx)
    : rows_(num_embeddings), width_(embedding_dim), padding_(padding_idx) {
  if (num_embeddings < 1 || embedding_dim < 1) {
    throw UsageError(fmt::format("[Embedding] num_embeddings {} and embedding_dim {} must be at least 1",
                                 num_embeddings, embedding_dim));
  }
  if (padding_ && (*padding_ < -rows_ || *padding_ >= rows_)) {
    throw UsageError(fmt::format("[Embedding] padding_idx {} is not a row of {}", *padding_, rows_),
                     "It is the number of a row of the table; negative ones count from the end.");
  }
  if (padding_ && *padding_ < 0) *padding_ += rows_;
  (void)checked_mul(num_embeddings, embedding_dim, "Embedding's weight");
  draw(default_streams());
}

void Embedding::draw(Streams& streams) {
  std::vector<float> values = normal_values(rows_ * width_, {streams.seed, streams.next_parameter++});
  if (padding_) std::fill_n(values.begin() + *padding_ * width_, width_, 0.0F);
  const Device device = weight_.value.defined() ? weight_.value.device() : Device();
  weight_.value = Array::from(values, Shape{rows_, width_}, device);
  weight_.value.requires_grad();
}

Array Embedding::forward(const Array& input) {
  if (!input.defined()) throw UsageError("[Embedding] got an undefined array");
  if (input.dtype() == DType::boolean) {
    throw UsageError("[Embedding] got an array of bool", "Numbers of rows are whole numbers.");
  }
  if (input.shape().rank() >= Shape::max_rank) {
    throw UsageError(fmt::format("[Embedding] got {} axes and adds one; an array has {} at most", input.shape().rank(),
                                 Shape::max_rank));
  }
  if (is_floating(input.dtype()) && input.size() > 0 && graph::is_read_for_checks(input) &&
      any(not_equal(input, floor(input))).item<bool>()) {
    throw UsageError(fmt::format("[Embedding] got numbers of {} that are not whole", name_of(input.dtype())),
                     "They are numbers of rows: round them, or convert them to whole numbers.");
  }
  const Array places = is_floating(input.dtype()) ? astype(input, DType::int32) : input;
  Array rows = take(weight_.value, places, 0);
  if (!padding_) return rows;
  return where(expand_dims(places == Array(*padding_), -1), rows.detach(), rows);
}

LayerSpec Embedding::spec() const {
  LayerSpec spec{"Embedding",
                 {{"num_embeddings", static_cast<double>(rows_)}, {"embedding_dim", static_cast<double>(width_)}}};
  if (padding_) spec.attributes.emplace_back("padding_idx", static_cast<double>(*padding_));
  return spec;
}

}  // namespace overtake::nn
