// SPDX-License-Identifier: MIT
#include "c_api/matrix.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "c_api/call.hpp"
#include "core/checked.hpp"
#include "core/parallel.hpp"

namespace overtake::c_api {
namespace {

/// Elements by their place; the caller's strides need not keep them aligned.
template <typename T>
T element(const overtake_matrix& matrix, std::int64_t row, std::int64_t column) noexcept {
  T value;
  const auto* bytes = static_cast<const char*>(matrix.data) + row * matrix.row_stride + column * matrix.column_stride;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

/// Numbers of float64 beyond this are infinite as float32; those up to it round to the largest.
constexpr double beyond_float32 = 3.4028235677973366e38;  // 2^128 - 2^103, half a step beyond the largest

template <typename T>
[[noreturn]] void refuse(const overtake_matrix& matrix, const char* argument) {
  for (std::int64_t row = 0; row < matrix.rows; ++row) {
    for (std::int64_t column = 0; column < matrix.columns; ++column) {
      const auto value = static_cast<double>(element<T>(matrix, row, column));
      if (std::isnan(value) || std::fabs(value) < beyond_float32) continue;
      throw DataError(fmt::format("{}: infinity or a value too large for float32: {} in row {}, column {} (counted "
                                  "from 0)",
                                  argument, value, row, column),
                      "Replace it by a finite number of at most 3.4e38, or by NaN where the value is missing.");
    }
  }
  throw InternalError("a number was refused and is not found again");
}

/// Copies some rows; false where one holds a number that float32 does not.
template <typename T>
bool copy_rows(const overtake_matrix& matrix, std::int64_t begin, std::int64_t end, float* to) noexcept {
  bool finite = true;
  const auto copy = [&](std::int64_t row, std::int64_t column) {
    const T value = element<T>(matrix, row, column);
    finite &= !(std::fabs(static_cast<double>(value)) >= beyond_float32);
    to[row * matrix.columns + column] = static_cast<float>(value);
  };
  // Along the shorter way through the caller's memory.
  if (std::abs(matrix.row_stride) >= std::abs(matrix.column_stride)) {
    for (std::int64_t row = begin; row < end; ++row) {
      for (std::int64_t column = 0; column < matrix.columns; ++column) copy(row, column);
    }
  } else {
    for (std::int64_t column = 0; column < matrix.columns; ++column) {
      for (std::int64_t row = begin; row < end; ++row) copy(row, column);
    }
  }
  return finite;
}

template <typename T>
std::vector<float> converted(const overtake_matrix& matrix, std::size_t count, const char* argument) {
  constexpr std::int64_t cells_of_a_part = 1 << 16;
  std::vector<float> values(count);
  const std::int64_t rows = std::max<std::int64_t>(1, cells_of_a_part / std::max<std::int64_t>(1, matrix.columns));
  const std::int64_t parts = matrix.rows / rows + (matrix.rows % rows != 0 ? 1 : 0);
  const bool finite = parallel_for(static_cast<std::size_t>(parts), [&](std::size_t part) {
    const std::int64_t begin = static_cast<std::int64_t>(part) * rows;
    return copy_rows<T>(matrix, begin, std::min(matrix.rows, begin + rows), values.data());
  });
  if (!finite) refuse<T>(matrix, argument);
  return values;
}

}  // namespace

std::vector<float> values_of(const overtake_matrix* pointer, const char* argument) {
  const overtake_matrix& matrix = given(pointer, argument);
  if (matrix.rows < 0 || matrix.columns < 0) {
    throw UsageError(
        fmt::format("{}: {} rows x {} columns, expected none that is negative", argument, matrix.rows, matrix.columns));
  }
  const std::int64_t count = checked_mul(matrix.rows, matrix.columns, argument);
  (void)checked_mul<std::int64_t>(count, sizeof(double), argument);
  if (count > 0 && matrix.data == nullptr) throw UsageError(fmt::format("{}: data is NULL", argument));
  if (matrix.dtype == OVERTAKE_FLOAT32) return converted<float>(matrix, static_cast<std::size_t>(count), argument);
  if (matrix.dtype == OVERTAKE_FLOAT64) return converted<double>(matrix, static_cast<std::size_t>(count), argument);
  throw UsageError(fmt::format("{}: unknown dtype {}", argument, matrix.dtype),
                   "OVERTAKE_FLOAT32 (0) and OVERTAKE_FLOAT64 (1) are known.");
}

}  // namespace overtake::c_api
