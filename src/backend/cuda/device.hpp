// SPDX-License-Identifier: MIT
// One NVIDIA GPU: its primary context, its streams, memory and kernels.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "backend/api/device.hpp"
#include "backend/common/caching_allocator.hpp"
#include "backend/common/program_cache.hpp"
#include "backend/cuda/code/compiler.hpp"
#include "backend/cuda/code/kernel_store.hpp"
#include "backend/cuda/driver/driver_api.hpp"
#include "backend/cuda/run/blas.hpp"
#include "backend/cuda/run/dnn.hpp"
#include "backend/cuda/run/lanes.hpp"
#include "backend/cuda/run/staging.hpp"
#include "backend/cuda/run/transfer_clock.hpp"

namespace overtake::backend::cuda {

/// How a device is opened.
struct DeviceSettings {
  bool use_compiler = true;  ///< false: as if NVRTC were not installed
  bool use_library = true;   ///< false: as if cuBLASLt and cuDNN were not installed
  /// For tests: cuDNN takes every convolution that it can do, also where the own kernels are faster.
  bool prefer_library = false;

  /// What users get: the first two, unless OVERTAKE_VENDOR_LIBRARIES says no.
  [[nodiscard]] static DeviceSettings usual();
};

/// Keeps the primary context alive and gives it back at the end.
class PrimaryContext {
 public:
  PrimaryContext(const DriverApi& api, CUdevice device);
  ~PrimaryContext();
  PrimaryContext(const PrimaryContext&) = delete;
  PrimaryContext& operator=(const PrimaryContext&) = delete;
  /// Makes it current on this thread. Throws DeviceError.
  void use() const;
  [[nodiscard]] bool try_use() const noexcept;

 private:
  const DriverApi& api_;
  CUdevice device_;
  CUcontext context_ = nullptr;
};

class CudaDevice final : public Device {
 public:
  /// Throws DeviceError when the context cannot be made (memory, exclusive mode).
  CudaDevice(const DriverApi& api, int cuda_version, int index, DeviceInfo info, DeviceSettings settings = {});
  ~CudaDevice() override;

  [[nodiscard]] const DeviceInfo& info() const override { return info_; }
  [[nodiscard]] std::unique_ptr<Buffer> allocate(std::size_t bytes) override;
  void copy(const Buffer& source, std::size_t source_offset, Buffer& destination, std::size_t offset,
            std::size_t bytes) override;
  void synchronize() override;
  [[nodiscard]] std::unique_ptr<HostMemory> allocate_host(std::size_t bytes) override;
  [[nodiscard]] std::unique_ptr<Buffer> allocate_incoming(std::size_t bytes) override;
  [[nodiscard]] std::unique_ptr<Mark> mark(Lane lane) override;
  void wait(Lane lane, const Mark& mark) override;
  void synchronize_lane(Lane lane) override;
  void wait_for_everyone() override;
  [[nodiscard]] std::uintptr_t stream_handle() const override {
    return reinterpret_cast<std::uintptr_t>(lanes_.work());
  }
  [[nodiscard]] FusionLimits fusion_limits() const override;
  [[nodiscard]] std::unique_ptr<Executable> compile(const Schedule& schedule, const CompileOptions& options) override;
  /// Machine code that was made when Overtake was built, where there is some of this name.
  [[nodiscard]] std::unique_ptr<Program> build(const ProgramSource& program) override;
  void set_memory_limit(std::uint64_t bytes) override { allocator_.set_limit(bytes); }
  [[nodiscard]] std::uint64_t memory_limit() const override { return allocator_.limit(); }
  [[nodiscard]] std::uint64_t memory_held() const override { return allocator_.held(); }
  [[nodiscard]] std::uint64_t memory_peak() const override { return allocator_.peak(); }
  [[nodiscard]] DeviceDetails details() override;
  [[nodiscard]] RateProbe probe(std::string_view format) override;

