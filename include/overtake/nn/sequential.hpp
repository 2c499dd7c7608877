// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "overtake/nn/layers.hpp"
#include "overtake/nn/module.hpp"

namespace overtake::nn {

/// A layer that can be moved into a Sequential.
template <typename Layer>
concept SequentialPart = std::derived_from<std::remove_cvref_t<Layer>, Module> && !std::is_lvalue_reference_v<Layer>;

/// Layers one after the other: `Sequential model(Linear(2, 4), ReLU(), Linear(4, 2));`, or in a loop with add().
/// Layer i's parameters are named "i.weight", "i.bias", ...
class Sequential : public Module {
 public:
  Sequential() = default;
  template <SequentialPart First, SequentialPart... Rest>
  requires(sizeof...(Rest) > 0 ||
           !std::same_as<std::remove_cvref_t<First>, Sequential>) explicit Sequential(First&& first, Rest&&... rest) {
    layers_.reserve(1 + sizeof...(Rest));
    add(std::forward<First>(first));
    (add(std::forward<Rest>(rest)), ...);
  }

  /// Appends a layer; returns this model, so calls can be chained.
  template <SequentialPart Layer>
  Sequential& add(Layer&& layer) {
    return add(std::make_unique<std::remove_cvref_t<Layer>>(std::forward<Layer>(layer)));
  }
  /// Throws UsageError for a null pointer.
  Sequential& add(std::unique_ptr<Module> layer);

  [[nodiscard]] std::size_t size() const noexcept { return layers_.size(); }
  /// Throws UsageError for an index out of range.
  [[nodiscard]] Module& operator[](std::size_t index) const;

  [[nodiscard]] Array forward(const Array& input) override;
  /// {"Sequential", {}}; the layers are reached with operator[].
  [[nodiscard]] LayerSpec spec() const override;
  [[nodiscard]] std::string to_string() const override;
  [[nodiscard]] std::vector<NamedModule> children() override;

 private:
  std::vector<std::unique_ptr<Module>> layers_;
};

}  // namespace overtake::nn
