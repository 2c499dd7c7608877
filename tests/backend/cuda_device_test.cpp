// SPDX-License-Identifier: MIT
// What only CUDA does: graphs, unrolling, cuBLASLt. Skipped without a usable NVIDIA GPU.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "backend/cuda/backend.hpp"
#include "backend/cuda/run/graph_builder.hpp"
#include "backend/cuda/run/launcher.hpp"
#include "cuda_training.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::cuda {
namespace {

class CudaGpu : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto all = backend_.list();
    if (!all[0].usable) GTEST_SKIP() << all[0].reason;
  }
  std::unique_ptr<CudaDevice> open(DeviceSettings settings = {}) { return backend_.open(0, settings); }

 private:
  CudaBackend backend_;
};

std::vector<Floats> train(CudaDevice& device, const std::vector<std::int64_t>& widths, bool replay,
                          const std::vector<int>& runs, std::string* note = nullptr, std::int64_t batch = 100) {
  const Schedule schedule = training_step(batch, widths);
  Training training(device, schedule, widths);
  const auto executable = device.compile(schedule, {replay});
  executable->bind(training.slots);
  for (const int times : runs) executable->run(times);
  auto result = training.parameters(device);
  if (note != nullptr) *note = executable->stats().note;
  return result;
}

bool all_finite(const std::vector<Floats>& all) {
  for (const Floats& values : all) {
    for (const float value : values) {
      if (!std::isfinite(value)) return false;
    }
  }
  return true;
}

TEST_F(CudaGpu, LargeAndPageLockedCopiesArriveWholeAndAreTimed) {
  const auto device = open();
  const std::size_t large = Staging::large_bytes / sizeof(float);
  for (const std::size_t count : {large - 1, large, 5 * large + 3}) {
    const Floats values = random_floats(count, static_cast<unsigned>(count));
    EXPECT_EQ(download(*device, *upload(*device, values)), values) << count;
  }
  const std::size_t bytes = 3 * Staging::large_bytes;
  const auto from = device->allocate_host(bytes);
  const auto into = device->allocate_host(bytes);
  std::memset(from->data(), 3, bytes);
  std::memset(into->data(), 0, bytes);
  const auto buffer = device->allocate(bytes);
  device->upload(*buffer, 0, from->data(), bytes);
  device->download(*buffer, 0, into->data(), bytes);
  EXPECT_EQ(std::memcmp(from->data(), into->data(), bytes), 0);
  const Transfers transfers = device->transfers();
  EXPECT_EQ(transfers.uploads, 4U);
  EXPECT_GT(transfers.upload_seconds, 0);
  EXPECT_GT(transfers.download_seconds, 0);
}

TEST_F(CudaGpu, UploadsAndDownloadsOfEverySize) {
  const auto device = open();
  const std::size_t half = Staging::half_bytes / 4;
  for (const std::size_t count : {std::size_t{1}, half - 1, half, half + 1, 2 * half, 5 * half + 3}) {
    const Floats values = random_floats(count, static_cast<unsigned>(count));
    const auto buffer = upload(*device, values);
    EXPECT_EQ(download(*device, *buffer), values) << count;
  }
  EXPECT_EQ(device->transfers().uploads, 6U);
  EXPECT_EQ(device->transfers().downloads, 6U);
}

TEST_F(CudaGpu, CopiesAndPartsOfBuffers) {
  const auto device = open();
  const Floats values = random_floats(1000, 5);
  const auto source = upload(*device, values);
  const auto target = upload(*device, Floats(1000, -1));
  device->copy(*source, 400, *target, 800, 1200);
  const Floats result = download(*device, *target);
  EXPECT_EQ(result[199], -1);
  EXPECT_EQ(result[200], values[100]);
  EXPECT_EQ(result[499], values[399]);
  EXPECT_EQ(result[500], -1);
  EXPECT_THROW(device->copy(*source, 0, *target, 3999, 2), InternalError);
}

TEST_F(CudaGpu, MemoryLimitIsKept) {
  const auto device = open();
  device->set_memory_limit(device->memory_held() + (64U << 20U));
  EXPECT_THROW((void)device->allocate(std::size_t{128} << 20U), DeviceError);
  EXPECT_NO_THROW((void)device->allocate(std::size_t{16} << 20U));
}

TEST_F(CudaGpu, MoreMemoryThanTheCardHasIsAnErrorAndNotTheEnd) {
  const auto device = open();
  EXPECT_THROW((void)device->allocate(device->info().memory_bytes * 2), DeviceError);
  EXPECT_EQ(download(*device, *upload(*device, Floats{1, 2, 3})), (Floats{1, 2, 3}));
}

