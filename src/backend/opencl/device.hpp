// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "backend/api/device.hpp"
#include "backend/common/caching_allocator.hpp"
#include "backend/common/lower/lowering.hpp"
#include "backend/common/program_cache.hpp"
#include "backend/opencl/discovery.hpp"
#include "backend/opencl/handle.hpp"

namespace overtake::backend::opencl {

/// One OpenCL device with one in-order queue: every copy and kernel runs in the order it was asked for.
class OpenClDevice final : public Device {
 public:
  explicit OpenClDevice(FoundDevice found);
  ~OpenClDevice() override;

  [[nodiscard]] const DeviceInfo& info() const override { return found_.info; }
  [[nodiscard]] std::unique_ptr<Buffer> allocate(std::size_t bytes) override;
  void copy(const Buffer& source, std::size_t source_offset, Buffer& destination, std::size_t offset,
            std::size_t bytes) override;
  void synchronize() override;
  [[nodiscard]] std::unique_ptr<Mark> mark(Lane lane) override;
  void wait(Lane lane, const Mark& mark) override;
  [[nodiscard]] FusionLimits fusion_limits() const override { return {.channel_sums = true}; }
  [[nodiscard]] std::unique_ptr<Executable> compile(const Schedule& schedule, const CompileOptions& options) override;
  [[nodiscard]] std::unique_ptr<Program> build(const ProgramSource& program) override;
  void set_memory_limit(std::uint64_t bytes) override { allocator_->set_limit(bytes); }
  void release_unused() override {
    if (is_in_host_memory(found_.info.kind)) allocator_->trim();
  }
  [[nodiscard]] std::uint64_t memory_limit() const override { return allocator_->limit(); }
  [[nodiscard]] std::uint64_t memory_held() const override { return allocator_->held(); }
  [[nodiscard]] std::uint64_t memory_peak() const override { return allocator_->peak(); }
  [[nodiscard]] DeviceDetails details() override;

  [[nodiscard]] cl_command_queue queue() const noexcept { return queue_.get(); }
  /// Enqueues a kernel whose arguments are set. Waits where the device is far behind: what is enqueued takes memory.
  void enqueue(cl_kernel kernel, const LaunchGeometry& geometry);
  [[nodiscard]] const LoweringTraits& traits() const noexcept { return traits_; }
  /// The program of a lowered kernel, from memory, from the disk cache, or compiled now.
  [[nodiscard]] cl_program program_of(const LoweredKernel& kernel);

 protected:
  [[nodiscard]] double copy_in(Buffer& destination, std::size_t offset, const void* source, std::size_t bytes) override;
  [[nodiscard]] double copy_out(const Buffer& source, std::size_t offset, void* destination,
                                std::size_t bytes) override;
  [[nodiscard]] double copy_in_async(Buffer& destination, const void* source, std::size_t bytes) override;
  [[nodiscard]] double copy_out_async(Buffer& source, void* destination, std::size_t bytes) override;

 private:
  struct Compiled {
    ProgramHandle program;
    std::string log;  ///< the compiler's, when there is no program
  };
  [[nodiscard]] Compiled compile_source(const std::string& source, const std::string& options);
  [[nodiscard]] ProgramHandle from_binary(const std::string& binary, const std::string& options) const;

  FoundDevice found_;
  ContextHandle context_;
  QueueHandle queue_;
  LoweringTraits traits_;
  std::string options_;
  int since_mark_ = 0;  // launches
  EventHandle mark_;    // the last launch of the block before
  ProgramCache cache_;
  std::mutex programs_mutex_;
  std::map<std::string, ProgramHandle> programs_;  // by the entry name of the lowered kernel
  std::shared_ptr<CachingAllocator> allocator_;    // shared with the buffers
};

}  // namespace overtake::backend::opencl
