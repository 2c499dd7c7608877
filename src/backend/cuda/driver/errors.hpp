// SPDX-License-Identifier: MIT
// What CUDA's return codes mean and what to do about them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "backend/cuda/driver/driver_api.hpp"

namespace overtake::backend::cuda {

/// Why a processor cannot be used, and the cure.
struct Trouble {
  std::string reason;
  std::string hint;
  std::string finding = {};   ///< its id in docs/doctor.md
  std::string evidence = {};  ///< what was seen of it
};

/// What the machine tells about an NVIDIA card without any CUDA library. Injectable, so that every text is tested.
struct HostFacts {
  bool card_on_bus = false;    ///< a PCI device of NVIDIA's vendor number 0x10de that displays or computes (class 0x03)
  bool kernel_driver = false;  ///< /proc/driver/nvidia/version exists
  bool control_node = false;   ///< /dev/nvidiactl exists
  bool device_node = false;    ///< /dev/nvidia0 (any number) exists
  bool uvm_node = false;       ///< /dev/nvidia-uvm exists
  bool container = false;      ///< /.dockerenv or /run/.containerenv exists, or a container's init is seen
  std::optional<std::string> visible_devices = {};  ///< the value of CUDA_VISIBLE_DEVICES, if it is set
  int nodes = 0;                                    ///< how many of /dev/nvidia0, /dev/nvidia1, ... exist

  /// A card, or a trace of its kernel driver, is there.
  [[nodiscard]] bool any_trace() const noexcept { return card_on_bus || kernel_driver || control_node || device_node; }
};
/// `root`: the folder that /dev, /proc and /sys are looked for in.
[[nodiscard]] HostFacts read_host_facts(const std::filesystem::path& root = "/");

/// libcuda.so.1 could not be opened; `loader_message` is the dynamic loader's own.
[[nodiscard]] Trouble explain_missing_driver(const HostFacts& host, std::string_view loader_message);
/// libcuda.so.1 lacks a function: the driver is older than 525 (CUDA 12.0).
[[nodiscard]] Trouble explain_old_driver(std::string_view missing_function);
/// It has all functions, and says that it supports CUDA 11 (11040 is 11.4) or older.
[[nodiscard]] Trouble explain_old_version(int version);
/// cuInit (or cuDeviceGetCount) failed. `name` is CUDA's own name of the code.
[[nodiscard]] Trouble explain_init_failure(CUresult code, std::string_view name, const HostFacts& host);
/// The driver works and reports no device.
[[nodiscard]] Trouble explain_no_device(const HostFacts& host);
/// The card is older than Overtake supports (7.5).
[[nodiscard]] Trouble explain_old_card(int major, int minor);
/// There is neither NVRTC nor code compiled ahead of time that this driver loads. `search` is what the search for NVRTC
/// met, `driver_cuda_version` what the driver supports (13000 is 13.0).
[[nodiscard]] Trouble explain_no_kernels(std::string_view search, int driver_cuda_version);

/// What to do about an error of a running device ("" when there is nothing to say).
[[nodiscard]] std::string hint_for(CUresult code);

/// Throws DeviceError("cuda: WHAT failed: CUDA_ERROR_... (number): text") unless `code` is success.
void check(const DriverApi& api, CUresult code, std::string_view what);

}  // namespace overtake::backend::cuda
