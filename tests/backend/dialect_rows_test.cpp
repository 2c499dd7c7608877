// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>

#include "backend/dialect_support.hpp"

namespace overtake::backend::dialect_tests {
namespace {

DIALECT_SUITE(DialectRows);
DIALECT_SUITE(DialectGather);

const std::vector<std::pair<std::int64_t, std::int64_t>> sizes = {{1, 1},   {1, 2},     {100, 2},  {3, 3},
                                                                  {2, 127}, {127, 100}, {2, 4097}, {4097, 2}};

Operation row_operation(RowKind kind, std::int64_t rows, std::int64_t columns) {
  Operation operation;
  RowCore core{kind, rows, columns, strided(0, 0, {columns, 1}), {}};
  const bool wide = kind == RowKind::softmax || kind == RowKind::log_softmax;
  if (kind == RowKind::cross_entropy) core.labels = strided(2, 0, {1}, DType::int32);
  operation.core = core;
  operation.extent = wide ? Shape{rows, columns} : Shape{rows};
  operation.tape = store_core(1);
  if (kind == RowKind::argmax) {
    operation.tape.code = {core_of(ValueType::int64), {.code = TapeCode::to_int32, .type = ValueType::int64, .a = 0}};
    operation.tape.stores = {{1, 1, DType::int32}};
  }
  return operation;
}

TEST_P(DialectRows, SoftmaxAndLogSoftmax) {
  for (const auto& [rows, columns] : sizes) {
    for (const RowKind kind : {RowKind::softmax, RowKind::log_softmax}) {
      check({HostSlot::floats(random_floats(rows * columns, -30, 30, 1)), HostSlot::empty(rows * columns)},
            {row_operation(kind, rows, columns)}, 5e-6);
    }
  }
}

TEST_P(DialectRows, CrossEntropy) {
  for (const auto& [rows, columns] : sizes) {
    std::vector<std::int32_t> labels;
    for (std::int64_t row = 0; row < rows; ++row) labels.push_back(static_cast<std::int32_t>(row * 31 % columns));
    labels.back() = static_cast<std::int32_t>(columns);  // outside: NaN
    check({HostSlot::floats(random_floats(rows * columns, -30, 30, 1)), HostSlot::empty(rows), HostSlot::ints(labels)},
          {row_operation(RowKind::cross_entropy, rows, columns)}, 5e-6);
    labels.back() = -1;
    check({HostSlot::floats(random_floats(rows * columns, -30, 30, 1)), HostSlot::empty(rows), HostSlot::ints(labels)},
          {row_operation(RowKind::cross_entropy, rows, columns)}, 5e-6);
  }
}

TEST_P(DialectRows, ArgmaxTakesTheFirstAndNotANumberIsLargest) {
  for (const auto& [rows, columns] : sizes) {
    std::vector<float> x = random_floats(rows * columns, -2, 2, 1);
    for (float& value : x) value = std::floor(value);  // many equals
    for (std::size_t i = 5; i < x.size(); i += 37) x[i] = std::nanf("");
    check({HostSlot::floats(x), HostSlot::empty(rows)}, {row_operation(RowKind::argmax, rows, columns)}, 0);
  }
  const std::vector<float> low(300, -std::numeric_limits<float>::infinity());
  check({HostSlot::floats(low), HostSlot::empty(1)}, {row_operation(RowKind::argmax, 1, 300)}, 0);
}

TEST_P(DialectRows, TransposedInputAndTape) {
  const std::int64_t rows = 19;
  const std::int64_t columns = 5;
  Operation operation = row_operation(RowKind::softmax, rows, columns);
  std::get<RowCore>(operation.core).input = strided(0, 3, {1, rows});
  operation.tape.loads = {contiguous(2, {rows, columns}), strided(3, 0, {1, 0}, DType::int32)};
  // (softmax - one_hot(label)) * weight: the gradient of cross entropy.
  operation.tape.code = {core(),
                         load(1, ValueType::int32),
                         coordinate(1),
                         int_op(TapeCode::equal, 1, 2),
                         int_op(TapeCode::to_float32, 3),
                         op(TapeCode::subtract, 0, 4),
                         load(0),
                         op(TapeCode::multiply, 5, 6)};
  operation.tape.stores = {{1, 7}};
  std::vector<std::int32_t> labels;
  for (int row = 0; row < rows; ++row) labels.push_back(row % 5);
  check({HostSlot::floats(random_floats(rows * columns + 3, -3, 3, 1)), HostSlot::empty(rows * columns),
         HostSlot::floats(random_floats(rows * columns, -1, 1, 2)), HostSlot::ints(labels)},
        {operation}, 2e-6);
}

TEST_P(DialectRows, NotANumberStaysInItsRow) {
  std::vector<float> x = random_floats(12, -1, 1, 1);
  x[5] = std::nanf("");
  x[9] = std::numeric_limits<float>::infinity();
  for (const RowKind kind : {RowKind::softmax, RowKind::log_softmax}) {
    check({HostSlot::floats(x), HostSlot::empty(12)}, {row_operation(kind, 3, 4)}, 2e-6);
  }
}

TEST_P(DialectGather, RowsByIndexWithWrongIndices) {
  for (const std::int64_t rows : {1, 3, 100}) {
    for (const std::int64_t columns : {1, 2, 127}) {
      for (const DType dtype : {DType::float32, DType::int32}) {
        const std::int64_t source_rows = 53;
        std::vector<std::int32_t> indices;
        for (std::int64_t i = 0; i < 3 * rows; ++i) indices.push_back(static_cast<std::int32_t>(i * 17 % source_rows));
        indices[static_cast<std::size_t>(rows)] = -1;  // the last row
        if (rows > 1) indices[static_cast<std::size_t>(rows + 1)] = static_cast<std::int32_t>(-source_rows - 1);
        indices[static_cast<std::size_t>(2 * rows)] = static_cast<std::int32_t>(source_rows);
        std::vector<std::int32_t> integers;
        for (std::int64_t i = 0; i < source_rows * columns; ++i) integers.push_back(static_cast<std::int32_t>(i));
        const HostSlot source = dtype == DType::int32
                                    ? HostSlot::ints(integers)
                                    : HostSlot::floats(random_floats(source_rows * columns, -1, 1, 1));
        for (const int start : {-1, 0, 1, 2}) {
          Operation operation;
          GatherCore core{.rows = rows,
                          .columns = columns,
                          .source_rows = source_rows,
                          .source = strided(0, 0, {0, columns, 1}, dtype),
                          .indices = strided(1, 0, {0, 1, 0}, DType::int32),
                          .start = {}};
          if (start >= 0) core.start = strided(2, 1, {}, DType::int32);
          operation.core = core;
          operation.extent = Shape{1, rows, columns};
          operation.tape = store_core(3, dtype);
          check({source, HostSlot::ints(indices), HostSlot::ints({77, start}), HostSlot::empty(rows * columns)},
                {operation}, 0);
        }
      }
    }
  }
}

}  // namespace
}  // namespace overtake::backend::dialect_tests
