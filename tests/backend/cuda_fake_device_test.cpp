// SPDX-License-Identifier: MIT
// The CUDA device on a driver played by the host: copies, memory, graphs, failures. Needs no GPU.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "backend/api/details.hpp"
#include "backend/api/foreign_buffer.hpp"
#include "backend/api/profiling.hpp"
#include "backend/cuda/device.hpp"
#include "cuda_fake_driver.hpp"
#include "cuda_training.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::cuda {
namespace {

class CudaFake : public ::testing::Test {
 protected:
  void SetUp() override {
    fake_gpu() = FakeGpu{};
    api_ = fake_driver_api();
    DeviceInfo info;
    info.id = "cuda:0";
    info.name = "fake";
    info.compute_units = 132;
    device_ =
        std::make_unique<CudaDevice>(api_, 13000, 0, info, DeviceSettings{.use_compiler = true, .use_library = false});
  }
  void TearDown() override {
    device_.reset();
    EXPECT_EQ(fake_gpu().bad_frees, 0);
    EXPECT_TRUE(fake_gpu().allocations.empty()) << "device memory was lost";
    // The context is not destroyed, only released.
    EXPECT_EQ(fake_gpu().calls["cuDevicePrimaryCtxRelease"], 1);
    EXPECT_EQ(fake_gpu().objects.size(), 1U) << "streams, events, modules or graphs were lost";
    for (const void* object : fake_gpu().objects) std::free(const_cast<void*>(object));  // NOLINT
  }
  /// The device again, on a driver of that CUDA version, as if NVRTC were not installed.
  void reopen_without_compiler(int cuda_version) {
    device_.reset();
    fake_gpu().calls.clear();
    for (const void* object : fake_gpu().objects) std::free(const_cast<void*>(object));  // NOLINT: the first context
    fake_gpu().objects.clear();
    DeviceInfo info;
    info.id = "cuda:0";
    device_ = std::make_unique<CudaDevice>(api_, cuda_version, 0, info,
                                           DeviceSettings{.use_compiler = false, .use_library = false});
  }
  [[nodiscard]] bool no_compiler() const { return device_->compiler() == nullptr; }

  /// a += 1 and b += 1, independent; then c = a + b.
  static Schedule diamond() {
    ScheduleBuilder build;
    const int a = build.external(64);
    const int b = build.external(64);
    const int c = build.temporary(64);
    const int d = build.external(64);
    const auto map = [&](std::vector<int> loads, int store) {
      Operation operation;
      operation.core = MapCore{};
      operation.extent = Shape{64};
      operation.name = "map";
      for (const int slot : loads) operation.tape.loads.push_back({slot, 0, {1, 0, 0, 0}, DType::float32});
      operation.tape.code = {tape::load(0), loads.size() == 2 ? tape::load(1) : tape::constant(1),
                             tape::apply(TapeCode::add, 0, 1)};
      operation.tape.stores = {{store, 2, DType::float32}};
      build.add(operation);
    };
    map({a}, a);
    map({b}, b);
    map({a, b}, c);
    map({c}, d);
    return build.schedule();
  }
  struct Bound {
    std::vector<std::unique_ptr<Buffer>> owned;
    std::vector<Buffer*> slots;
  };
  Bound buffers_for(const Schedule& schedule) {
    Bound bound;
    for (const Slot& slot : schedule.slots) {
      bound.owned.push_back(slot.external ? device_->allocate(slot.bytes) : nullptr);
      bound.slots.push_back(bound.owned.back().get());
    }
    return bound;
  }

