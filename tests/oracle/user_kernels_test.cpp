// SPDX-License-Identifier: MIT
// Kernels of the user's own on every device: what they compute, and what is said where they cannot.
#include "oracle/user_kernels.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>
#include <thread>

namespace overtake::oracle {
namespace {

INSTANTIATE_TEST_SUITE_P(Devices, UserKernels, ::testing::ValuesIn(list_devices()), device_name);

TEST_P(UserKernels, MandelbrotBroadcastsRowsAndColumns) {
  const ElementwiseKernel escape("float32 re, float32 im", "int32 n", R"(
    float x = 0.0f, y = 0.0f;
    n = 0;
    while (n < 50 && x * x + y * y <= 4.0f) {
      float t = x * x - y * y + re;
      y = 2.0f * x * y + im;
      x = t;
      n = n + 1;
    })",
                                 "mandelbrot");
  const std::vector<float> re = random_floats(37), im = random_floats(23);
  const Array a = reshape(on(device(), re), {1, 37}), b = reshape(on(device(), im), {23, 1});
  const Array result = escape(a, b);
  ASSERT_EQ(result.shape(), (Shape{23, 37}));
  const auto got = result.to_vector<std::int32_t>();
  for (std::size_t i = 0; i < got.size(); ++i) {
    float x = 0, y = 0;
    int n = 0;
    for (; n < 50 && x * x + y * y <= 4; ++n) {
      const float t = x * x - y * y + re[i % 37];
      y = 2 * x * y + im[i / 37];
      x = t;
    }
    ASSERT_EQ(got[i], n) << i;
  }
}

TEST_P(UserKernels, EveryTypeInEveryShape) {
  const ElementwiseKernel twice("T x, T y", "T z", "z = x + x - y;", "twice");
  const bool compiles_slowly = GetParam().kind == DeviceKind::opencl_on_cpu;
  for (const std::int64_t n : {1, 7, 1000, 300000}) {
    for (const DType type : {DType::int8, DType::int16, DType::int32, DType::int64, DType::uint8, DType::uint16,
                             DType::uint32, DType::uint64, DType::float32, DType::float64}) {
      if (type == DType::float64 && !device().info().double_precision) continue;
      if (compiles_slowly && type != DType::int8 && type != DType::uint64 && type != DType::float32) continue;
      const Array x = astype(remainder(arange(n, DType::int64, device()), 100), type);
      const Array y = astype(remainder(arange(n, DType::int64, device()), 7), type);
      ASSERT_TRUE(all(equal(twice(x, y), x + x - y)).item<bool>()) << name_of(type) << " " << n;
      ASSERT_TRUE(all(equal(twice(x, 3), x + x - 3)).item<bool>()) << name_of(type) << " " << n;
    }
  }
  const Array a = reshape(arange(24, DType::int32, device()), {2, 3, 4});
  const Array row = arange(4, DType::int32, device()), column = reshape(arange(3, DType::int32, device()), {3, 1});
  ASSERT_TRUE(all(equal(twice(a, row), a + a - row)).item<bool>());
  ASSERT_TRUE(all(equal(twice(column, a), column + column - a)).item<bool>());
  ASSERT_TRUE(all(equal(twice(row, column), row + row - column)).item<bool>());
  const Array turned = transpose(reshape(row, {4, 1}));
  ASSERT_TRUE(all(equal(twice(turned, flip(row)), turned * 2 - flip(row))).item<bool>());
  ASSERT_EQ(twice(zeros(Shape{0, 3}, device()), 1.0F).shape(), (Shape{0, 3}));
  const ElementwiseKernel opposite("bool b", "bool c", "c = !b;", "opposite");
  const Array flags = greater(row, 1), many = equal(remainder(arange(300000, DType::int32, device()), 3), 1);
  ASSERT_TRUE(all(equal(opposite(flags), logical_not(flags))).item<bool>());
  ASSERT_TRUE(all(equal(opposite(many), logical_not(many))).item<bool>());
}

// Work-items with several elements: the last group shares some with the one before it.
TEST_P(UserKernels, LargeArraysOfAnySizeHaveEachElementOnce) {
  const ElementwiseKernel kernel("raw int64 table, int32 x, int32 y", "int64 z", "z = table[i] + x * 1000 + y;", "sum");
  for (const std::int64_t n : {262143, 262144, 262145, 262148, 262144 + 1023, 262144 + 1025, 262144 + 2044}) {
    // Other values for each size: memory that was not written to may hold those of the last one.
    const Array table = arange(n, DType::int64, device()) * 3 + n * 7919;
    const Array x = remainder(arange(n, DType::int32, device()), 11);
    const Array expected = table + astype(x, DType::int64) * 1000;
    ASSERT_TRUE(all(equal(kernel(table, x, n % 1000), expected + n % 1000)).item<bool>()) << n;
    ASSERT_TRUE(all(equal(kernel(table, x, flip(x)), expected + astype(flip(x), DType::int64))).item<bool>()) << n;
  }
}

// More bytes than a work-item loads at once of eight elements, in vectors of four.
TEST_P(UserKernels, LargeArraysOfManyInputs) {
  const ElementwiseKernel kernel("int32 a, int32 b, int32 c, uint8 d, int32 e", "int32 y, uint8 z",
                                 "y = a + 2 * b - c + d + 3 * e; z = (uint8)(d + a);", "many");
  for (const std::int64_t n : {262144, 262148, 262150}) {
    const Array a = remainder(arange(n, DType::int32, device()), 1009), b = flip(a), c = a * 7, e = b - 3;
    const Array d = astype(remainder(a, 251), DType::uint8);
    const std::vector<Array> got = kernel.call({a, b, c, d, e});
    ASSERT_TRUE(all(equal(got[0], a + 2 * b - c + astype(d, DType::int32) + 3 * e)).item<bool>()) << n;
    ASSERT_TRUE(all(equal(got[1], d + astype(a, DType::uint8))).item<bool>()) << n;
  }
}

TEST_P(UserKernels, SeveralOutputsWholeArraysAndPlaces) {
  const ElementwiseKernel kernel("raw float32 table, int32 k", "float32 value, int64 place",
                                 "value = table[(k * 3 + 1) % 5]; place = i * size;", "look_up");
  const std::vector<float> table = random_floats(5);
  const Array k = arange(100, DType::int32, device());
  const std::vector<Array> results = kernel.call({on(device(), table), k});
  const auto values = results[0].to_vector<float>();
  const auto places = results[1].to_vector<std::int64_t>();
  for (std::size_t i = 0; i < 100; ++i) {
    ASSERT_EQ(values[i], table[(i * 3 + 1) % 5]);
    ASSERT_EQ(places[i], static_cast<std::int64_t>(i * 100));
  }
}

TEST_P(UserKernels, NumbersAloneAndPreambles) {
  const ElementwiseKernel kernel("float32 x, int32 n", "float32 y", "y = power_of(x, n);", "powers", {.preamble = R"(
DEVICE float power_of(float x, int n) {
  float y = 1.0f;
  for (int k = 0; k < n; ++k) y *= x;
  return y;
})"});
  ASSERT_EQ(kernel.call({Array(1.5), Array(3)}, device())[0].item<float>(), 1.5F * 1.5F * 1.5F);
  expect_has(complaint([&] {
               (void)kernel.call({Array(1.5), Array(2.5)}, device());
             }),
             {"[powers]", "'n'", "2.5", "int32"});
}

TEST_P(UserKernels, ReductionsOfOnesOwn) {
  const ReductionKernel norm("float32 x", "float32 y", "x * x", "a + b", "y = sqrt(a)", "0", "l2");
  const std::vector<float> values = random_floats(200003);
  const Array x = on(device(), values);
  const double truth = std::sqrt(
      std::accumulate(values.begin(), values.end(), 0.0, [](double s, float v) { return s + double{v} * v; }));
  ASSERT_NEAR(norm(x).item<float>(), truth, 1e-5 * truth);
  // The order of sum(): the same bits.
  const ReductionKernel total("T x", "T y", "x", "a + b", "y = a", "0", "total");
  ASSERT_EQ(total(x).item<float>(), sum(x).item<float>());
  const Array matrix = reshape(on(device(), std::vector<float>(values.begin(), values.begin() + 60 * 70)), {60, 70});
  const Array rows = total.call({matrix}, std::vector<int>{1}),
              columns = total.call({matrix}, std::vector<int>{0}, true);
  ASSERT_EQ(rows.to_vector<float>(), sum(matrix, 1).to_vector<float>());
  ASSERT_EQ(columns.shape(), (Shape{1, 70}));
  ASSERT_LT(max(abs(columns - sum(matrix, 0, true))).item<float>(), 1e-4F);
  const ReductionKernel most("int32 x, int32 y", "int64 z", "(int64)x * y", "a > b ? a : b", "z = a",
                             "-9223372036854775807LL", "most");
  ASSERT_EQ(most(arange(100, DType::int32, device()), 3).item<std::int64_t>(), 297);
  ASSERT_EQ(total(zeros(Shape{0}, device())).item<float>(), 0);
}

TEST_P(UserKernels, GroupsShareMemoryAndAtomics) {
  const RawKernel histogram("const uint8* x, int64 n, int32* counts", R"(
    LOCAL int found[256];
    found[LOCAL_ID(0)] = 0;
    SYNC;
    for (int64 k = GLOBAL_ID(0); k < n; k += GLOBAL_SIZE(0)) ATOMIC_ADD(&found[x[k]], 1);
    SYNC;
    ATOMIC_ADD(&counts[LOCAL_ID(0)], found[LOCAL_ID(0)]);
  )",
                            "histogram");
  std::vector<std::uint8_t> values(100000);
  std::mt19937 random(std::random_device{}());
  std::vector<std::int32_t> expected(256);
  for (auto& value : values) ++expected[value = static_cast<std::uint8_t>(random())];
  const Array x = Array::from(values, Shape{100000}, device());
  Array counts = zeros(Shape{256}, DType::int32, device());
  const Array before = counts;
  histogram.launch({.groups = {7, 1, 1}, .group_size = {256, 1, 1}}, {x, x.size(), &counts});
  ASSERT_EQ(counts.to_vector<std::int32_t>(), expected);
  ASSERT_EQ(sum(before).item<std::int64_t>(), 0) << "another handle keeps its value";
  histogram.launch({.groups = {3, 1, 1}, .group_size = {256, 1, 1}}, {x, x.size(), &counts});
  for (auto& count : expected) count *= 2;
  ASSERT_EQ(counts.to_vector<std::int32_t>(), expected);
}

TEST_P(UserKernels, TiledProduct) {
  const RawKernel product("const float32* a, const float32* b, float32* c, int32 n", R"(
    LOCAL float left[16][17];
    LOCAL float right[16][17];
    int x = LOCAL_ID(0), y = LOCAL_ID(1);
    int row = GROUP_ID(1) * 16 + y, column = GROUP_ID(0) * 16 + x;
    float sum = 0.0f;
    for (int tile = 0; tile < n; tile += 16) {
      left[y][x] = row < n && tile + x < n ? a[row * n + tile + x] : 0.0f;
      right[y][x] = column < n && tile + y < n ? b[(tile + y) * n + column] : 0.0f;
      SYNC;
      for (int k = 0; k < 16; ++k) sum += left[y][k] * right[k][x];
      SYNC;
    }
    if (row < n && column < n) c[row * n + column] = sum;
  )",
                          "tiled", {.debug = true});
  constexpr std::int64_t n = 50;
  const std::vector<float> a = random_floats(n * n), b = random_floats(n * n);
  const Array left = reshape(on(device(), a), {n, n}), right = reshape(on(device(), b), {n, n});
  Array result = zeros(Shape{n, n}, device());
  product.launch({.groups = {4, 4, 1}, .group_size = {16, 16, 1}}, {left, right, &result, n});
  ASSERT_LT(max(abs(result - matmul(left, right))).item<float>(), 1e-4F);
}