  // For the other files of this folder.
  /// An upload that `transfers()` does not count: it is part of a program, not of the data.
  void upload_constants(Buffer& destination, const void* source, std::size_t bytes);
  [[nodiscard]] const DriverApi& api() const noexcept { return api_; }
  /// That the driver supports: 13000 is 13.0.
  [[nodiscard]] int cuda_version() const noexcept { return cuda_version_; }
  /// Of Lane::work.
  [[nodiscard]] CUstream stream() const noexcept { return lanes_.work(); }
  /// What the stream is asked for from now on waits for the event.
  void wait_in(CUstream stream, CUevent event);
  /// A block that a buffer leaves: for incoming copies, or for work alone; not to be used before the events (or null).
  void take_back(CachingAllocator::Block block, bool is_incoming, CUevent arrived, CUevent left) noexcept;
  [[nodiscard]] const PrimaryContext& context() const noexcept { return context_; }
  [[nodiscard]] KernelStore& kernels() noexcept { return *kernels_; }
  [[nodiscard]] CachingAllocator& allocator() noexcept { return allocator_; }
  [[nodiscard]] const DeviceSettings& settings() const noexcept { return settings_; }
  /// cuBLASLt, opened at the first product that wants it; null when it is not there (`library_trouble` says why).
  [[nodiscard]] const Blas* library();
  [[nodiscard]] const std::string& library_trouble() const noexcept { return blas_.trouble; }
  /// cuDNN, opened at the first convolution that wants it; null when it is not there (`dnn_trouble` says why).
  [[nodiscard]] Dnn* dnn();
  [[nodiscard]] const std::string& dnn_trouble() const noexcept { return dnn_.trouble; }
  /// What was compiled and chosen before, on disk.
  [[nodiscard]] ProgramCache& programs() noexcept { return cache_; }
  /// Null when NVRTC is not there (`compiler_trouble` says why).
  [[nodiscard]] const Compiler* compiler() const noexcept { return compiler_.get(); }
  [[nodiscard]] const std::string& compiler_trouble() const noexcept { return compiler_trouble_; }
  [[nodiscard]] LoweringTraits lowering_traits() const;

 protected:
  [[nodiscard]] double copy_in(Buffer& destination, std::size_t offset, const void* source, std::size_t bytes) override;
  [[nodiscard]] double copy_out(const Buffer& source, std::size_t offset, void* destination,
                                std::size_t bytes) override;
  [[nodiscard]] double copy_in_async(Buffer& destination, const void* source, std::size_t bytes) override;
  [[nodiscard]] double copy_out_async(Buffer& source, void* destination, std::size_t bytes) override;
  [[nodiscard]] CopySeconds settle() override;

 private:
  /// A library that is opened when it is first wanted.
  template <class Library>
  struct WantedLibrary {
    bool tried = false;
    std::string trouble;  ///< why it is not there
    std::unique_ptr<Library> library;
  };
  template <class Library, class Open>
  [[nodiscard]] Library* opened(WantedLibrary<Library>& wanted, const Open& open);

  /// Of the allocator, which gets the blocks that wait for incoming copies where it has no memory left.
  [[nodiscard]] CachingAllocator::Block allocate_block(std::size_t bytes);
  /// Copies between page-locked memory and the device in the work stream, and waits.
  void copy_directly(const std::function<CUresult()>& copy, const char* what);

  /// Machine code of that name; empty where there is none.
  const std::string& precompiled(const std::string& name);

  const DriverApi& api_;
  int cuda_version_;
  CUdevice device_ = 0;
  DeviceInfo info_;
  DeviceSettings settings_;
  PrimaryContext context_;
  Lanes lanes_;
  CachingAllocator allocator_;
  IncomingBlocks incoming_;
  Staging staging_;
  TransferClock clock_;
  std::string compiler_trouble_;
  std::unique_ptr<Compiler> compiler_;
  ProgramCache cache_;
  std::unique_ptr<KernelStore> kernels_;
  // Unpacked once: that takes longer than a small search.
  std::mutex precompiled_mutex_;
  std::map<std::string, std::string> precompiled_;
  std::mutex library_mutex_;
  WantedLibrary<Blas> blas_;
  WantedLibrary<Dnn> dnn_;
};

}  // namespace overtake::backend::cuda
