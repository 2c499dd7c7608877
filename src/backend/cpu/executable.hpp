// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <vector>

#include "backend/api/device.hpp"
#include "backend/api/profiling.hpp"
#include "backend/cpu/step.hpp"

namespace overtake::backend::cpu {

/// A schedule as a list of steps, run one after the other; each step may use several threads. Returns when done.
class CpuExecutable final : public Executable {
 public:
  CpuExecutable(Device& device, const Schedule& schedule, int threads);
  void bind(std::span<Buffer* const> slots) override;
  void run(int times) override;
  void release() override;
  [[nodiscard]] ExecutableStats stats() const override { return stats_; }

 private:
  void run_profiled();

  Device& device_;
  std::vector<Slot> slots_;
  std::unique_ptr<Buffer> arena_;
  std::vector<std::unique_ptr<Step>> steps_;
  std::vector<OperationLabel> labels_;  // of the steps
  ExecutableStats stats_;
};

}  // namespace overtake::backend::cpu
