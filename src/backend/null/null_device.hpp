// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "backend/api/device.hpp"

namespace overtake::backend::null {

/// A launch of a kernel of a program.
struct NullLaunch {
  std::string kernel;
  LaunchGeometry geometry;
  std::size_t arguments = 0;  ///< how many
};

/// What was asked of the null device.
struct NullRecord {
  std::vector<Schedule> schedules;          ///< every compiled schedule, oldest first
  std::uint64_t programs = 0;               ///< built from source
  std::vector<NullLaunch> kernel_launches;  ///< of their kernels, oldest first
  std::uint64_t launches = 0;               ///< operations of all runs, and kernels
  std::uint64_t waits = 0;                  ///< downloads and synchronisations: the host waits
  std::uint64_t bytes_held = 0;
  std::uint64_t bytes_peak = 0;
};

/// Records schedules, programs, launches, transfers and memory; every download gives zeros. Tests derive from it.
class NullDevice : public Device {
 public:
  explicit NullDevice(std::string id = "null");
  [[nodiscard]] const DeviceInfo& info() const override { return info_; }
  [[nodiscard]] std::unique_ptr<Buffer> allocate(std::size_t bytes) override;
  void copy(const Buffer&, std::size_t, Buffer&, std::size_t, std::size_t) override {}
  void synchronize() override;
  [[nodiscard]] std::unique_ptr<Executable> compile(const Schedule& schedule, const CompileOptions& options) override;
  /// A program that knows its kernels' names and records their launches.
  [[nodiscard]] std::unique_ptr<Program> build(const ProgramSource& program) override;
  void set_memory_limit(std::uint64_t bytes) override { limit_ = bytes; }
  [[nodiscard]] std::uint64_t memory_limit() const override { return limit_; }
  [[nodiscard]] std::uint64_t memory_held() const override { return record_.bytes_held; }
  [[nodiscard]] std::uint64_t memory_peak() const override { return record_.bytes_peak; }

  [[nodiscard]] const NullRecord& record() const noexcept { return record_; }

 protected:
  [[nodiscard]] double copy_in(Buffer& destination, std::size_t offset, const void* source, std::size_t bytes) override;
  [[nodiscard]] double copy_out(const Buffer& source, std::size_t offset, void* destination,
                                std::size_t bytes) override;

 private:
  DeviceInfo info_;
  NullRecord record_;
  std::uint64_t limit_ = 0;
};

}  // namespace overtake::backend::null
