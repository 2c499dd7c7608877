// SPDX-License-Identifier: MIT
// Kernels on the CPU: both compilers, what they refuse, groups and barriers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <numeric>
#include <random>
#include <thread>

#include "backend/api/device.hpp"
#include "backend/cpu/kernels/program.hpp"
#include "core/sanitized.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::cpu {
namespace {

using ::testing::HasSubstr;

/// Which of the compilers a test is for.
enum class Way : std::uint8_t { tcc, ordinary };

class CpuKernels : public ::testing::TestWithParam<Way> {
 protected:
  void SetUp() override {
    if (GetParam() == Way::tcc && !has_tcc()) GTEST_SKIP() << "this build has no libtcc";
    if (GetParam() == Way::ordinary && !OrdinaryCompiler::of_this_machine()) GTEST_SKIP() << "no compiler on PATH";
  }

  static KernelCompilers compilers() {
    KernelCompilers chosen;
    chosen.tcc = GetParam() == Way::tcc;
    if (chosen.tcc) chosen.ordinary.reset();
    return chosen;
  }
  static Device& device() { return open_device("cpu"); }
  static std::unique_ptr<Program> build(std::string_view source, const std::vector<std::string>& defines = {}) {
    return build_program(device(), {.source = source, .defines = defines, .name = {}}, compilers());
  }