TEST_F(CudaGpu, ReplayGivesTheBitsOfSingleLaunches) {
  const auto device = open();
  for (const std::vector<std::int64_t>& widths :
       {std::vector<std::int64_t>{2, 4, 2}, std::vector<std::int64_t>{2, 4, 8, 16, 32, 2},
        std::vector<std::int64_t>{2, 100, 300, 7, 3}}) {
    const auto launched = train(*device, widths, false, {40});
    EXPECT_TRUE(all_finite(launched));
    std::string note;
    EXPECT_EQ(train(*device, widths, true, {40}, &note), launched);
    EXPECT_THAT(note, ::testing::HasSubstr("graph")) << note;
    EXPECT_EQ(train(*device, widths, true, {1, 2, 17, 20}), launched);
    EXPECT_EQ(train(*device, widths, true, std::vector<int>(40, 1)), launched);
  }
}

TEST_F(CudaGpu, TrainingChangesEveryParameter) {
  const auto device = open();
  const std::vector<std::int64_t> widths{2, 16, 2};
  const auto before = train(*device, widths, true, {});
  const auto after = train(*device, widths, true, {10});
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_NE(before[i], after[i]) << i;
}

TEST_F(CudaGpu, RebindingUsesTheNewBuffers) {
  const auto device = open();
  const std::vector<std::int64_t> widths{2, 16, 2};
  const Schedule schedule = training_step(100, widths);
  const auto executable = device->compile(schedule, {true});
  Training first(*device, schedule, widths);
  Training second(*device, schedule, widths);
  executable->bind(first.slots);
  executable->run(5);
  executable->bind(second.slots);
  executable->run(5);
  EXPECT_EQ(first.parameters(*device), second.parameters(*device));
}

TEST_F(CudaGpu, UnboundExternalSlotIsRefused) {
  const auto device = open();
  const Schedule schedule = training_step(100, {2, 4, 2});
  const auto executable = device->compile(schedule, {true});
  EXPECT_THROW(executable->run(1), InternalError);
  const std::vector<Buffer*> nothing(schedule.slots.size(), nullptr);
  EXPECT_THROW(executable->bind(nothing), InternalError);
}

TEST_F(CudaGpu, SecondDeviceObjectFindsKernelsOnDisk) {
  (void)train(*open(), {2, 4, 2}, false, {1});
  const auto device = open();
  (void)train(*device, {2, 4, 2}, false, {1});
  EXPECT_EQ(device->kernels().compiled(), 0) << "the program cache was not used";
}

// -- cuBLASLt ---------------------------------------------------------------------------------------------------------

class CudaLibrary : public CudaGpu {
 protected:
  void SetUp() override {
    CudaGpu::SetUp();
    if (IsSkipped()) return;
    with_ = open();
    if (with_->library() == nullptr) GTEST_SKIP() << "no cuBLASLt: " << with_->library_trouble();
    without_ = open({.use_compiler = true, .use_library = false});
  }
  std::unique_ptr<CudaDevice> with_, without_;
};

TEST_F(CudaLibrary, TrainingAgreesWithTheOwnKernels) {
  const std::vector<std::int64_t> widths{2, 1024, 2048, 4096, 2};
  std::string note;
  constexpr std::int64_t batch = 200;  // from about there on the library takes products over
  const auto library = train(*with_, widths, true, {3}, &note, batch);
  EXPECT_THAT(note, ::testing::Not(::testing::HasSubstr(" 0 by cuBLASLt"))) << "no product was large enough";
  const auto own = train(*without_, widths, true, {3}, nullptr, batch);
  EXPECT_TRUE(all_finite(library));
  EXPECT_LT(relative_difference(library, own), 5e-6);  // sums of 4,096 terms in another order, three steps on
  EXPECT_EQ(train(*with_, widths, false, {3}, nullptr, batch), library) << "replay and single launches differ";
  EXPECT_EQ(train(*open(), widths, true, {1, 2}, nullptr, batch), library) << "two processes would differ";
}

/// One product through the library directly, against the same product by the own kernel.
Floats one_product(CudaDevice& device, const Operation& operation, const std::vector<Floats>& inputs, int output) {
  Schedule schedule;
  schedule.operations = {operation};
  std::vector<std::unique_ptr<Buffer>> buffers;
  std::vector<Buffer*> slots;
  for (const Floats& values : inputs) {
    schedule.slots.push_back(slot_of(static_cast<std::int64_t>(values.size()), DType::float32, true));
    buffers.push_back(upload(device, values));
    slots.push_back(buffers.back().get());
  }
  const auto executable = device.compile(schedule, {false});
  executable->bind(slots);
  executable->run(1);
  return download(device, *buffers[static_cast<std::size_t>(output)]);
}

