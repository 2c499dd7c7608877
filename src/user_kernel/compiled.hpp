// SPDX-License-Identifier: MIT
// A kernel's text compiled for a device, in as many variants as its calls need.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backend/api/device.hpp"
#include "user_kernel/watch.hpp"

namespace overtake::user_kernel {

struct Compiled {
  std::mutex mutex;  ///< of launches: drivers keep a kernel's arguments in the kernel
  std::unique_ptr<backend::Program> program;
  std::unique_ptr<backend::Kernel> kernel;
  std::string source;
  std::vector<WatchedArray> arrays;  ///< what faults name by number
};

/// What is to be compiled: the entry point is called entry_name(name).
struct KernelText {
  std::string source;
  std::vector<WatchedArray> arrays;
};

[[nodiscard]] std::string entry_name(std::string_view name);

/// `#line` directives that make compilers count a user's text from 1 under a name, and end that.
[[nodiscard]] std::string marked(std::string_view name, std::string_view text);

/// What stands before a kernel: what watched ones call, and the preamble.
[[nodiscard]] std::string opening(std::string_view name, std::string_view preamble, const Watching& watching);

/// Compiles; a compiler's complaint becomes UsageError("[name] does not compile for DEVICE: ...") with the first line
/// that it complains about.
[[nodiscard]] std::unique_ptr<Compiled> compile(backend::Device& device, std::string_view name, KernelText text);

/// The variants of one kernel, each compiled once for each device. May be used by several threads.
class Variants {
 public:
  /// The variant of that key; `write` makes its text when it is asked for first.
  [[nodiscard]] Compiled& find(backend::Device& device, std::string_view name, std::string_view key,
                               const std::function<KernelText()>& write);
  /// The text of the variant that was used last on a device; empty if there is none.
  [[nodiscard]] std::string last_source(const backend::Device& device);

 private:
  struct Variant {
    const backend::Device* device = nullptr;
    std::string key;
    std::unique_ptr<Compiled> compiled;
  };
  std::mutex mutex_;
  std::vector<Variant> variants_;  // few
  const Compiled* last_ = nullptr;
};

/// Launches it; several threads may. What is wrong with its barriers is said with its name.
void launch(Compiled& compiled, std::string_view name, const backend::LaunchGeometry& geometry,
            std::span<const backend::KernelArgument> arguments);

/// Throws what a watched launch found, if it found something. `shapes`: those of the arrays, in the order of
/// Compiled::arrays, as far as they were given from outside; `where` words a work-item.
void throw_fault(std::string_view name, const WatchBuffer::Fault& fault, const Compiled& compiled,
                 const std::vector<Shape>& shapes, const std::function<std::string(std::int64_t)>& where,
                 double time_limit);

}  // namespace overtake::user_kernel
