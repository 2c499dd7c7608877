// SPDX-License-Identifier: MIT
// What the doctor asks of this backend.
#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

/// A library without which devices work, but slower.
struct OptionalLibrary {
  const char* name;
  const char* finding;
  std::string lack;  ///< what is slower without it
  std::string cure;
  Severity severity = Severity::warning;
  const char* files = "{0}.so.12 to {0}.so.{1}";  ///< that can be used: {0} its name, {1} the driver's CUDA version
};

OptionalLibrary nvrtc(int cuda_version) {
  return {"libnvrtc", "nvrtc-missing", "neural networks run on interpreted kernels, slower",
          cure_for_missing_nvrtc(cuda_version)};
}

OptionalLibrary cublaslt(int cuda_version) {
  return {"libcublasLt", "cublaslt-missing", "large matrix products run on slower kernels",
          fmt::format("pip install {}, or install the CUDA toolkit; OVERTAKE_LIBRARY_PATH names an unusual folder",
                      cuda_version / 1000 >= 13 ? "nvidia-cublas" : "nvidia-cublas-cu12")};
}

OptionalLibrary cudnn(int cuda_version) {
  return {"libcudnn",
          "cudnn-missing",
          "convolutions run on slower kernels",
          fmt::format("pip install nvidia-cudnn-cu{}; OVERTAKE_LIBRARY_PATH names an unusual folder",
                      cuda_version / 1000 >= 13 ? 13 : 12),
          Severity::note,
          "{0}.so.9"};
}

std::string joined(const std::vector<std::filesystem::path>& paths) {
  std::string text;
  for (const auto& path : paths) text += (text.empty() ? "" : ", ") + path.string();
  return text;
}

/// That no file of it is there, or only such as this driver cannot use.
std::optional<Finding> lack_of(const OptionalLibrary& library, int cuda_version) {
  Finding finding{library.finding, library.severity, "cuda", "", "", library.cure};
  if (!config::vendor_libraries()) {
    finding.severity = Severity::note;
    finding.cause = fmt::format("{} is not looked for: {}", library.name, library.lack);
    finding.evidence = "OVERTAKE_VENDOR_LIBRARIES is no";
    finding.cure = "unset OVERTAKE_VENDOR_LIBRARIES";
    return finding;
  }
  if (!vendor_library_files(library.name, cuda_version).empty()) return std::nullopt;
  const std::string misfits = joined(vendor_library_misfits(library.name, cuda_version));
  finding.cause = fmt::format("{} was not found: {}", library.name, library.lack);
  finding.evidence = fmt::format("no {} where the loader, toolkits and Python environments have them",
                                 fmt::format(fmt::runtime(library.files), library.name, cuda_version / 1000));
  if (misfits.empty()) return finding;
  finding.id = "library-version";
  finding.cause = fmt::format("{} is there in a version that a driver of CUDA {} cannot use: {}", library.name,
                              cuda_version / 1000, library.lack);
  finding.evidence = misfits;
  return finding;
}

/// That it is there and cannot be used, for which `why` has the loader's words.
Finding failure_of(const OptionalLibrary& library, const std::string& device, const std::string& why) {
  return {library.finding,
          library.severity,
          device,
          fmt::format("{} is there and cannot be used: {}", library.name, library.lack),
          why,
          library.cure};
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
  bool lacks_kernels = false;  // NVRTC is then not what makes devices faster but what makes them work
  for (const Looked& looked : look()) {
    if (!looked.trouble) continue;
    Finding finding = finding_of(*looked.trouble, Severity::error, looked.info.id);
    const auto lack = finding.id == "nvrtc-missing" ? lack_of(nvrtc(start.version), start.version) : std::nullopt;
    if (lack) {
      lacks_kernels = true;
      finding.id = lack->id;
      finding.evidence = lack->evidence;
    }
    details.findings.push_back(std::move(finding));
  }
  for (const OptionalLibrary& library : {nvrtc(start.version), cublaslt(start.version), cudnn(start.version)}) {
    for (LibraryFile& file : vendor_library_files(library.name, start.version)) {
      details.libraries.push_back(std::move(file));
    }
    const bool is_told = lacks_kernels && std::string_view(library.finding) == "nvrtc-missing";
    if (auto lack = lack_of(library, start.version); lack && !is_told) details.findings.push_back(std::move(*lack));
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
  return details;
}

DeviceDetails CudaDevice::details() {
  DeviceDetails details;
  details.driver_limit = driver_text(cuda_version_);
  details.compiler = compiler_ ? compiler_->version() : "none: kernels compiled ahead";
  if (!compiler_ && !lack_of(nvrtc(cuda_version_), cuda_version_)) {
    details.findings.push_back(failure_of(nvrtc(cuda_version_), info_.id, compiler_trouble_));
  }
  const Blas* blas = library();
  details.runtime = blas != nullptr ? blas->version() : "none: products by Overtake's own kernels";
  if (blas == nullptr && !lack_of(cublaslt(cuda_version_), cuda_version_)) {
    details.findings.push_back(failure_of(cublaslt(cuda_version_), info_.id, library_trouble()));
  }
  if (const Dnn* library_of_images = dnn()) {
    details.convolutions = library_of_images->version();
  } else if (!lack_of(cudnn(cuda_version_), cuda_version_)) {
    details.findings.push_back(failure_of(cudnn(cuda_version_), info_.id, dnn_trouble()));
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
