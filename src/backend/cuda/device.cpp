// SPDX-License-Identifier: MIT
#include "backend/cuda/device.hpp"

#include <fmt/format.h>

#include "backend/common/lower/lowering.hpp"
#include "backend/cuda/buffer.hpp"
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

int architecture_of(const DriverApi& api, CUdevice device) {
  return attribute(api, device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR) * 10 +
         attribute(api, device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
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

DeviceSettings DeviceSettings::usual() { return {config::vendor_libraries(), config::vendor_libraries(), false}; }

CudaDevice::CudaDevice(const DriverApi& api, int cuda_version, int index, DeviceInfo info, DeviceSettings settings)
    : api_(api),
      cuda_version_(cuda_version),
      device_(device_number(api, index)),
      info_(std::move(info)),
      settings_(settings),
      context_(api, device_),
      lanes_(api),
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
      staging_(api, lanes_.work(), [this] { context_.use(); }),
      clock_(api),
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
  if (!context_.try_use()) return;
  for (const Lane lane : {Lane::work, Lane::upload, Lane::download}) {
    if (lanes_.is_used(lane)) static_cast<void>(api_.cuStreamSynchronize(lanes_.of(lane)));
  }
  for (const IncomingBlocks::Free& free : incoming_.take_all()) allocator_.give_back(free.block);
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

template <class Library, class Open>
Library* CudaDevice::opened(WantedLibrary<Library>& wanted, const Open& open) {
  const std::lock_guard lock(library_mutex_);
  if (wanted.tried) return wanted.library.get();
  wanted.tried = true;
  if (!settings_.use_library) {
    wanted.trouble = "switched off";
    return nullptr;
  }
  context_.use();
  wanted.library = open(wanted.trouble);
  return wanted.library.get();
}

const Blas* CudaDevice::library() {
  return opened(blas_, [this](std::string& trouble) { return Blas::open(cuda_version_, trouble); });
}

Dnn* CudaDevice::dnn() {
  return opened(dnn_, [this](std::string& trouble) { return Dnn::open(*this, trouble); });
}

FusionLimits CudaDevice::fusion_limits() const {
  return compiler() == nullptr ? interpreted_limits() : FusionLimits{.channel_sums = true};
}

LoweringTraits CudaDevice::lowering_traits() const {
  LoweringTraits traits;
  traits.compute_units = info_.compute_units;
  traits.local_bytes = 48 * 1024;
  traits.max_group_size = 1024;
  traits.fence_across_groups = true;
  return traits;
}

}  // namespace overtake::backend::cuda
