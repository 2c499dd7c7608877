// SPDX-License-Identifier: MIT
// Convolutions by cuDNN against plain loops in double precision. Skipped without a usable NVIDIA GPU and without cuDNN.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "backend/common/lower/winograd.hpp"
#include "backend/cuda/backend.hpp"
#include "backend/cuda/run/executable.hpp"
#include "cuda_schedules.hpp"
#include "cuda_tensors.hpp"

namespace overtake::backend::cuda {
namespace {

struct Case {
  std::int64_t n, c, h, w, k, r, s;
  std::int64_t groups = 1, stride = 1, padding = 0, dilation = 1;
};

ConvolutionCore core_of(const Case& size, ConvolutionKind kind, bool channels_last, DType dtype, bool tf32) {
  ConvolutionCore core;
  core.kind = kind;
  const auto windows = [&](std::int64_t extent, std::int64_t window) {
    return (extent + 2 * size.padding - size.dilation * (window - 1) - 1) / size.stride + 1;
  };
  core.extents = {size.n, size.c, size.h, size.w, windows(size.h, size.r), windows(size.w, size.s)};
  core.k = size.k;
  core.r = size.r;
  core.s = size.s;
  core.groups = size.groups;
  core.steps = {{size.stride, size.stride}, {size.padding, size.padding}, {size.dilation, size.dilation}};
  core.channels_last = channels_last;
  core.tf32 = tf32;
  core.a = {0, 0, dtype};
  core.b = {1, 0, dtype};
  return core;
}

/// Each result, and the sum of the magnitudes of what was added up for it.
struct Truth {
  std::vector<double> values, magnitudes;
};

/// Every product of x, filters and y that one convolution is made of, added to where its kind wants it.
Truth truth_of(const ConvolutionCore& core, const Tensor& a, const Tensor& b) {
  const ImageExtents& e = core.extents;
  const std::int64_t depth = e.c / core.groups, width = core.k / core.groups;
  const auto at = [&](std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w, std::int64_t channels,
                      std::int64_t rows, std::int64_t columns) {
    return static_cast<std::size_t>(core.channels_last ? ((n * rows + h) * columns + w) * channels + c
                                                       : ((n * channels + c) * rows + h) * columns + w);
  };
  const auto count = static_cast<std::size_t>(extent_of(core).size());
  Truth truth{std::vector<double>(count), std::vector<double>(count)};
  const auto add = [&](std::size_t to, double product) {
    truth.values[to] += product;
    truth.magnitudes[to] += std::abs(product);
  };
  for (std::int64_t n = 0; n < e.n; ++n) {
    for (std::int64_t k = 0; k < core.k; ++k) {
      for (std::int64_t p = 0; p < e.p; ++p) {
        for (std::int64_t q = 0; q < e.q; ++q) {
          const std::size_t y = at(n, k, p, q, core.k, e.p, e.q);
          for (std::int64_t r = 0; r < core.r; ++r) {
            for (std::int64_t s = 0; s < core.s; ++s) {
              const std::int64_t h = p * core.steps.stride[0] + r * core.steps.dilation[0] - core.steps.padding[0];
              const std::int64_t w = q * core.steps.stride[1] + s * core.steps.dilation[1] - core.steps.padding[1];
              if (h < 0 || h >= e.h || w < 0 || w >= e.w) continue;
              for (std::int64_t c = 0; c < depth; ++c) {
                const std::size_t x = at(n, k / width * depth + c, h, w, e.c, e.h, e.w);
                const std::size_t f = at(k, c, r, s, depth, core.r, core.s);
                const auto product = [&](std::size_t i, std::size_t j) {
                  return static_cast<double>(a.values[i]) * static_cast<double>(b.values[j]);
                };
                switch (core.kind) {
                  case ConvolutionKind::forward: add(y, product(x, f)); break;
                  case ConvolutionKind::data_gradient: add(x, product(y, f)); break;
                  case ConvolutionKind::filter_gradient: add(f, product(x, y)); break;
                }
              }
            }
          }
        }
      }
    }
  }
  return truth;
}

enum class TapeOf : std::uint8_t { store, bias_relu, mask, doubled };

/// Slots: 0 and 1 operands, 2 result, 3 bias or mask.
Operation operation_of(const ConvolutionCore& core, TapeOf tape, DType result) {
  using tape::apply, tape::constant, tape::load;
  Operation operation;
  operation.core = core;
  operation.extent = extent_of(core);
  operation.name = "convolution";
  auto& [code, loads, random, stores] = operation.tape;
  code = {tape::core()};
  if (tape == TapeOf::bias_relu) {
    Access bias{3, 0, {}, DType::float32};
    bias.strides[core.channels_last ? 3 : 1] = 1;
    loads = {bias};
    code.insert(code.end(), {load(0), apply(TapeCode::add, 0, 1), constant(0), apply(TapeCode::maximum, 2, 3)});
  } else if (tape == TapeOf::mask) {
    Access mask{3, 0, {}, core.a.dtype};
    std::int64_t stride = 1;
    for (std::size_t axis = 4; axis-- > 0; stride *= operation.extent[axis]) mask.strides[axis] = stride;
    loads = {mask};
    code.insert(code.end(), {load(0), constant(0), apply(TapeCode::less, 2, 1), apply(TapeCode::select, 3, 0, 2)});
  } else if (tape == TapeOf::doubled) {
    code.push_back(apply(TapeCode::add, 0, 0));
  }
  if (result == DType::bfloat16) code.push_back(apply(TapeCode::round_bfloat16, static_cast<int>(code.size()) - 1));
  stores = {{2, static_cast<std::uint16_t>(code.size() - 1), result}};
  return operation;
}

class CudaConvolution : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto all = backend_.list();
    if (!all[0].usable) GTEST_SKIP() << all[0].reason;
    device_ = open();
    if (device_->dnn() == nullptr) GTEST_SKIP() << "no cuDNN: " << device_->dnn_trouble();
  }
  std::unique_ptr<CudaDevice> open() { return backend_.open(0, {true, true, true}); }

