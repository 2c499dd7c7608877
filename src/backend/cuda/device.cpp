// SPDX-License-Identifier: MIT
#include "backend/cuda/device.hpp"

#include <fmt/format.h>

#include "backend/common/lower/lowering.hpp"
#include "backend/cuda/code/precompiled.hpp"
#include "backend/cuda/code/program.hpp"
#include "backend/cuda/driver/discovery.hpp"
#include "backend/cuda/driver/errors.hpp"
#include "backend/cuda/driver/vendor_libraries.hpp"
#include "backend/cuda/run/executable.hpp"
#include "core/config.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::cuda {
namespace {

CUdevice device_number(const DriverApi& api, int index) {
  CUdevice device = 0;
  check(api, api.cuDeviceGet(&device, index), fmt::format("opening cuda:{}", index));
  return device;
}

StreamHandle make_stream(const DriverApi& api) {
  CUstream stream = nullptr;
  check(api, api.cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING), "cuStreamCreate");
  return {stream, api.cuStreamDestroy};
}

int architecture_of(const DriverApi& api, CUdevice device) {
  return attribute(api, device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR) * 10 +
         attribute(api, device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
}

class CudaBuffer final : public Buffer {
 public:
  CudaBuffer(CudaDevice& device, std::size_t bytes, CachingAllocator::Block block)
      : Buffer(device, bytes), allocator_(device.allocator()), block_(block) {}
  ~CudaBuffer() override { allocator_.give_back(block_); }
  [[nodiscard]] std::uintptr_t handle() const noexcept override { return block_.handle; }

 private:
  CachingAllocator& allocator_;
  CachingAllocator::Block block_;
};

CUdeviceptr range(const Buffer& buffer, const Device& device, std::size_t offset, std::size_t bytes, const char* what) {
  if (&buffer.device() != &device) throw InternalError(fmt::format("cuda: {} of another device's buffer", what));
  if (offset > buffer.bytes() || bytes > buffer.bytes() - offset) {
    throw InternalError(
        fmt::format("cuda: {} of {} bytes at {} in a buffer of {}", what, bytes, offset, buffer.bytes()));
  }
  return static_cast<CUdeviceptr>(buffer.handle()) + offset;
}

}  // namespace

PrimaryContext::PrimaryContext(const DriverApi& api, CUdevice device) : api_(api), device_(device) {
  check(api, api.cuDevicePrimaryCtxRetain(&context_, device), "creating a context on the GPU");
  try {
    use();
  } catch (...) {
    static_cast<void>(api_.cuDevicePrimaryCtxRelease(device_));
    throw;
  }
}

PrimaryContext::~PrimaryContext() { static_cast<void>(api_.cuDevicePrimaryCtxRelease(device_)); }

void PrimaryContext::use() const { check(api_, api_.cuCtxSetCurrent(context_), "cuCtxSetCurrent"); }

bool PrimaryContext::try_use() const noexcept { return api_.cuCtxSetCurrent(context_) == CUDA_SUCCESS; }

DeviceSettings DeviceSettings::usual() { return {config::vendor_libraries(), config::vendor_libraries()}; }

CudaDevice::CudaDevice(const DriverApi& api, int cuda_version, int index, DeviceInfo info, DeviceSettings settings)
    : api_(api),
      cuda_version_(cuda_version),
      device_(device_number(api, index)),
      info_(std::move(info)),
      settings_(settings),
      context_(api, device_),
      stream_(make_stream(api)),
      allocator_({[this](std::size_t bytes) -> std::uintptr_t {
                    context_.use();
                    CUdeviceptr memory = 0;
                    const CUresult code = api_.cuMemAlloc(&memory, bytes);
                    if (code == CUDA_ERROR_OUT_OF_MEMORY) return 0;
                    check(api_, code, "allocating memory on the GPU");
                    return static_cast<std::uintptr_t>(memory);
                  },
                  [this](std::uintptr_t handle) {
                    if (context_.try_use()) static_cast<void>(api_.cuMemFree(static_cast<CUdeviceptr>(handle)));
                  },
                  info_.id}),
      staging_(api, stream_.get()),
      cache_(config::cache_directory()) {
  const int architecture = architecture_of(api, device_);
  if (settings.use_compiler) {
    compiler_ = Compiler::open(vendor_library_candidates("libnvrtc", cuda_version), architecture, compiler_trouble_);
  } else {
    compiler_trouble_ = "switched off";
  }
  kernels_ = std::make_unique<KernelStore>(
      api_, compiler_.get(), cache_,
      KernelStore::Device{fmt::format("{} sm_{}", info_.name, architecture), info_.driver, cuda_version, architecture});
  if (compiler_) {
    info_.driver += fmt::format(", {}", compiler_->version());
    return;
  }
  info_.driver += ", interpreted kernels (no NVRTC)";
  info_.reason = fmt::format("neural networks run on interpreted kernels, slower than compiled ones: NVRTC {}",
                             settings.use_compiler ? "was not found" : "is switched off");
  info_.hint = cure_for_missing_nvrtc(cuda_version);
}