TEST_P(UserKernels, TheIdentityOfAReductionIsTheResultOfNothingAlone) {
  const ReductionKernel total("int32 x", "int32 y", "x", "a + b", "y = 2 * a", "42", "total");
  EXPECT_EQ(total(zeros(Shape{0}, DType::int32, device())).item<std::int32_t>(), 84);
  const Array rows = total.call({zeros(Shape{3, 0}, DType::int32, device())}, std::vector<int>{1});
  for (const std::int64_t row : {0, 1, 2}) EXPECT_EQ(rows[{row}].item<std::int32_t>(), 84);
  std::mt19937 random(std::random_device{}());
  const auto some = static_cast<std::int64_t>(random() % 70000);
  for (const std::int64_t n : {std::int64_t{1}, std::int64_t{2}, std::int64_t{129}, std::int64_t{255},
                               std::int64_t{256}, std::int64_t{257}, std::int64_t{65537}, some + 1}) {
    std::vector<std::int32_t> values(static_cast<std::size_t>(n));
    std::int64_t sum = 0;
    for (std::int32_t& value : values) sum += value = static_cast<std::int32_t>(random() % 1000);
    EXPECT_EQ(total(Array::from(values, Shape{n}, device())).item<std::int32_t>(), 2 * sum) << n << " numbers";
  }
}

