// SPDX-License-Identifier: MIT
// All kernels loaded on one device: memory, then disk, then compiler.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backend/common/lower/lowering.hpp"
#include "backend/common/program_cache.hpp"
#include "backend/cuda/code/compiler.hpp"
#include "backend/cuda/driver/driver_api.hpp"

namespace overtake::backend::cuda {

/// Compiles and loads kernels of one device and keeps them for its life. Thread-safe. Needs the device's context
/// current.
class KernelStore {
 public:
  struct Device {
    std::string name;      ///< "NVIDIA H200 sm_90"
    std::string driver;    ///< version text
    int cuda_version = 0;  ///< that the driver supports
    int architecture = 0;  ///< 10 * major + minor
  };

  /// `compiler` may be null: then only the kernels that were compiled when Overtake was built can be had.
  KernelStore(const DriverApi& api, const Compiler* compiler, ProgramCache& cache, Device device);

  [[nodiscard]] const Device& device() const noexcept { return device_; }
  /// True when there are precompiled kernels that the driver loads.
  [[nodiscard]] bool has_precompiled() const;

  /// The functions of all kernels, in their order. What is neither loaded nor on disk is compiled by several threads.
  /// A kernel without source is taken from the precompiled ones.
  [[nodiscard]] std::vector<CUfunction> functions(std::span<const LoweredKernel* const> kernels);

  /// A module of complete source with the dialect's prelude, from disk or compiler. Throws UsageError for bad source,
  /// DeviceError when there is no compiler.
  [[nodiscard]] ModuleHandle build(const ProgramSource& program);

  /// Loads machine code. `what` is for messages.
  [[nodiscard]] ModuleHandle load(const std::string& binary, std::string_view what) const;
  /// Null when the module has no such kernel.
  [[nodiscard]] CUfunction find(const ModuleHandle& module, const std::string& entry) const;

  /// Kernels compiled (not found in memory or on disk) since the start.
  [[nodiscard]] int compiled() const noexcept { return compiled_; }

 private:
  [[nodiscard]] ProgramKey key_of(const std::string& source, std::span<const std::string> defines) const;
  void compile_missing(const std::vector<const LoweredKernel*>& missing);
  void find_precompiled(const std::string& entry);

  const DriverApi& api_;
  const Compiler* compiler_;
  ProgramCache& cache_;
  Device device_;
  ModuleHandle precompiled_module_;
  std::mutex mutex_;
  std::map<std::string, CUfunction> functions_;
  std::vector<ModuleHandle> modules_;
  int compiled_ = 0;
};

/// Runs `job(i)` for 0 <= i < count on several threads; rethrows the first exception after all have finished.
void run_parallel(std::size_t count, const std::function<void(std::size_t)>& job);

}  // namespace overtake::backend::cuda
