// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>
#include <random>

#include "backend/dialect_support.hpp"

namespace overtake::backend::dialect_tests {
namespace {

DIALECT_SUITE(DialectReduce);

struct Sizes {
  std::int64_t outer, reduced, inner;
};
const std::vector<Sizes> all_sizes = {{1, 1, 1},     {1, 2, 1},    {3, 3, 1},    {100, 127, 1},  {1, 4097, 1},
                                      {2, 100, 3},   {1, 100, 2},  {1, 100, 64}, {1, 3, 4097},   {127, 2, 2},
                                      {1, 100, 127}, {1, 4097, 2}, {4097, 2, 1}, {1, 100000, 1}, {2, 1003, 6},
                                      {1, 77, 31},   {1, 70, 33},  {2, 19, 300}, {1, 21, 9000}};

Operation reduction(ReduceKind kind, const Sizes& size) {
  Operation operation;
  ReduceCore core{
      .kind = kind, .outer = size.outer, .reduced = size.reduced, .inner = size.inner, .chunk = 0, .input = {}};
  core.input.loads = {contiguous(0, {size.outer, size.reduced, size.inner})};
  core.input.code = {load(0)};
  operation.core = core;
  operation.extent = Shape{size.outer, size.inner};
  operation.tape = store_core(1);
  return operation;
}

/// The order that operation.hpp prescribes, in float32.
std::vector<float> canonical_sum(const std::vector<float>& x, const Sizes& size) {
  const int lanes = size.inner == 1 ? 256 : 8;
  std::vector<float> result;
  for (std::int64_t i = 0; i < size.outer; ++i) {
    for (std::int64_t j = 0; j < size.inner; ++j) {
      std::vector<float> partial(static_cast<std::size_t>(lanes), 0.0F);
      for (std::int64_t r = 0; r < size.reduced; ++r) {
        partial[static_cast<std::size_t>(r % lanes)] +=
            x[static_cast<std::size_t>((i * size.reduced + r) * size.inner + j)];
      }
      for (std::size_t w = partial.size() / 2; w > 0; w /= 2) {
        for (std::size_t l = 0; l < w; ++l) partial[l] += partial[l + w];
      }
      result.push_back(partial[0]);
    }
  }
  return result;
}

TEST_P(DialectReduce, SumsHaveTheCanonicalBits) {
  std::vector<Sizes> sizes = all_sizes;  // and so many that a work-item has four outputs
  sizes.insert(sizes.end(), {{1, 35000, 64}, {3, 333, 68}, {1, 17, 2500000 / 16}});
  for (const Sizes& size : sizes) {
    SCOPED_TRACE(testing::Message() << size.outer << " x " << size.reduced << " x " << size.inner);
    const std::vector<float> x = random_floats(size.outer * size.reduced * size.inner, -1, 1, 1);
    const HostSlot expected = HostSlot::floats(canonical_sum(x, size));
    Device& device = this_device();
    expect_same(run(device, {HostSlot::floats(x), HostSlot::empty(size.outer * size.inner)},
                    {reduction(ReduceKind::sum, size)})[1],
                expected);
  }
}

TEST_P(DialectReduce, MaximumAndMinimum) {
  for (const Sizes& size : all_sizes) {
    SCOPED_TRACE(testing::Message() << size.outer << " x " << size.reduced << " x " << size.inner);
    std::vector<float> x = random_floats(size.outer * size.reduced * size.inner, -1, 1, 1);
    for (std::size_t i = 0; i < x.size(); i += 1001) x[i] = std::nanf("");
    for (const ReduceKind kind : {ReduceKind::max, ReduceKind::min}) {
      check({HostSlot::floats(x), HostSlot::empty(size.outer * size.inner)}, {reduction(kind, size)}, 0);
    }
  }
}

TEST_P(DialectReduce, NegativeZerosAndInfinities) {
  constexpr float inf = std::numeric_limits<float>::infinity();
  for (const std::vector<float>& x :
       {std::vector<float>{-0.0F, -0.0F, -0.0F}, {inf, 1, 2}, {inf, -inf, 1}, {-inf, -inf, -inf}}) {
    const Sizes size{1, 3, 1};
    const HostSlot expected = HostSlot::floats(canonical_sum(x, size));
    Device& device = this_device();
    expect_close(run(device, {HostSlot::floats(x), HostSlot::empty(1)}, {reduction(ReduceKind::sum, size)})[1],
                 expected, 0);

    for (const ReduceKind kind : {ReduceKind::max, ReduceKind::min}) {
      check({HostSlot::floats(x), HostSlot::empty(1)}, {reduction(kind, size)}, 0);
    }
  }
}

TEST_P(DialectReduce, ComputedInputAndTape) {
  // Mean over the batch of (x - y)^2, then an update in place: z -= mean.
  for (const Sizes& size : {Sizes{1, 100, 127}, {5, 33, 1}, {3, 17, 4}}) {
    Operation operation;
    ReduceCore core{.kind = ReduceKind::sum,
                    .outer = size.outer,
                    .reduced = size.reduced,
                    .inner = size.inner,
                    .chunk = 0,
                    .input = {}};
    const std::vector<std::int64_t> extents = {size.outer, size.reduced, size.inner};
    core.input.loads = {contiguous(0, extents), strided(1, 0, {0, 1, 0})};
    core.input.code = {load(0), load(1), op(TapeCode::subtract, 0, 1), op(TapeCode::multiply, 2, 2)};
    operation.core = core;
    operation.extent = Shape{size.outer, size.inner};
    operation.tape.loads = {contiguous(2, {size.outer, size.inner})};
    operation.tape.code = {dialect_tests::core(), constant(1.0F / static_cast<float>(size.reduced)),
                           op(TapeCode::multiply, 0, 1), load(0), op(TapeCode::subtract, 3, 2)};
    operation.tape.stores = {{2, 4}};
    check({HostSlot::floats(random_floats(size.outer * size.reduced * size.inner, -1, 1, 1)),
           HostSlot::floats(random_floats(size.reduced, -1, 1, 2)),
           HostSlot::floats(random_floats(size.outer * size.inner, -1, 1, 3))},
          {operation}, 2e-6);
  }
}

TEST_P(DialectReduce, TransposedInputWithRandomNumbers) {
  const Sizes size{4, 50, 6};
  Operation operation = reduction(ReduceKind::sum, size);
  auto& core = std::get<ReduceCore>(operation.core);
  core.input.loads = {strided(0, 0, {1, 4, 200}), strided(2, 0, {0, 0, 0}, DType::int32)};
  core.input.random = {{99, 3}};
  core.input.code = {
      load(0), load(1, ValueType::int32), {.code = TapeCode::random, .a = 1, .index = 0}, op(TapeCode::multiply, 0, 2)};
  check({HostSlot::floats(random_floats(1200, -1, 1, 1)), HostSlot::empty(24), HostSlot::ints({12})}, {operation},
        1e-5);
}

// The kernels on the CPU, with one output and with four a work-item: bfloat16, in chunks, with a tape.
TEST(WrittenReduce, FourOutputsHaveTheBitsOfOne) {
  const std::uint32_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  for (const Sizes& size : {Sizes{1, 3000, 64}, Sizes{2, 1030, 12}, Sizes{1, 100, 600}}) {
    Operation operation = reduction(ReduceKind::sum, size);
    auto& core = std::get<ReduceCore>(operation.core);
    core.chunk = 1024;
    core.input.loads = {contiguous(0, {size.outer, size.reduced, size.inner}, DType::bfloat16)};
    operation.extent = Shape{size.outer * core.chunks(), size.inner};
    operation.tape.loads = {strided(2, 0, {0, 1})};
    operation.tape.code = {dialect_tests::core(), load(0), op(TapeCode::multiply, 0, 1)};
    operation.tape.stores = {{1, 2}};
    const std::vector<HostSlot> slots = {
        HostSlot::bfloat16s(random_floats(size.outer * size.reduced * size.inner, -1, 1, seed)),
        HostSlot::empty(operation.extent.size()), HostSlot::floats(random_floats(size.inner, -1, 1, 2))};
    const LoweredOperation one = lower(operation, {.compute_units = 1000}),
                           four = lower(operation, {.compute_units = 1});
    EXPECT_NE(one.kernels.at(0).source.find("#define WIDTH 1\n"), std::string::npos);
    EXPECT_NE(four.kernels.at(0).source.find("#define WIDTH 4\n"), std::string::npos);
    const HostSlot sums = run_lowered(open_device("cpu"), slots, four)[1];
    expect_same(sums, run_lowered(open_device("cpu"), slots, one)[1]);
    expect_close(sums, reference(slots, {operation})[1], 1e-5);
  }
}

}  // namespace
}  // namespace overtake::backend::dialect_tests
