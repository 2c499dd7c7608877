// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "platform/shared_library.hpp"

namespace overtake::backend {

/// A shared library opened at run time, closed on destruction. Not finding one is an answer, not an error: `attempts()`
/// says what was tried and why it failed.
class Library {
 public:
  struct Attempt {
    std::string name;
    std::string reason;  ///< the loader's message; empty for the one that was opened
  };

  /// Nothing opened, nothing tried.
  Library() = default;
  /// Opens the first of `candidates` (names or paths) that loads.
  explicit Library(const std::vector<std::string>& candidates);

  [[nodiscard]] bool loaded() const noexcept { return library_.is_open(); }
  /// The candidate that was opened; empty if none.
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const std::vector<Attempt>& attempts() const noexcept { return attempts_; }
  /// The failed attempts in one line: "libcuda.so.1: cannot open shared object file; ...".
  [[nodiscard]] std::string reasons() const;

  /// The function `symbol`, or null. `Function` is a function type, e.g. decltype(::cuInit).
  template <typename Function>
  [[nodiscard]] Function* find(const char* symbol) const noexcept {
    return reinterpret_cast<Function*>(library_.address_of(symbol));
  }
  /// The function `symbol`. Throws DeviceError naming library and symbol.
  template <typename Function>
  [[nodiscard]] Function* require(const char* symbol) const {
    return reinterpret_cast<Function*>(require_address_of(symbol));
  }

 private:
  [[nodiscard]] void* require_address_of(const char* symbol) const;

  platform::SharedLibrary library_;
  std::string name_;
  std::vector<Attempt> attempts_;
};

}  // namespace overtake::backend