struct ProductCase {
  const char* name;
  bool a_transposed, b_transposed;
  std::vector<TapeInstruction> code;
  std::vector<Access> loads;
  int output;
};

TEST_F(CudaLibrary, EveryEpilogueAndLayoutAgreesWithTheOwnKernel) {
  constexpr std::int64_t m = 200, n = 1000, k = 2048;
  const Access parameter = matrix_access(2, n);
  using namespace tape;
  const std::vector<ProductCase> cases{
      {"store", false, false, {core()}, {}, 4},
      {"store, a transposed", true, false, {core()}, {}, 4},
      {"store, b transposed", false, true, {core()}, {}, 4},
      {"store, both transposed", true, true, {core()}, {}, 4},
      {"bias", false, false, {core(), load(0), apply(TapeCode::add, 0, 1)}, {row_access(5)}, 4},
      {"bias, relu",
       false,
       false,
       {core(), load(0), apply(TapeCode::add, 0, 1), constant(0), apply(TapeCode::maximum, 2, 3)},
       {row_access(5)},
       4},
      {"tanh", false, true, {core(), apply(TapeCode::tanh, 0)}, {}, 4},
      {"update, constant rate",
       true,
       false,
       {core(), load(0), constant(0.01F), apply(TapeCode::multiply, 0, 2), apply(TapeCode::subtract, 1, 3)},
       {parameter},
       2},
      {"update, rate on the device",
       true,
       false,
       {core(), load(0), load(1), apply(TapeCode::multiply, 0, 2), apply(TapeCode::subtract, 1, 3)},
       {parameter, scalar_access(3)},
       2},
      {"sum with another array", false, false, {core(), load(0), apply(TapeCode::add, 0, 1)}, {parameter}, 4},
  };
  const std::vector<Floats> inputs{random_floats(m * k, 1),
                                   random_floats(k * n, 2),
                                   random_floats(m * n, 3, 30),
                                   Floats{0.02F},
                                   Floats(m * n, std::numeric_limits<float>::quiet_NaN()),
                                   random_floats(n, 4, 30)};
  for (const ProductCase& each : cases) {
    Operation operation;
    MatMulCore matmul;
    matmul.m = m;
    matmul.n = n;
    matmul.k = k;
    matmul.a = each.a_transposed ? MatMulCore::Operand{0, 0, 1, m} : MatMulCore::Operand{0, 0, k, 1};
    matmul.b = each.b_transposed ? MatMulCore::Operand{1, 0, 1, k} : MatMulCore::Operand{1, 0, n, 1};
    ASSERT_TRUE(library_is_faster(matmul, true));
    operation.core = matmul;
    operation.extent = Shape{m, n};
    operation.name = each.name;
    operation.tape.code = each.code;
    operation.tape.loads = each.loads;
    operation.tape.stores = {{each.output, static_cast<std::uint16_t>(each.code.size() - 1), DType::float32}};
    const std::vector<Floats> library{one_product(*with_, operation, inputs, each.output)};
    const std::vector<Floats> own{one_product(*without_, operation, inputs, each.output)};
    EXPECT_TRUE(all_finite(library)) << each.name;
    EXPECT_LT(relative_difference(library, own), 2e-6) << each.name;
  }
}

TEST_F(CudaLibrary, NaNInOneRowStaysInThatRow) {
  constexpr std::int64_t m = 200, n = 1000, k = 2048;
  Floats a = random_floats(m * k, 1);
  a[7 * k + 11] = std::numeric_limits<float>::quiet_NaN();
  Operation operation;
  MatMulCore matmul;
  matmul.m = m;
  matmul.n = n;
  matmul.k = k;
  matmul.a = {0, 0, k, 1};
  matmul.b = {1, 0, n, 1};
  operation.core = matmul;
  operation.extent = Shape{m, n};
  operation.tape.code = {tape::core(), tape::constant(0), tape::apply(TapeCode::maximum, 0, 1)};
  operation.tape.stores = {{2, 2, DType::float32}};
  const Floats result = one_product(*with_, operation, {a, random_floats(k * n, 2), Floats(m * n, 5)}, 2);
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < n; ++j) EXPECT_EQ(std::isnan(result[static_cast<std::size_t>(i * n + j)]), i == 7);
  }
}

