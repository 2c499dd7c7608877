// SPDX-License-Identifier: MIT
// Kernels of the user's own that are watched while they run: places outside of arrays, and loops that do not end.
#include "oracle/user_kernels.hpp"

namespace overtake::oracle {
namespace {

class UserKernelsWatched : public UserKernels {};
INSTANTIATE_TEST_SUITE_P(Devices, UserKernelsWatched, ::testing::ValuesIn(list_devices()), device_name);

TEST_P(UserKernelsWatched, PlacesOutsideAreTold) {
  const RawKernel kernel("const float32* x, float32* y, int32 shift",
                         "int k = GLOBAL_ID(0);\ny[k] = 1.0f;\ny[k] += x[k + shift];", "shifted", {.debug = true});
  const Array x = arange(8, DType::float32, device());
  Array y = zeros(Shape{2, 4}, device());
  kernel.launch({.groups = {2, 1, 1}, .group_size = {4, 1, 1}}, {x, &y, 0});
  ASSERT_EQ((y[{1, 3}].item<float>()), 8);
  expect_has(complaint([&] {
               kernel.launch({.groups = {2, 1, 1}, .group_size = {4, 1, 1}}, {x, &y, 1});
             }),
             {"[shifted] line 3", "x[8]", "8 elements", "(8,)", "work-item (7, 0, 0)"});
  expect_has(complaint([&] {
               kernel.launch({.groups = {3, 1, 1}, .group_size = {4, 1, 1}}, {x, &y, -20});
             }),
             {"[shifted] line", "outside"});
  const ElementwiseKernel table("raw float32 t, int32 k", "float32 y", "y = t[k * 2];", "table", {.debug = true});
  expect_has(complaint([&] { (void)table(x, arange(5, DType::int32, device())); }),
             {"[table] line 1", "t[8]", "element 4"});
  ASSERT_EQ(table(x, arange(4, DType::int32, device()))[{3}].item<float>(), 6);
}

TEST_P(UserKernelsWatched, PlacesOutsideOfLocalMemoryAreTold) {
  const RawKernel kernel("float32* y, int32 shift",
                         "LOCAL float tile[2][3];\ntile[0][LOCAL_ID(0) + shift] = 1.0f;\ny[0] = 2.0f;", "in_local",
                         {.debug = true});
  Array y = zeros(Shape{1}, device());
  kernel.launch({.groups = {1, 1, 1}, .group_size = {3, 1, 1}}, {&y, 0});
  ASSERT_EQ(y.item<float>(), 2);
  expect_has(complaint([&] {
               kernel.launch({.groups = {1, 1, 1}, .group_size = {3, 1, 1}}, {&y, 1});
             }),
             {"[in_local] line 2", "tile[3]", "[2][3] elements", "work-item (2, 0, 0)"});
}

TEST_P(UserKernelsWatched, NamesThatBlocksDeclareAreNoArrays) {
  const KernelOptions options{.preamble =
                                  "CONSTANT float x[2] = {5.0f, 6.0f};\n"
                                  "DEVICE float first(GLOBAL const float* x, int k) {\n"
                                  "  { float x[3]; x[2] = 1.0f; }\n  return x[k];\n}\n",
                              .debug = true};
  const auto runs = [&](const std::string& body) {
    return complaint([&] {
      Array x = ones(Shape{4}, DType::float32, device()), y = zeros(Shape{1}, device());
      RawKernel("float32* x, float32* y", body, "own", options)
          .launch({.groups = {1, 1, 1}, .group_size = {1, 1, 1}}, {&x, &y});
      if (y[{0}].item<float>() == 7) throw UsageError("it is 7");
    });
  };
  const std::vector<std::string> seven = {"it is 7"}, outside = {"[own] line", "x[9] is outside", "4 elements"};
  expect_has(runs("{ float x[20]; x[9] = 1; y[0] = 6 + x[9]; }"), seven);
  expect_has(runs("{ int k = 3, x = 4; y[0] = x + k; }"), seven);
  expect_has(runs("{ float a[12] = {1.0f}, x[10]; float* p = a; p[9] = 7; x[9] = p[9]; y[0] = x[9]; }"), seven);
  expect_has(runs("for (int x = 0; x < 7; x++) y[0] = x + 1;"), seven);
  expect_has(runs("if (y[0] == 0) { unsigned int x = 3; { float x[10]; x[9] = 4; y[0] += x[9]; } y[0] += x; }"), seven);
  expect_has(runs("y[0] = first(x, 2) + 6;"), seven);
  // What is behind the block, before the declaration, or no declaration, is the array.
  expect_has(runs("{ float x[20]; x[9] = 1; }\ny[0] = x[9];"), outside);
  expect_has(runs("{ y[0] = x[9]; float x[20]; x[0] = 1; }"), outside);
  expect_has(runs("for (int x = 0; x < 2; x++) y[0] = x;\ny[0] += x[9];"), outside);
  expect_has(runs("float b = 2, c[2] = {b * x[9], 1};\ny[0] = c[0] + x[1];"), outside);
  expect_has(runs("int k = 0; for (float b = 2; k < 1 && b * x[0] > 0; b * x[9]) k = 1;"), outside);
  expect_has(runs("y[0] = first(x, 9);"), {"[own] line 4 of the preamble", "x[9] is outside"});
}

TEST_P(UserKernelsWatched, LoopsThatDoNotEndAreStopped) {
  const ElementwiseKernel endless("int32 n", "int32 m", "m = 0;\nwhile (m < 10) {\n  if (n != 3) m = m + 1;\n}",
                                  "endless", {.time_limit = 0.05});
  ASSERT_EQ(endless(zeros(Shape{10}, DType::int32, device()))[{9}].item<std::int32_t>(), 10);
  expect_has(complaint([&] { (void)endless(arange(10, DType::int32, device())); }),
             {"[endless] line 2", "did not end", "0.05 s"});
  const ElementwiseKernel inside(
      "int32 n", "int32 m", "m = turns(n);", "inside",
      {.preamble =
           "DEVICE int turns(int n) {\n  int m = 0;\n  for (;;) {\n    if (n != 3) return m;\n    m += 1;\n  }\n}",
       .time_limit = 0.05});
  expect_has(complaint([&] { (void)inside(arange(10, DType::int32, device())); }), {"[inside] line 3", "did not end"});
  ASSERT_EQ(inside(zeros(Shape{10}, DType::int32, device()))[{9}].item<std::int32_t>(), 0);
}

TEST_P(UserKernelsWatched, LoopsRoundLoopsAreStopped) {
  const KernelOptions options{.preamble = {}, .time_limit = 0.05};
  Array y = zeros(Shape{4}, DType::int32, device());
  const auto launch = [&](const RawKernel& kernel) {
    return complaint([&] {
      kernel.launch({.groups = {2, 1, 1}, .group_size = {4, 1, 1}}, {&y});
      (void)y[{0}].item<std::int32_t>();
    });
  };
  const std::vector<std::string> late = {"did not end", "0.05 s"};
  expect_has(launch(RawKernel("int32* y", "for (;;)\n  while (1) y[0] += 1;", "nested", options)), late);
  expect_has(launch(RawKernel("int32* y",
                              "for (int i = 0; i < 1000000000; i++)\n"
                              "  for (int k = 0; k < 3; k++)\n"
                              "    for (int j = 0; j < 1000000000; j++) y[0] += j;",
                              "deep", options)),
             late);
  expect_has(launch(RawKernel("int32* y", "do {\n  do y[0] += 1; while (y[0] != 0 || y[1] == 0);\n} while (y[1] == 0);",
                              "twice", options)),
             late);
  // Functions with loops that end, called from loops of functions.
  const std::string turns =
      "DEVICE int turns(int n) {\n  int m = 0;\n  for (int k = 0; k < 900; k++) m += k * n;\n  return m;\n}\n"
      "DEVICE int more(int n) {\n  int m = 0;\n  for (int k = 0; k < 900; k++) m ^= turns(k * n);\n  return m;\n}\n"
      "DEVICE int most(int n) {\n  int m = 0;\n  for (int k = 0; k < 900; k++) m ^= more(k * n);\n  return m;\n}\n";
  expect_has(launch(RawKernel("int32* y", "for (int k = 0; k < 900; k++) y[0] += most(y[1] + k);", "called",
                              {.preamble = turns, .time_limit = 0.05})),
             late);
  const ReductionKernel reduced("int32 x", "int32 y", "most(x)", "a + most(b)", "y = a", "0", "reduced",
                                {.preamble = turns, .time_limit = 0.05});
  expect_has(complaint([&] { (void)reduced(arange(600, DType::int32, device())).item<std::int32_t>(); }), late);
  // Work-items that wait at a barrier for one whose loop is ended.
  expect_has(launch(RawKernel("int32* y",
                              "for (int i = 0; i < 1000000000; i++) {\n"
                              "  if (LOCAL_ID(0) == 1) for (int k = 0; k < 1000000000; k++) y[0] += k;\n"
                              "  SYNC;\n}",
                              "waiting", options)),
             late);
}

TEST_P(UserKernelsWatched, LoopsInMacrosAndByJumpsAreStopped) {
  const auto told = [&](const std::string& body, const std::string& preamble = "") {
    return complaint([&] {
      const RawKernel kernel("int32* y", body, "jumps", {.preamble = preamble, .time_limit = 0.05});
      Array y = zeros(Shape{1}, DType::int32, device());
      kernel.launch({.groups = {1, 1, 1}, .group_size = {1, 1, 1}}, {&y});
      if (y[{0}].item<std::int32_t>() == 7) throw UsageError("it is 7");
    });
  };
  const std::vector<std::string> late = {"[jumps] line", "did not end"};
  expect_has(told("int k = 0;\nagain:\n  k = k + 1;\n  if (k != 0) goto again; else y[0] = 1;"), late);
  expect_has(told("FOREVER(y[0]);", "#define FOREVER(x) \\\n  for (;;) { x += 1; }\n"), late);
  // What jumps forward goes where it should.
  expect_has(told("for (int k = 0; k < 9; k++) {\n  if (k == 3) goto out;\n}\ny[0] = 1;\nout: y[0] += 7;"),
             {"it is 7"});
  expect_has(told("again:\nREPEAT"), {"does not compile"});
  expect_has(told("y[0] = 1;\nagain:\nREPEAT;", "\n#define REPEAT goto again\n"),
             {"[jumps] line 2 of the preamble", "goto in a macro"});
  expect_has(told("UNLESS (y[0]);", "#define UNLESS while\n"),
             {"[jumps] line 1 of the preamble", "without its condition"});
}

TEST_P(UserKernelsWatched, PlacesOutsideInFunctionsOfThePreambleAreTold) {
  const KernelOptions options{.preamble = R"(
#define HERE_TWICE (here() + here())
DEVICE float pick(GLOBAL const float* t, int k);
DEVICE float here(void) { return 0.5f; }
DEVICE float pick(GLOBAL const float* t, int k) {
  return t[k] + here() - 0.5f;
}
DEVICE float beyond(int k, GLOBAL const float* RESTRICT t) {
  float own[2] = {0.0f, 1.0f};
  return pick(t + 2, k) + own[k & 1] + HERE_TWICE - 1.0f;
}
DEVICE void put(LOCAL_ARG float* row, float y, int k) { row[k] = y; }
)",
                              .debug = true};
  const RawKernel kernel("const float32* x, float32* y, int32 shift, int32 lane", R"(LOCAL float tile[2][3];
int k = LOCAL_ID(0);
put(tile[1], beyond(k + shift, &x[1]), k + lane);
SYNC;
y[k] = tile[1][k];)",
                         "outside", options);
  const std::vector<float> values = random_floats(6);
  const Array x = on(device(), values);
  Array y = zeros(Shape{3}, device());
  const auto run = [&](int shift, int lane) {
    kernel.launch({.groups = {1, 1, 1}, .group_size = {3, 1, 1}}, {x, &y, shift, lane});
  };
  run(0, 0);
  for (std::size_t k = 0; k < 3; ++k) {
    ASSERT_NEAR(y.to_vector<float>()[k], values[3 + k] + static_cast<float>(k % 2), 1e-5);
  }
  expect_has(complaint([&] { run(1, 0); }),
             {"[outside] line 6 of the preamble", "x[6]", "6 elements", "(6,)", "work-item (2, 0, 0)"});
  expect_has(complaint([&] { run(-9, 0); }), {"[outside] line 6 of the preamble", "x[-"});
  expect_has(complaint([&] { run(0, 1); }),
             {"[outside] line 12 of the preamble", "tile[6]", "[2][3] elements", "work-item (2, 0, 0)"});
  const ElementwiseKernel table(
      "raw float32 t, int32 k", "float32 y", "y = look(t, k);", "table",
      {.preamble = "DEVICE float look(GLOBAL const float* v, int k) {\n  return v[k];\n}", .debug = true});
  expect_has(complaint([&] { (void)table(x, arange(7, DType::int32, device())); }),
             {"[table] line 2 of the preamble", "t[6]", "element 6"});
}

}  // namespace
}  // namespace overtake::oracle
