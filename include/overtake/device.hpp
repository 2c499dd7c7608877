// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace overtake {

namespace backend {
class Device;
}

/// What computes, whichever backend reaches it.
enum class DeviceKind {
  none,           ///< nothing: the null device, or a backend that found no device
  cpu,            ///< the processor that runs this program, by the "cpu" backend
  gpu,            ///< a processor of its own: a GPU, or what OpenCL calls an accelerator
  opencl_on_cpu,  ///< an OpenCL driver whose kernels run on the CPU (PoCL, say)
};

/// True where arrays on the device lie in the computer's memory, and in this process.
[[nodiscard]] constexpr bool is_in_host_memory(DeviceKind kind) noexcept {
  return kind == DeviceKind::cpu || kind == DeviceKind::opencl_on_cpu;
}

/// What one processor is, as `overtake devices` shows it. Unknown figures are 0.
struct DeviceInfo {
  std::string id;       ///< "cpu", "cuda:0", "opencl:1", "null"
  std::string backend;  ///< "cpu", "cuda", "opencl", "null"
  DeviceKind kind = DeviceKind::none;
  std::string name;    ///< "NVIDIA H200", "AMD EPYC"
  std::string driver;  ///< driver or library versions, for reports
  std::uint64_t memory_bytes = 0;
  int compute_units = 0;         ///< cores, multiprocessors, OpenCL compute units
  double clock_mhz = 0;          ///< highest clock known; the one peak_gflops is counted with
  double peak_gflops = 0;        ///< theoretical float32 rate, a fused multiply-add counted as 2
  double peak_gbs = 0;           ///< theoretical memory bandwidth, 1e9 bytes a second
  std::string clock_origin;      ///< who says so: "driver", "cpufreq", "cpuinfo" or "measured" (a chain of additions)
  bool double_precision = true;  ///< false: forests there compute their double precision from whole numbers, slower
  bool usable = true;            ///< false: `reason` and `hint` say why and what to do
  std::string reason;            ///< of a usable device: why it is slower than it could be, if so
  std::string hint;
};

/// Bytes that crossed between host and device since the device was opened.
struct TransferCount {
  std::uint64_t uploads = 0, upload_bytes = 0;
  std::uint64_t downloads = 0, download_bytes = 0;
};

/// A handle to a processor. Copies are cheap and name the same processor. Opening happens on first use and is
/// kept for the life of the process.
class Device {
 public:
  /// The CPU.
  Device();
  /// Opens "cpu", "cuda", "cuda:1", "opencl", "opencl:0" or "null" ("cuda" is "cuda:0").
  /// Throws UsageError for a name that is none of these and DeviceError, naming cause and cure, when the processor
  /// cannot be used. Never falls back to another processor.
  Device(std::string_view name);  // NOLINT(google-explicit-constructor): device names read as devices
  Device(const char* name) : Device(std::string_view(name)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] const std::string& id() const;
  [[nodiscard]] const DeviceInfo& info() const;
  /// Waits until everything asked of this device is done.
  void synchronize() const;
  [[nodiscard]] TransferCount transfers() const;
  /// Most bytes the caching allocator may hold; 0 means no limit. Allocations beyond it throw DeviceError.
  void set_memory_limit(std::uint64_t bytes) const;
  /// Bytes now held from the device by the caching allocator, and the most it ever held.
  [[nodiscard]] std::uint64_t memory_held() const;
  [[nodiscard]] std::uint64_t memory_peak() const;

  friend bool operator==(const Device& a, const Device& b) noexcept { return a.impl_ == b.impl_; }

  /// For Overtake's own modules.
  [[nodiscard]] backend::Device& impl() const noexcept { return *impl_; }

 private:
  backend::Device* impl_;
};

/// Every processor this build knows of, usable or not (with the reason), the CPU first. Opens none of them fully.
[[nodiscard]] std::vector<DeviceInfo> list_devices();

/// True when Device(name) would succeed.
[[nodiscard]] bool is_available(std::string_view name);

}  // namespace overtake