  DriverApi api_;
  std::unique_ptr<CudaDevice> device_;
};

TEST_F(CudaFake, TellsTheDoctorVersionsMemoryAndRates) {
  fake_gpu().memory_left = std::size_t{3} << 30U;
  const DeviceDetails details = device_->details();
  EXPECT_THAT(details.driver_limit, ::testing::HasSubstr("CUDA 13.0"));
  EXPECT_THAT(details.runtime, ::testing::StartsWith("none"));
  EXPECT_EQ(details.free_bytes, std::uint64_t{3} << 30U);
  std::vector<std::string> names;
  for (const PrecisionRate& rate : details.peaks) names.push_back(rate.name);
  EXPECT_THAT(names, ::testing::ElementsAre("tf32", "bf16", "fp64"));
  for (const char* format : {"tf32", "bf16", "fp64"}) EXPECT_FALSE(device_->probe(format).run) << "no library";
}

TEST_F(CudaFake, WithoutACompilerSaysWhatCompilesKernels) {
  reopen_without_compiler(13000);
  EXPECT_THAT(device_->details().compiler, ::testing::StartsWith("none"));
}

TEST_F(CudaFake, TransfersOfEverySizeArriveWhole) {
  const std::size_t half = Staging::half_bytes / 4;
  for (const std::size_t count : {std::size_t{1}, half - 1, half, half + 1, 2 * half + 1, 5 * half}) {
    const Floats values = random_floats(count, static_cast<unsigned>(count));
    EXPECT_EQ(download(*device_, *upload(*device_, values)), values) << count;
  }
  EXPECT_EQ(device_->transfers().upload_bytes, device_->transfers().download_bytes);
}

TEST_F(CudaFake, LargeTransfersGoByManyThreadsAndArriveWhole) {
  const std::size_t large = Staging::large_bytes / 4;
  for (const std::size_t count : {large - 1, large, 3 * large + 5}) {
    const Floats values = random_floats(count, static_cast<unsigned>(count));
    EXPECT_EQ(download(*device_, *upload(*device_, values)), values) << count;
  }
}

TEST_F(CudaFake, PageLockedMemoryIsCopiedAsItIs) {
  const std::size_t bytes = 3 * Staging::half_bytes;
  const auto memory = device_->allocate_host(bytes);
  const auto buffer = device_->allocate(bytes);
  std::memset(memory->data(), 7, bytes);
  fake_gpu().calls.clear();
  device_->upload(*buffer, 0, memory->data(), bytes);
  EXPECT_EQ(fake_gpu().calls["cuMemcpyHtoDAsync"], 1) << "one copy, not one for each piece of the ring";
  std::memset(memory->data(), 0, bytes);
  device_->download(*buffer, 0, memory->data(), bytes);
  EXPECT_EQ(fake_gpu().calls["cuMemcpyDtoHAsync"], 1);
  EXPECT_EQ(static_cast<const char*>(memory->data())[bytes - 1], 7);
}

TEST_F(CudaFake, WorkWaitsForAnUploadOnceAndAtItsFirstUse) {
  const auto memory = device_->allocate_host(1024);
  const auto buffer = device_->allocate_incoming(1024);
  fake_gpu().calls.clear();
  device_->upload_async(*buffer, memory->data(), 1024);
  EXPECT_EQ(fake_gpu().calls["cuStreamWaitEvent"], 1) << "the copy waits for who had the memory before";
  (void)buffer->handle();
  EXPECT_EQ(fake_gpu().calls["cuStreamWaitEvent"], 2) << "the work waits for the copy";
  (void)buffer->handle();
  EXPECT_EQ(fake_gpu().calls["cuStreamWaitEvent"], 2) << "once is enough";
  EXPECT_THROW(device_->upload_async(*device_->allocate(1024), memory->data(), 1024), InternalError);
}

TEST_F(CudaFake, MemoryOfUploadsIsUsedAgainAfterItsEvents) {
  const auto memory = device_->allocate_host(1024);
  std::uintptr_t first = 0;
  {
    const auto buffer = device_->allocate_incoming(1024);
    first = buffer->handle();
    device_->upload_async(*buffer, memory->data(), 1024);
    device_->download_async(*buffer, memory->data(), 1024);
    fake_gpu().calls.clear();
  }
  EXPECT_EQ(fake_gpu().calls["cuStreamWaitEvent"], 1) << "the next user comes after the download";
  EXPECT_EQ(device_->allocate_incoming(1024)->handle(), first);
  // Six at once: four blocks are kept for uploads, the others go to the allocator.
  std::vector<std::unique_ptr<Buffer>> many;
  for (int i = 0; i < 6; ++i) many.push_back(device_->allocate_incoming(1024));
  many.clear();
  fake_gpu().calls.clear();
  for (int i = 0; i < 2; ++i) many.push_back(device_->allocate(1024));
  EXPECT_EQ(fake_gpu().calls["cuMemAlloc"], 0);
}

TEST_F(CudaFake, LentMemoryIsDownloadedWithoutWaiting) {
  const auto memory = device_->allocate_host(1024);
  const auto own = device_->allocate(1024);
  ForeignBuffer lent(*device_, own->handle(), 1024, nullptr);
  EXPECT_NO_THROW(device_->download_async(lent, memory->data(), 1024));
}

TEST_F(CudaFake, MemoryThatWaitsForUploadsIsThereForOthers) {
  device_->set_memory_limit(std::uint64_t{8} << 20U);
  (void)device_->allocate_incoming(std::size_t{6} << 20U);
  EXPECT_NO_THROW((void)device_->allocate(std::size_t{7} << 20U));
}

TEST_F(CudaFake, TransfersAreTimedByEvents) {
  const auto buffer = device_->allocate(64);
  char bytes[64] = {};
  for (int i = 0; i < 20; ++i) device_->upload(*buffer, 0, bytes, 64);
  device_->download(*buffer, 0, bytes, 64);
  const Transfers transfers = device_->transfers();
  EXPECT_NEAR(transfers.upload_seconds, 20 * 0.5e-3, 1e-9) << "the fake says half a millisecond for each";
  EXPECT_NEAR(transfers.download_seconds, 0.5e-3, 1e-9);
}

TEST_F(CudaFake, MarksAreOfTheirStreams) {
  const auto first = device_->mark(Lane::work);
  const auto second = device_->mark(Lane::upload);
  EXPECT_TRUE(first->is_passed());
  fake_gpu().refuse["cuEventQuery"] = CUDA_ERROR_NOT_READY;
  EXPECT_FALSE(first->is_passed());
  fake_gpu().refuse.clear();
  EXPECT_NEAR(second->seconds_since(*first), 0.5e-3, 1e-9);
  EXPECT_THROW((void)first->seconds_since(HostMark()), UsageError);
  device_->wait(Lane::download, *first);
  EXPECT_EQ(fake_gpu().calls["cuStreamWaitEvent"], 1);
  device_->wait(Lane::work, HostMark());
  EXPECT_EQ(fake_gpu().calls["cuStreamWaitEvent"], 1);
}

TEST_F(CudaFake, AProfileLaunchesStepByStepAndTimesEach) {
  if (no_compiler()) GTEST_SKIP() << "no NVRTC";
  struct Listener final : ProfileListener {
    void on_record(const ProfileRecord& record) override { records.push_back(record); }
    std::vector<ProfileRecord> records;
  } listener;
  const Schedule schedule = diamond();
  const auto executable = device_->compile(schedule, {.replay = true});
  const Bound bound = buffers_for(schedule);
  executable->bind(bound.slots);
  fake_gpu().calls.clear();
  add_listener(listener);
  executable->run(2);
  remove_listener(listener);
  EXPECT_EQ(fake_gpu().calls["cuGraphLaunch"], 0);
  ASSERT_EQ(listener.records.size(), 8U);
  for (const ProfileRecord& record : listener.records) {
    EXPECT_EQ(record.device, "cuda:0");
    EXPECT_EQ(record.name, "map");
    EXPECT_FALSE(record.kernel.empty());
    EXPECT_NEAR(record.seconds, 0.5e-3, 1e-9);
    EXPECT_EQ(record.work.bytes_written, 256U);
  }
  executable->run(2);
  EXPECT_EQ(listener.records.size(), 8U);
  EXPECT_GT(fake_gpu().calls["cuGraphLaunch"], 0);
}

TEST_F(CudaFake, AccessOutsideABufferIsRefused) {
  const auto buffer = device_->allocate(100);
  char bytes[100] = {};
  EXPECT_THROW(device_->upload(*buffer, 1, bytes, 100), InternalError);
  EXPECT_THROW(device_->download(*buffer, 101, bytes, 0), InternalError);
  EXPECT_THROW(device_->copy(*buffer, 0, *buffer, 50, ~std::size_t{0}), InternalError);
  EXPECT_NO_THROW(device_->download(*buffer, 100, bytes, 0));
}

TEST_F(CudaFake, MemoryThatRunsOutIsADeviceError) {
  fake_gpu().memory_left = 1 << 20;
  EXPECT_THROW((void)device_->allocate(std::size_t{8} << 20U), DeviceError);
  EXPECT_NO_THROW((void)device_->allocate(1 << 18));
}

TEST_F(CudaFake, FailedCopyNamesTheStepAndLeavesTheDeviceUsable) {
  const auto buffer = upload(*device_, Floats{1, 2});
  fake_gpu().refuse["cuMemcpyHtoDAsync"] = CUDA_ERROR_ECC_UNCORRECTABLE;
  try {
    (void)upload(*device_, Floats{3});
    FAIL() << "a refused copy passed";
  } catch (const DeviceError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("copying to the GPU"));
    EXPECT_THAT(error.hint(), ::testing::HasSubstr("hardware"));
  }
  fake_gpu().refuse.clear();
  EXPECT_EQ(download(*device_, *buffer), (Floats{1, 2}));
}

