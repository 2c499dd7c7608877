// SPDX-License-Identifier: MIT
// The run-time compiler on every kernel family. Needs NVRTC, but no GPU.
#include "backend/cuda/code/compiler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backend/common/lower/lowering.hpp"
#include "backend/cuda/driver/vendor_libraries.hpp"
#include "cuda_schedules.hpp"
#include "kernels/sources.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::cuda {
namespace {

class CudaCompiler : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    compiler_ = Compiler::open(vendor_library_candidates("libnvrtc", 13000), 90, why);
    if (!compiler_) GTEST_SKIP() << "no NVRTC: " << why;
  }
  std::string compile(const std::string& source) {
    return compiler_->compile(std::string(embedded::prelude_cuda) + "\n#line 1\n" + source);
  }
  std::unique_ptr<Compiler> compiler_;
};

TEST_F(CudaCompiler, MakesMachineCode) {
  const std::string binary = compile("KERNEL void twice(GLOBAL float* a) { a[GLOBAL_ID(0)] *= 2.0f; }");
  EXPECT_EQ(binary.substr(1, 3), "ELF");
}

TEST_F(CudaCompiler, BadSourceGivesTheLogWithTheUsersLines) {
  try {
    (void)compile("KERNEL void wrong(GLOBAL float* a) {\n  a[0] = undefined_name;\n}");
    FAIL() << "wrong source compiled";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("undefined_name"));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("(2)"));
  }
}

TEST_F(CudaCompiler, DefinesReachTheSource) {
  const std::string source =
      std::string(embedded::prelude_cuda) + "\n#ifndef N\n#error N\n#endif\nKERNEL void k(GLOBAL int* a) { a[0] = N; }";
  EXPECT_THROW((void)compiler_->compile(source), UsageError);
  const std::vector<std::string> defines{"N=3"};
  EXPECT_NO_THROW((void)compiler_->compile(source, defines));
}

TEST_F(CudaCompiler, EveryKernelOfATrainingStepCompiles) {
  LoweringTraits traits;
  traits.compute_units = 132;
  traits.fence_across_groups = true;
  for (const std::int64_t width : {4, 64, 512}) {
    const Schedule schedule = training_step(100, {2, width, 2 * width, 2});
    for (const Operation& operation : schedule.operations) {
      for (const LoweredKernel& kernel : lower(operation, traits).kernels) {
        EXPECT_NO_THROW((void)compile(kernel.source)) << operation.name << ": " << kernel.entry;
      }
    }
  }
}

Tape stored(DType dtype) {
  Tape tape;
  tape.code = {tape::core(), {.code = TapeCode::round_bfloat16}};
  tape.stores = {{2, 1, dtype}};
  return tape;
}

// Images of one channel and of many, small arrays and some of more than 2^31 elements.
TEST_F(CudaCompiler, ConvolutionsAndPoolingCompile) {
  LoweringTraits traits;
  traits.compute_units = 132;
  traits.fence_across_groups = true;
  const auto compile_all = [&](const auto& core, DType dtype) {
    const Operation operation{core, extent_of(core), stored(dtype), "images"};
    for (const LoweredKernel& kernel : lower(operation, traits).kernels) {
      EXPECT_NO_THROW((void)compile(kernel.source)) << kernel.entry;
    }
  };
  for (const DType dtype : {DType::float32, DType::bfloat16}) {
    for (const bool channels_last : {true, false}) {
      for (const std::int64_t images : {64, 1 << 20}) {
        for (const std::int64_t channels : {1, 64}) {
          const ImageExtents same{images, channels, 28, 28, 28, 28}, half{images, channels, 28, 28, 14, 14};
          const ImageOperand a{0, 0, dtype}, b{1, 0, dtype};
          for (const int kind : {0, 1, 2}) {
            compile_all(ConvolutionCore{static_cast<ConvolutionKind>(kind),
                                        same,
                                        64,
                                        3,
                                        3,
                                        1,
                                        {.padding = {1, 1}},
                                        channels_last,
                                        false,
                                        a,
                                        b},
                        dtype);
          }
          for (const int kind : {0, 1, 2, 3}) {
            for (const bool turned : {false, true}) {
              PoolCore core{
                  static_cast<PoolKind>(kind), half, 2, 2, {.stride = {2, 2}}, true, channels_last, a, b, turned};
              compile_all(core, dtype);
              if (kind < 2 || !channels_last) continue;
              core.sums = {3, 49, 1};
              compile_all(core, dtype);
            }
          }
        }
      }
    }
  }
  for (const int kind : {0, 1, 2}) {  // few channels and filters
    const ImageOperand a{0, 0, DType::float32}, b{1, 0, DType::float32};
    compile_all(
        ConvolutionCore{
            static_cast<ConvolutionKind>(kind), {64, 6, 14, 14, 10, 10}, 16, 5, 5, 1, {}, true, false, a, b},
        DType::float32);
  }
}

}  // namespace
}  // namespace overtake::backend::cuda