  template <typename T>
  static std::unique_ptr<Buffer> upload(const std::vector<T>& values) {
    auto buffer = device().allocate(values.size() * sizeof(T));
    device().upload(*buffer, 0, values.data(), values.size() * sizeof(T));
    return buffer;
  }
  template <typename T>
  static std::vector<T> download(const Buffer& buffer) {
    std::vector<T> values(buffer.bytes() / sizeof(T));
    device().download(buffer, 0, values.data(), buffer.bytes());
    return values;
  }
  static void launch(Program& program, const std::string& kernel, std::uint32_t groups, std::uint32_t size,
                     const std::vector<KernelArgument>& arguments) {
    program.kernel(kernel)->launch({{groups, 1, 1}, {size, 1, 1}}, arguments);
  }
  /// What build() throws.
  static std::string error_of(std::string_view source) {
    try {
      (void)build(source);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "compiles";
  }
  static std::string launch_error(Program& program, const LaunchGeometry& geometry,
                                  const std::vector<KernelArgument>& arguments) {
    try {
      program.kernel("f")->launch(geometry, arguments);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "runs";
  }
};

INSTANTIATE_TEST_SUITE_P(Compilers, CpuKernels, ::testing::Values(Way::tcc, Way::ordinary),
                         [](const auto& way) { return way.param == Way::tcc ? "tcc" : "ordinary"; });

TEST_P(CpuKernels, PlacesInThreeDimensions) {
  const auto program = build(
      "KERNEL void f(GLOBAL int* out) {\n"
      "  int at = (GLOBAL_ID(2) * GLOBAL_SIZE(1) + GLOBAL_ID(1)) * GLOBAL_SIZE(0) + GLOBAL_ID(0);\n"
      "  out[at] = GROUP_ID(0) + 10 * GROUP_ID(1) + 100 * GROUP_ID(2) + 1000 * LOCAL_ID(0) + 10000 * LOCAL_ID(1)\n"
      "          + 100000 * LOCAL_ID(2);\n"
      "}\n");
  const auto out = upload(std::vector<std::int32_t>(2 * 3 * 4 * 5 * 2 * 3, -1));
  program->kernel("f")->launch({{2, 3, 4}, {5, 2, 3}}, std::vector<KernelArgument>{out.get()});
  const auto values = download<std::int32_t>(*out);
  for (int z = 0, at = 0; z < 12; ++z) {
    for (int y = 0; y < 6; ++y) {
      for (int x = 0; x < 10; ++x, ++at) {
        EXPECT_EQ(values[static_cast<std::size_t>(at)],
                  x / 5 + 10 * (y / 2) + 100 * (z / 3) + 1000 * (x % 5) + 10000 * (y % 2) + 100000 * (z % 3));
      }
    }
  }
}

TEST_P(CpuKernels, SmallNumbersLoseTheirSignInCasts) {
  // However the type is called, and wherever the number is from.
  const auto program = build(
      "#define WIDTH uint16\n"
      "typedef const WIDTH other;\n"
      "#define CAST(type, x) ((type)x)\n"
      "#define OF(x) ((unsigned short)x[0])\n"
      "DEVICE uint16 given(int8 x) { return (uint16) x; }\n"
      "KERNEL void f(GLOBAL const int8* x, GLOBAL const int* wide, GLOBAL int* out) {\n"
      "  int8 y = x[0];\n"
      "  out[0] = (uint16)x[0]; out[1] = (uint16)y; out[2] = (short unsigned int)y; out[3] = (WIDTH)y; out[4] = "
      "(other)y;\n"
      "  out[5] = CAST(uint16, y); out[6] = CAST(other, x[0]); out[7] = OF(x); out[8] = given(y);\n"
      "  out[9] = (uint16)(int8)wide[0]; out[10] = (uint16)(y); out[11] = ((uint16)y >> 1) * 2 + 1;\n"
      "  out[12] = (int)sizeof(uint16) - 1; out[13] = (uint16)-y; out[14] = (uint16)7.5f; out[15] = (uint16)++y;\n"
      "}\n");
  const auto values = [&](std::int8_t x) {
    const auto small = upload(std::vector<std::int8_t>{x});
    const auto wide = upload(std::vector<std::int32_t>{x + 512});
    const auto out = upload(std::vector<std::int32_t>(16));
    launch(*program, "f", 1, 1, {small.get(), wide.get(), out.get()});
    return download<std::int32_t>(*out);
  };
  const auto odd = static_cast<std::int8_t>(-3 - 2 * static_cast<int>(std::random_device{}() % 60));
  std::vector<std::int32_t> expected(12, 65536 + odd);
  expected.insert(expected.end(), {1, -odd, 7, 65536 + odd + 1});
  EXPECT_EQ(values(odd), expected);
}

TEST_P(CpuKernels, FaultsBehindLabelsAreOverWithTheirText) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_NE(error_of("KERNEL void f(GLOBAL int* out) {\nagain:\n  out[0] = nobody;\n  goto again;\n}\n"), "compiles");
    EXPECT_NE(error_of("KERNEL void f(GLOBAL int* out) {\n  switch (out[0]) { case 1: out[0] = nobody; }\n}\n"),
              "compiles");
    EXPECT_NE(error_of("KERNEL void f(GLOBAL int* out) {\n  case 3: out[0] = 1;\n}\n"), "compiles");
    EXPECT_EQ(error_of("KERNEL void f(GLOBAL int* out) {\nagain:\n  if (++out[0] < 3) goto again;\n}\n"), "compiles");
  }
}

TEST_P(CpuKernels, FunctionsFollowTheirArguments) {
  const auto program = build(
      "KERNEL void f(GLOBAL float* f, GLOBAL double* d, float x, int n) {\n"
      "  double y = x;\n"
      "  const float c = x;\n"
      "  f[0] = sizeof(exp(x)) + sizeof(exp(c)) * 10 + sizeof(exp(y)) * 100 + sizeof(pow(x, 2)) * 1000;\n"
      "  f[1] = exp(x); f[2] = expf(x); f[3] = atan2(x, 2.0f); f[4] = fmax(x, 1.0f); f[5] = min(x, 1.0f); f[6] = "
      "max(n, 3);\n"
      "  f[7] = isnan(x / 0.0f - x / 0.0f) + 2 * isinf(x / 0.0f) + 4 * isfinite(x) + 8 * (INFINITY > 1e38f);\n"
      "  d[0] = exp(y); d[1] = fma(y, y, -y * y); d[2] = atan2(y, 2.0); d[3] = exp(log(sqrt(fabs(-y))));\n"
      "}\n");
  const auto floats = upload(std::vector<float>(8));
  const auto doubles = upload(std::vector<double>(4));
  launch(*program, "f", 1, 1, {floats.get(), doubles.get(), 0.7F, 2});
  const auto f = download<float>(*floats);
  const auto d = download<double>(*doubles);
  const double y = 0.7F;
  EXPECT_EQ(f[0], 4 + 40 + 800 + 4000);
  EXPECT_EQ(f[1], std::exp(0.7F));
  EXPECT_EQ(f[1], f[2]);
  EXPECT_EQ(f[3], std::atan2(0.7F, 2.0F));
  EXPECT_EQ(f[4], 1);
  EXPECT_EQ(f[5], 0.7F);
  EXPECT_EQ(f[6], 3);
  EXPECT_EQ(f[7], 15);
  EXPECT_EQ(d[0], std::exp(y));
  EXPECT_EQ(d[1], std::fma(y, y, -y * y));
  EXPECT_EQ(d[2], std::atan2(y, 2.0));
  EXPECT_EQ(d[3], std::exp(std::log(std::sqrt(y))));
}

TEST_P(CpuKernels, ErrorsNameLinesOfTheSource) {
  const std::string error = error_of(
      "// a comment\n"
      "DEVICE float g(float x) { return x; }\n"
      "KERNEL void f(GLOBAL float* out,\n"
      "              int n) {\n"
      "  LOCAL float tile[4][\n"
      "                   5], one;\n"
      "  one = 1.0f;\n"
      "  out[0] = no_such_name;\n"
      "}\n");
  EXPECT_THAT(error, HasSubstr("kernel:8:"));
  EXPECT_THAT(error, HasSubstr("no_such_name"));
  EXPECT_THAT(error, ::testing::Not(HasSubstr("overtake_")));
  const std::string inner = error_of("KERNEL void f(GLOBAL float* out) {\n  if (out) {\n    LOCAL int x;\n  }\n}\n");
  EXPECT_THAT(inner, HasSubstr("LOCAL_must_stand_in_the_outermost_block_of_a_kernel"));
}

TEST_P(CpuKernels, LocalMemoryIsOfEachGroup) {
  const auto program = build(
      "typedef struct { int sum; float last; } Work;\n"
      "DEVICE void add(LOCAL_ARG int* to, int value) { ATOMIC_ADD(to, value); }\n"
      "KERNEL void f(GLOBAL int* out, LOCAL_PARAMETER(int, rows)) {\n"
      "  LOCAL int tile[4][8], total;\n"
      "  LOCAL Work work;\n"
      "  LOCAL_BIND(int, rows);\n"
      "  int i = LOCAL_ID(0);\n"
      "  for (int round = 0; round < 20; ++round) {\n"
      "    if (i == 0) { total = 0; work.sum = 0; }\n"
      "    tile[i / 8][i % 8] = GROUP_ID(0) + i + round;\n"
      "    rows[i] = i;\n"
      "    SYNC;\n"
      "    add(&total, tile[(31 - i) / 8][(31 - i) % 8] + rows[31 - i]);\n"
      "    ATOMIC_MAX(&work.sum, i);\n"
      "    SYNC;\n"
      "    if (i == 0) out[GROUP_ID(0)] = total + work.sum * 0 + (sizeof(tile) != 128) + (int)(sizeof tile[0] != 32);\n"
      "    SYNC;\n"
      "  }\n"
      "}\n");
  const auto out = upload(std::vector<std::int32_t>(5000));
  launch(*program, "f", 5000, 32, {out.get(), LocalBytes{128}});
  const auto values = download<std::int32_t>(*out);
  for (int g = 0; g < 5000; ++g) ASSERT_EQ(values[static_cast<std::size_t>(g)], 32 * (g + 19) + 2 * 31 * 16) << g;
}

// Stacks are kept for the next group, which may have more work-items than the first but no more than there are stacks.
TEST_P(CpuKernels, GroupsThatGrowAgain) {
  const auto program = build(
      "KERNEL void f(GLOBAL int* out) {\n"
      "  LOCAL int a[1024];\n"
      "  int i = LOCAL_ID(0), n = LOCAL_SIZE(0);\n"
      "  a[i] = i;\n"
      "  SYNC;\n"
      "  out[GLOBAL_ID(0)] = a[n - 1 - i];\n"
      "}\n");
  for (const int size : {513, 1024, 700, 1024}) {
    const auto out = upload(std::vector<std::int32_t>(static_cast<std::size_t>(16 * size), -1));
    launch(*program, "f", 16, static_cast<std::uint32_t>(size), {out.get()});
    const auto values = download<std::int32_t>(*out);
    for (int i = 0; i < 16 * size; ++i) ASSERT_EQ(values[static_cast<std::size_t>(i)], size - 1 - i % size);
  }
}

TEST_P(CpuKernels, BarriersInLoopsAndFunctions) {
  const auto program = build(
      "#define WAIT SYNC\n"
      "DEVICE void meet(void) { WAIT; }\n"
      "KERNEL void f(GLOBAL int* out, int rounds) {\n"
      "  LOCAL int a[256];\n"
      "  int i = LOCAL_ID(0), n = LOCAL_SIZE(0);\n"
      "  a[i] = i;\n"
      "  meet();\n"
      "  for (int r = 0; r < rounds; ++r) {\n"
      "    int next = a[(i + 1) % n];\n"
      "    meet();\n"
      "    a[i] = next;\n"
      "    meet();\n"
      "  }\n"
      "  out[GLOBAL_ID(0)] = a[i];\n"
      "}\n");
  for (const int size : {1, 2, 7, 256}) {
    const auto out = upload(std::vector<std::int32_t>(static_cast<std::size_t>(16 * size), -1));
    launch(*program, "f", 16, static_cast<std::uint32_t>(size), {out.get(), 9});
    const auto values = download<std::int32_t>(*out);
    for (int i = 0; i < 16 * size; ++i) ASSERT_EQ(values[static_cast<std::size_t>(i)], (i % size + 9) % size);
  }
}

TEST_P(CpuKernels, PartsRunForAllWorkItems) {
  const auto program = build(
      "KERNEL void f(GLOBAL int* out, int rounds) {\n"
      "  LOCAL int a[256];\n"
      "  PRIVATE(int, i); PRIVATE(int, next);\n"
      "  int here;\n"
      "  WORK_ITEMS {\n"
      "    MINE(i) = (LOCAL_ID(2) * LOCAL_SIZE(1) + LOCAL_ID(1)) * LOCAL_SIZE(0) + LOCAL_ID(0);\n"
      "    a[MINE(i)] = MINE(i);\n"
      "  }\n"
      "  SYNC;\n"
      "  for (int r = 0; r < rounds + MINE(i); ++r) {\n"
      "    WORK_ITEMS { MINE(next) = a[(MINE(i) + 1) % LOCAL_SIZE(0)]; }\n"
      "    SYNC;\n"
      "    WORK_ITEMS { a[MINE(i)] = MINE(next); }\n"
      "    SYNC;\n"
      "  }\n"
      "  WORK_ITEMS { here = a[MINE(i)]; out[GLOBAL_ID(0)] = here; }\n"
      "}\n");
  for (const int size : {1, 2, 7, 256}) {
    const auto out = upload(std::vector<std::int32_t>(static_cast<std::size_t>(16 * size), -1));
    launch(*program, "f", 16, static_cast<std::uint32_t>(size), {out.get(), 9});
    const auto values = download<std::int32_t>(*out);
    for (int i = 0; i < 16 * size; ++i) ASSERT_EQ(values[static_cast<std::size_t>(i)], (i % size + 9) % size);
  }
}

TEST_P(CpuKernels, DividedBarriersAreAnErrorAndHarmNothing) {
  const auto program = build(
      "KERNEL void f(GLOBAL int* out, int way) {\n"
      "  int i = LOCAL_ID(0);\n"
      "  if (way == 1 && i == 3) return;\n"
      "  if (way == 2 && i < 5) return;\n"
      "  if (way == 3 && i == 4) {\n"
      "    SYNC;\n"
      "  } else {\n"
      "    SYNC;\n"
      "  }\n"
      "  if (way == 4 && i == 0) SYNC;\n"
      "  out[GLOBAL_ID(0)] = i;\n"
      "}\n");
  const auto out = upload(std::vector<std::int32_t>(64 * 8));
  const LaunchGeometry geometry{{64, 1, 1}, {8, 1, 1}};
  for (int round = 0; round < 20; ++round) {
    EXPECT_THAT(launch_error(*program, geometry, {out.get(), 1}),
                ::testing::AllOf(HasSubstr("kernel f: work-item 0 of group ("),
                                 HasSubstr("waits at SYNC in line 8, but work-item 3 has ended")));
    EXPECT_THAT(launch_error(*program, geometry, {out.get(), 2}),
                HasSubstr("has ended, but work-item 5 waits at SYNC in line 8"));
    EXPECT_THAT(launch_error(*program, geometry, {out.get(), 3}),
                HasSubstr("waits at SYNC in line 8, but work-item 4 waits at SYNC in line 6"));
    EXPECT_THAT(launch_error(*program, geometry, {out.get(), 4}),
                HasSubstr("waits at SYNC in line 10, but work-item 1 has ended"));
    EXPECT_EQ(launch_error(*program, geometry, {out.get(), 0}), "runs");
  }
  const auto values = download<std::int32_t>(*out);
  for (int i = 0; i < 512; ++i) EXPECT_EQ(values[static_cast<std::size_t>(i)], i % 8);
}

TEST_P(CpuKernels, AtomicsOfManyGroups) {
  const auto program = build(
      "KERNEL void f(GLOBAL int* out, GLOBAL float* sum, GLOBAL unsigned* mask) {\n"
      "  int i = GLOBAL_ID(0);\n"
      "  ATOMIC_ADD(&out[0], 1);\n"
      "  ATOMIC_MIN(&out[1], -i);\n"
      "  ATOMIC_MAX(&out[2], i);\n"
      "  ATOMIC_ADD(&mask[0], 2u);\n"
      "  ATOMIC_ADD_FLOAT(sum, 0.5f);\n"
      "  MEM_FENCE;\n"
      "}\n");
  const auto out = upload(std::vector<std::int32_t>(3));
  const auto sum = upload(std::vector<float>(1));
  const auto mask = upload(std::vector<std::uint32_t>(1));
  constexpr int items = 4000 * 64;
  launch(*program, "f", 4000, 64, {out.get(), sum.get(), mask.get()});
  EXPECT_THAT(download<std::int32_t>(*out), ::testing::ElementsAre(items, 1 - items, items - 1));
  EXPECT_EQ(download<float>(*sum)[0], items / 2);
  EXPECT_EQ(download<std::uint32_t>(*mask)[0], 2U * items);
}

TEST_P(CpuKernels, ArgumentsAreChecked) {
  const auto program = build(
      "KERNEL_SIZED(4) void f(GLOBAL float* p, const int n, int64 m, float x, uint32 u, LOCAL_PARAMETER(float, l)) {\n"
      "  LOCAL_BIND(float, l);\n"
      "  l[0] = x;\n"
      "  p[0] = n + m + l[0] + u;\n"
      "}\n"
      "KERNEL void none(void) {}\n"
      "KERNEL void odd(char c) {}\n");
  const auto out = upload(std::vector<float>(4));
  const std::vector<KernelArgument> right = {out.get(), 1, std::int64_t{2}, 0.5F, 3, LocalBytes{16}};
  const LaunchGeometry geometry{{1, 1, 1}, {4, 1, 1}};
  EXPECT_EQ(launch_error(*program, geometry, right), "runs");
  EXPECT_EQ(download<float>(*out)[0], 6.5F);
  EXPECT_THAT(launch_error(*program, geometry, {out.get()}), HasSubstr("1 arguments given, 6 expected"));
  const std::vector<KernelArgument> others = {7, 0.5F, 8, std::int64_t{3}, LocalBytes{4}, out.get()};
  for (std::size_t i = 0; i < right.size(); ++i) {
    std::vector<KernelArgument> wrong = right;
    wrong[i] = others[i];
    EXPECT_THAT(launch_error(*program, geometry, wrong), HasSubstr("kernel f: argument " + std::to_string(i) + " is "));
  }
  EXPECT_THAT(launch_error(*program, {{1, 1, 1}, {5, 1, 1}}, right), HasSubstr("declared for groups of 4"));
  EXPECT_EQ(launch_error(*program, {{0, 1, 1}, {4, 1, 1}}, right), "runs");
  EXPECT_THROW(launch(*program, "odd", 1, 1, {1}), UsageError);
  EXPECT_NO_THROW(launch(*program, "none", 2, 2, {}));
  const auto elsewhere = open_device("null").allocate(16);
  std::vector<KernelArgument> foreign = right;
  foreign[0] = elsewhere.get();
  EXPECT_THAT(launch_error(*program, geometry, foreign), HasSubstr("is not an array on cpu"));
}

TEST_P(CpuKernels, TooMuchLocalMemoryIsAnError) {
  const auto program = build(
      "KERNEL void f(GLOBAL float* p) {\n  LOCAL float a[60000];\n  LOCAL float b[60000];\n  a[0] = b[0] = 1.0f;\n  "
      "SYNC;\n}\n");
  const auto out = upload(std::vector<float>(4));
  EXPECT_THAT(launch_error(*program, {{2, 1, 1}, {2, 1, 1}}, {out.get()}),
              HasSubstr("LOCAL declarations take 480000 bytes"));
}

TEST_P(CpuKernels, ManyLaunchesTakeNoMemory) {
#ifdef OVERTAKE_ADDRESS_SANITIZER
  GTEST_SKIP() << "the address sanitizer keeps what was freed";
#endif
  const auto program = build("KERNEL void f(GLOBAL float* p, int n) {\n  SYNC;\n  p[GLOBAL_ID(0)] = n;\n}\n");
  const auto out = upload(std::vector<float>(64));
  const auto kernel = program->kernel("f");
  const auto resident = [] {
    long pages = 0, mine = 0;
    std::ifstream("/proc/self/statm") >> pages >> mine;
    return mine;
  };
  const std::vector<KernelArgument> arguments = {out.get(), 1};
  const LaunchGeometry geometry{{4, 1, 1}, {16, 1, 1}};
  for (int i = 0; i < 1000; ++i) kernel->launch(geometry, arguments);
  const long before = resident();
  for (int i = 0; i < 10000; ++i) kernel->launch(geometry, arguments);
  EXPECT_LT(resident() - before, 64) << "pages";
}

TEST_P(CpuKernels, ProgramsAreBuiltByManyThreads) {
  std::vector<std::thread> threads;
  std::vector<float> results(8);
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([t, &results] {
      const auto program = build("KERNEL void f(GLOBAL float* p) { p[0] = VALUE; }\n", {"VALUE=" + std::to_string(t)});
      const auto out = upload(std::vector<float>(1));
      for (int i = 0; i < 100; ++i) launch(*program, "f", 1, 1, {out.get()});
      results[static_cast<std::size_t>(t)] = download<float>(*out)[0];
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int t = 0; t < 8; ++t) EXPECT_EQ(results[static_cast<std::size_t>(t)], static_cast<float>(t));
}

TEST_P(CpuKernels, MacrosInDeclarations) {
  const auto program = build(
      "#define NAME_OF_F f\n"
      "#if WIDE\n"
      "#define MORE , int b, float c\n"
      "#define SUM (a + b + c)\n"
      "#else\n"
      "#define MORE\n"
      "#define SUM a\n"
      "#endif\n"
      "#if WIDE\n"
      "KERNEL void NAME_OF_F(GLOBAL float* out, int a MORE) { out[0] = SUM; }\n"
      "#else\n"
      "KERNEL void other(GLOBAL float* out MORE) { out[0] = 1.0f; }\n"
      "#endif\n",
      {"WIDE"});
  const auto out = upload(std::vector<float>(1));
  launch(*program, "f", 1, 1, {out.get(), 1, 2, 4.5F});
  EXPECT_EQ(download<float>(*out)[0], 7.5F);
  EXPECT_THROW((void)program->kernel("other"), UsageError);
}

TEST_P(CpuKernels, DoublesAndTheClock) {
  const auto program = build(
      "KERNEL void f(GLOBAL double* out, double x, GLOBAL uint64* times) {\n"
      "  times[0] = NANOSECONDS;\n"
      "  for (int i = 0; i < 1000; ++i) out[0] += x;\n"
      "  times[1] = NANOSECONDS;\n"
      "}\n");
  const auto out = upload(std::vector<double>(1));
  const auto times = upload(std::vector<std::uint64_t>(2));
  launch(*program, "f", 1, 1, {out.get(), 0.25, times.get()});
  EXPECT_EQ(download<double>(*out)[0], 250);
  const auto at = download<std::uint64_t>(*times);
  EXPECT_GT(at[1], at[0]);
  EXPECT_LT(at[1] - at[0], 1000000000U);
}

/// Sums, products, quotients and roots of many floats, rounded one by one whoever compiles.
constexpr const char* arithmetic =
    "KERNEL void f(GLOBAL const float* a, GLOBAL const float* b, GLOBAL float* out, int n) {\n"
    "  int i = GLOBAL_ID(0);\n"
    "  if (i >= n) return;\n"
    "  float x = a[i], y = b[i], sum = x * y + x;\n"
    "  for (int k = 0; k < 5; ++k) sum = sum * 0.7f + x / (y + 3.0f) - sqrt(x + 1.0f) * y + 0.1f * 3.3f;\n"
    "  out[i] = sum;\n"
    "}\n";

TEST_P(CpuKernels, ArithmeticHasTheBitsOfPlainLoops) {
  const auto program = build(arithmetic);
  constexpr int n = 5000;
  std::vector<float> a(n), b(n);
  for (int i = 0; i < n; ++i) {
    a[static_cast<std::size_t>(i)] = static_cast<float>(i * 7919 % 5003) / 5003;
    b[static_cast<std::size_t>(i)] = static_cast<float>(i * 104729 % 7001) / 7001 - 0.5F;
  }
  const auto in_a = upload(a);
  const auto in_b = upload(b);
  const auto out = upload(std::vector<float>(n));
  launch(*program, "f", 20, 256, {in_a.get(), in_b.get(), out.get(), n});
  const auto values = download<float>(*out);
  for (std::size_t i = 0; i < n; ++i) {
    float sum = a[i] * b[i] + a[i];
    for (int k = 0; k < 5; ++k) {
      sum = sum * 0.7F + a[i] / (b[i] + 3.0F) - std::sqrt(a[i] + 1.0F) * b[i] + 0.1F * 3.3F;
    }
    ASSERT_EQ(values[i], sum) << i;
  }
}

}  // namespace
}  // namespace overtake::backend::cpu