TEST_F(CudaFake, ReplayBuildsOneGraphForEachNumberOfRuns) {
  if (no_compiler()) GTEST_SKIP() << device_->compiler_trouble();
  const Schedule schedule = diamond();
  const Bound bound = buffers_for(schedule);
  const auto executable = device_->compile(schedule, {.replay = true});
  executable->bind(bound.slots);
  executable->run(35);
  EXPECT_EQ(fake_gpu().calls["cuGraphInstantiate"], 2);  // 16 and 3
  EXPECT_EQ(fake_gpu().calls["cuGraphLaunch"], 3);
  EXPECT_EQ(fake_gpu().calls["cuLaunchKernel"], 0);
  executable->run(16);
  EXPECT_EQ(fake_gpu().calls["cuGraphInstantiate"], 2);
  EXPECT_EQ(executable->stats().launches, 4);
  EXPECT_THAT(executable->stats().note, ::testing::HasSubstr("graph"));
  ASSERT_EQ(fake_gpu().instantiated.size(), 2U);
  const auto& waits = fake_gpu().instantiated[1].waits;  // three repetitions
  ASSERT_EQ(waits.size(), 12U);
  using Waits = std::vector<std::size_t>;
  EXPECT_EQ(waits[0], Waits{});
  EXPECT_EQ(waits[1], Waits{});
  EXPECT_EQ(waits[2], (Waits{0, 1}));
  EXPECT_EQ(waits[3], Waits{2});
  EXPECT_EQ(waits[4], Waits{2});  // a += 1 again once c has been computed, beside d = c + 1
  EXPECT_EQ(waits[5], Waits{2});
  EXPECT_EQ(waits[6], (Waits{3, 4, 5}));
}