// -- programs ---------------------------------------------------------------------------------------------------------

TEST_F(CudaGpu, UserKernelsTakeEveryKindOfArgument) {
  const auto device = open();
  if (device->compiler() == nullptr) GTEST_SKIP() << device->compiler_trouble();
  const auto program = device->build(
      {.source = "KERNEL void reverse(GLOBAL float* a, int n, float scale, LOCAL_PARAMETER(float, first),\n"
                 "                    LOCAL_PARAMETER(float, second)) {\n"
                 "  LOCAL_BIND(float, first);\n"
                 "  float* other = (float*)((char*)dialect_local + second_at);\n"
                 "  int i = LOCAL_ID(0);\n"
                 "  first[i] = a[i];\n"
                 "  other[i] = EXTRA;\n"
                 "  SYNC;\n"
                 "  a[i] = first[n - 1 - i] * scale + other[n - 1 - i];\n"
                 "}\n",
       .defines = {"EXTRA=0.5f"},
       .name = {}});
  const auto kernel = program->kernel("reverse");
  const auto buffer = upload(*device, Floats{1, 2, 3, 4});
  const std::vector<KernelArgument> arguments{buffer.get(), 4, 10.0F, LocalBytes{16}, LocalBytes{16}};
  LaunchGeometry geometry;
  geometry.group_size = {4, 1, 1};
  kernel->launch(geometry, arguments);
  EXPECT_EQ(download(*device, *buffer), (Floats{40.5F, 30.5F, 20.5F, 10.5F}));
  EXPECT_THROW((void)program->kernel("missing"), UsageError);
  EXPECT_THROW((void)device->build({.source = "KERNEL void broken( {", .defines = {}, .name = {}}), UsageError);
  geometry.group_size = {4096, 1, 1};
  EXPECT_THROW(kernel->launch(geometry, arguments), DeviceError);
  geometry.group_size = {4, 1, 1};
  EXPECT_THROW(kernel->launch(geometry, std::vector<KernelArgument>{buffer.get(), 4}), UsageError);
  std::vector<KernelArgument> wide = arguments;
  wide[1] = std::int64_t{4};
  EXPECT_THROW(kernel->launch(geometry, wide), UsageError) << "an int64 for an int";
  EXPECT_NO_THROW(kernel->launch(geometry, arguments)) << "a refused launch must not break the device";
}

TEST_F(CudaGpu, WithoutCompilerTheInterpretedKernelsTrainTheSame) {
  const auto device = open({.use_compiler = false, .use_library = false});
  if (!device->kernels().has_precompiled()) GTEST_SKIP() << "this build had no compiler for CUDA";
  const auto compiled = open({.use_compiler = true, .use_library = false});
  for (const std::vector<std::int64_t>& widths :
       {std::vector<std::int64_t>{2, 4, 2}, std::vector<std::int64_t>{2, 100, 300, 7, 3}}) {
    std::string note;
    const auto interpreted = train(*device, widths, true, {5}, &note);
    EXPECT_THAT(note, ::testing::HasSubstr("interpreted"));
    EXPECT_TRUE(all_finite(interpreted));
    EXPECT_LT(relative_difference(interpreted, train(*compiled, widths, true, {5})), 1e-6);
    EXPECT_EQ(train(*device, widths, false, {5}), interpreted);
  }
}

TEST_F(CudaLibrary, WithoutCompilerTheLibraryStillDoesLargeProducts) {
  const auto device = open({.use_compiler = false, .use_library = true});
  if (!device->kernels().has_precompiled()) GTEST_SKIP() << "this build had no compiler for CUDA";
  const std::vector<std::int64_t> widths{2, 2048, 4096, 2};
  std::string note;
  const auto interpreted = train(*device, widths, true, {2}, &note);
  EXPECT_THAT(note, ::testing::Not(::testing::HasSubstr(" 0 by cuBLASLt")));
  EXPECT_LT(relative_difference(interpreted, train(*without_, widths, true, {2})), 1e-6);
}

TEST_F(CudaGpu, WithoutCompilerUserKernelsAreRefusedWithTheCure) {
  const auto device = open({.use_compiler = false, .use_library = true});
  try {
    (void)device->build({.source = "KERNEL void k(GLOBAL float* a) { a[0] = 1.0f; }", .defines = {}, .name = {}});
    FAIL() << "built without a compiler";
  } catch (const DeviceError& error) {
    EXPECT_THAT(error.hint(), ::testing::HasSubstr("libnvrtc"));
  }
}

}  // namespace
}  // namespace overtake::backend::cuda
