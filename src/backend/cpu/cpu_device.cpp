// SPDX-License-Identifier: MIT
// The CPU as a device: ordinary memory, immediate execution.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <cstring>

#include "backend/api/details.hpp"
#include "backend/api/registry.hpp"
#include "backend/common/caching_allocator.hpp"
#include "backend/cpu/executable.hpp"
#include "backend/cpu/kernels/program.hpp"
#include "backend/cpu/matmul_library.hpp"
#include "backend/cpu/processor.hpp"
#include "backend/cpu/rate_probe.hpp"
#include "backend/cpu/vector_math.hpp"
#include "core/parallel.hpp"
#include "overtake/error.hpp"
#include "platform/host_limits.hpp"

namespace overtake::backend::cpu {
namespace {

constexpr std::size_t alignment = 256;

class HostBuffer final : public Buffer {
 public:
  HostBuffer(Device& device, std::size_t bytes, CachingAllocator& allocator)
      : Buffer(device, bytes), allocator_(allocator), block_(allocator.allocate(bytes)) {}
  ~HostBuffer() override { allocator_.give_back(block_); }
  [[nodiscard]] std::uintptr_t handle() const noexcept override { return block_.handle; }

 private:
  CachingAllocator& allocator_;
  CachingAllocator::Block block_;
};

// The system promises more than it has, and ends the process that takes it at its word.
std::uintptr_t take_memory(std::size_t bytes) {
  constexpr std::size_t large = std::size_t{256} << 20;
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  if (rounded > large && rounded > platform::usable_memory()) return 0;
  return reinterpret_cast<std::uintptr_t>(std::aligned_alloc(alignment, rounded));
}

void release_memory(std::uintptr_t address) { std::free(reinterpret_cast<void*>(address)); }  // NOLINT

class CpuDevice final : public Device {
 public:
  CpuDevice() : info_(describe_processor()), allocator_({take_memory, release_memory, "cpu"}) {}

  [[nodiscard]] const DeviceInfo& info() const override { return info_; }

  [[nodiscard]] std::unique_ptr<Buffer> allocate(std::size_t bytes) override {
    return std::make_unique<HostBuffer>(*this, bytes, allocator_);
  }

  void copy(const Buffer& source, std::size_t source_offset, Buffer& destination, std::size_t offset,
            std::size_t bytes) override {
    std::memmove(address(destination) + offset, address(source) + source_offset, bytes);
  }

  void synchronize() override {}

  [[nodiscard]] std::unique_ptr<Executable> compile(const Schedule& schedule, const CompileOptions&) override {
    return std::make_unique<CpuExecutable>(*this, schedule, thread_count());
  }

  [[nodiscard]] std::unique_ptr<Program> build(const ProgramSource& program) override {
    return build_program(*this, program, kernel_compilers());
  }

  void set_memory_limit(std::uint64_t bytes) override { allocator_.set_limit(bytes); }
  [[nodiscard]] std::uint64_t memory_limit() const override { return allocator_.limit(); }
  [[nodiscard]] std::uint64_t memory_held() const override { return allocator_.held(); }
  [[nodiscard]] std::uint64_t memory_peak() const override { return allocator_.peak(); }
  [[nodiscard]] bool is_host() const override { return true; }
  [[nodiscard]] DeviceDetails details() override {
    DeviceDetails details;
    details.driver_limit = instruction_set();
    details.runtime = matmul_library().empty() ? "none: products by Overtake's own loops" : matmul_library();
    details.compiler = describe(kernel_compilers());
    details.convolutions = matmul_library();
    const std::uint64_t left = platform::usable_memory();
    details.free_bytes = left == platform::unlimited ? 0 : left;  // unknown
    const double single = info_.peak_gflops;
    if (bf16_advantage() > 0) details.peaks.push_back({"bf16", 0, single * bf16_advantage()});
    details.peaks.push_back({"fp64", 0, single / 2});  // vectors hold half as many
    return details;
  }
  [[nodiscard]] RateProbe probe(std::string_view format) override { return rate_probe(format, thread_count()); }

 protected:
  // Arrays live in host memory: "uploads" are copies that cross no bus, counted all the same so that programs can be
  // compared between devices.
  [[nodiscard]] double copy_in(Buffer& destination, std::size_t offset, const void* source,
                               std::size_t bytes) override {
    return seconds_of([&] { std::memcpy(address(destination) + offset, source, bytes); });
  }
  [[nodiscard]] double copy_out(const Buffer& source, std::size_t offset, void* destination,
                                std::size_t bytes) override {
    return seconds_of([&] { std::memcpy(destination, address(source) + offset, bytes); });
  }

 private:
  template <typename Work>
  static double seconds_of(const Work& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  static std::byte* address(const Buffer& buffer) { return reinterpret_cast<std::byte*>(buffer.handle()); }

  DeviceInfo info_;
  CachingAllocator allocator_;
};

class CpuBackend final : public Backend {
 public:
  [[nodiscard]] std::string_view name() const override { return "cpu"; }
  [[nodiscard]] bool has_driver() const noexcept override { return false; }
  [[nodiscard]] std::vector<DeviceInfo> list() override { return {describe_processor()}; }
  [[nodiscard]] std::unique_ptr<Device> open(int index) override {
    if (index != 0)
      throw DeviceError(fmt::format("there is no cpu:{}", index), "The machine's processors are one device, cpu.");
    return std::make_unique<CpuDevice>();
  }
};

CpuBackend backend;
const Registration registration(0, backend);

}  // namespace
}  // namespace overtake::backend::cpu