  static std::vector<Tensor> slots_of(const ConvolutionCore& core, TapeOf tape, DType result) {
    const ImageExtents& e = core.extents;
    const std::int64_t x = e.n * e.c * e.h * e.w, y = e.n * core.k * e.p * e.q;
    const std::int64_t filters = core.k * (e.c / core.groups) * core.r * core.s;
    const DType dtype = core.a.dtype;
    Tensor output = random_tensor(extent_of(core).size(), result);
    for (float& value : output.values) value = std::numeric_limits<float>::quiet_NaN();
    std::vector<Tensor> slots{random_tensor(core.kind == ConvolutionKind::data_gradient ? y : x, dtype),
                              random_tensor(core.kind == ConvolutionKind::filter_gradient ? y : filters, dtype),
                              std::move(output)};
    if (tape == TapeOf::bias_relu) slots.push_back(random_tensor(core.k, DType::float32));
    if (tape == TapeOf::mask) slots.push_back(random_tensor(extent_of(core).size(), dtype));
    return slots;
  }

  /// False where cuDNN does not do it; then the own kernels do, which have tests of their own.
  bool check(const ConvolutionCore& core, TapeOf tape, DType result) {
    const Operation operation = operation_of(core, tape, result);
    LibraryConvolution convolution{core, {}, 0};
    SCOPED_TRACE(testing::Message() << problem_text(convolution) << ", tape " << static_cast<int>(tape) << ", result "
                                    << (result == DType::bfloat16 ? "bf16" : "f32"));
    const auto query = convolution_query(*device_, false);
    const auto epilogue = convolution_epilogue(operation);
    if (epilogue) convolution.epilogue = *epilogue;
    const bool fused = epilogue && query(convolution).has_value();
    convolution.epilogue = {};
    if (!fused && !query(convolution)) return false;
    const std::vector<Tensor> slots = slots_of(core, tape, result);
    const Tensor actual = run_twice(*device_, operation, slots);
    EXPECT_LE(worst_error(core, tape, slots, actual, core.tf32 ? 1e-3 : 1e-6), 1) << (fused ? "fused" : "not fused");
    return true;
  }

