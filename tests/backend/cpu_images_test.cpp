// SPDX-License-Identifier: MIT
// The CPU's steps for images and for products of bfloat16, on several numbers of threads, against plain loops.
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "backend/cpu/image_order.hpp"
#include "backend/cpu/matmul_library.hpp"
#include "backend/cpu/memory_types.hpp"

namespace overtake::backend::cpu {
namespace {

using Numbers = std::vector<std::int64_t>;

class Draw {
 public:
  Draw() : seed_(std::random_device{}()), engine_(seed_) {}
  [[nodiscard]] std::uint32_t seed() const { return seed_; }
  std::int64_t from(const Numbers& numbers) { return numbers[engine_() % numbers.size()]; }
  DType dtype() { return from({0, 1}) == 0 ? DType::float32 : DType::bfloat16; }
  float value() { return std::uniform_real_distribution<float>(-1, 1)(engine_); }

 private:
  std::uint32_t seed_;
  std::mt19937 engine_;
};

/// Numbers in memory, between zones that nobody may touch.
class Values {
 public:
  Values(std::int64_t count, DType dtype)
      : memory_(static_cast<std::size_t>(count) * size_of(dtype) + 2 * zone, guard), dtype_(dtype), count_(count) {}
  Values(std::int64_t count, DType dtype, Draw& draw) : Values(count, dtype) {
    for (std::int64_t i = 0; i < count; ++i) set(i, draw.value());
  }
  void set(std::int64_t i, float value) {
    if (dtype_ == DType::float32) {
      reinterpret_cast<float*>(data())[i] = value;
    } else {
      reinterpret_cast<bfloat16*>(data())[i] = narrowed<bfloat16>(value);
    }
  }
  [[nodiscard]] double operator[](std::int64_t i) const {
    const std::byte* data = memory_.data() + zone;
    return static_cast<double>(dtype_ == DType::float32 ? reinterpret_cast<const float*>(data)[i]
                                                        : widened(reinterpret_cast<const bfloat16*>(data)[i]));
  }
  [[nodiscard]] std::byte* data() { return memory_.data() + zone; }

  /// |this - expected| <= tolerance * max(1, |expected|), and the zones as they were.
  void expect(const std::vector<double>& expected, double tolerance) const {
    if (dtype_ == DType::bfloat16) tolerance += 0x1p-8;
    for (std::int64_t i = 0; i < count_; ++i) {
      const double truth = expected[static_cast<std::size_t>(i)], here = (*this)[i];
      if (std::isnan(truth) && std::isnan(here)) continue;
      ASSERT_LE(std::fabs(here - truth), tolerance * std::fmax(1, std::fabs(truth))) << "element " << i;
    }
    for (std::size_t i = 0; i < zone; ++i) {
      ASSERT_TRUE(memory_[i] == guard && memory_[memory_.size() - 1 - i] == guard) << "memory of others was written";
    }
  }

