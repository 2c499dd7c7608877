// SPDX-License-Identifier: MIT
#include "backend/cuda/run/convolution_choice.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

namespace overtake::backend::cuda {
namespace {

/// Reads a tape backwards from its store.
class TapeReader {
 public:
  explicit TapeReader(const Operation& operation)
      : tape_(operation.tape), extent_(operation.extent), core_(std::get<ConvolutionCore>(operation.core)) {}

  std::optional<ConvolutionEpilogue> read() {
    if (tape_.stores.size() != 1 || !is_library_dtype(tape_.stores[0].dtype)) return std::nullopt;
    result_.output = tape_.stores[0];
    // Neither relu nor a mask makes other numbers, so a sum that is rounded before them, after them or both times is
    // rounded once, as the library stores it.
    const bool rounds = result_.output.dtype == DType::bfloat16;
    std::uint16_t value = rounds ? before_rounding(result_.output.value_register) : result_.output.value_register;
    value = before_relu(before_mask(value));
    if (rounds) value = before_rounding(value);
    if (rounds && !is_rounded_) return std::nullopt;
    const bool complete = is_core(before_bias(value));
    // A rectified sum without bias is rare, and a bias is what shows whether the library keeps NaN (dnn_trial.cpp).
    if (!complete || (result_.relu && (result_.mask || !result_.bias))) return std::nullopt;
    for (const auto& load : {result_.bias, result_.mask}) {
      if (load && load->slot == result_.output.slot)
        return std::nullopt;  // in place, which the library does not promise
    }
    return result_;
  }

 private:
  [[nodiscard]] const TapeInstruction& code(std::uint16_t value) const { return tape_.code[value]; }
  [[nodiscard]] bool is_core(std::uint16_t value) const { return code(value).code == TapeCode::core; }
  [[nodiscard]] static bool is_library_dtype(DType dtype) {
    return dtype == DType::float32 || dtype == DType::bfloat16;
  }
  [[nodiscard]] bool is_zero(std::uint16_t value) const {
    return code(value).code == TapeCode::constant && code(value).type == ValueType::float32 &&
           float_of(code(value).bits) == 0;
  }
  [[nodiscard]] const Access* load(std::uint16_t value) const {
    if (code(value).code != TapeCode::load) return nullptr;
    const Access& access = tape_.loads[code(value).index];
    return is_library_dtype(access.dtype) ? &access : nullptr;
  }

  /// x rounded to bfloat16: x.
  std::uint16_t before_rounding(std::uint16_t value) {
    if (code(value).code != TapeCode::round_bfloat16) return value;
    is_rounded_ = true;
    return code(value).a;
  }

  /// max(x, 0), in either order: x.
  std::uint16_t before_relu(std::uint16_t value) {
    const TapeInstruction& step = code(value);
    if (step.code != TapeCode::maximum || step.type != ValueType::float32) return value;
    if (is_zero(step.a) == is_zero(step.b)) return value;
    result_.relu = true;
    return is_zero(step.a) ? step.b : step.a;
  }

  /// select(0 < y, x, 0): x.
  std::uint16_t before_mask(std::uint16_t value) {
    const TapeInstruction& step = code(value);
    if (step.code != TapeCode::select || step.type != ValueType::float32 || !is_zero(step.c)) return value;
    const TapeInstruction& test = code(step.a);
    if (test.code != TapeCode::less || test.type != ValueType::float32 || !is_zero(test.a)) return value;
    const Access* mask = load(test.b);
    if (mask == nullptr || !is_laid_out_as_result(*mask)) return value;
    result_.mask = *mask;
    return step.b;
  }

  /// x + bias, in either order: x.
  std::uint16_t before_bias(std::uint16_t value) {
    const TapeInstruction& step = code(value);
    if (step.code != TapeCode::add || step.type != ValueType::float32) return value;
    const std::uint16_t other = is_core(step.a) ? step.b : step.a;
    const Access* bias = load(other);
    if (bias == nullptr || !is_of_channels(*bias)) return value;
    result_.bias = *bias;
    return other == step.a ? step.b : step.a;
  }

