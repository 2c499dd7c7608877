// SPDX-License-Identifier: MIT
// What the doctor asks of this backend.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "backend/api/details.hpp"
#include "backend/cuda/backend.hpp"
#include "backend/cuda/driver/discovery.hpp"
#include "backend/cuda/driver/memory_holders.hpp"
#include "backend/cuda/driver/rates.hpp"
#include "backend/cuda/driver/vendor_libraries.hpp"
#include "backend/cuda/run/rate_probe.hpp"
#include "core/config.hpp"
#include "core/library_files.hpp"

namespace overtake::backend::cuda {
namespace {

Finding finding_of(const Trouble& trouble, Severity severity, std::string device) {
  const std::string id = trouble.finding.empty() ? "driver-fails" : trouble.finding;
  return {id, severity, std::move(device), trouble.reason, trouble.evidence, trouble.hint};
}

/// Nothing is wrong with a computer that has no card; and a user, or who started the container, may have hidden it.
Severity severity_of(const Trouble& trouble, const HostFacts& host) {
  if (!host.any_trace() && trouble.finding == "no-driver") return Severity::note;
  for (const char* id : {"no-driver", "hidden-devices", "container-without-gpu"}) {
    if (trouble.finding == id) return Severity::warning;
  }
  const bool is_lost = trouble.finding == "missing-device-node" || trouble.finding == "no-device";
  return is_lost && !host.any_trace() ? Severity::warning : Severity::error;
}

/// A library that makes networks faster, and may be missing.
struct OptionalLibrary {
  const char* name;
  const char* finding;
  const char* cause;
  std::string cure;
};

OptionalLibrary nvrtc(int cuda_version) {
  return {"libnvrtc", "nvrtc-missing", "NVRTC was not found: neural networks run on interpreted kernels, slower",
          cure_for_missing_nvrtc(cuda_version)};
}

OptionalLibrary cublaslt(int cuda_version) {
  return {"libcublasLt", "cublaslt-missing", "cuBLASLt was not found: large matrix products run on slower kernels",
          fmt::format("pip install {}, or install the CUDA toolkit; OVERTAKE_LIBRARY_PATH names an unusual folder",
                      cuda_version / 1000 >= 13 ? "nvidia-cublas" : "nvidia-cublas-cu12")};
}

/// It is not there, or only in versions that this driver cannot use.
Finding missing_library(const OptionalLibrary& library, const std::string& why, int cuda_version,
                        const std::string& device) {
  Finding finding{library.finding, Severity::warning, device, library.cause, why, library.cure};
  const auto misfits = vendor_library_misfits(library.name, cuda_version);
  if (misfits.empty()) return finding;
  std::vector<std::string> paths;
  for (const auto& path : misfits) paths.push_back(path.string());
  finding.id = "library-version";
  finding.cause +=
      fmt::format("; what is there has another major version than the driver's CUDA {}", cuda_version / 1000);
  finding.evidence = fmt::format("{}", fmt::join(paths, ", "));
  return finding;
}

/// What an open device says of a library that it could not load.
Finding not_loaded(const OptionalLibrary& library, const std::string& why, const CudaDevice& device) {
  Finding finding = missing_library(library, why, device.cuda_version(), device.info().id);
  if (device.settings().use_compiler && device.settings().use_library) return finding;
  return {library.finding, Severity::note, finding.device, finding.cause, why, "unset OVERTAKE_VENDOR_LIBRARIES"};
}

}  // namespace

BackendDetails CudaBackend::details() {
  BackendDetails details;
  for (const auto& file : detail::placed_library_files("libcuda.so.1")) {
    details.libraries.push_back({"libcuda.so.1", file.path, file.reason});
  }
  const DriverStart& start = driver();
  if (start.trouble) {
    const HostFacts host = environment_.host_facts();
    details.findings.push_back(finding_of(*start.trouble, severity_of(*start.trouble, host), "cuda"));
    return details;
  }
  std::vector<OptionalLibrary> missing;
  for (const OptionalLibrary& library : {nvrtc(start.version), cublaslt(start.version)}) {
    auto files = vendor_library_files(library.name, start.version);
    if (files.empty() && config::vendor_libraries()) missing.push_back(library);
    for (LibraryFile& file : files) details.libraries.push_back(std::move(file));
  }
  for (const auto& file : detail::placed_library_files("libnvidia-ml.so.1")) {
    details.libraries.push_back({"libnvidia-ml.so.1", file.path, file.reason});
  }
  if (const HostFacts host = environment_.host_facts(); host.visible_devices && start.devices < host.nodes) {
    details.findings.push_back({"hidden-devices", Severity::note, "cuda",
                                fmt::format("{} of {} cards are shown to this process", start.devices, host.nodes),
                                fmt::format("CUDA_VISIBLE_DEVICES is \"{}\"", *host.visible_devices),
                                "unset CUDA_VISIBLE_DEVICES to use all of them"});
  }
  for (const Looked& looked : look()) {
    if (looked.trouble) {
      details.findings.push_back(finding_of(*looked.trouble, Severity::error, looked.info.id));
    }
    // Also of a device that cannot be opened; one that can has said so itself.
    for (const OptionalLibrary& library : missing) {
      details.findings.push_back(
          missing_library(library, fmt::format("there is no {}.so.N", library.name), start.version, looked.info.id));
    }
  }
  return details;
}

DeviceDetails CudaDevice::details() {
  DeviceDetails details;
  details.driver_limit = driver_text(cuda_version_);
  details.compiler = compiler_ ? compiler_->version() : "none: kernels compiled ahead";
  if (!compiler_) details.findings.push_back(not_loaded(nvrtc(cuda_version_), compiler_trouble_, *this));
  const Blas* blas = library();
  details.runtime = blas != nullptr ? blas->version() : "none: products by Overtake's own kernels";
  if (blas == nullptr) details.findings.push_back(not_loaded(cublaslt(cuda_version_), library_trouble_, *this));
  std::size_t free_bytes = 0, all_bytes = 0;
  if (context_.try_use() && api_.cuMemGetInfo(&free_bytes, &all_bytes) == CUDA_SUCCESS) details.free_bytes = free_bytes;
  std::array<char, 64> address{};
  if (api_.cuDeviceGetPCIBusId != nullptr &&
      api_.cuDeviceGetPCIBusId(address.data(), static_cast<int>(address.size()) - 1, device_) == CUDA_SUCCESS) {
    details.holders = memory_holders(address.data());
  }
  details.peaks = theoretical_rates(attribute(api_, device_, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR),
                                    attribute(api_, device_, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR), info_);
  return details;
}

RateProbe CudaDevice::probe(std::string_view format) {
  context_.use();
  return tensor_product(*this, format);
}

}  // namespace overtake::backend::cuda