TEST_P(UserKernels, ReductionsReadWholeArrays) {
  const KernelOptions options{.preamble = "DEVICE float at(GLOBAL const float* t, int64 k) { return t[k]; }"};
  KernelOptions watched = options;
  watched.debug = true;
  constexpr std::int64_t rows = 3, n = 70000;  // two stages
  const std::vector<float> values = random_floats(rows * n), weights = random_floats(n);
  const Array x = reshape(on(device(), values), {rows, n}), k = arange(n, DType::int64, device());
  for (const KernelOptions& each : {options, watched}) {
    const ReductionKernel dot("float32 x, int64 k, raw float32 w, raw bool twice", "float32 y", "x * at(w, k)", "a + b",
                              "y = twice[0] ? a * 2.0f : w[1] + a", "0", "weighted", each);
    const auto sums = [&](bool twice, const Array& places) {
      return dot.call({x, places, on(device(), weights), full(Shape{1}, twice, DType::boolean, device())},
                      std::vector{1});
    };
    const std::vector<float> doubled = sums(true, k).to_vector<float>(), plain = sums(false, k).to_vector<float>();
    for (std::size_t row = 0; row < rows; ++row) {
      double truth = 0, magnitude = 0;
      for (std::size_t i = 0; i < n; ++i) {
        const double product = double{values[row * n + i]} * double{weights[i]};
        truth += product, magnitude += std::abs(product);
      }
      ASSERT_NEAR(doubled[row], 2 * truth, 1e-5 * magnitude);
      ASSERT_NEAR(plain[row], truth + double{weights[1]}, 1e-5 * magnitude);
    }
    if (!each.debug) continue;
    expect_has(complaint([&] { (void)sums(true, k + 1); }),
               {"[weighted] line 1 of the preamble", "w[70000]", "(70000,)", "element"});
  }
}

