// SPDX-License-Identifier: MIT
#include <cmath>
#include <random>

#include "backend/dialect_support.hpp"

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
  Operation operation;
  operation.core = product(size, false, true);
  operation.extent = Shape{size.m, size.n};
  operation.tape.loads = {contiguous(2, {size.m, size.n})};
  operation.tape.code = {core(), load(0), op(TapeCode::add, 0, 1)};
  operation.tape.stores = {{2, 2}};
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