CudaDevice::~CudaDevice() {
  // Nothing may be freed under running kernels, and the members' destructors need the context.
  if (context_.try_use()) static_cast<void>(api_.cuStreamSynchronize(stream_.get()));
}

std::unique_ptr<Buffer> CudaDevice::allocate(std::size_t bytes) {
  const CachingAllocator::Block block = allocator_.allocate(bytes);
  try {
    return std::make_unique<CudaBuffer>(*this, bytes, block);
  } catch (...) {
    allocator_.give_back(block);
    throw;
  }
}

void CudaDevice::upload(Buffer& destination, std::size_t offset, const void* source, std::size_t bytes) {
  const CUdeviceptr to = range(destination, *this, offset, bytes, "an upload");
  context_.use();
  if (bytes > 0) staging_.upload(to, source, bytes);
  ++transfers_.uploads;
  transfers_.upload_bytes += bytes;
}

void CudaDevice::upload_constants(Buffer& destination, const void* source, std::size_t bytes) {
  const CUdeviceptr to = range(destination, *this, 0, bytes, "an upload");
  context_.use();
  staging_.upload(to, source, bytes);
}

void CudaDevice::download(const Buffer& source, std::size_t offset, void* destination, std::size_t bytes) {
  const CUdeviceptr from = range(source, *this, offset, bytes, "a download");
  context_.use();
  if (bytes > 0) {
    staging_.download(destination, from, bytes);
  } else {
    synchronize();
  }
  ++transfers_.downloads;
  transfers_.download_bytes += bytes;
}

void CudaDevice::copy(const Buffer& source, std::size_t source_offset, Buffer& destination, std::size_t offset,
                      std::size_t bytes) {
  const CUdeviceptr from = range(source, *this, source_offset, bytes, "a copy");
  const CUdeviceptr to = range(destination, *this, offset, bytes, "a copy");
  if (bytes == 0) return;
  context_.use();
  check(api_, api_.cuMemcpyDtoDAsync(to, from, bytes, stream_.get()), "copying on the GPU");
}

void CudaDevice::synchronize() {
  context_.use();
  check(api_, api_.cuStreamSynchronize(stream_.get()), "waiting for the GPU");
}

void CudaDevice::wait_for_everyone() {
  context_.use();
  check(api_, api_.cuCtxSynchronize(), "waiting for the GPU");
}

std::unique_ptr<Executable> CudaDevice::compile(const Schedule& schedule, const CompileOptions& options) {
  context_.use();
  return make_executable(*this, schedule, options);
}

std::unique_ptr<Program> CudaDevice::build(const ProgramSource& program) {
  context_.use();
  const std::string& code = precompiled(program.name);
  return make_program(*this, code.empty() ? kernels_->build(program) : kernels_->load(code, program.name));
}

const std::string& CudaDevice::precompiled(const std::string& name) {
  const std::lock_guard lock(precompiled_mutex_);
  if (const auto known = precompiled_.find(name); known != precompiled_.end()) return known->second;
  std::string code = precompiled_program(name, cuda_version_, architecture_of(api_, device_));
  return precompiled_.emplace(name, std::move(code)).first->second;
}

const Blas* CudaDevice::library() {
  const std::lock_guard lock(library_mutex_);
  if (library_tried_) return library_.get();
  library_tried_ = true;
  if (!settings_.use_library) {
    library_trouble_ = "switched off";
    return nullptr;
  }
  context_.use();
  library_ = Blas::open(cuda_version_, library_trouble_);
  return library_.get();
}

FusionLimits CudaDevice::fusion_limits() const { return compiler() == nullptr ? interpreted_limits() : FusionLimits{}; }

LoweringTraits CudaDevice::lowering_traits() const {
  LoweringTraits traits;
  traits.compute_units = info_.compute_units;
  traits.local_bytes = 48 * 1024;
  traits.max_group_size = 1024;
  traits.fence_across_groups = true;
  return traits;
}

}  // namespace overtake::backend::cuda