TEST_F(CudaFake, PrepareBuildsTheGraphsThatRunNeeds) {
  if (no_compiler()) GTEST_SKIP() << device_->compiler_trouble();
  const Schedule schedule = diamond();
  const Bound bound = buffers_for(schedule);
  const auto executable = device_->compile(schedule, {.replay = true});
  executable->prepare(10);  // before bind() there is nothing to build
  EXPECT_EQ(fake_gpu().calls["cuGraphInstantiate"], 0);
  executable->bind(bound.slots);
  executable->prepare(35);
  EXPECT_EQ(fake_gpu().calls["cuGraphInstantiate"], 2);
  EXPECT_EQ(fake_gpu().calls["cuGraphLaunch"], 0);
  executable->run(35);
  EXPECT_EQ(fake_gpu().calls["cuGraphInstantiate"], 2);
  EXPECT_EQ(fake_gpu().calls["cuGraphLaunch"], 3);
}

TEST_F(CudaFake, WithoutReplayEveryStepIsLaunched) {
  if (no_compiler()) GTEST_SKIP() << device_->compiler_trouble();
  const Schedule schedule = diamond();
  const Bound bound = buffers_for(schedule);
  const auto executable = device_->compile(schedule, {.replay = false});
  executable->bind(bound.slots);
  executable->run(5);
  EXPECT_EQ(fake_gpu().calls["cuLaunchKernel"], 20);
  EXPECT_EQ(fake_gpu().calls["cuGraphCreate"], 0);
}

