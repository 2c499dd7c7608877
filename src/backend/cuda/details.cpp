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

/// A library that makes it faster is not there, or only in versions that this driver cannot use.
Finding missing_library(const char* id, std::string_view name, std::string cause, const std::string& why,
                        const CudaDevice& device, std::string cure) {
  Finding finding{id, Severity::warning, device.info().id, std::move(cause), why, std::move(cure)};
  if (!device.settings().use_compiler || !device.settings().use_library) {
    finding.severity = Severity::note;
    finding.cure = "unset OVERTAKE_VENDOR_LIBRARIES";
    return finding;
  }
  const auto misfits = vendor_library_misfits(name, device.cuda_version());
  if (misfits.empty()) return finding;
  std::vector<std::string> paths;
  for (const auto& path : misfits) paths.push_back(path.string());
  finding.id = "library-version";
  finding.cause +=
      fmt::format("; what is there has another major version than the driver's CUDA {}", device.cuda_version() / 1000);
  finding.evidence = fmt::format("{}", fmt::join(paths, ", "));
  return finding;
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
  for (const char* name : {"libnvrtc", "libcublasLt"}) {
    for (LibraryFile& file : vendor_library_files(name, start.version)) details.libraries.push_back(std::move(file));
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
  }
  return details;
}

DeviceDetails CudaDevice::details() {
  DeviceDetails details;
  details.driver_limit = driver_text(cuda_version_);
  details.compiler = compiler_ ? compiler_->version() : "none: kernels compiled ahead";
  if (!compiler_) {
    details.findings.push_back(missing_library(
        "nvrtc-missing", "libnvrtc", "NVRTC was not found: neural networks run on interpreted kernels, slower",
        compiler_trouble_, *this, cure_for_missing_nvrtc(cuda_version_)));
  }
  const Blas* blas = library();
  details.runtime = blas != nullptr ? blas->version() : "none: products by Overtake's own kernels";
  if (blas == nullptr) {
    details.findings.push_back(missing_library(
        "cublaslt-missing", "libcublasLt", "cuBLASLt was not found: large matrix products run on slower kernels",
        library_trouble_, *this,
        fmt::format("pip install {}, or install the CUDA toolkit; OVERTAKE_LIBRARY_PATH names an unusual folder",
                    cuda_version_ / 1000 >= 13 ? "nvidia-cublas" : "nvidia-cublas-cu12")));
  }
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
