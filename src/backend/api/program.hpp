// SPDX-License-Identifier: MIT
// Kernels given as dialect source (docs/dialect.md), beside the schedules that lowering writes kernels for.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "backend/api/buffer.hpp"

namespace overtake::backend {

/// What Device::build() compiles.
struct ProgramSource {
  std::string_view source;           ///< without the prelude, which the device adds; needs to live during the call only
  std::vector<std::string> defines;  ///< "NAME=VALUE"
  /// A hint: the name under which the build compiled this source with these defines ahead of time
  /// (src/kernels/CMakeLists.txt lists them); "" or any other name: none.
  std::string name;
};

/// Size of a kernel's LOCAL_PARAMETER.
struct LocalBytes {
  std::int64_t bytes = 0;
};

/// One argument of a launch. Its type is the parameter's: pointer to device memory, int, int64, float, double, local
/// memory; a number without a sign has the type, and the bits, of the one with it. Numbers of other types do not
/// convert in silence; narrow<std::int32_t>() checks them.
using KernelArgument = std::variant<Buffer*, std::int32_t, std::int64_t, float, double, LocalBytes>;

/// Groups and work-items of a launch (1 to 3 dimensions).
struct LaunchGeometry {
  std::array<std::uint32_t, 3> groups{1, 1, 1};
  std::array<std::uint32_t, 3> group_size{1, 1, 1};
};

/// A compiled kernel of a Program. Valid as long as its Program.
class Kernel {
 public:
  virtual ~Kernel() = default;
  /// Enqueues the kernel; nothing to do is no error. Throws UsageError unless the arguments match the kernel's
  /// parameters in order, number and size and buffers are of its device. (CUDA drivers before 12.4 do not tell the
  /// parameters: only the buffers are checked there.)
  virtual void launch(const LaunchGeometry& geometry, std::span<const KernelArgument> arguments) = 0;
};

/// Dialect source compiled for one device.
class Program {
 public:
  virtual ~Program() = default;
  /// Throws UsageError when the program has no kernel of that name.
  [[nodiscard]] virtual std::unique_ptr<Kernel> kernel(const std::string& name) = 0;
};

/// The buffer of an argument, null for one that is none. Throws UsageError, naming kernel and position, for a buffer
/// that is not on `device`.
[[nodiscard]] Buffer* buffer_of(const KernelArgument& argument, const Device& device, std::string_view kernel,
                                std::size_t position);
/// Throws UsageError, naming the kernel, when there are not as many arguments as parameters.
void check_argument_count(std::string_view kernel, std::size_t given, std::size_t expected);

}  // namespace overtake::backend