TEST_F(CudaFake, AGraphThatCannotBeBuiltFallsBackToLaunchesAndSaysSo) {
  if (no_compiler()) GTEST_SKIP() << device_->compiler_trouble();
  for (const char* function : {"cuGraphInstantiate", "cuGraphAddKernelNode", "cuGraphUpload", "cuGraphCreate"}) {
    fake_gpu().refuse = {{function, CUDA_ERROR_NOT_SUPPORTED}};
    fake_gpu().calls.erase("cuLaunchKernel");
    const Schedule schedule = diamond();
    const Bound bound = buffers_for(schedule);
    const auto executable = device_->compile(schedule, {.replay = true});
    executable->bind(bound.slots);
    executable->run(20);
    EXPECT_EQ(fake_gpu().calls["cuLaunchKernel"], 80) << function;
    EXPECT_THAT(executable->stats().note, ::testing::HasSubstr(function));
  }
}

TEST_F(CudaFake, RebindingDropsOldGraphs) {
  if (no_compiler()) GTEST_SKIP() << device_->compiler_trouble();
  const Schedule schedule = diamond();
  const Bound first = buffers_for(schedule);
  const Bound second = buffers_for(schedule);
  const auto executable = device_->compile(schedule, {.replay = true});
  executable->bind(first.slots);
  executable->run(2);
  executable->bind(second.slots);
  EXPECT_EQ(fake_gpu().calls["cuGraphExecDestroy"], 1);
  executable->run(2);
  EXPECT_EQ(fake_gpu().calls["cuGraphInstantiate"], 2);
}

TEST_F(CudaFake, OneBufferInTwoSlotsIsOrdered) {
  if (no_compiler()) GTEST_SKIP() << device_->compiler_trouble();
  const Schedule schedule = diamond();
  Bound bound = buffers_for(schedule);
  bound.slots[1] = bound.slots[0];
  const auto executable = device_->compile(schedule, {.replay = true});
  executable->bind(bound.slots);
  executable->run(1);
  const auto& waits = fake_gpu().instantiated.at(0).waits;
  EXPECT_EQ(waits[1], std::vector<std::size_t>{0}) << "two updates of one buffer must not run side by side";
}

TEST_F(CudaFake, WrongBindingsAreRefused) {
  if (no_compiler()) GTEST_SKIP() << device_->compiler_trouble();
  const Schedule schedule = diamond();
  const auto executable = device_->compile(schedule, {.replay = true});
  EXPECT_THROW(executable->run(1), InternalError);
  Bound bound = buffers_for(schedule);
  const auto small = device_->allocate(8);
  bound.slots[0] = small.get();
  EXPECT_THROW(executable->bind(bound.slots), InternalError);
  bound.slots[0] = nullptr;
  EXPECT_THROW(executable->bind(bound.slots), InternalError);
  EXPECT_THROW(executable->bind({}), InternalError);
}

TEST_F(CudaFake, EmptyScheduleRuns) {
  const auto executable = device_->compile(Schedule{}, {.replay = true});
  executable->bind({});
  EXPECT_NO_THROW(executable->run(3));
  EXPECT_EQ(fake_gpu().calls["cuGraphCreate"], 0);
}

TEST_F(CudaFake, ProgramsLaunchAndRefuse) {
  if (no_compiler()) GTEST_SKIP() << device_->compiler_trouble();
  const auto program =
      device_->build({.source = "KERNEL void k(GLOBAL float* a) { a[0] = 1.0f; }", .defines = {}, .name = {}});
  EXPECT_THROW((void)program->kernel("missing"), UsageError);
  const auto kernel = program->kernel("k");
  const auto buffer = device_->allocate(16);
  const std::vector<KernelArgument> arguments{buffer.get()};
  kernel->launch({}, arguments);
  EXPECT_EQ(fake_gpu().calls["cuLaunchKernel"], 1);
  LaunchGeometry empty;
  empty.groups[1] = 0;
  kernel->launch(empty, arguments);
  EXPECT_EQ(fake_gpu().calls["cuLaunchKernel"], 1) << "nothing to launch is not an error";
  EXPECT_THROW(kernel->launch({}, std::vector<KernelArgument>{static_cast<Buffer*>(nullptr)}), UsageError);
}

