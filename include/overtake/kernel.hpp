// SPDX-License-Identifier: MIT
// Kernels of your own: text in the kernel dialect (docs/kernels.md), compiled for the device of the arrays that they
// are called with, the CPU included. Compiled kernels are kept in memory and, as all of Overtake's, on disk.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "overtake/array.hpp"

namespace overtake {

namespace user_kernel {
class Elementwise;
class Reduction;
class Raw;
}  // namespace user_kernel

/// What is the same for every kind of kernel.
struct KernelOptions {
  std::string preamble{};  ///< functions (`DEVICE float f(float x) { ... }`) and macros, compiled before the kernel
  bool debug = false;      ///< places outside of arrays are found and told; slower, and every launch waits for its end
  double time_limit =
      0;  ///< seconds that a work-item may spend in loops before it is stopped; 0: any. As slow as debug
};

/// One value per element from the elements of arrays that broadcast together.
///
/// `inputs` and `outputs` are lists of C declarations: "float32 x, int32 n". Types: bool, int8 to int64, uint8 to
/// uint64, float32, float64, and single capital letters, which stand for the type of the arrays given for them (one
/// type a letter). A parameter declared "raw float32 table" is the whole array, which the body reads as table[place].
/// The body is C: it reads the inputs by name and assigns the outputs; `i` is the element's place (int64), `size` their
/// number.
///
/// Deterministic: whole numbers and float32 + - * / sqrt give the same bits on every device.
class ElementwiseKernel {
 public:
  /// Throws UsageError for declarations that cannot be understood, a `return` or a SYNC in the body. Compiles nothing.
  ElementwiseKernel(const std::string& inputs, const std::string& outputs, const std::string& body,
                    const std::string& name = "kernel", const KernelOptions& options = {});

  /// Launches it; does not wait. Numbers beside arrays take the declared type. Throws UsageError, naming the kernel and
  /// the argument, for another number of arguments, another type, shapes that do not broadcast, two devices, text that
  /// does not compile (with the compiler's line), and, with `debug` or a time limit, for what went wrong while it ran.
  template <typename... Values>
  Array operator()(const Values&... inputs) const {
    return call({Array(inputs)...}).at(0);
  }
  /// The same with all its outputs. Where all inputs are numbers, `device` says where; the results have shape ().
  [[nodiscard]] std::vector<Array> call(const std::vector<Array>& inputs,
                                        const std::optional<Device>& device = {}) const;
  /// The text that was compiled last for `device`; before the first call, that for contiguous arrays of the declared
  /// types. Throws UsageError where a letter leaves a type open then.
  [[nodiscard]] std::string source(const Device& device = Device()) const;

 private:
  std::shared_ptr<user_kernel::Elementwise> kernel_;
};

/// Elements mapped, then combined by an operation of your own: over all of an array, or along axes.
///
/// ReductionKernel l2("float32 x", "float32 y", "x * x", "a + b", "y = sqrt(a)", "0"): `map` is an expression of the
/// inputs, `reduce` one of a and b, `post` a statement that assigns the output from `a`, the result of all; "raw
/// float32 table" is a whole array, which `map` and `post` read by place. The order is that of `sum` (docs/arrays.md),
/// the same on every device: an operation of + - * / min max gives the same bits there.
class ReductionKernel {
 public:
  /// `identity` is an expression: what `post` gets where there are no elements; it is joined to none. Throws UsageError
  /// as ElementwiseKernel does.
  ReductionKernel(const std::string& inputs, const std::string& output, const std::string& map,
                  const std::string& reduce, const std::string& post, const std::string& identity,
                  const std::string& name = "reduction", const KernelOptions& options = {});

  /// Launches it; does not wait. Throws as ElementwiseKernel's calls.
  [[nodiscard]] Array call(const std::vector<Array>& inputs, const std::optional<std::vector<int>>& axes = {},
                           bool keepdims = false) const;
  template <typename... Values>
  Array operator()(const Values&... inputs) const {
    return call({Array(inputs)...});
  }
  [[nodiscard]] std::string source(const Device& device = Device()) const;

 private:
  std::shared_ptr<user_kernel::Reduction> kernel_;
};

/// Groups of work-items and work-items of a group, along up to three axes.
struct LaunchSize {
  std::array<std::int64_t, 3> groups{1, 1, 1};
  std::array<std::int32_t, 3> group_size{1, 1, 1};
};

/// What a RawKernel is launched with: an array that it reads, one that it writes, or a number.
class RawArgument {
 public:
  RawArgument(const Array& array) : value_(array) {}  // NOLINT(google-explicit-constructor): arguments are lists
  /// The handle gets a new value, as by assignment; other handles keep the old one.
  RawArgument(Array* written) : value_(written) {}  // NOLINT(google-explicit-constructor)
  template <typename T>
  requires std::is_arithmetic_v<T> RawArgument(T number)
      : value_(Array(number)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] const Array& array() const noexcept {
    return std::holds_alternative<Array>(value_) ? std::get<Array>(value_) : *std::get<Array*>(value_);
  }
  [[nodiscard]] Array* written() const noexcept {
    return std::holds_alternative<Array*>(value_) ? std::get<Array*>(value_) : nullptr;
  }

 private:
  std::variant<Array, Array*> value_;
};

/// The dialect itself: groups, LOCAL memory, SYNC, atomics.
///
/// `parameters` are C declarations: "const float32* x, int32* counts, int64 n"; arrays are given for pointers,
/// row-major; those that are not const are written. With `debug`, and for messages, `x` stands for an array of a known
/// size.
class RawKernel {
 public:
  /// Throws UsageError for declarations that cannot be understood and a SYNC in a branch. Compiles nothing.
  RawKernel(const std::string& parameters, const std::string& body, const std::string& name = "kernel",
            const KernelOptions& options = {});

  /// kernel.launch({.groups = {64}, .group_size = {256}}, {x, &counts, n}). Does not wait. Throws as
  /// ElementwiseKernel's calls, and for a group of more than 1,024 work-items.
  void launch(const LaunchSize& size, std::initializer_list<RawArgument> arguments,
              const std::optional<Device>& device = {}) const {
    launch_all(size, std::span(arguments.begin(), arguments.size()), device);
  }
  void launch_all(const LaunchSize& size, std::span<const RawArgument> arguments,
                  const std::optional<Device>& device = {}) const;
  [[nodiscard]] std::string source(const Device& device = Device()) const;

 private:
  std::shared_ptr<user_kernel::Raw> kernel_;
};

}  // namespace overtake
