// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>
#include <map>
#include <random>

#include "backend/dialect_support.hpp"
#include "oracle/truth/elements.hpp"

namespace overtake::backend::dialect_tests {
namespace {

DIALECT_SUITE(DialectMap);

const std::vector<std::int64_t> sizes = {1, 2, 3, 100, 127, 4097};

/// One output for each of the codes, of one or two operands, over one dimension.
void check_codes(const std::vector<TapeCode>& codes, float low, float high) {
  for (const std::int64_t n : sizes) {
    Operation operation;
    operation.extent = Shape{n};
    operation.tape.loads = {contiguous(0, {n}), contiguous(1, {n})};
    operation.tape.code = {load(0), load(1)};
    std::vector<HostSlot> slots = {HostSlot::floats(random_floats(n, low, high, 1)),
                                   HostSlot::floats(random_floats(n, low, high, 2))};
    for (const TapeCode code : codes) {
      operation.tape.code.push_back(op(code, 0, 1));
      const ValueType result = result_of(operation.tape.code.back());
      // Slots of these tests hold 32 bits: float32 and int32.
      if (result != ValueType::float32) {
        const TapeCode to = is_floating(result) ? TapeCode::to_float32 : TapeCode::to_int32;
        operation.tape.code.push_back(
            {.code = to, .type = result, .a = static_cast<std::uint16_t>(operation.tape.code.size() - 1)});
      }
      operation.tape.stores.push_back({static_cast<int>(slots.size()),
                                       static_cast<std::uint16_t>(operation.tape.code.size() - 1),
                                       is_floating(result) ? DType::float32 : DType::int32});
      slots.push_back(HostSlot::empty(n));
    }
    check(slots, {operation}, 4e-6);
  }
}

TEST_P(DialectMap, EveryElementFunction) {
  std::map<std::pair<float, float>, std::vector<TapeCode>> codes;  // by the range of their operands
  for (const TapeCode code : oracle::element_codes()) {
    const oracle::ElementTruth truth = oracle::element_truth(code).value();
    std::vector<TapeCode>& some = codes[{truth.low, truth.high}];
    some.push_back(code);
    if (some.size() < 5) continue;  // one operation
    check_codes(some, truth.low, truth.high);
    some.clear();
  }
  for (const auto& [range, rest] : codes) check_codes(rest, range.first, range.second);
}

TEST_P(DialectMap, DivisionAndSquareRootAreCorrectlyRounded) {
  const std::int64_t n = 4097;
  Operation operation;
  operation.extent = Shape{n};
  operation.tape.loads = {contiguous(0, {n}), contiguous(1, {n})};
  operation.tape.code = {load(0), load(1), op(TapeCode::divide, 0, 1), op(TapeCode::sqrt, 0)};
  operation.tape.stores = {{2, 2}, {3, 3}};
  const std::vector<HostSlot> slots = {HostSlot::floats(random_floats(n, 0.1F, 9.0F, 3)),
                                       HostSlot::floats(random_floats(n, 0.1F, 9.0F, 4)), HostSlot::empty(n),
                                       HostSlot::empty(n)};
  const std::vector<HostSlot> expected = reference(slots, {operation});
  Device& device = this_device();
  const std::vector<HostSlot> actual = run(device, slots, {operation});
  expect_same(actual[2], expected[2]);
  expect_same(actual[3], expected[3]);
}

TEST_P(DialectMap, SpecialValues) {
  constexpr float inf = std::numeric_limits<float>::infinity();
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> a = {nan, 1.0F, nan, inf, -inf, inf, -inf, 0.0F, -0.0F, -200.0F, 200.0F, 1e-40F};
  const std::vector<float> b = {1.0F, nan, nan, -inf, inf, inf, 1.0F, -0.0F, 0.0F, 200.0F, -200.0F, 1e-40F};
  const auto n = static_cast<std::int64_t>(a.size());
  for (const TapeCode code : {TapeCode::maximum, TapeCode::minimum, TapeCode::less, TapeCode::less_equal,
                              TapeCode::equal, TapeCode::not_equal, TapeCode::add, TapeCode::sigmoid, TapeCode::exp,
                              TapeCode::tanh, TapeCode::abs, TapeCode::negative}) {
    SCOPED_TRACE(static_cast<int>(code));
    Operation operation;
    operation.extent = Shape{n};
    operation.tape.loads = {contiguous(0, {n}), contiguous(1, {n})};
    operation.tape.code = {load(0), load(1), op(code, 0, 1)};
    const bool of_floats = is_floating(result_of(operation.tape.code.back()));
    operation.tape.stores = {{2, 2, of_floats ? DType::float32 : DType::int32}};
    check({HostSlot::floats(a), HostSlot::floats(b), HostSlot::empty(n)}, {operation}, 4e-6);
  }
}

TEST_P(DialectMap, IntegersCoordinatesAndSelect) {
  for (const std::int64_t rows : {1, 3, 100}) {
    for (const std::int64_t columns : {1, 2, 127}) {
      const std::int64_t n = rows * columns;
      std::vector<std::int32_t> ints;
      for (std::int64_t i = 0; i < n; ++i) ints.push_back(static_cast<std::int32_t>(i * 7919 % 251 - 100));
      Operation operation;
      operation.extent = Shape{rows, columns};
      operation.tape.loads = {contiguous(0, {rows, columns}, DType::int32), contiguous(1, {rows, columns})};
      operation.tape.code = {load(0, ValueType::int32),
                             coordinate(0),
                             coordinate(1),
                             int_op(TapeCode::multiply, 0, 1),
                             int_op(TapeCode::add, 3, 2),
                             int_op(TapeCode::equal, 0, 2),
                             int_op(TapeCode::to_float32, 4),
                             load(1),
                             op(TapeCode::float_to_int32, 7),
                             int_op(TapeCode::select, 5, 4, 8),
                             op(TapeCode::select, 5, 6, 7)};
      operation.tape.stores = {{2, 4, DType::int32}, {3, 9, DType::int32}, {4, 10}, {5, 5, DType::int32}};
      check({HostSlot::ints(ints), HostSlot::floats(random_floats(n, -50.0F, 50.0F, 5)), HostSlot::empty(n),
             HostSlot::empty(n), HostSlot::empty(n), HostSlot::empty(n)},
            {operation}, 0);
    }
  }
}

// Numbers that bfloat16 holds are not rounded again, as layers ask for it behind relu; others are. Both are stored,
// with one element and with four a call.
TEST_P(DialectMap, BFloat16IsRoundedOnce) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  for (const std::int64_t n : {5, 1 << 17}) {
    Operation operation;
    operation.extent = Shape{n};
    operation.tape.loads = {contiguous(0, {n}, DType::bfloat16), contiguous(1, {n})};
    operation.tape.code = {load(0),
                           load(1),
                           constant(0),
                           constant(1.001F),
                           op(TapeCode::maximum, 0, 2),      // 4: rounded already
                           op(TapeCode::round_bfloat16, 4),  // 5
                           op(TapeCode::negative, 5),        // 6: rounded already
                           op(TapeCode::less, 0, 1),         // 7
                           op(TapeCode::select, 7, 6, 3),    // 8: not rounded
                           op(TapeCode::round_bfloat16, 8),  // 9
                           op(TapeCode::maximum, 9, 1)};     // 10: not rounded
    operation.tape.stores = {{2, 5, DType::bfloat16}, {3, 8, DType::bfloat16}, {4, 9}, {5, 10, DType::bfloat16}};
    std::vector<float> narrow = random_floats(n, -2, 2, std::random_device()());
    narrow[0] = std::nanf(""), narrow[1] = -infinity, narrow[2] = infinity, narrow[3] = -0.0F;
    std::vector<HostSlot> slots = {HostSlot::bfloat16s(narrow),
                                   HostSlot::floats(random_floats(n, -2, 2, std::random_device()()))};
    for (const bool is_narrow : {true, true, false, true})
      slots.push_back(HostSlot::empty(is_narrow ? (n + 1) / 2 : n));
    const std::vector<HostSlot> expected = reference(slots, {operation}),
                                actual = run(this_device(), slots, {operation});
    expect_close(actual[4], expected[4], 0);
    for (const std::size_t slot : {2, 3, 5}) {
      for (std::int64_t i = 0; i < n; ++i) {
        const float found = actual[slot].as_bfloat16(static_cast<std::size_t>(i));
        const float right = expected[slot].as_bfloat16(static_cast<std::size_t>(i));
        ASSERT_TRUE(found == right || (std::isnan(found) && std::isnan(right))) << slot << ", element " << i;
      }
    }
  }
}

TEST_P(DialectMap, StridedAndBroadcastLoads) {
  for (const std::int64_t rows : {1, 3, 100, 513}) {
    for (const std::int64_t columns : {1, 4, 127, 516}) {
      Operation operation;
      operation.extent = Shape{rows, columns};
      // Row-major, a row vector, a column vector, a scalar, the transpose, every second row, and an unaligned start.
      operation.tape.loads = {contiguous(0, {rows, columns}), strided(1, 0, {0, 1}),    strided(2, 0, {1, 0}),
                              strided(3, 5, {0, 0}),          strided(0, 0, {1, rows}), strided(4, 0, {2 * columns, 1}),
                              strided(4, 1, {columns, 1})};
      operation.tape.code = {load(0), load(1), op(TapeCode::add, 0, 1)};
      for (std::uint16_t i = 2; i < operation.tape.loads.size(); ++i) {
        operation.tape.code.push_back(load(i));
        const auto last = static_cast<std::uint16_t>(operation.tape.code.size());
        operation.tape.code.push_back(constant(1.25F));
        operation.tape.code.push_back(op(TapeCode::multiply, static_cast<std::uint16_t>(last - 2), last));
        operation.tape.code.push_back(
            op(TapeCode::add, static_cast<std::uint16_t>(last - 1), static_cast<std::uint16_t>(last + 1)));
      }
      operation.tape.stores = {{5, static_cast<std::uint16_t>(operation.tape.code.size() - 1)}};
      const std::int64_t n = rows * columns;
      check({HostSlot::floats(random_floats(n, -1, 1, 6)), HostSlot::floats(random_floats(columns, -1, 1, 7)),
             HostSlot::floats(random_floats(rows, -1, 1, 8)), HostSlot::floats(random_floats(6, -1, 1, 9)),
             HostSlot::floats(random_floats(2 * n + 1, -1, 1, 10)), HostSlot::empty(n)},
            {operation}, 2e-6);
    }
  }
}

TEST_P(DialectMap, FourDimensions) {
  Operation operation;
  operation.extent = Shape{3, 5, 7, 4};
  operation.tape.loads = {strided(0, 0, {1, 12, 60, 3}), strided(1, 0, {0, 1, 0, 0})};
  operation.tape.code = {load(0),
                         load(1),
                         op(TapeCode::multiply, 0, 1),
                         coordinate(2),
                         int_op(TapeCode::to_float32, 3),
                         op(TapeCode::add, 2, 4)};
  operation.tape.stores = {{2, 5}};
  check({HostSlot::floats(random_floats(420, -1, 1, 11)), HostSlot::floats(random_floats(5, -1, 1, 12)),
         HostSlot::empty(420)},
        {operation}, 1e-6);
}

TEST_P(DialectMap, InPlaceUpdate) {
  for (const std::int64_t n : {3, 4097, 65536}) {
    // w -= 0.0123 * g; count += 1.
    Operation update;
    update.extent = Shape{n};
    update.tape.loads = {contiguous(0, {n}), contiguous(1, {n})};
    update.tape.code = {load(0), load(1), constant(0.0123F), op(TapeCode::multiply, 1, 2),
                        op(TapeCode::subtract, 0, 3)};
    update.tape.stores = {{0, 4}};
    Operation count;
    count.extent = Shape{1};
    count.tape.loads = {contiguous(2, {1}, DType::int32)};
    count.tape.code = {load(0, ValueType::int32), constant(1), op(TapeCode::float_to_int32, 1),
                       int_op(TapeCode::add, 0, 2)};
    count.tape.stores = {{2, 3, DType::int32}};
    check({HostSlot::floats(random_floats(n, -1, 1, 13)), HostSlot::floats(random_floats(n, -1, 1, 14)),
           HostSlot::ints({41})},
          {update, count}, 1e-6);
  }
}

TEST_P(DialectMap, RandomNumbersAreThoseOfPhilox) {
  for (const std::int64_t n : {1, 100, 4097, 131072}) {
    Operation operation;
    operation.extent = Shape{n};
    operation.tape.loads = {contiguous(0, {1}, DType::int32)};
    operation.tape.loads[0].strides[0] = 0;
    operation.tape.random = {{0x123456789abcdef0ULL, 7}, {1, 0xffffffffU}};
    operation.tape.code = {load(0, ValueType::int32),
                           {.code = TapeCode::random, .a = 0, .index = 0},
                           {.code = TapeCode::random, .a = 0, .index = 1}};
    operation.tape.stores = {{1, 1}, {2, 2}};
    const std::vector<HostSlot> slots = {HostSlot::ints({-5}), HostSlot::empty(n), HostSlot::empty(n)};
    const std::vector<HostSlot> expected = reference(slots, {operation});
    Device& device = this_device();
    const std::vector<HostSlot> actual = run(device, slots, {operation});
    expect_same(actual[1], expected[1]);
    expect_same(actual[2], expected[2]);
  }
}

TEST_P(DialectMap, ArenaSlotsDoNotTouchTheirNeighbours) {
  // x -> arena a = x + 1 -> arena b = a * 2 -> out = a + b, with the arena's slots next to each other.
  for (const std::int64_t n : {1, 64, 100}) {
    const auto binary_map = [n](int a, int b, TapeCode code, int out) {
      Operation operation;
      operation.extent = Shape{n};
      operation.tape.loads = {contiguous(a, {n}), contiguous(b, {n})};
      operation.tape.code = {load(0), load(1), op(code, 0, 1)};
      operation.tape.stores = {{out, 2}};
      return operation;
    };
    Schedule schedule;
    const std::uint64_t bytes = (static_cast<std::uint64_t>(n) * 4 + 255) / 256 * 256;
    schedule.slots = {slot_of(n, DType::float32, true), slot_of(n, DType::float32),
                      slot_of(n, DType::float32, false, bytes), slot_of(n, DType::float32, true)};
    schedule.arena_bytes = 2 * bytes;
    schedule.operations = {binary_map(0, 0, TapeCode::add, 1), binary_map(1, 0, TapeCode::multiply, 2),
                           binary_map(1, 2, TapeCode::subtract, 3)};
    const std::vector<float> x = random_floats(n, -2, 2, 15);
    Device& device = this_device();
    const auto in = device.allocate(static_cast<std::size_t>(n) * 4);
    const auto out = device.allocate(static_cast<std::size_t>(n) * 4);
    device.upload(*in, 0, x.data(), x.size() * 4);
    const auto executable = device.compile(schedule, {.replay = true});
    std::vector<Buffer*> bound = {in.get(), nullptr, nullptr, out.get()};
    executable->bind(bound);
    executable->run(3);
    EXPECT_EQ(executable->stats().operations, 3);
    std::vector<float> y(x.size());
    device.download(*out, 0, y.data(), y.size() * 4);
    for (std::size_t i = 0; i < x.size(); ++i) EXPECT_FLOAT_EQ(y[i], 2 * x[i] - 2 * x[i] * x[i]);
  }
}

}  // namespace
}  // namespace overtake::backend::dialect_tests