TEST_F(CudaFake, WithoutCompilerPrecompiledKernelsRun) {
  reopen_without_compiler(13000);
  if (!device_->kernels().has_precompiled()) GTEST_SKIP() << "this build had no compiler for CUDA";
  EXPECT_THAT(device_->info().driver, ::testing::HasSubstr("interpreted kernels (no NVRTC)"));
  EXPECT_TRUE(device_->info().usable);
  EXPECT_THAT(device_->info().reason, ::testing::HasSubstr("NVRTC"));
  EXPECT_THAT(device_->info().hint, ::testing::HasSubstr("pip install"));
  EXPECT_THROW((void)device_->build({}), DeviceError);
  const Schedule schedule = diamond();
  const Bound bound = buffers_for(schedule);
  const auto executable = device_->compile(schedule, {.replay = true});
  executable->bind(bound.slots);
  executable->run(4);
  EXPECT_THAT(executable->stats().note, ::testing::HasSubstr("interpreted"));
  EXPECT_EQ(fake_gpu().calls["cuModuleLoadDataEx"], 1);
  EXPECT_EQ(device_->transfers().uploads, 0U) << "a program's constants are no transfer of the user";
  ASSERT_EQ(fake_gpu().instantiated.size(), 1U);
  EXPECT_EQ(fake_gpu().instantiated[0].waits[1], std::vector<std::size_t>{}) << "reading words must not order steps";
}

TEST_F(CudaFake, WithoutCompilerOvertakesOwnProgramsAreAllThere) {
  reopen_without_compiler(13000);
  if (!device_->kernels().has_precompiled()) GTEST_SKIP() << "this build had no compiler for CUDA";
  std::vector<std::string> programs{"peak"};
  for (const char* task : {"classes", "numbers"}) {
    for (const char* bins : {"bytes", "wide"}) {
      for (const char* size : {"small", "large"}) programs.push_back(fmt::format("forest_{}_{}_{}", task, bins, size));
    }
  }
  for (const std::string& program : programs)
    EXPECT_NO_THROW((void)device_->build({.source = {}, .defines = {}, .name = program})) << program;
  EXPECT_EQ(fake_gpu().calls["cuModuleLoadDataEx"], static_cast<int>(programs.size()));
}

TEST_F(CudaFake, WithoutCompilerAndKernelsTheErrorNamesTheCure) {
  reopen_without_compiler(10020);  // loads no code of a compiler that knows compute capability 9.0
  ASSERT_FALSE(device_->kernels().has_precompiled());
  try {
    (void)device_->compile(diamond(), {.replay = true});
    FAIL() << "compiled without a compiler";
  } catch (const DeviceError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("NVRTC"));
    EXPECT_THAT(error.hint(), ::testing::HasSubstr("OVERTAKE_LIBRARY_PATH"));
  }
  EXPECT_THROW((void)device_->build({.source = {}, .defines = {}, .name = "peak"}), DeviceError);
}

TEST(CudaFakeContext, FailureToCreateItIsADeviceErrorWithoutLeaks) {
  fake_gpu() = FakeGpu{};
  const DriverApi api = fake_driver_api();
  fake_gpu().refuse["cuDevicePrimaryCtxRetain"] = CUDA_ERROR_DEVICE_UNAVAILABLE;
  EXPECT_THROW((void)std::make_unique<CudaDevice>(api, 13000, 0, DeviceInfo{}), DeviceError);
  fake_gpu().refuse = {{"cuStreamCreate", CUDA_ERROR_OUT_OF_MEMORY}};
  EXPECT_THROW((void)std::make_unique<CudaDevice>(api, 13000, 0, DeviceInfo{}), DeviceError);
  EXPECT_EQ(fake_gpu().calls["cuDevicePrimaryCtxRelease"], 1);
  for (const void* object : fake_gpu().objects) std::free(const_cast<void*>(object));  // NOLINT
}

}  // namespace
}  // namespace overtake::backend::cuda
