// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

namespace overtake {

/// In what numbers matrix products and convolutions of float32 are computed.
enum class Precision : std::uint8_t {
  fp32,  ///< as they are
  tf32,  ///< operands may be rounded to 10 bits of mantissa, where the device has units for that; float32 elsewhere
  bf16,  ///< operands are rounded to bfloat16 and products added up in float32; parameters stay float32
};

/// "fp32", "tf32", "bf16".
[[nodiscard]] std::string_view name_of(Precision precision) noexcept;
/// By name; throws UsageError with the nearest for another.
[[nodiscard]] Precision precision_named(std::string_view name);

/// While one of these lives, products and layers that this thread writes down are of a precision. What was written down
/// before keeps its own; gradients have that of what they are gradients of. The last one counts.
///
/// In bf16, matmul(), conv2d() and what is made of them (einsum(), tensordot()) round float32 operands, as
/// torch.autocast does, and give float32; float64 is left alone. Linear and Conv2d round their results, too, and give
/// bfloat16. Everything else, losses among it, computes in the type that comes in.
class PrecisionScope {
 public:
  explicit PrecisionScope(Precision precision) noexcept;
  ~PrecisionScope();
  PrecisionScope(const PrecisionScope&) = delete;
  PrecisionScope& operator=(const PrecisionScope&) = delete;

 private:
  Precision before_;
};

/// For languages whose blocks are no scopes of C++: sets the precision of this thread, from which such a block goes
/// back to what current_precision() was before.
void set_precision(Precision precision) noexcept;

/// fp32 outside of every scope.
[[nodiscard]] Precision current_precision() noexcept;

}  // namespace overtake