 private:
  static constexpr std::size_t zone = 128;
  static constexpr std::byte guard{0x5c};
  std::vector<std::byte> memory_;
  DType dtype_;
  std::int64_t count_;
};

using Maker = std::unique_ptr<Step> (*)(const Operation&, int);

void run(Maker maker, const Operation& operation, int threads, const std::vector<std::byte*>& slots) {
  auto step = maker(operation, threads);
  if (!step) step = make_plain_convolution(operation, threads);
  step->bind(slots);
  step->run();
}

/// relu(core + bias), by the last axis, -> slot 2; core -> slot 4.
Tape bias_and_relu(DType dtype) {
  Tape tape;
  Access bias;
  bias.slot = 3;
  bias.strides = {0, 0, 0, 1};
  tape.loads = {bias};
  tape.code = {{.code = TapeCode::core},
               {.code = TapeCode::load},
               {.code = TapeCode::add, .a = 0, .b = 1},
               {.code = TapeCode::constant},
               {.code = TapeCode::maximum, .a = 2, .b = 3}};
  tape.stores = {{2, 4, dtype}, {4, 0}};
  return tape;
}

std::int64_t windows(std::int64_t extent, std::int64_t window, std::int64_t stride, std::int64_t padding,
                     std::int64_t dilation) {
  return (extent + 2 * padding - dilation * (window - 1) - 1) / stride + 1;
}

template <class Core>
void set_windows(Core& core) {
  ImageExtents& e = core.extents;
  const WindowSteps& s = core.steps;
  e.p = windows(e.h, core.r, s.stride[0], s.padding[0], s.dilation[0]);
  e.q = windows(e.w, core.s, s.stride[1], s.padding[1], s.dilation[1]);
}

/// f(place of x, place of y, place of the filter's element) for each product of a convolution.
template <class F>
void each_product(const ConvolutionCore& core, F f) {
  const ImageExtents& e = core.extents;
  const std::int64_t channels = e.c / core.groups, filters = core.k / core.groups;
  const ImageOrder x = image_order(core, e.c, e.h, e.w), y = image_order(core, core.k, e.p, e.q),
                   filter = image_order(core, channels, core.r, core.s);
  for (std::int64_t i = 0; i < e.n * core.k * e.p * e.q; ++i) {
    const ImagePlace out = y.place(i);
    for (std::int64_t j = 0; j < channels * core.r * core.s; ++j) {
      const ImagePlace in = filter.place(j);
      const std::int64_t row = out.h * core.steps.stride[0] + in.h * core.steps.dilation[0] - core.steps.padding[0];
      const std::int64_t column = out.w * core.steps.stride[1] + in.w * core.steps.dilation[1] - core.steps.padding[1];
      if (row < 0 || row >= e.h || column < 0 || column >= e.w) continue;
      f(x({out.n, out.c / filters * channels + in.c, row, column}), i, filter({out.c, in.c, in.h, in.w}));
    }
  }
}

std::vector<double> truth_of(const ConvolutionCore& core, const Values& a, const Values& b) {
  std::vector<double> result(static_cast<std::size_t>(extent_of(core).size()));
  each_product(core, [&](std::int64_t x, std::int64_t y, std::int64_t filter) {
    const auto at = [&](std::int64_t place) -> double& { return result[static_cast<std::size_t>(place)]; };
    switch (core.kind) {
      case ConvolutionKind::forward: at(y) += a[x] * b[filter]; break;
      case ConvolutionKind::data_gradient: at(x) += a[y] * b[filter]; break;
      case ConvolutionKind::filter_gradient: at(filter) += a[x] * b[y]; break;
    }
  });
  return result;
}

void check(const ConvolutionCore& core, int threads, Draw& draw) {
  const ImageExtents& e = core.extents;
  const std::int64_t x = e.n * e.c * e.h * e.w, y = e.n * core.k * e.p * e.q;
  const std::int64_t filters = core.k * core.r * core.s * e.c / core.groups;
  Values a(core.kind == ConvolutionKind::data_gradient ? y : x, core.a.dtype, draw);
  Values b(core.kind == ConvolutionKind::filter_gradient ? y : filters, core.b.dtype, draw);
  const DType dtype = draw.dtype();
  const Operation operation{core, extent_of(core), bias_and_relu(dtype), ""};
  const std::int64_t count = operation.extent.size(), last = operation.extent[3];
  Values bias(last, DType::float32, draw);
  const std::vector<double> truth = truth_of(core, a, b);
  std::vector<double> finished;
  for (std::int64_t i = 0; i < count; ++i) {
    finished.push_back(std::fmax(truth[static_cast<std::size_t>(i)] + bias[i % last], 0));
  }
  SCOPED_TRACE(testing::Message() << "seed " << draw.seed() << ": kind " << static_cast<int>(core.kind) << ", " << e.n
                                  << " images " << e.c << " x " << e.h << " x " << e.w << ", " << core.k << " filters "
                                  << core.r << " x " << core.s << ", " << core.groups << " groups, " << threads
                                  << " threads, channels last " << core.channels_last);
  for (const Maker maker : {make_library_convolution, make_plain_convolution}) {
    Values out(count, dtype), kept(count, DType::float32);
    run(maker, operation, threads, {a.data(), b.data(), out.data(), bias.data(), kept.data()});
    // A sum of so many products, each rounded to half a unit of a sum that grows like their square root.
    const double tolerance = 4e-6 + 0x1p-24 * static_cast<double>(e.n * e.p * e.q + core.r * core.s * (e.c + core.k));
    out.expect(finished, tolerance);
    kept.expect(truth, tolerance);
  }
}

ConvolutionCore drawn_convolution(Draw& draw) {
  ConvolutionCore core;
  while (true) {
    core.kind = static_cast<ConvolutionKind>(draw.from({0, 1, 2}));
    core.groups = draw.from({1, 1, 1, 2, 3});
    const std::int64_t c = core.groups * draw.from({1, 2, 3, 8, 16, 20});
    core.k = draw.from({0, 1}) == 0 ? c : core.groups * draw.from({1, 2, 5, 16});
    core.r = draw.from({1, 2, 3, 5, 7});
    core.s = draw.from({1, 2, 3, 5});
    core.extents = {draw.from({1, 2, 5, 8}), c, draw.from({1, 2, 5, 8, 15}), draw.from({1, 2, 4, 9, 16})};
    core.steps = {{draw.from({1, 1, 2, 3}), draw.from({1, 1, 2, 3})},
                  {draw.from({0, 1, 2, 3}), draw.from({0, 1, 2})},
                  {draw.from({1, 1, 2}), draw.from({1, 1, 3})}};
    core.channels_last = draw.from({0, 1}) == 0;
    core.a = {0, 0, draw.dtype()};
    core.b = {1, 0, core.a.dtype};
    const auto fits = [&](std::size_t axis, std::int64_t extent, std::int64_t window) {
      return extent + 2 * core.steps.padding[axis] > core.steps.dilation[axis] * (window - 1);
    };
    if (fits(0, core.extents.h, core.r) && fits(1, core.extents.w, core.s)) break;
  }
  set_windows(core);
  return core;
}

TEST(CpuImages, AnyConvolutionOnAnyNumberOfThreads) {
  Draw draw;
  for (int i = 0; i < 120 && !testing::Test::HasFailure(); ++i) {
    check(drawn_convolution(draw), static_cast<int>(draw.from({1, 2, 4})), draw);
  }
}

// Enough work for several threads: fewer images than threads, blocks of which the last one is smaller, one for each.
TEST(CpuImages, ConvolutionsInBlocks) {
  Draw draw;
  for (const std::int64_t n : {1, 3, 4, 7}) {
    for (const int kind : {0, 1, 2}) {
      for (const bool channels_last : {true, false}) {
        ConvolutionCore core;
        core.kind = static_cast<ConvolutionKind>(kind);
        core.extents = {n, 16, 24, 23};
        core.k = 24;
        core.r = core.s = 3;
        core.steps.padding = {1, 1};
        core.channels_last = channels_last;
        core.a = {0, 0, draw.dtype()};
        core.b = {1, 0, core.a.dtype};
        set_windows(core);
        check(core, 3, draw);
      }
    }
  }
}

// The filter's first column reads nothing but padding.
TEST(CpuImages, ColumnsOfFiltersThatReadNothing) {
  Draw draw;
  for (const DType dtype : {DType::float32, DType::bfloat16}) {
    ConvolutionCore core;
    core.kind = ConvolutionKind::filter_gradient;
    core.extents = {3, 16, 20, 1};
    core.k = 32;
    core.r = 1;
    core.s = 2;
    core.steps = {{1, 3}, {0, 1}, {1, 1}};
    core.a = {0, 0, dtype};
    core.b = {1, 0, dtype};
    set_windows(core);
    check(core, 2, draw);
  }
}

TEST(CpuImages, NotANumberPassesBiasAndRelu) {
  Draw draw;
  ConvolutionCore core;
  core.extents = {2, 3, 8, 8};
  core.k = 16;
  core.r = core.s = 1;
  core.a = {0};
  core.b = {1};
  set_windows(core);
  const Operation operation{core, extent_of(core), bias_and_relu(DType::float32), ""};
  Values a(2 * 64 * 3, DType::float32, draw), b(16 * 3, DType::float32, draw), bias(16, DType::float32, draw);
  a.set(5 * 3 + 1, std::nanf(""));
  Values out(2 * 64 * 16, DType::float32), kept(2 * 64 * 16, DType::float32);
  run(make_convolution_step, operation, 2, {a.data(), b.data(), out.data(), bias.data(), kept.data()});
  for (std::int64_t i = 0; i < 2 * 64 * 16; ++i) EXPECT_EQ(std::isnan(out[i]), i / 16 == 5) << i;
}

std::vector<double> truth_of(const PoolCore& core, const Values& x, const Values& dy) {
  const ImageExtents& e = core.extents;
  const ImageOrder x_order = image_order(core, e.c, e.h, e.w), y_order = image_order(core, e.c, e.p, e.q);
  std::vector<double> result(static_cast<std::size_t>(extent_of(core).size()));
  for (std::int64_t i = 0; i < e.n * e.c * e.p * e.q; ++i) {
    const ImagePlace at = y_order.place(i);
    Numbers places;
    std::int64_t counted = 0;
    for (std::int64_t j = 0; j < core.r * core.s; ++j) {
      const std::int64_t row = at.h * core.steps.stride[0] + j / core.s - core.steps.padding[0];
      const std::int64_t column = at.w * core.steps.stride[1] + j % core.s - core.steps.padding[1];
      if (row < e.h + core.steps.padding[0] && column < e.w + core.steps.padding[1]) ++counted;
      if (row >= 0 && row < e.h && column >= 0 && column < e.w) places.push_back(x_order({at.n, at.c, row, column}));
    }
    const auto divisor = static_cast<double>(core.count_padding ? counted : static_cast<std::int64_t>(places.size()));
    std::int64_t best = places[0];
    for (const std::int64_t place : places) {
      const bool of_average = core.kind == PoolKind::average || core.kind == PoolKind::average_gradient;
      if (core.kind == PoolKind::average) result[static_cast<std::size_t>(i)] += x[place] / divisor;
      if (core.kind == PoolKind::average_gradient) result[static_cast<std::size_t>(place)] += dy[i] / divisor;
      if (!of_average && (x[place] > x[best] || (std::isnan(x[place]) && !std::isnan(x[best])))) best = place;
    }
    if (core.kind == PoolKind::max) result[static_cast<std::size_t>(i)] = x[best];
    if (core.kind == PoolKind::max_gradient) result[static_cast<std::size_t>(best)] += dy[i];
  }
  return result;
}

TEST(CpuImages, AnyPoolOnAnyNumberOfThreads) {
  Draw draw;
  for (int i = 0; i < 200 && !testing::Test::HasFailure(); ++i) {
    PoolCore core;
    core.kind = static_cast<PoolKind>(draw.from({0, 1, 2, 3}));
    core.extents = {draw.from({1, 3}), draw.from({1, 3, 6, 16, 21, 64}), draw.from({3, 8, 28}), draw.from({4, 9, 14})};
    core.r = draw.from({1, 2, 3});
    core.s = draw.from({1, 2, 4});
    core.steps = {{draw.from({1, 2, 3}), draw.from({1, 2, 3})},
                  {draw.from({0, core.r / 2}), draw.from({0, core.s / 2})}};
    core.count_padding = draw.from({0, 1}) == 0;
    core.channels_last = draw.from({0, 1}) == 0;
    set_windows(core);
    const ImageExtents& e = core.extents;
    const DType dtype = draw.dtype();
    Values x(e.n * e.c * e.h * e.w, dtype, draw), dy(e.n * e.c * e.p * e.q, dtype, draw);
    for (std::int64_t at = 0; at < e.n * e.c * e.h * e.w; ++at) {  // with ties and NaN
      x.set(at, draw.from({0, 40}) == 0 ? std::round(4 * draw.value()) : static_cast<float>(draw.from({1, 2})));
    }
    x.set(draw.from({0, 1, 2}), std::nanf(""));
    if (core.kind != PoolKind::average_gradient) core.x = {0, 0, dtype};
    if (core.kind == PoolKind::max_gradient || core.kind == PoolKind::average_gradient) core.dy = {1, 0, dtype};
    const Operation operation{core, extent_of(core), {{{.code = TapeCode::core}}, {}, {}, {{2, 0}}}, ""};
    Values out(operation.extent.size(), DType::float32);
    SCOPED_TRACE(testing::Message() << "seed " << draw.seed() << ", the " << i << "th, kind "
                                    << static_cast<int>(core.kind));
    run(make_pool_step, operation, static_cast<int>(draw.from({1, 2, 4})), {x.data(), dy.data(), out.data()});
    out.expect(truth_of(core, x, dy), 1e-5);
  }
}

TEST(CpuImages, ProductsOfBFloat16AndOfRepeatedRows) {
  Draw draw;
  for (int i = 0; i < 60 && !testing::Test::HasFailure(); ++i) {
    const std::int64_t m = draw.from({1, 7, 64, 130}), n = draw.from({1, 3, 33, 200}), k = draw.from({1, 15, 64, 300});
    MatMulCore core{m, n, k, {0, 0, k, 1}, {1, 0, n, 1}};
    if (draw.from({0, 1}) == 0) core.a = {0, 0, 1, m};
    if (draw.from({0, 1}) == 0) core.b = {1, 0, 1, draw.from({0, k})};
    core.dtype = draw.dtype();
    Values a(m * k, core.dtype, draw), b(k * n, core.dtype, draw), out(m * n, DType::float32);
    std::vector<double> truth(static_cast<std::size_t>(m * n));
    for (std::int64_t at = 0; at < m * n * k; ++at) {
      const std::int64_t row = at / k / n, column = at / k % n, inner = at % k;
      truth[static_cast<std::size_t>(at / k)] += a[row * core.a.row_stride + inner * core.a.column_stride] *
                                                 b[inner * core.b.row_stride + column * core.b.column_stride];
    }
    const Operation operation{core, Shape{m, n}, {{{.code = TapeCode::core}}, {}, {}, {{2, 0}}}, ""};
    SCOPED_TRACE(testing::Message() << "seed " << draw.seed() << ": " << m << " x " << n << " x " << k);
    run(make_matmul_step, operation, static_cast<int>(draw.from({1, 3})), {a.data(), b.data(), out.data()});
    out.expect(truth, 2e-5);
  }
}

// Results of long rows, as those of a large layer's weights: computed in parts, each finished by the rest of the tape.
TEST(CpuImages, ProductsOfLongRowsWithARest) {
  Draw draw;
  for (int i = 0; i < 12 && !testing::Test::HasFailure(); ++i) {
    const std::int64_t m = draw.from({90, 601}), n = draw.from({2500, 5003}), k = draw.from({1, 2, 5});
    MatMulCore core{m, n, k, {0, 0, k, 1}, {1, 0, n, 1}};
    core.dtype = draw.dtype();
    Values a(m * k, core.dtype, draw), b(k * n, core.dtype, draw), bias(n, DType::float32, draw);
    Values out(m * n, DType::float32), product(m * n, DType::float32);
    std::vector<double> truth, sums;
    for (std::int64_t at = 0; at < m * n; ++at) {
      double sum = 0;
      for (std::int64_t inner = 0; inner < k; ++inner) sum += a[at / n * k + inner] * b[inner * n + at % n];
      sums.push_back(sum);
      truth.push_back(std::fmax(0, sum + bias[at % n]));
    }
    Operation operation{core, Shape{m, n}, bias_and_relu(DType::float32), ""};
    operation.tape.loads[0].strides = {0, 1};
    SCOPED_TRACE(testing::Message() << "seed " << draw.seed() << ": " << m << " x " << n << " x " << k);
    run(make_matmul_step, operation, static_cast<int>(draw.from({1, 3})),
        {a.data(), b.data(), out.data(), bias.data(), product.data()});
    out.expect(truth, 2e-5);
    product.expect(sums, 2e-5);
  }
}

}  // namespace
}  // namespace overtake::backend::cpu
