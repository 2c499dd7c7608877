// SPDX-License-Identifier: MIT
// Kernels on the CPU: how their text is read, and what is kept of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <vector>

#include "backend/api/device.hpp"
#include "backend/cpu/kernels/kernel_text.hpp"
#include "backend/cpu/kernels/program.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::cpu {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

TEST(CpuKernelText, CommentsStringsAndBranchesHideNothing) {
  const ProgramSource source{
      .source =
          "/* KERNEL void no(int a) { */ // KERNEL void neither(int a) {\n"
          "#define OPEN {\n"
          "DEVICE int twice(int x) { return 2 * x; }\n"
          "#if 1\n"
          "KERNEL void first(int a) {\n"
          "  if (a) {\n"
          "#else\n"
          "KERNEL void first(int a) {\n"
          "  if (!a) {\n"
          "#endif\n"
          "    a = twice(a) + '{' + sizeof \"}\\\"}\";\n"
          "  }\n"
          "}\n"
          "KERNEL_RESIDENT(64, 2) void second(GLOBAL float* a, LOCAL_PARAMETER(float, b)) { SYNC; }\n",
      .defines = {},
      .name = {}};
  const auto tokens = c_text::tokens_of(source.source);
  const auto kernels = find_kernels(tokens, {});
  ASSERT_EQ(kernels.size(), 2U);
  EXPECT_EQ(kernels[0].name, "first");
  EXPECT_FALSE(kernels[0].needs_fibers);
  EXPECT_EQ(kernels[1].name, "second");
  EXPECT_EQ(kernels[1].size, "64");
  EXPECT_TRUE(kernels[1].needs_fibers);
}

TEST(CpuKernelText, BarriersAreFoundThroughFunctionsAndMacros) {
  const auto tokens = c_text::tokens_of(
      "#define WAIT(x) do { SYNC; } while (0)\n"
      "DEVICE void deep(void) { WAIT(1); }\n"
      "DEVICE void NAME(high)(int a) { deep(); }\n"
      "KERNEL void a(void) { NAME(high)(3); }\n"
      "KERNEL void b(void) { int lower = 1; }\n"
      "KERNEL void c(void) { LATER; }\n");
  const auto kernels = find_kernels(tokens, {"LATER=deep()"});
  ASSERT_EQ(kernels.size(), 3U);
  EXPECT_TRUE(kernels[0].needs_fibers);
  EXPECT_FALSE(kernels[1].needs_fibers);
  EXPECT_TRUE(kernels[2].needs_fibers);
}

/// A folder for a cache of its own.
class CpuKernelCache : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!has_tcc() || !OrdinaryCompiler::of_this_machine()) GTEST_SKIP() << "needs both compilers";
    fs::remove_all(folder_);
  }
  void TearDown() override {
    finish_compiling();
    std::error_code error;
    fs::permissions(folder_, fs::perms::owner_all, error);
    fs::remove_all(folder_, error);
  }

  [[nodiscard]] KernelCompilers compilers(bool tcc) const {
    KernelCompilers chosen;
    chosen.tcc = tcc;
    chosen.cache = folder_;
    return chosen;
  }
  /// The files, one program each.
  [[nodiscard]] std::vector<fs::path> kept() const {
    std::vector<fs::path> files;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder_, error)) files.push_back(entry.path());
    return files;
  }
  static void expect_works(Program& program) {
    Device& device = open_device("cpu");
    const auto out = device.allocate(4 * 1000);
    program.kernel("f")->launch({{10, 1, 1}, {100, 1, 1}}, std::vector<KernelArgument>{out.get(), 7});
    std::vector<std::int32_t> values(1000);
    device.download(*out, 0, values.data(), 4000);
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(values[static_cast<std::size_t>(i)], i + 7);
  }
  static ProgramSource source() {
    return {.source = "KERNEL void f(GLOBAL int* out, int n) { out[GLOBAL_ID(0)] = GLOBAL_ID(0) + n; }\n",
            .defines = {},
            .name = {}};
  }

  // Of each test its own: they run side by side.
  fs::path folder_ = fs::path(::testing::TempDir()) / (std::string("overtake_cpu_kernels_") +
                                                       ::testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(CpuKernelCache, ProgramsChangeToBetterCodeAndLaterOnesBeginWithIt) {
  const auto program = build_program(open_device("cpu"), source(), compilers(true));
  expect_works(*program);
  const auto kernel = program->kernel("f");
  finish_compiling();
  expect_works(*program);
  EXPECT_EQ(kept().size(), 1U) << "the program, and nothing of its making";
  const auto time = fs::last_write_time(kept()[0]);
  // Were it compiled anew, this compiler would be missed.
  const auto again = build_program(open_device("cpu"), source(), compilers(false));
  expect_works(*again);
  EXPECT_EQ(kept().size(), 1U);
  EXPECT_GE(fs::last_write_time(kept()[0]), time);
}

// A compiler that begins when a file is there, and a kernel that says which one made it.
TEST_F(CpuKernelCache, WhatHasRunForLongWaitsForBetterCode) {
  fs::create_directories(folder_);
  const fs::path begins = folder_ / "begins", script = folder_ / "patient";
  std::ofstream(script) << "#!/bin/sh\nwhile [ ! -e '" << begins.string()
                        << "' ]; do sleep 0.01; done\nexec cc \"$@\"\n";
  fs::permissions(script, fs::perms::owner_all);
  KernelCompilers patient = compilers(true);
  patient.ordinary = OrdinaryCompiler::find({script.string()}, {});
  ASSERT_TRUE(patient.ordinary.has_value());
  const ProgramSource long_one{.source = R"(
KERNEL void f(GLOBAL float* out, int n) {
  float x = (float)GLOBAL_ID(0);
  for (int k = 0; k < n; ++k) x = x * 0.5f + 1.0f;
#ifdef __TINYC__
  out[GLOBAL_ID(0)] = -x;
#else
  out[GLOBAL_ID(0)] = x;
#endif
})",
                               .defines = {},
                               .name = {}};
  Device& device = open_device("cpu");
  const auto program = build_program(device, long_one, patient);
  const auto kernel = program->kernel("f");
  const auto out = device.allocate(4 * 100);
  float first = 0, second = 0;
  // Longer than the compiler takes.
  kernel->launch({{1, 1, 1}, {100, 1, 1}}, std::vector<KernelArgument>{out.get(), 2'000'000});
  device.download(*out, 0, &first, 4);
  std::ofstream(begins) << "now";
  kernel->launch({{1, 1, 1}, {100, 1, 1}}, std::vector<KernelArgument>{out.get(), 1000});
  device.download(*out, 0, &second, 4);
  EXPECT_LT(first, 0);
  EXPECT_GT(second, 0) << "the second launch did not wait";
}

