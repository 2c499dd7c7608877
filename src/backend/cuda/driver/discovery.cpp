// SPDX-License-Identifier: MIT
#include "backend/cuda/driver/discovery.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <fstream>

#include "backend/common/trial/driver_text.hpp"

namespace overtake::backend::cuda {
namespace {

constexpr int most_devices = 1024;
constexpr int oldest_version = 12000;  // of CUDA, as the driver supports it
constexpr std::uint64_t most_memory = std::uint64_t{1} << 50U;

std::string error_name(const DriverApi& api, CUresult code) {
  const char* name = nullptr;
  if (api.cuGetErrorName(code, &name) != CUDA_SUCCESS || name == nullptr) return "unknown error";
  return printable(name);
}

DeviceInfo describe(const DriverStart& driver, int index, const std::string& text) {
  const DriverApi& api = driver.api;
  DeviceInfo info;
  info.id = fmt::format("cuda:{}", index);
  info.backend = "cuda";
  info.kind = DeviceKind::gpu;
  info.driver = text;
  CUdevice device = 0;
  if (const CUresult code = api.cuDeviceGet(&device, index); code != CUDA_SUCCESS) {
    info.usable = false;
    info.reason = fmt::format("device {} does not answer: {}", index, error_name(api, code));
    info.hint = "run nvidia-smi; if the card is missing there, reseat it or reboot";
    return info;
  }
  std::array<char, 256> name{};
  if (api.cuDeviceGetName(name.data(), static_cast<int>(name.size()) - 1, device) == CUDA_SUCCESS)
    info.name = printable(name.data());
  std::size_t bytes = 0;
  if (api.cuDeviceTotalMem(&bytes, device) == CUDA_SUCCESS) info.memory_bytes = plausible(bytes, most_memory);
  info.compute_units = attribute(api, device, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
  info.clock_mhz = attribute(api, device, CU_DEVICE_ATTRIBUTE_CLOCK_RATE) / 1e3;
  info.clock_origin = "driver";
  const int major = attribute(api, device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
  const int minor = attribute(api, device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
  info.peak_gflops = 2.0 * cores_per_multiprocessor(major, minor) * info.compute_units * info.clock_mhz / 1e3;
  // Memory clock in kHz, two transfers a clock, bus width in bits.
  const double memory_khz = attribute(api, device, CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE);
  const double bus_bits = attribute(api, device, CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH);
  info.peak_gbs = memory_khz * 1e3 * 2 * bus_bits / 8 / 1e9;
  if (major * 10 + minor < 75) {
    const Trouble trouble = explain_old_card(major, minor);
    info.usable = false;
    info.reason = trouble.reason;
    info.hint = trouble.hint;
  }
  return info;
}

}  // namespace

int attribute(const DriverApi& api, CUdevice device, CUdevice_attribute name) {
  int value = 0;
  return api.cuDeviceGetAttribute(&value, name, device) == CUDA_SUCCESS ? value : 0;
}

int cores_per_multiprocessor(int major, int minor) {
  // CUDA C++ Programming Guide, arithmetic throughput of native instructions: 32-bit add, multiply, multiply-add.
  if (major == 7) return 64;
  if (major == 8 && minor == 0) return 64;
  return 128;
}

DriverStart start_driver(const SymbolLookup& lookup, const HostFacts& host) {
  DriverStart start;
  DriverLookup found = find_driver_functions(lookup);
  if (!found.missing.empty()) {
    start.trouble = explain_old_driver(found.missing);
    return start;
  }
  start.api = found.api;
  CUresult code = start.api.cuInit(0);
  if (code == CUDA_SUCCESS) code = start.api.cuDriverGetVersion(&start.version);
  if (code == CUDA_SUCCESS) code = start.api.cuDeviceGetCount(&start.devices);
  if (code == CUDA_SUCCESS && start.version < oldest_version) {
    start.trouble = explain_old_version(start.version);
  } else if (code != CUDA_SUCCESS) {
    start.trouble = explain_init_failure(code, error_name(start.api, code), host);
  } else if (start.devices < 0 || start.devices > most_devices) {
    start.trouble =
        Trouble{fmt::format("the NVIDIA driver speaks of {} devices", start.devices), "Install the driver anew.",
                "driver-fails", fmt::format("cuDeviceGetCount gives {}", start.devices)};
  } else if (start.devices == 0) {
    start.trouble = explain_no_device(host);
  }
  return start;
}

std::vector<DeviceInfo> describe_devices(const DriverStart& driver, const std::string& text) {
  std::vector<DeviceInfo> all;
  all.reserve(static_cast<std::size_t>(driver.devices));
  for (int index = 0; index < driver.devices; ++index) all.push_back(describe(driver, index, text));
  return all;
}

DeviceInfo unusable_device(const Trouble& trouble) {
  DeviceInfo info;
  info.id = "cuda:0";
  info.backend = "cuda";
  info.kind = DeviceKind::gpu;
  info.usable = false;
  info.reason = trouble.reason;
  info.hint = trouble.hint;
  return info;
}

std::string driver_text(int cuda_version) {
  std::string cuda = fmt::format("CUDA {}.{}", cuda_version / 1000, cuda_version % 1000 / 10);
  std::ifstream file("/sys/module/nvidia/version");
  std::string version;
  if (file >> version) return fmt::format("driver {}, {}", version, cuda);
  return cuda;
}

}  // namespace overtake::backend::cuda
