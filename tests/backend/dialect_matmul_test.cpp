// SPDX-License-Identifier: MIT
#include <cmath>
#include <random>

#include "backend/common/lower/thin_product.hpp"
#include "backend/dialect_support.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::dialect_tests {
namespace {

DIALECT_SUITE(DialectMatMul);

struct Sizes {
  std::int64_t m, n, k;
};

/// a (m, k) and b (k, n) in slots 0 and 1, each stored as it is or transposed, from `offset` on.
MatMulCore product(const Sizes& size, bool a_transposed, bool b_transposed, std::int64_t offset = 0) {
  MatMulCore core{size.m, size.n, size.k, {}, {}};
  core.a = a_transposed ? MatMulCore::Operand{0, offset, 1, size.m} : MatMulCore::Operand{0, offset, size.k, 1};
  core.b = b_transposed ? MatMulCore::Operand{1, offset, 1, size.k} : MatMulCore::Operand{1, offset, size.n, 1};
  return core;
}

void check_product(const Sizes& size, bool a_transposed, bool b_transposed, std::int64_t offset = 0) {
  SCOPED_TRACE(testing::Message() << size.m << " x " << size.n << " x " << size.k << (a_transposed ? " a^T" : "")
                                  << (b_transposed ? " b^T" : "") << " from " << offset);
  Operation operation;
  operation.core = product(size, a_transposed, b_transposed, offset);
  operation.extent = Shape{size.m, size.n};
  operation.tape = store_core(2);
  check({HostSlot::floats(random_floats(offset + size.m * size.k, -1, 1, 1)),
         HostSlot::floats(random_floats(offset + size.k * size.n, -1, 1, 2)), HostSlot::empty(size.m * size.n)},
        {operation}, 1e-6 * (4 + std::sqrt(static_cast<double>(size.k))));
}

TEST_P(DialectMatMul, OddSizesInEveryLayout) {
  for (const Sizes& size : {Sizes{1, 1, 1},
                            {1, 3, 2},
                            {2, 1, 3},
                            {3, 2, 1},
                            {100, 2, 127},
                            {100, 127, 2},
                            {2, 127, 100},
                            {127, 100, 3},
                            {1, 127, 100},
                            {127, 1, 100},
                            {100, 100, 100},
                            {64, 64, 64},
                            {127, 127, 127}}) {
    for (const bool a : {false, true}) {
      for (const bool b : {false, true}) check_product(size, a, b);
    }
  }
}

TEST_P(DialectMatMul, LongSums) {
  for (const Sizes& size : {Sizes{2, 3, 4097}, {100, 2, 4096}, {1, 1, 4097}, {3, 127, 4097}, {100, 64, 2048}}) {
    check_product(size, false, true);
    check_product(size, true, false);
  }
}

/// Operands of `dtype` from `offset` on, with bias and relu in the tape, stored as float32 and as bfloat16.
void check_thin(const Sizes& size, bool a_transposed, bool b_transposed, DType dtype = DType::float32,
                std::int64_t offset = 0) {
  SCOPED_TRACE(testing::Message() << size.m << " x " << size.n << " x " << size.k << (a_transposed ? " a^T" : "")
                                  << (b_transposed ? " b^T" : "") << " from " << offset
                                  << (dtype == DType::bfloat16 ? " bfloat16" : ""));
  Operation operation;
  MatMulCore core = product(size, a_transposed, b_transposed, offset);
  core.dtype = dtype;
  ASSERT_TRUE(is_thin(core));
  operation.core = core;
  operation.extent = Shape{size.m, size.n};
  operation.tape.loads = {strided(2, 0, {0, 1})};
  operation.tape.code = {dialect_tests::core(),       load(0),
                         op(TapeCode::add, 0, 1),     constant(0),
                         op(TapeCode::maximum, 2, 3), op(TapeCode::round_bfloat16, 4)};
  operation.tape.stores = {{3, 4}, {4, 5, DType::bfloat16}};
  const auto operand = [&](std::int64_t elements) {
    const std::vector<float> values = random_floats(offset + elements, -1, 1, std::random_device()());
    return dtype == DType::bfloat16 ? HostSlot::bfloat16s(values) : HostSlot::floats(values);
  };
  const std::vector<HostSlot> slots = {operand(size.m * size.k), operand(size.k * size.n),
                                       HostSlot::floats(random_floats(size.n, -1, 1, 3)),
                                       HostSlot::empty(size.m * size.n), HostSlot::empty((size.m * size.n + 1) / 2)};
  const std::vector<HostSlot> expected = reference(slots, {operation});
  const double tolerance = 1e-6 * (4 + std::sqrt(static_cast<double>(size.k)));
  const auto compare = [&](const std::vector<HostSlot>& actual) {
    expect_close(actual[3], expected[3], tolerance);
    expect_close_bfloat16(actual[4], expected[4], tolerance);
  };
  compare(run(this_device(), slots, {operation}));
  for (const int units : {1, 132}) {
    LoweringTraits traits;
    traits.compute_units = units;
    try {
      compare(run_lowered(this_device(), slots, lower(operation, traits)));
    } catch (const DeviceError& error) {
      GTEST_SKIP() << error.what();  // this device does not compile
    }
  }
}

TEST_P(DialectMatMul, ThinProducts) {
  for (const std::int64_t rows : {1, 2, 3, 4}) {
    for (const bool a : {false, true}) {
      for (const bool b : {false, true}) {
        check_thin({rows, 520, 1048}, a, b);
        check_thin({1016, rows, 520}, a, b);
      }
    }
  }
}

TEST_P(DialectMatMul, ThinProductsOfOddSizes) {
  for (const bool transposed : {false, true}) {
    check_thin({1, 517, 1027}, false, transposed);
    check_thin({3, 8217, 67}, false, transposed);
    check_thin({5003, 2, 129}, transposed, false);
    check_thin({1, 1, (1 << 19) + 3}, false, transposed);
    check_thin({2, 3, 1 << 18}, transposed, transposed);
  }
}

TEST_P(DialectMatMul, ThinProductsOfBFloat16) {
  for (const bool transposed : {false, true}) {
    check_thin({1, 1000, 1024}, false, transposed, DType::bfloat16);
    check_thin({4, 504, 1048}, true, transposed, DType::bfloat16);
    check_thin({1500, 2, 372}, transposed, true, DType::bfloat16);
  }
}

TEST_P(DialectMatMul, ThinProductsThatBeginAnywhere) {
  for (const std::int64_t offset : {1, 4}) {
    for (const DType dtype : {DType::float32, DType::bfloat16}) {
      check_thin({2, 520, 1048}, false, true, dtype, offset);
      check_thin({2, 520, 1048}, false, false, dtype, offset);
    }
  }
}

// out += a b, in place.
Operation adding_product(const Sizes& size, bool b_transposed) {
  Operation operation;
  operation.core = product(size, false, b_transposed);
  operation.extent = Shape{size.m, size.n};
  operation.tape.loads = {contiguous(2, {size.m, size.n})};
  operation.tape.code = {core(), load(0), op(TapeCode::add, 0, 1)};
  operation.tape.stores = {{2, 2}};
  return operation;
}

// out += a b, in place, and the sums in a fixed order.
TEST_P(DialectMatMul, ThinProductsHaveTheSameBitsEveryRun) {
  for (const bool transposed : {false, true}) {
    const Sizes size{2, 260, 4096};
    const Operation operation = adding_product(size, transposed);
    const std::vector<HostSlot> slots = {
        HostSlot::floats(random_floats(size.m * size.k, -1, 1, std::random_device()())),
        HostSlot::floats(random_floats(size.k * size.n, -1, 1, std::random_device()())),
        HostSlot::floats(std::vector<float>(static_cast<std::size_t>(size.m * size.n)))};
    const HostSlot first = run(this_device(), slots, {operation}, 2)[2];
    expect_close(first, reference(slots, {operation, operation})[2], 2e-4);
    expect_same(run(this_device(), slots, {operation}, 2)[2], first);
  }
}

TEST_P(DialectMatMul, LargeOutputs) {
  for (const Sizes& size : {Sizes{100, 1024, 64}, {100, 4097, 2}, {4097, 3, 100}, {512, 520, 100}, {1000, 130, 20}}) {
    check_product(size, false, true);
    check_product(size, false, false);
    check_product(size, true, false);
  }
}

TEST_P(DialectMatMul, UnalignedOperands) {
  check_product({100, 64, 128}, false, true, 1);
  check_product({100, 64, 128}, false, false, 2);
  check_product({128, 64, 100}, true, false, 3);
}

// Operands of bfloat16, the result stored as float32 and as bfloat16.
TEST_P(DialectMatMul, BFloat16) {
  for (const Sizes& size : {Sizes{3, 5, 7}, {100, 64, 128}, {20, 36, 300}}) {
    for (const bool transposed : {false, true}) {
      SCOPED_TRACE(testing::Message() << size.m << " x " << size.n << " x " << size.k << (transposed ? " a b^T" : ""));
      Operation operation;
      MatMulCore core = product(size, false, transposed);
      core.dtype = DType::bfloat16;
      operation.core = core;
      operation.extent = Shape{size.m, size.n};
      operation.tape.code = {dialect_tests::core(), op(TapeCode::round_bfloat16, 0)};
      operation.tape.stores = {{2, 0}, {3, 1, DType::bfloat16}};
      check({HostSlot::bfloat16s(random_floats(size.m * size.k, -1, 1, std::random_device()())),
             HostSlot::bfloat16s(random_floats(size.k * size.n, -1, 1, std::random_device()())),
             HostSlot::empty(size.m * size.n), HostSlot::empty((size.m * size.n + 1) / 2)},
            {operation}, 1e-6 * (4 + std::sqrt(static_cast<double>(size.k))));
    }
  }
}

TEST_P(DialectMatMul, PaddedAndBroadcastOperands) {
  // a has rows of 8 more than k; every row of b^T is the same row.
  const Sizes size{37, 20, 24};
  Operation operation;
  MatMulCore core = product(size, false, true);
  core.a.row_stride = size.k + 8;
  core.b.column_stride = 0;
  operation.core = core;
  operation.extent = Shape{size.m, size.n};
  operation.tape = store_core(2);
  check({HostSlot::floats(random_floats(size.m * (size.k + 8), -1, 1, 1)),
         HostSlot::floats(random_floats(size.k, -1, 1, 2)), HostSlot::empty(size.m * size.n)},
        {operation}, 1e-5);
}

TEST_P(DialectMatMul, BiasAndReluInTheTape) {
  for (const Sizes& size : {Sizes{100, 4, 2}, {100, 256, 128}, {100, 130, 257}, {3, 5, 700}, {100, 2, 1024}}) {
    Operation operation;
    operation.core = product(size, false, true);
    operation.extent = Shape{size.m, size.n};
    operation.tape.loads = {strided(2, 0, {0, 1})};
    operation.tape.code = {core(), load(0), op(TapeCode::add, 0, 1), constant(0), op(TapeCode::maximum, 2, 3)};
    operation.tape.stores = {{3, 4}, {4, 2}};
    check(
        {HostSlot::floats(random_floats(size.m * size.k, -1, 1, 1)),
         HostSlot::floats(random_floats(size.k * size.n, -1, 1, 2)), HostSlot::floats(random_floats(size.n, -1, 1, 3)),
         HostSlot::empty(size.m * size.n), HostSlot::empty(size.m * size.n)},
        {operation}, 5e-5);
  }
}

TEST_P(DialectMatMul, UpdateInPlace) {
  // w -= rate * dy^T x, as a training step does it.
  for (const Sizes& size : {Sizes{4, 2, 100}, {256, 128, 100}, {130, 257, 100}, {2, 1024, 100}}) {
    Operation operation;
    operation.core = product(size, true, false);
    operation.extent = Shape{size.m, size.n};
    operation.tape.loads = {contiguous(2, {size.m, size.n})};
    operation.tape.code = {core(), constant(0.0123F), op(TapeCode::multiply, 0, 1), load(0),
                           op(TapeCode::subtract, 3, 2)};
    operation.tape.stores = {{2, 4}};
    const std::vector<HostSlot> slots = {HostSlot::floats(random_floats(size.m * size.k, -1, 1, 1)),
                                         HostSlot::floats(random_floats(size.k * size.n, -1, 1, 2)),
                                         HostSlot::floats(random_floats(size.m * size.n, -1, 1, 3))};
    check(slots, {operation}, 1e-5);
  }
}

TEST_P(DialectMatMul, SameBitsEveryRunAndAfterManyRuns) {
  // Split along k: the tickets must be back at zero after each run. out += a b, so that a run that stores nothing
  // shows.
  const Sizes size{7, 9, 4096};
  const Operation operation = adding_product(size, true);
  const std::vector<HostSlot> slots = {HostSlot::floats(random_floats(size.m * size.k, -1, 1, 1)),
                                       HostSlot::floats(random_floats(size.k * size.n, -1, 1, 2)),
                                       HostSlot::floats(std::vector<float>(static_cast<std::size_t>(size.m * size.n)))};
  const HostSlot expected = reference(slots, {operation, operation, operation})[2];
  Device& device = this_device();
  const std::vector<HostSlot> first = run(device, slots, {operation}, 3);
  expect_close(first[2], expected, 1e-4);
  for (int repeat = 0; repeat < 5; ++repeat) expect_same(run(device, slots, {operation}, 3)[2], first[2]);
}

TEST_P(DialectMatMul, NotANumberSpreadsOnlyWhereItShould) {
  const Sizes size{20, 20, 20};
  std::vector<float> a = random_floats(size.m * size.k, -1, 1, 1);
  a[3 * 20 + 4] = std::nanf("");
  Operation operation;
  operation.core = product(size, false, false);
  operation.extent = Shape{size.m, size.n};
  operation.tape = store_core(2);
  check({HostSlot::floats(a), HostSlot::floats(random_floats(size.k * size.n, -1, 1, 2)),
         HostSlot::empty(size.m * size.n)},
        {operation}, 1e-5);
}

}  // namespace
}  // namespace overtake::backend::dialect_tests