  /// The largest error, as a part of what is allowed: a share of the sum of magnitudes, and what bfloat16 rounds.
  static double worst_error(const ConvolutionCore& core, TapeOf tape, const std::vector<Tensor>& slots,
                            const Tensor& actual, double share) {
    const Truth truth = truth_of(core, slots[0], slots[1]);
    double worst = 0;
    const std::int64_t channels = core.channels_last ? 1 : core.extents.p * core.extents.q;
    for (std::size_t i = 0; i < actual.values.size(); ++i) {
      double expected = truth.values[i];
      if (tape == TapeOf::doubled) expected *= 2;
      if (tape == TapeOf::bias_relu) {
        const auto channel = static_cast<std::size_t>(static_cast<std::int64_t>(i) / channels % core.k);
        expected = std::max(expected + static_cast<double>(slots[3].values[channel]), 0.0);
      }
      if (tape == TapeOf::mask && !(slots[3].values[i] > 0)) expected = 0;
      double allowed = share * (truth.magnitudes[i] + 1);
      if (actual.dtype == DType::bfloat16) allowed += std::abs(expected) / 250;
      const double error = std::abs(static_cast<double>(actual.values[i]) - expected) / allowed;
      worst = std::isnan(error) ? std::numeric_limits<double>::infinity() : std::max(worst, error);
    }
    return worst;
  }

  /// Every kind with the tapes of networks; returns how many cuDNN did, of `asked`.
  int check_all(const Case& size, bool channels_last, DType dtype, bool tf32, int* asked = nullptr) {
    int done = 0;
    const auto one = [&](ConvolutionKind kind, TapeOf tape, DType result) {
      if (asked != nullptr) ++*asked;
      done += check(core_of(size, kind, channels_last, dtype, tf32), tape, result) ? 1 : 0;
    };
    one(ConvolutionKind::forward, TapeOf::store, DType::float32);
    one(ConvolutionKind::forward, TapeOf::bias_relu, dtype);
    one(ConvolutionKind::data_gradient, TapeOf::store, dtype);
    one(ConvolutionKind::data_gradient, TapeOf::mask, dtype);
    one(ConvolutionKind::filter_gradient, TapeOf::store, DType::float32);
    one(ConvolutionKind::filter_gradient, TapeOf::doubled, DType::float32);
    return done;
  }

  CudaBackend backend_;
  std::unique_ptr<CudaDevice> device_;
};

TEST_F(CudaConvolution, LayersOfVggInEveryPrecisionAndOrder) {
  // None of these may be refused: speed rests on them.
  for (const Case& size : {Case{2, 3, 32, 32, 64, 3, 3, 1, 1, 1}, Case{2, 64, 14, 14, 128, 3, 3, 1, 1, 1}}) {
    for (const bool channels_last : {true, false}) {
      int asked = 0, done = 0;
      done += check_all(size, channels_last, DType::float32, false, &asked);
      done += check_all(size, channels_last, DType::float32, true, &asked);
      if (channels_last && size.c % 8 == 0) done += check_all(size, channels_last, DType::bfloat16, false, &asked);
      EXPECT_EQ(done, asked) << size.c << " channels, channels last: " << channels_last;
    }
  }
}

TEST_F(CudaConvolution, OddShapes) {
  const std::vector<Case> cases{
      {1, 1, 1, 1, 1, 1, 1},              // one pixel
      {1, 3, 7, 5, 2, 3, 3, 1, 2, 1},     // stride
      {3, 5, 11, 9, 7, 3, 3, 1, 3, 2},    //
      {2, 4, 9, 9, 6, 3, 3, 1, 1, 2, 2},  // dilation
      {2, 8, 6, 6, 4, 3, 3, 2, 1, 1},     // groups
      {2, 6, 8, 8, 6, 3, 3, 6, 1, 1},     // depthwise
      {1, 2, 3, 3, 3, 5, 5, 1, 1, 2},     // window larger than the image
      {2, 16, 5, 5, 8, 1, 1},             // 1 x 1
      {4, 6, 14, 14, 16, 5, 5},           // LeNet
      {2, 3, 17, 19, 5, 2, 4, 1, 1, 1},   // window that is not square
  };
  for (const Case& size : cases) {
    for (const bool channels_last : {true, false}) {
      check_all(size, channels_last, DType::float32, false);
      if (channels_last && size.c % 8 == 0) check_all(size, channels_last, DType::bfloat16, false);
    }
  }
}

