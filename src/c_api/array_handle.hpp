// SPDX-License-Identifier: MIT
// What the handle of an array holds, and how the interface's functions take it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "c_api/call.hpp"
#include "overtake/array.hpp"
#include "overtake/c_array.h"

struct overtake_array {
  overtake::Array array;
};

namespace overtake::c_api {

inline void hand_out(Array array, overtake_array** result) {
  auto handle = std::make_unique<overtake_array>();
  handle->array = std::move(array);
  *result = handle.release();
}

[[nodiscard]] inline const Array& array_of(const overtake_array* handle, const char* argument) {
  return given(handle, argument).array;
}

[[nodiscard]] inline DType dtype_of_number(std::int32_t number) {
  if (number < 0 || number >= static_cast<std::int32_t>(dtype_count)) {
    throw UsageError("dtype is " + std::to_string(number) + ", which is no element type",
                     "enum overtake_element has them.");
  }
  return static_cast<DType>(number);
}

/// `count` values of the caller.
template <typename T>
[[nodiscard]] std::span<const T> listed(const T* values, std::int64_t count, const char* argument) {
  if (count < 0) throw UsageError(std::string(argument) + ": a count of " + std::to_string(count));
  if (count > 0) (void)given(values, argument);
  return {values, static_cast<std::size_t>(count)};
}

}  // namespace overtake::c_api
