// SPDX-License-Identifier: MIT
// What a handle to an array holds, and how handles and arrays are exchanged.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <span>
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

inline const Array& array_of(const overtake_array* handle, const char* argument) {
  return given(handle, argument).array;
}

/// The cpu where no name is given.
inline Device device_named(const char* device) { return device == nullptr ? Device() : Device(device); }

inline DType dtype_of_number(std::int32_t number) {
  if (number < 0 || number >= static_cast<std::int32_t>(dtype_count)) {
    throw UsageError(fmt::format("dtype is {}, which is no element type", number), "enum overtake_element has them.");
  }
  return static_cast<DType>(number);
}

template <typename T>
std::span<const T> listed(const T* values, std::int64_t count, const char* argument) {
  if (count < 0) throw UsageError(fmt::format("{}: a count of {}", argument, count));
  if (count > 0) (void)given(values, argument);
  return {values, static_cast<std::size_t>(count)};
}

}  // namespace overtake::c_api
