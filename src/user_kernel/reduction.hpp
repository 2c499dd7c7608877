// SPDX-License-Identifier: MIT
// What ReductionKernel is made of.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "overtake/kernel.hpp"
#include "user_kernel/compiled.hpp"
#include "user_kernel/signature.hpp"

namespace overtake::user_kernel {

struct ReductionDeclaration {
  std::string name;
  std::vector<Parameter> inputs;
  Parameter output;
  std::string map, reduce, post, identity, preamble;
  Watching watching;
};

class Reduction {
 public:
  explicit Reduction(ReductionDeclaration declaration) : given_(std::move(declaration)) {}
  [[nodiscard]] Array call(const std::vector<Array>& inputs, const std::optional<std::vector<int>>& axes,
                           bool keepdims);
  [[nodiscard]] std::string source(const Device& device);

 private:
  /// One launch: chunks of rows become one value each.
  struct Stage {
    std::vector<DType> types;   // of the inputs, then the output
    std::vector<bool> numbers;  // inputs that are plain numbers
    bool is_first = true;       // maps the inputs; later ones combine what earlier ones left
    bool is_last = true;        // one value a row, with `post`
    bool on_host = false;
  };
  struct Operands;

  [[nodiscard]] KernelText text(const Stage& stage) const;
  [[nodiscard]] std::string parameters(const Stage& stage) const;
  [[nodiscard]] std::string element(const Stage& stage, std::string_view map) const;
  [[nodiscard]] Operands operands_of(const std::vector<Array>& inputs, backend::Device& device,
                                     const std::optional<std::vector<int>>& axes, bool keepdims) const;
  /// From `partial` (null: the inputs) to `result`, rows of n elements.
  void launch(backend::Device& device, const Stage& stage, const Operands& operands, std::int64_t n,
              backend::Buffer* partial, backend::Buffer* result);

  ReductionDeclaration given_;
  Variants variants_;
};

}  // namespace overtake::user_kernel