TEST_P(UserKernels, SeveralThreadsCallOneKernel) {
  const ElementwiseKernel add("float32 x, float32 y", "float32 z", "z = x + y;", "add_in_threads");
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const Array x = full(Shape{100}, t, DType::float32, device());
      for (int k = 0; k < 50; ++k) {
        const std::vector<float> sums = add(x, k).to_vector<float>();
        wrong += static_cast<int>(
            std::count_if(sums.begin(), sums.end(), [&](float sum) { return sum != static_cast<float>(t + k); }));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_EQ(wrong, 0);
}

TEST_P(UserKernels, CompilersSpeakOfTheUsersLines) {
  const ElementwiseKernel broken("float32 x", "float32 y", "y = x;\ny = y + missing;", "broken");
  expect_has(complaint([&] { (void)broken(zeros(Shape{3}, device())); }),
             {"[broken] does not compile for " + device().id(), "missing", "2 | y = y + missing;"});
  const RawKernel raw("float32* y", "int k = 0;\n\ny[k] = = 3;", "raw_broken");
  Array y = zeros(Shape{3}, device());
  expect_has(complaint([&] { raw.launch({}, {&y}); }), {"[raw_broken] does not compile", "3 | y[k] = = 3;"});
  ASSERT_EQ(sum(y).item<float>(), 0) << "what a kernel was to write stays as it was";
}

TEST_P(UserKernels, WrongArgumentsAreToldBeforeTheLaunch) {
  const ElementwiseKernel add("float32 x, float32 y", "float32 z", "z = x + y;", "add");
  const Array x = zeros(Shape{4}, device());
  expect_has(complaint([&] { (void)add(x); }), {"[add] takes 2 arguments, got 1"});
  expect_has(complaint([&] { (void)add(x, zeros(Shape{4}, DType::int32, device())); }),
             {"'y' is int32", "takes float32"});
  expect_has(complaint([&] { (void)add(x, zeros(Shape{3}, device())); }), {"[add]", "(4,)", "(3,)"});
  expect_has(complaint([&] { (void)add(x, Array()); }), {"'y' is an undefined array"});
  expect_has(complaint([&] { (void)add(astype(x, DType::float16), x); }), {"'x' is float16"});
  if (device().id() != "cpu")
    expect_has(complaint([&] { (void)add(x, zeros(Shape{4})); }), {"'x' is on", "'y' on cpu"});
  const RawKernel raw("const float32* x, float32* y, int32 n", "y[0] = x[n];", "raw");
  Array y = zeros(Shape{4}, device());
  expect_has(complaint([&] { raw.launch({}, {x, y, 1}); }), {"[raw] writes 'y'", "as a value"});
  expect_has(complaint([&] { raw.launch({}, {x, &y, x}); }), {"'n' is float32"});
  expect_has(complaint([&] {
               raw.launch({.groups = {1, 1, 1}, .group_size = {0, 1, 1}}, {x, &y, 1});
             }),
             {"0 work-items"});
  expect_has(complaint([&] {
               raw.launch({.groups = {1, 1, 1}, .group_size = {1025, 1, 1}}, {x, &y, 1});
             }),
             {"[raw] groups of 1025"});
  raw.launch({}, {x + 2.0F, &y, 1});
  ASSERT_EQ(y.to_vector<float>(), (std::vector<float>{2, 0, 0, 0}));
}

TEST(UserKernelTexts, AreRefusedWhenTheyAreMade) {
  expect_has(complaint([] { ElementwiseKernel("float31 x", "float32 y", "", "k"); }), {"[k]", "float31", "is none of"});
  expect_has(complaint([] { ElementwiseKernel("float32 x,", "float32 y", "", "k"); }), {"comma"});
  expect_has(complaint([] { ElementwiseKernel("float32 global", "float32 y", "", "k"); }), {"'global'"});
  expect_has(complaint([] { ElementwiseKernel("float32 x", "float32 x", "", "k"); }), {"two parameters"});
  expect_has(complaint([] { ElementwiseKernel("float32 x", "float32 y", "y = x;\nif (x > 1) return;", "k"); }),
             {"line 2", "return"});
  expect_has(complaint([] { ElementwiseKernel("float32 x", "float32 y", "SYNC;", "k"); }), {"line 1", "SYNC"});
  expect_has(complaint([] { RawKernel("float32* x", "if (LOCAL_ID(0) < 3) {\n x[0] = 1;\n SYNC;\n}", "k"); }),
             {"line 3", "SYNC in a branch"});
  expect_has(complaint([] { RawKernel("float32* x", "if (x[0] > 1) return;\nSYNC;", "k"); }),
             {"line 2", "return of line 1"});
  expect_has(complaint([] { ElementwiseKernel("float32 x", "float32 y", "", "a b"); }), {"'a b'"});
  RawKernel("float32* x", "for (int k = 0; k < 3; ++k) { SYNC; }", "fine");
}

}  // namespace
}  // namespace overtake::oracle