  [[nodiscard]] bool is_laid_out_as_result(const Access& access) const {
    std::int64_t stride = 1;
    for (std::size_t axis = extent_.rank(); axis-- > 0; stride *= extent_[axis]) {
      if (extent_[axis] > 1 && access.strides[axis] != stride) return false;
    }
    return true;
  }

  [[nodiscard]] bool is_of_channels(const Access& access) const {
    const std::size_t channels = core_.channels_last ? 3 : 1;
    for (std::size_t axis = 0; axis < extent_.rank(); ++axis) {
      if (extent_[axis] > 1 && access.strides[axis] != (axis == channels ? 1 : 0)) return false;
    }
    return core_.kind == ConvolutionKind::forward;
  }

  const Tape& tape_;
  const Shape& extent_;
  const ConvolutionCore& core_;
  ConvolutionEpilogue result_;
  bool is_rounded_ = false;
};

[[nodiscard]] std::string_view short_name(DType dtype) { return dtype == DType::bfloat16 ? "bf16" : "f32"; }

[[nodiscard]] std::string text_of(std::string_view role, std::int64_t offset, DType dtype) {
  return fmt::format(" {} {}@{}", role, short_name(dtype), alignment_of(offset, dtype));
}

}  // namespace

bool library_is_faster(const ConvolutionCore& core, bool compiled) {
  // Smaller convolutions take a few microseconds either way, which is no reason to open a library of 500 MB.
  const std::int64_t least_multiply_adds = compiled ? std::int64_t{1} << 26U : std::int64_t{1} << 20U;
  const ImageExtents& x = core.extents;
  const std::int64_t sums = x.n * x.p * x.q * core.k;
  return sums > 0 && sums * (core.r * core.s * (x.c / core.groups)) >= least_multiply_adds;
}

std::optional<ConvolutionEpilogue> convolution_epilogue(const Operation& operation) {
  return TapeReader(operation).read();
}

Fusing fusing_of(const ConvolutionCore& core, const ConvolutionEpilogue& epilogue) {
  if (is_exact(core)) return epilogue.mask ? Fusing::never : Fusing::if_faster;
  return core.tf32 && epilogue.mask ? Fusing::if_faster : Fusing::always;
}

std::int64_t alignment_of(std::int64_t elements, DType dtype) {
  std::int64_t alignment = 16;
  while (elements * static_cast<std::int64_t>(size_of(dtype)) % alignment != 0) alignment /= 2;
  return alignment;
}

std::string problem_text(const LibraryConvolution& convolution) {
  const ConvolutionCore& core = convolution.core;
  const ConvolutionEpilogue& epilogue = convolution.epilogue;
  const ImageExtents& x = core.extents;
  constexpr std::array kinds{"forward", "data", "filter"};
  std::string text = fmt::format("{} {}{} n{} c{} {}x{} k{} {}x{} g{} {}x{} stride {} padding {} dilation {}",
                                 kinds.at(static_cast<std::size_t>(core.kind)), core.channels_last ? "nhwc" : "nchw",
                                 core.tf32 ? " tf32" : "", x.n, x.c, x.h, x.w, core.k, core.r, core.s, core.groups, x.p,
                                 x.q, fmt::join(core.steps.stride, ","), fmt::join(core.steps.padding, ","),
                                 fmt::join(core.steps.dilation, ","));
  text += text_of("a", core.a.offset, core.a.dtype) + text_of("b", core.b.offset, core.b.dtype);
  if (epilogue.bias) text += text_of("bias", epilogue.bias->offset, epilogue.bias->dtype);
  if (epilogue.relu) text += " relu";
  if (epilogue.mask) text += text_of("mask", epilogue.mask->offset, epilogue.mask->dtype);
  return text + text_of("to", epilogue.output.offset, epilogue.output.dtype);
}

}  // namespace overtake::backend::cuda
