// SPDX-License-Identifier: MIT
// What ElementwiseKernel is made of.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "overtake/kernel.hpp"
#include "user_kernel/element_text.hpp"

namespace overtake::user_kernel {

class Elementwise {
 public:
  explicit Elementwise(ElementDeclaration declaration);
  [[nodiscard]] std::vector<Array> call(const std::vector<Array>& inputs, const std::optional<Device>& asked);
  [[nodiscard]] std::string source(const Device& device);

 private:
  /// What a call computes with.
  struct Operands;

  [[nodiscard]] Operands operands_of(const std::vector<Array>& inputs, backend::Device& device) const;
  [[nodiscard]] ElementVariant variant_of(const Operands& operands, const backend::Device& device) const;
  void launch(const Operands& operands, const ElementVariant& variant, backend::Device& device,
              const std::vector<std::shared_ptr<backend::Buffer>>& results);
  void add_output_types(std::vector<DType>& types) const;

  ElementDeclaration given_;
  bool has_loop_;  ///< work of unknown length: a work-item has one element then
  Variants variants_;
};

}  // namespace overtake::user_kernel
