// SPDX-License-Identifier: MIT
#include "backend/cuda/driver/errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <optional>
#include <system_error>

#include "backend/cuda/driver/vendor_libraries.hpp"
#include "core/config.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::cuda {
namespace {

namespace fs = std::filesystem;

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

std::string word_in(const fs::path& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

/// Sound and bridges of the same maker do not count.
bool nvidia_on_bus(const fs::path& root) {
  std::error_code error;
  for (fs::directory_iterator entry(root / "sys/bus/pci/devices", error), end; !error && entry != end;
       entry.increment(error)) {
    if (word_in(entry->path() / "vendor") == "0x10de" && word_in(entry->path() / "class").starts_with("0x03")) {
      return true;
    }
  }
  return false;
}

int count_device_nodes(const fs::path& root) {
  int count = 0;
  for (int number = 0; number < 16; ++number) count += is_there(root / fmt::format("dev/nvidia{}", number)) ? 1 : 0;
  return count;
}

constexpr const char* container_cure =
    "start the container with the GPU (docker run --gpus all ..., podman run --device nvidia.com/gpu=all ...); the "
    "host "
    "needs nvidia-container-toolkit";

/// What is wrong with a library that is there; nothing where the loader found none.
std::optional<Trouble> explain_unloadable_driver(const std::string& base, std::string_view loader_message) {
  const auto says = [loader_message](std::initializer_list<std::string_view> signs) {
    return std::any_of(signs.begin(), signs.end(),
                       [&](std::string_view sign) { return loader_message.find(sign) != std::string_view::npos; });
  };
  const std::string seen(loader_message);
  if (says({"Too many open files", "Error 24", "Cannot allocate memory", "failed to map segment"})) {
    return Trouble{base + "; a limit of this process keeps the loader from it",
                   "raise the limits of open files and of memory (ulimit -n, ulimit -v)", "tight-limits", seen};
  }
  if (says({"Permission denied"})) {
    return Trouble{base + "; this user may not read it", "give this user the right to read the file that is named",
                   "driver-unloadable", seen};
  }
  if (says({"file too short", "invalid ELF header", "ELF load command", "cannot read file data", "undefined symbol",
            "ELF file", "cannot dynamically load"})) {
    return Trouble{base + "; the file that is named is damaged, or no library",
                   "install the NVIDIA driver anew, or take the folder of that file out of LD_LIBRARY_PATH and "
                   "OVERTAKE_LIBRARY_PATH",
                   "driver-unloadable", seen};
  }
  constexpr std::string_view missing = ": cannot open shared object file";
  const std::string_view before = loader_message.substr(0, loader_message.find(missing));
  const std::size_t space = before.rfind(' ');
  const bool is_other = before.substr(space + 1).find("libcuda") == std::string_view::npos;  // npos + 1 is the front
  if (before.size() < loader_message.size() && is_other) {
    return Trouble{base + "; the file is there, and a library that it needs is not",
                   "install the NVIDIA driver anew: all its libraries must have one version", "driver-unloadable",
                   seen};
  }
  return std::nullopt;
}

}  // namespace

HostFacts read_host_facts(const fs::path& root) {
  HostFacts facts;
  facts.card_on_bus = nvidia_on_bus(root);
  facts.kernel_driver = is_there(root / "proc/driver/nvidia/version");
  facts.control_node = is_there(root / "dev/nvidiactl");
  facts.nodes = count_device_nodes(root);
  facts.device_node = facts.nodes > 0;
  facts.uvm_node = is_there(root / "dev/nvidia-uvm");
  facts.container =
      is_there(root / ".dockerenv") || is_there(root / "run/.containerenv") || is_there(root / ".singularity.d");
  facts.visible_devices = config::visible_cuda_devices();
  return facts;
}

Trouble explain_missing_driver(const HostFacts& host, std::string_view loader_message) {
  const std::string base =
      fmt::format("the NVIDIA driver's library libcuda.so.1 could not be opened ({})", loader_message);
  if (auto unloadable = explain_unloadable_driver(base, loader_message)) return *unloadable;
  if (host.container && (host.kernel_driver || host.card_on_bus)) {
    return {base + "; the host has an NVIDIA card but this container was started without it", container_cure,
            "container-without-gpu", std::string(loader_message)};
  }
  if (host.kernel_driver || host.control_node) {
    return {
        base + "; the kernel driver is loaded but its user library is missing",
        "install the driver's CUDA library (Debian/Ubuntu: libcuda1, or libnvidia-compute of the driver's version), "
        "or put its folder on the loader's path",
        "no-driver", std::string(loader_message)};
  }
  if (host.card_on_bus) {
    return {base + "; an NVIDIA card is present but no driver is installed",
            "install the NVIDIA driver, version 525 or newer (Debian: nvidia-driver; Ubuntu: ubuntu-drivers install)",
            "no-driver", std::string(loader_message)};
  }
  return {base + "; no NVIDIA card was found on this machine",
          host.container
              ? std::string("if the host has an NVIDIA card, ") + container_cure
              : std::string("use another device (overtake devices lists them), or install an NVIDIA card and "
                            "driver 525 or newer"),
          "no-driver", std::string(loader_message)};
}

Trouble explain_old_driver(std::string_view missing_function) {
  return {fmt::format("the NVIDIA driver is too old: it lacks {}", missing_function),
          "update the driver to version 525 (CUDA 12.0) or newer", "driver-too-old",
          fmt::format("libcuda.so.1 has no function {}", missing_function)};
}

Trouble explain_old_version(int version) {
  const std::string text = fmt::format("CUDA {}.{}", version / 1000, version % 1000 / 10);
  return {fmt::format("the NVIDIA driver is too old: it supports {}", text),
          "update the driver to version 525 (CUDA 12.0) or newer", "driver-too-old",
          fmt::format("cuDriverGetVersion gives {} ({})", version, text)};
}

Trouble explain_no_device(const HostFacts& host) {
  if (host.visible_devices) {
    return {"the CUDA driver shows no device, and CUDA_VISIBLE_DEVICES decides which it shows",
            "unset CUDA_VISIBLE_DEVICES, or name an existing device (nvidia-smi -L lists them)", "hidden-devices",
            fmt::format("CUDA_VISIBLE_DEVICES is \"{}\"", *host.visible_devices)};
  }
  if (host.container && !host.device_node) {
    return {
        "the driver's library is here but no /dev/nvidia* device node is: this container was started without the GPU",
        container_cure, "container-without-gpu", "/dev/nvidia0 to /dev/nvidia15 are missing"};
  }
  if (!host.device_node) {
    return {"the driver's library is here but the device nodes /dev/nvidia0 and /dev/nvidiactl are missing",
            "load the kernel driver and create the nodes: sudo nvidia-modprobe -u -c=0, or run nvidia-smi once as root",
            "missing-device-node", "/dev/nvidia0 to /dev/nvidia15 are missing"};
  }
  return {"the CUDA driver works but shows no device",
          "check nvidia-smi, and that CUDA_VISIBLE_DEVICES is unset or names an existing device", "no-device",
          "cuDeviceGetCount gives 0"};
}

Trouble explain_init_failure(CUresult code, std::string_view name, const HostFacts& host) {
  if (code == CUDA_ERROR_NO_DEVICE) {
    Trouble trouble = explain_no_device(host);
    trouble.reason = fmt::format("{} ({}, error {})", trouble.reason, name, static_cast<int>(code));
    return trouble;
  }
  const std::string base = fmt::format("the CUDA driver does not start: {} (error {})", name, static_cast<int>(code));
  const std::string seen = fmt::format("{} (error {})", name, static_cast<int>(code));
  switch (static_cast<int>(code)) {
    case CUDA_ERROR_OUT_OF_MEMORY:
      return {base + "; there is not enough memory to start it", "free host or device memory (nvidia-smi lists users)",
              "no-device-memory", seen};
    case CUDA_ERROR_STUB_LIBRARY:
      return {base + "; the libcuda.so.1 that was found is the toolkit's stub, not the driver",
              "remove .../cuda/lib64/stubs from LD_LIBRARY_PATH", "stub-driver", seen};
    case 35:  // The runtime's "insufficient driver"; some interposed libraries pass it through.
    case 36:  // CUDA_ERROR_CALL_REQUIRES_NEWER_DRIVER, newer than the oldest headers supported.
      return {base + "; the installed driver is too old",
              "update the NVIDIA driver to version 525 (CUDA 12.0) or newer", "driver-too-old", seen};
    case CUDA_ERROR_DEVICE_UNAVAILABLE:
      return {base + "; the card is taken by another process in exclusive mode",
              "wait for that process, or set the default compute mode (nvidia-smi -c 0)", "device-busy", seen};
    case CUDA_ERROR_SYSTEM_NOT_READY:
      return {base + "; the system's NVLink fabric is not ready", "start nvidia-fabricmanager of the driver's version",
              "fabric-not-ready", seen};
    case CUDA_ERROR_SYSTEM_DRIVER_MISMATCH:
      return {base + "; kernel driver and libcuda.so.1 have different versions",
              "reboot after the driver update, or reload the nvidia kernel modules; in a container, use the host's "
              "libraries (remove cuda-compat)",
              "driver-mismatch", seen};
    case CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE:
      return {base + "; CUDA's forward-compatibility package does not support this card",
              "remove the cuda-compat package or folder from LD_LIBRARY_PATH, or update the host's driver",
              "cuda-compat", seen};
    case CUDA_ERROR_OPERATING_SYSTEM:
      return {base + "; the operating system refused a call of the driver",
              "check the permissions of /dev/nvidia* (groups video, render) and the container's limits",
              "device-permissions", seen};
    case CUDA_ERROR_UNKNOWN:
      if (!host.uvm_node) {
        return {base + "; /dev/nvidia-uvm is missing: the nvidia_uvm kernel module is not loaded",
                "sudo modprobe nvidia_uvm && sudo nvidia-modprobe -u -c=0", "missing-device-node", seen};
      }
      return {base + "; usual after suspend or a failed module load",
              "reload the module (sudo rmmod nvidia_uvm; sudo modprobe nvidia_uvm) or reboot", "driver-fails", seen};
    default:
      return {base, "run nvidia-smi: if it fails too, the driver is at fault; reinstall it or reboot", "driver-fails",
              seen};
  }
}

Trouble explain_old_card(int major, int minor) {
  return {fmt::format("compute capability {}.{} is older than 7.5, the oldest Overtake has kernels for", major, minor),
          "use the opencl backend for this card, or a card of the Turing generation (2018) or newer", "device-old",
          fmt::format("compute capability {}.{}", major, minor)};
}

Trouble explain_no_kernels(std::string_view search, int driver_cuda_version) {
  return {fmt::format("NVRTC was not found ({}), and this build has no kernels compiled ahead of time for CUDA {}",
                      search, driver_cuda_version / 1000),
          cure_for_missing_nvrtc(driver_cuda_version), "nvrtc-missing", std::string(search)};
}

std::string hint_for(CUresult code) {
  switch (code) {
    case CUDA_ERROR_OUT_OF_MEMORY:
      return "use a smaller batch or model, or close other programs on the GPU (nvidia-smi lists them)";
    case CUDA_ERROR_ILLEGAL_ADDRESS:
    case CUDA_ERROR_MISALIGNED_ADDRESS:
    case CUDA_ERROR_ILLEGAL_INSTRUCTION:
    case CUDA_ERROR_LAUNCH_FAILED:
      return "an earlier kernel read or wrote outside its arrays; the process must restart to use this GPU again. If "
             "the "
             "kernel is not yours, please report it; compute-sanitizer shows which kernel it was";
    case CUDA_ERROR_LAUNCH_TIMEOUT:
      return "the GPU also drives a display and a kernel ran too long; use a smaller batch";
    case CUDA_ERROR_ECC_UNCORRECTABLE: return "the GPU's memory has a hardware fault; nvidia-smi -q -d ECC shows it";
    case CUDA_ERROR_NO_BINARY_FOR_GPU:
    case CUDA_ERROR_UNSUPPORTED_PTX_VERSION:
      return "the kernel compiler is newer than the driver; update the driver or remove the newer libnvrtc";
    case CUDA_ERROR_DEVICE_UNAVAILABLE:
      return "another process holds the GPU in exclusive mode; wait for it or set the default compute mode";
    default: return {};
  }
}

void check(const DriverApi& api, CUresult code, std::string_view what) {
  if (code == CUDA_SUCCESS) return;
  const char* name = nullptr;
  const char* text = nullptr;
  if (api.cuGetErrorName != nullptr) api.cuGetErrorName(code, &name);
  if (api.cuGetErrorString != nullptr) api.cuGetErrorString(code, &text);
  throw DeviceError(fmt::format("cuda: {} failed: {} ({}): {}", what, name != nullptr ? name : "unknown error",
                                static_cast<int>(code), text != nullptr ? text : "no description"),
                    hint_for(code));
}

}  // namespace overtake::backend::cuda
