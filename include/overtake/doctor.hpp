// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "overtake/device.hpp"
#include "overtake/stop.hpp"

/// What this machine can do for Overtake, found out by real work, and why not where it cannot.
namespace overtake {

/// How much a finding matters.
enum class Severity {
  note,     ///< good to know
  warning,  ///< it works, but slower, or less of it, than it could
  error,    ///< a device cannot be used
};

/// Something that is not as it should be. docs/doctor.md lists the ids with the faults behind them.
struct Finding {
  std::string id;  ///< "driver-too-old": stable, for scripts
  Severity severity = Severity::note;
  std::string device;    ///< the device or backend that it is about ("cuda:0", "opencl"); empty: the machine
  std::string cause;     ///< one sentence
  std::string evidence;  ///< what was seen: the driver's own words, a path, a figure
  std::string cure;      ///< what to do; a command where there is one
};

/// A shared library that this process has loaded, and why that copy of it.
struct LoadedLibrary {
  std::string name;                 ///< "libcuda.so.1"
  std::string path;                 ///< as the process mapped it, without links
  std::string version;              ///< what it says of itself, else of its file name; may be empty
  std::string reason;               ///< "OVERTAKE_LIBRARY_PATH", "LD_LIBRARY_PATH", "the loader's cache", ...
  std::vector<std::string> others;  ///< further copies that were not taken
};

/// A family of kernels that ran on a device.
struct CheckOutcome {
  std::string name;  ///< "matrix products"
  double seconds = 0;
  std::string trouble;  ///< empty: it computed rightly
};

/// A rate in one number format: measured, and what the device could reach. 0: unknown, or not there.
struct PrecisionRate {
  std::string name;  ///< "fp32", "tf32", "bf16", "fp64"
  double measured_gflops = 0;
  double peak_gflops = 0;
};

/// What was measured on a device. 0: not measured.
struct DeviceRates {
  double launch_microseconds = 0;  ///< a kernel that does nothing, one after the other
  double upload_gbs = 0, download_gbs = 0;
  double copy_gbs = 0, peak_copy_gbs = 0;  ///< on the device, reading and writing both counted
  std::vector<PrecisionRate> precisions;
};

/// Who holds memory of a device.
struct MemoryHolder {
  std::int64_t process = 0;
  std::string name;
  std::uint64_t bytes = 0;
};

/// One device, after work was done on it.
struct DeviceCheckup {
  DeviceInfo info;
  bool works = false;
  std::string driver_limit;  ///< the newest interface that the driver has: "CUDA 13.0", "OpenCL 3.0"
  std::string runtime;   ///< libraries used at run time: "cuBLASLt 13.0.2", "oneDNN 3.1"; "none" where there is none
  std::string compiler;  ///< what compiles kernels: "NVRTC 13.0", "kernels compiled ahead", "the driver's"
  std::vector<CheckOutcome> checks;
  DeviceRates rates;
  std::uint64_t free_bytes = 0;
  std::vector<MemoryHolder> holders;
};

/// The computer under the devices.
struct HostCheckup {
  std::string processor, system;
  int hardware_threads = 0;  ///< of the computer
  int usable_cores = 0;      ///< by affinity and quota
  int threads = 0;           ///< that Overtake computes with
  std::string limits;        ///< what holds cores back: "cpu affinity: 2 of 16", "quota of 1.5 cores"
  std::string container;     ///< "docker", "kubernetes", "wsl2", ...; empty: none is seen
  std::uint64_t memory_bytes = 0, usable_memory_bytes = 0;  ///< 0: unknown
  std::string memory_limit;               ///< what leaves the least of it: "the control group", "ulimit -v"
  std::uint64_t locked_memory_limit = 0;  ///< bytes; 2^64-1: none
};

/// All that the doctor found.
struct Diagnosis {
  HostCheckup host;
  std::vector<DeviceCheckup> devices;
  std::vector<LoadedLibrary> libraries;
  std::string cache_folder;  ///< empty: nothing is kept
  std::int64_t cached_programs = 0;
  std::vector<Finding> findings;   ///< the gravest first
  std::vector<std::string> unmet;  ///< devices that were asked for and cannot be used
  bool interrupted = false;        ///< by DoctorOptions::stop: what is here is not all
  double seconds = 0;

  /// No device that was asked for fails; where none was, the CPU computes rightly and no driver that is there fails.
  [[nodiscard]] bool healthy() const noexcept;
};

/// Told how far the doctor is. Must not throw.
class DoctorObserver {
 public:
  virtual ~DoctorObserver() = default;
  /// "cuda:0: matrix products"
  virtual void on_step(const std::string& /*what*/) {}
};

struct DoctorOptions {
  std::vector<std::string> devices;  ///< "cuda", "opencl:1"; empty: all there are
  bool measure = true;               ///< rates, too
  const StopToken* stop = nullptr;
  DoctorObserver* observer = nullptr;
};

/// Works on every device, measures, and looks at the machine around. Throws UsageError for a name that is no device's.
/// A device that fails is a finding, not an error. Takes seconds, and longer where kernels must be compiled first.
[[nodiscard]] Diagnosis examine(const DoctorOptions& options = {});

/// The page for people; `width` as report::table_text().
[[nodiscard]] std::string to_text(const Diagnosis& diagnosis, int width = 0);
/// Schema overtake.doctor/1, in docs/doctor.md.
[[nodiscard]] std::string to_json(const Diagnosis& diagnosis);
/// One file, nothing loaded from elsewhere.
[[nodiscard]] std::string to_html(const Diagnosis& diagnosis);
/// Both, with the environment variables that matter, as one anonymous() text for a bug report.
[[nodiscard]] std::string to_bundle(const Diagnosis& diagnosis);
/// `text` for a bug report: without the user's and the computer's name, home folders, and serial numbers.
[[nodiscard]] std::string anonymous(std::string_view text);

/// What an error of this field means.
struct Explanation {
  std::string error;  ///< "CUDA_ERROR_NO_BINARY_FOR_GPU (209)"
  std::string meaning;
  std::vector<std::string> causes;    ///< the likeliest first
  std::string first_check;            ///< what to look at first; a command where there is one
  std::vector<std::string> findings;  ///< ids of findings that would show it
};

/// What is known of a text that somebody was shown: a message, "CUDA error 209", "CL_OUT_OF_RESOURCES",
/// "CUDNN_STATUS_NOT_INITIALIZED", "-1001". The likeliest first; empty: nothing is known of it.
[[nodiscard]] std::vector<Explanation> explain(std::string_view text);
/// Schema overtake.explain/1, in docs/doctor.md.
[[nodiscard]] std::string to_json(const std::vector<Explanation>& explanations);

}  // namespace overtake
