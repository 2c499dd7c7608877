// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include "backend/opencl/api.hpp"

namespace overtake::backend::opencl {

/// Owns one OpenCL object; `release` is the member of Api that gives it back.
template <typename T, auto release>
class Handle {
 public:
  Handle() = default;
  explicit Handle(T value) noexcept : value_(value) {}
  ~Handle() { reset(); }
  Handle(Handle&& other) noexcept : value_(std::exchange(other.value_, nullptr)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  [[nodiscard]] T get() const noexcept { return value_; }

 private:
  void reset() noexcept {
    if (value_ != nullptr) (void)(api().*release)(value_);
  }
  T value_ = nullptr;
};

using ContextHandle = Handle<cl_context, &Api::clReleaseContext>;
using QueueHandle = Handle<cl_command_queue, &Api::clReleaseCommandQueue>;
using ProgramHandle = Handle<cl_program, &Api::clReleaseProgram>;
using EventHandle = Handle<cl_event, &Api::clReleaseEvent>;
using KernelHandle = Handle<cl_kernel, &Api::clReleaseKernel>;

}  // namespace overtake::backend::opencl
