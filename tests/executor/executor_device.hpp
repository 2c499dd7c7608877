// SPDX-License-Identifier: MIT
// The checking executor as a device, so that what launches kernels elsewhere launches them here.
#pragma once

#include "backend/api/device.hpp"

namespace overtake::executor {

/// Buffers are host memory, watched; build() finds the programs of kernel_table.hpp. Graphs and sources cannot be
/// compiled. One at a time, and it outlives its buffers.
class ExecutorDevice final : public backend::Device {
 public:
  /// What the order of groups and work-items is drawn from.
  explicit ExecutorDevice(std::uint64_t seed);

  [[nodiscard]] const DeviceInfo& info() const override { return info_; }
  [[nodiscard]] std::unique_ptr<backend::Buffer> allocate(std::size_t bytes) override;
  void copy(const backend::Buffer& source, std::size_t source_offset, backend::Buffer& destination, std::size_t offset,
            std::size_t bytes) override;
  void synchronize() override {}
  [[nodiscard]] std::unique_ptr<backend::Executable> compile(const backend::Schedule& schedule,
                                                             const backend::CompileOptions& options) override;
  [[nodiscard]] std::unique_ptr<backend::Program> build(const backend::ProgramSource& program) override;
  void set_memory_limit(std::uint64_t) override {}
  [[nodiscard]] std::uint64_t memory_held() const override { return 0; }
  [[nodiscard]] std::uint64_t memory_peak() const override { return 0; }

 protected:
  [[nodiscard]] double copy_in(backend::Buffer& destination, std::size_t offset, const void* source,
                               std::size_t bytes) override;
  [[nodiscard]] double copy_out(const backend::Buffer& source, std::size_t offset, void* destination,
                                std::size_t bytes) override;

 private:
  DeviceInfo info_;
};

}  // namespace overtake::executor
