// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

namespace overtake::backend::cuda {

/// Owns a vendor library's object together with the function that destroys it (found at run time, so it is data, not a
/// type). The destroy function's return code is ignored: at that point nobody can act on it.
template <typename T, typename R>
class Handle {
 public:
  using Destroy = R (*)(T);

  Handle() = default;
  Handle(T value, Destroy destroy) noexcept : value_(value), destroy_(destroy) {}
  Handle(Handle&& other) noexcept : value_(std::exchange(other.value_, T{})), destroy_(other.destroy_) {}
  Handle& operator=(Handle&& other) noexcept {
    if (this == &other) return *this;
    reset();
    value_ = std::exchange(other.value_, T{});
    destroy_ = other.destroy_;
    return *this;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { reset(); }

  [[nodiscard]] T get() const noexcept { return value_; }
  [[nodiscard]] explicit operator bool() const noexcept { return value_ != T{}; }

  void reset() noexcept {
    if (value_ != T{} && destroy_ != nullptr) static_cast<void>(destroy_(value_));
    value_ = T{};
  }

 private:
  T value_{};
  Destroy destroy_ = nullptr;
};

}  // namespace overtake::backend::cuda