TEST_F(CpuKernelCache, DamagedCodeIsCompiledAgain) {
  expect_works(*build_program(open_device("cpu"), source(), compilers(false)));
  ASSERT_EQ(kept().size(), 1U);
  const fs::path file = kept()[0];
  const auto size = fs::file_size(file);
  for (const std::uintmax_t at : {std::uintmax_t{0}, size / 2, size - 1}) {
    std::fstream damage(file, std::ios::binary | std::ios::in | std::ios::out);
    damage.seekp(static_cast<std::streamoff>(at)).put('\x5a');
    damage.close();
    expect_works(*build_program(open_device("cpu"), source(), compilers(false)));
    EXPECT_EQ(fs::file_size(file), size);
  }
  fs::resize_file(file, size / 2);
  const auto program = build_program(open_device("cpu"), source(), compilers(true));
  expect_works(*program);
  finish_compiling();
  EXPECT_EQ(fs::file_size(file), size);
}

TEST_F(CpuKernelCache, AFolderThatCannotBeWrittenIsNoError) {
  std::ofstream(folder_) << "a file where the folder should be";
  expect_works(*build_program(open_device("cpu"), source(), compilers(false)));
  const auto program = build_program(open_device("cpu"), source(), compilers(true));
  finish_compiling();
  expect_works(*program);
  EXPECT_TRUE(fs::is_regular_file(folder_));
}

TEST_F(CpuKernelCache, NoCompilerIsAnErrorThatSaysWhatToInstall) {
  KernelCompilers none = compilers(false);
  none.ordinary = OrdinaryCompiler::find({"", "no_such_compiler", "cc"}, {"/no/such/folder"});
  EXPECT_FALSE(none.ordinary.has_value());
  try {
    (void)build_program(open_device("cpu"), source(), none);
    ADD_FAILURE() << "compiles";
  } catch (const DeviceError& error) {
    EXPECT_THAT(error.what(), HasSubstr("there is no compiler of C"));
  }
  none.tcc = true;
  expect_works(*build_program(open_device("cpu"), source(), none));
}

TEST_F(CpuKernelCache, ACompilerThatFailsLeavesTheOther) {
  KernelCompilers broken = compilers(true);
  broken.ordinary = OrdinaryCompiler::find({"false"}, {"/bin", "/usr/bin"});
  ASSERT_TRUE(broken.ordinary.has_value());
  const auto program = build_program(open_device("cpu"), source(), broken);
  finish_compiling();
  expect_works(*program);
  EXPECT_TRUE(kept().empty());
  broken.tcc = false;
  EXPECT_THROW((void)build_program(open_device("cpu"), source(), broken), UsageError);
}

}  // namespace
}  // namespace overtake::backend::cpu
