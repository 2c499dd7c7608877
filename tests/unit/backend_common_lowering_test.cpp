// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>

#include "backend/common/lower/kernel_text.hpp"
#include "backend/common/lower/matmul_tiling.hpp"
#include "backend/common/lower/thin_product.hpp"
#include "kernels/sources.hpp"
#include "overtake/error.hpp"

namespace overtake::backend {
namespace {

const LoweringTraits gpu{132, 48 * 1024, 1024, true};

Operation scaled_add(std::int64_t n, float rate) {
  Operation operation;
  operation.extent = Shape{n};
  operation.tape.loads = {Access{.slot = 0, .strides = {1}}, Access{.slot = 1, .strides = {1}}};
  operation.tape.code = {{.code = TapeCode::load, .index = 0},
                         {.code = TapeCode::load, .index = 1},
                         {.code = TapeCode::constant, .bits = to_bits(rate)},
                         {.code = TapeCode::multiply, .a = 1, .b = 2},
                         {.code = TapeCode::subtract, .a = 0, .b = 3}};
  operation.tape.stores = {{0, 4}};
  return operation;
}

Operation product(std::int64_t m, std::int64_t n, std::int64_t k) {
  Operation operation;
  operation.core = MatMulCore{m, n, k, {0, 0, k, 1}, {1, 0, 1, k}};
  operation.extent = Shape{m, n};
  operation.tape.code = {{.code = TapeCode::core}};
  operation.tape.stores = {{2, 0}};
  return operation;
}

TEST(Lowering, SizesAndRatesShareOneKernel) {
  const auto one = lower(scaled_add(100, 0.01F), gpu).kernels.at(0);
  const auto other = lower(scaled_add(333, 0.02F), gpu).kernels.at(0);
  EXPECT_EQ(one.entry, other.entry);
  EXPECT_EQ(one.source, other.source);
  EXPECT_FALSE(one.arguments == other.arguments);
  EXPECT_NE(one.source.find(one.entry), std::string::npos);
  // A constant that shapes the formula is part of it.
  EXPECT_NE(lower(scaled_add(100, 2.0F), gpu).kernels.at(0).entry, one.entry);

  EXPECT_EQ(lower(product(100, 16, 8), gpu).kernels.at(0).entry, lower(product(100, 32, 16), gpu).kernels.at(0).entry);
}

TEST(Lowering, ThinProductsReadTheLargeOperandOnce) {
  const auto core_of = [](std::int64_t m, std::int64_t n, std::int64_t k) {
    return std::get<MatMulCore>(product(m, n, k).core);
  };
  EXPECT_TRUE(is_thin(core_of(1, 1000, 4096)));
  EXPECT_TRUE(is_thin(core_of(4096, 4, 25088)));
  EXPECT_TRUE(is_thin(core_of(4, 8192, 64)));
  EXPECT_FALSE(is_thin(core_of(5, 1000, 4096))) << "rows";
  EXPECT_FALSE(is_thin(core_of(1, 1 << 20, 63))) << "steps of k";
  EXPECT_FALSE(is_thin(core_of(100, 2, 4096))) << "a small operand";
  EXPECT_FALSE(is_thin(core_of(1, 1 << 20, 1 << 11))) << "indices of 64 bits";
  EXPECT_THROW((void)lower(product(1, 1 << 20, 1 << 11), gpu), UsageError);
  // Enough groups for every unit: of columns, and where those are few, of parts of k.
  for (const auto& [m, n, k] : {std::array<std::int64_t, 3>{1, 4096, 25088}, {1, 1000, 4096}, {1, 2, 1 << 20}}) {
    const LoweredOperation lowered = lower(product(m, n, k), gpu);
    const LaunchGeometry& geometry = lowered.kernels.at(0).geometry;
    EXPECT_GE(geometry.groups[0] * geometry.groups[1], 132U);
    EXPECT_EQ(lowered.kernels.size(), geometry.groups[1] > 1 ? 2U : 1U);
    EXPECT_EQ(lowered.zeroed_bytes, 0U);
    EXPECT_LT(lowered.scratch_bytes, 1U << 20U);
  }
}

TEST(Lowering, EqualEntriesMeanEqualSources) {
  std::map<std::string, std::string> sources;
  for (const std::int64_t m : {1, 7, 100, 512}) {
    for (const std::int64_t n : {1, 2, 64, 100, 1024, 4096}) {
      for (const std::int64_t k : {1, 3, 100, 1024, 4096}) {
        for (const LoweredKernel& kernel : lower(product(m, n, k), gpu).kernels) {
          const auto [entry, is_new] = sources.emplace(kernel.entry, kernel.source);
          EXPECT_TRUE(is_new || entry->second == kernel.source) << kernel.entry;
        }
      }
    }
  }
  EXPECT_GT(sources.size(), 5U);
  EXPECT_LT(sources.size(), 60U) << "120 products should share their kernels";
}

TEST(Lowering, NothingToDoIsNoKernel) {
  Operation operation = scaled_add(0, 0.1F);
  EXPECT_TRUE(lower(operation, gpu).kernels.empty());
  EXPECT_TRUE(lower_interpreted(operation).kernels.empty());
}

TEST(Lowering, ArraysBeyond32BitIndicesHaveLongOnes) {
  const auto is_long = [](const Operation& operation) {
    const LoweredKernel kernel = lower(operation, gpu).kernels.at(0);
    const bool arguments = std::any_of(kernel.arguments.begin(), kernel.arguments.end(), [](const auto& argument) {
      return argument.kind == LoweredArgument::Kind::int64 || argument.kind == LoweredArgument::Kind::offset64;
    });
    EXPECT_EQ(arguments, kernel.source.find("#define INDEX int64") != std::string::npos);
    return arguments;
  };
  EXPECT_FALSE(is_long(scaled_add(1000, 0.1F)));
  EXPECT_TRUE(is_long(scaled_add(std::int64_t{1} << 31U, 0.1F)));
  Operation far = scaled_add(10, 0.1F);
  far.tape.loads[1].offset = std::int64_t{1} << 31U;
  EXPECT_TRUE(is_long(far));
  EXPECT_THROW((void)lower(product(100000, 100000, 2), gpu), UsageError);
}

TEST(Lowering, BrokenTapesAreInternalErrors) {
  Operation early = scaled_add(10, 0.1F);
  early.tape.code[3].a = 9;
  EXPECT_THROW((void)lower(early, gpu), InternalError);
  Operation typed = scaled_add(10, 0.1F);
  typed.tape.loads[0].dtype = DType::int32;
  EXPECT_THROW((void)lower(typed, gpu), InternalError);
  Operation coreless = scaled_add(10, 0.1F);
  coreless.tape.code[0] = {.code = TapeCode::core};
  EXPECT_THROW((void)lower(coreless, gpu), InternalError);
  Operation strides = product(4, 4, 4);
  std::get<MatMulCore>(strides.core).a = {0, 0, 8, 2};
  EXPECT_THROW((void)lower(strides, gpu), InternalError);
  Operation extent = product(4, 4, 4);
  extent.extent = Shape{16};
  EXPECT_THROW((void)lower(extent, gpu), InternalError);
}

TEST(Lowering, InterpretedLimitsAreNamed) {
  Operation operation = scaled_add(10, 0.1F);
  for (int i = 0; i < 100; ++i) operation.tape.code.push_back({.code = TapeCode::add, .a = 0, .b = 1});
  try {
    (void)lower_interpreted(operation);
    FAIL() << "105 instructions fit";
  } catch (const DeviceError& error) {
    EXPECT_NE(error.hint().find("run-time compiler"), std::string::npos);
  }
  const LoweredOperation lowered = lower_interpreted(scaled_add(10, 0.1F));
  ASSERT_EQ(lowered.kernels.size(), 1U);
  EXPECT_TRUE(lowered.kernels[0].source.empty());
  EXPECT_EQ(lowered.zeroed_bytes, lowered.words.size() * 4);
}

TEST(MatMulTiling, PlansAreSoundForEverySize) {
  for (const LoweringTraits& traits :
       {gpu, LoweringTraits{2, 32 * 1024, 256, false}, LoweringTraits{30, 16 * 1024, 256, false}}) {
    for (const std::int64_t m : {1, 2, 3, 100, 127, 1000, 4097}) {
      for (const std::int64_t n : {1, 2, 3, 100, 127, 4097}) {
        for (const std::int64_t k : {1, 2, 3, 100, 127, 4097}) {
          const MatMulPlan plan = plan_matmul(m, n, k, traits);
          SCOPED_TRACE(testing::Message() << m << " x " << n << " x " << k);
          EXPECT_EQ(plan.split_k % plan.tile.bk, 0);
          EXPECT_GE(plan.splits * plan.split_k, k);
          EXPECT_LT((plan.splits - 1) * plan.split_k, k) << "an empty split";
          EXPECT_LE(plan.tile.work_items(), traits.max_group_size);
          EXPECT_LE(plan.tile.local_bytes(plan.one_panel()), static_cast<std::int64_t>(traits.local_bytes));
        }
      }
    }
  }
}

TEST(MatMulTiling, FewOutputsAndALongSumAreSplit) {
  EXPECT_GT(plan_matmul(100, 2, 4096, gpu).splits, 4);
  EXPECT_EQ(plan_matmul(4096, 2048, 100, gpu).splits, 1);
  EXPECT_EQ(plan_matmul(100, 8, 4, gpu).splits, 1);
  LoweringTraits cpu = gpu;
  cpu.splits_products = false;
  EXPECT_EQ(plan_matmul(100, 2, 4096, cpu).splits, 1) << "parts take memory";
}

TEST(Dialect, PreludesAreShortAndKernelsNameNoVendor) {
  for (const std::string_view prelude : {embedded::prelude_cuda, embedded::prelude_opencl}) {
    EXPECT_LE(std::count(prelude.begin(), prelude.end(), '\n'), 190);
  }
  const std::string_view kernels[] = {embedded::kernel_tape,       embedded::kernel_philox,    embedded::kernel_map,
                                      embedded::kernel_matmul,     embedded::kernel_reduce,    embedded::kernel_rows,
                                      embedded::kernel_gather,     embedded::kernel_self_test, embedded::kernel_peak,
                                      embedded::kernel_interpreted};
  for (const std::string_view source : kernels) {
    EXPECT_GT(source.size(), 100U);
    for (const std::string_view word :
         {"threadIdx", "blockIdx", "blockDim", "__shared__", "__global__", "__CUDA_ARCH__", "get_global_id",
          "get_local_id", "__OPENCL_VERSION__", "__kernel", "__local", "__syncthreads", "barrier("}) {
      EXPECT_EQ(source.find(word), std::string_view::npos) << word;
    }
  }
}

}  // namespace
}  // namespace overtake::backend
