// SPDX-License-Identifier: MIT
// The steps of a plan with their functions, arguments and library calls, to be launched or made into a graph.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "backend/api/device.hpp"
#include "backend/cuda/driver/driver_api.hpp"
#include "backend/cuda/run/blas.hpp"
#include "backend/cuda/run/dnn.hpp"
#include "backend/cuda/run/plan.hpp"

namespace overtake::backend::cuda {

class CudaDevice;

/// One step, its addresses filled in by bind().
struct BoundStep {
  CUfunction function = nullptr;  ///< null: a library's work, which is one of the next two
  std::optional<PreparedProduct> product;
  std::shared_ptr<const DnnChoice> convolution;
  DnnDescriptor pack;                 ///< the addresses of a convolution
  std::vector<std::uint64_t> values;  ///< of the kernel's parameters, eight bytes each
  std::vector<void*> pointers;        ///< to `values`
  CUDA_KERNEL_NODE_PARAMS node{};     ///< the launch, pointing into `pointers`
  std::uint64_t workspace = 0;        ///< of a library's work
};

class Launcher {
 public:
  /// Compiles and loads what the plan needs. Throws DeviceError.
  Launcher(CudaDevice& device, Plan plan);

  /// Fills in the address of every slot. `arena` may be 0 when the plan needs none.
  void bind(std::vector<std::uint64_t> slot_addresses, std::uint64_t arena);
  /// Enqueues step number `index`.
  void enqueue(std::size_t index, CUstream stream) const;

  [[nodiscard]] const Plan& plan() const noexcept { return plan_; }
  [[nodiscard]] const BoundStep& step(std::size_t index) const { return steps_[index]; }
  [[nodiscard]] std::size_t size() const noexcept { return steps_.size(); }
  /// What each step reads and writes, as bound.
  [[nodiscard]] std::vector<MemoryUse> uses() const { return memory_uses(plan_, slots_, arena_); }

 private:
  void prepare_library_step(std::size_t index);

  CudaDevice& device_;
  Plan plan_;
  std::vector<BoundStep> steps_;
  std::unique_ptr<Buffer> words_;  // of interpreted kernels
  std::vector<std::uint64_t> slots_;
  std::uint64_t arena_ = 0;
};

}  // namespace overtake::backend::cuda
