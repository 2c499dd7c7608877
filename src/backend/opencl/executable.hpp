// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backend/api/device.hpp"
#include "backend/api/profiling.hpp"
#include "backend/common/lower/lowering.hpp"
#include "backend/opencl/handle.hpp"

namespace overtake::backend::opencl {

class OpenClDevice;

/// A schedule as a list of kernels whose arguments are set once, by bind().
class OpenClExecutable final : public Executable {
 public:
  OpenClExecutable(OpenClDevice& device, const Schedule& schedule);
  void bind(std::span<Buffer* const> slots) override;
  void run(int times) override;
  void release() override;
  [[nodiscard]] ExecutableStats stats() const override { return stats_; }

 private:
  void run_profiled();

  struct Launch {
    KernelHandle kernel;
    LaunchGeometry geometry;
    std::vector<LoweredArgument> arguments;
    int scratch = -1;  // position in scratch_
    std::size_t operation = 0;
    bool is_first = true;  // of its operation
    std::string entry;     // its name in the program
  };
  struct Place {  // of a slot
    cl_mem memory = nullptr;
    std::int64_t first_element = 0;
  };
  [[nodiscard]] int scratch_for(const LoweredOperation& operation);
  void set_arguments(const Launch& launch, const std::vector<Place>& places) const;

  OpenClDevice& device_;
  std::vector<Slot> slots_;
  std::vector<Launch> launches_;
  std::unique_ptr<Buffer> arena_;
  std::uint64_t shared_bytes_ = 0;  // of the first scratch buffer
  // Operations run one after the other, so they share the first buffer; those with tickets have one of their own.
  std::vector<std::unique_ptr<Buffer>> scratch_;
  std::vector<OperationLabel> labels_;  // of the operations
  bool bound_ = false;
  ExecutableStats stats_;
};

}  // namespace overtake::backend::opencl