TEST_F(CudaConvolution, SameBitsInEveryRunAndFromTheKeptPlan) {
  const Case size{4, 64, 28, 28, 64, 3, 3, 1, 1, 1};
  for (const DType dtype : {DType::float32, DType::bfloat16}) {
    for (const ConvolutionKind kind :
         {ConvolutionKind::forward, ConvolutionKind::data_gradient, ConvolutionKind::filter_gradient}) {
      const ConvolutionCore core = core_of(size, kind, true, dtype, false);
      const Operation operation = operation_of(core, TapeOf::store, DType::float32);
      const std::vector<Tensor> slots = slots_of(core, TapeOf::store, DType::float32);
      const Tensor first = run_twice(*device_, operation, slots);
      EXPECT_EQ(run_twice(*device_, operation, slots).values, first.values);
      EXPECT_EQ(run_twice(*device_, operation, slots, false).values, first.values)
          << "replay and single launches differ";
      EXPECT_EQ(run_twice(*open(), operation, slots).values, first.values) << "two processes would differ";
    }
  }
}

// In true float32 by our own minimal filtering, its products by cuBLASLt where that is there, or by the own kernel.
TEST_F(CudaConvolution, MinimalFilteringWithEitherProduct) {
  const Case size{4, 128, 31, 34, 128, 3, 3, 1, 1, 1};
  constexpr std::int64_t tiles = 4 * 8 * 9;
  ASSERT_TRUE(library_is_faster(MatMulCore{tiles, size.k, size.c, {}, {}}, true, 36));
  for (const ConvolutionKind kind :
       {ConvolutionKind::forward, ConvolutionKind::data_gradient, ConvolutionKind::filter_gradient}) {
    const ConvolutionCore core = core_of(size, kind, true, DType::float32, false);
    ASSERT_TRUE(is_faster_minimally(core));
    const TapeOf tape = kind == ConvolutionKind::forward         ? TapeOf::bias_relu
                        : kind == ConvolutionKind::data_gradient ? TapeOf::mask
                                                                 : TapeOf::doubled;
    const Operation operation = operation_of(core, tape, DType::float32);
    const std::vector<Tensor> slots = slots_of(core, tape, DType::float32);
    for (const bool library : {true, false}) {
      SCOPED_TRACE(testing::Message() << "kind " << static_cast<int>(kind) << (library ? ", by the library" : ""));
      const auto device = backend_.open(0, {true, library, false});
      const Tensor actual = run_twice(*device, operation, slots);
      EXPECT_LE(worst_error(core, tape, slots, actual, 4e-6), 1);
      EXPECT_EQ(run_twice(*device, operation, slots, false).values, actual.values) << "other bits in another run";
    }
  }
}

TEST_F(CudaConvolution, RectifiedResultsKeepNaN) {
  for (const DType dtype : {DType::float32, DType::bfloat16}) {
    const ConvolutionCore core =
        core_of({2, 64, 14, 14, 64, 3, 3, 1, 1, 1}, ConvolutionKind::forward, true, dtype, false);
    std::vector<Tensor> slots = slots_of(core, TapeOf::bias_relu, dtype);
    slots[3].values[5] = std::numeric_limits<float>::quiet_NaN();
    const Tensor result = run_twice(*device_, operation_of(core, TapeOf::bias_relu, dtype), slots);
    for (std::size_t i = 0; i < result.values.size(); ++i) ASSERT_EQ(std::isnan(result.values[i]), i % 64 == 5) << i;
  }
}

TEST_F(CudaConvolution, OperandsThatBeginInTheMiddle) {
  ConvolutionCore core =
      core_of({2, 64, 8, 8, 64, 3, 3, 1, 1, 1}, ConvolutionKind::forward, true, DType::float32, false);
  std::vector<Tensor> slots = slots_of(core, TapeOf::store, DType::float32);
  const Tensor expected = run_twice(*device_, operation_of(core, TapeOf::store, DType::float32), slots);
  core.a.offset = 8;  // 32 bytes: as well aligned, so the same plan
  slots[0].values.insert(slots[0].values.begin(), 8, 1e9F);
  EXPECT_EQ(run_twice(*device_, operation_of(core, TapeOf::store, DType::float32), slots).values, expected.values);
}

}  // namespace
}  // namespace overtake::backend::cuda
