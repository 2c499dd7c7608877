// SPDX-License-Identifier: MIT
// A handle to an array is the address of an Array: one of its own, or one that lives in a parameter.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <span>
#include <utility>

#include "c_api/call.hpp"
#include "core/polling.hpp"
#include "overtake/array.hpp"
#include "overtake/c_array.h"

namespace overtake::c_api {

/// What asks whether a call that computes is still wanted; null where nobody is to be asked.
[[nodiscard]] Polling::Ask question() noexcept;

/// guarded() for calls that compute arrays: they end where question() throws.
template <typename Work>
[[nodiscard]] overtake_status computing(Work&& work) noexcept {
  const Polling polling(question());
  return guarded(std::forward<Work>(work));
}

/// The handle of an Array that lives as long as the handle is used.
[[nodiscard]] inline overtake_array* handle_of(Array* array) noexcept {
  return reinterpret_cast<overtake_array*>(array);
}

/// An array that must be there. Throws UsageError for NULL, naming the argument.
[[nodiscard]] inline Array& array_of(overtake_array* handle, const char* argument) {
  return given(reinterpret_cast<Array*>(handle), argument);
}
[[nodiscard]] inline const Array& array_of(const overtake_array* handle, const char* argument) {
  return given(reinterpret_cast<const Array*>(handle), argument);
}

/// An array that may be missing: undefined then.
[[nodiscard]] inline Array array_or_none(const overtake_array* handle) {
  return handle != nullptr ? *reinterpret_cast<const Array*>(handle) : Array();
}

/// Takes over the Array that a function of the caller made.
[[nodiscard]] inline Array take_over(overtake_array* handle) {
  const std::unique_ptr<Array> array(reinterpret_cast<Array*>(handle));
  return array != nullptr ? std::move(*array) : Array();
}

/// A handle of the caller's own.
inline void hand_out(Array array, overtake_array** result) {
  *result = handle_of(std::make_unique<Array>(std::move(array)).release());
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
