// SPDX-License-Identifier: MIT
// What every function of the C interface does round its work: no exception leaves it.
#pragma once

#include <string>
#include <utility>

#include "overtake/c_api.h"
#include "overtake/error.hpp"

namespace overtake::c_api {

/// A function of the caller did not return 0: it ends what called it. No Error, which code in between may catch.
struct CallerFailed {};

/// Keeps the exception that is being handled as this thread's last error, and returns its code. Does not throw.
[[nodiscard]] overtake_status keep_error() noexcept;

/// Runs `work`; what it throws becomes a code and this thread's last error.
template <typename Work>
[[nodiscard]] overtake_status guarded(Work&& work) noexcept {
  try {
    std::forward<Work>(work)();
    return OVERTAKE_OK;
  } catch (...) {
    return keep_error();
  }
}

/// What `pointer` points to. Throws UsageError for NULL, naming the argument.
template <typename T>
[[nodiscard]] T& given(T* pointer, const char* argument) {
  if (pointer != nullptr) return *pointer;
  throw UsageError(std::string(argument) + " is NULL", "Only arguments that are said to may be NULL.");
}

/// A text that must be there.
[[nodiscard]] inline std::string text_of(const char* text, const char* argument) { return &given(text, argument); }

}  // namespace overtake::c_api
