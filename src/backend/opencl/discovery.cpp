// SPDX-License-Identifier: MIT
#include "backend/opencl/discovery.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <thread>

#include "backend/common/lower/kernel_text.hpp"
#include "backend/common/trial/driver_text.hpp"
#include "backend/opencl/driver_trial.hpp"
#include "core/config.hpp"
#include "core/library_files.hpp"
#include "core/threads.hpp"
#include "platform/file.hpp"
#include "platform/host_limits.hpp"
#include "platform/kept_state.hpp"
#include "platform/memory_limit.hpp"

namespace overtake::backend::opencl {
namespace {

namespace fs = std::filesystem;

constexpr cl_int no_platform_error = -1001;  // CL_PLATFORM_NOT_FOUND_KHR, of cl_khr_icd
// What drivers may say and be believed.
constexpr cl_uint most_listed = 1024;
constexpr std::size_t most_text = 65536;
constexpr std::uint64_t most_memory = std::uint64_t{1} << 50U;
constexpr std::uint64_t most_units = 1'000'000;
constexpr std::uint64_t most_mhz = 100'000;
constexpr cl_uint nvidia_vendor = 0x10DE;
constexpr cl_device_info nvidia_capability_major = 0x4000;
constexpr cl_device_info nvidia_capability_minor = 0x4001;

const char* install_hint() {
  return "Install an OpenCL driver: the GPU vendor's, or PoCL for the CPU (Debian/Ubuntu: apt install "
         "pocl-opencl-icd).";
}

std::string platform_text(cl_platform_id platform, cl_platform_info what) {
  std::size_t bytes = 0;
  if (api().clGetPlatformInfo(platform, what, 0, nullptr, &bytes) != CL_SUCCESS || bytes == 0) return {};
  if (bytes > most_text) return {};
  std::string text(bytes, '\0');
  (void)api().clGetPlatformInfo(platform, what, bytes, text.data(), nullptr);
  return printable(text.substr(0, text.find('\0')));
}

/// Float32 lanes of one multiprocessor, from NVIDIA's programming guide (arithmetic instructions); 0 if unknown.
int nvidia_lanes(cl_uint major, cl_uint minor) {
  if (major == 7 || (major == 8 && minor == 0)) return 64;
  return major == 8 || major == 9 || major == 10 || major == 12 ? 128 : 0;
}

double theoretical_gflops(cl_device_id device, const DeviceInfo& info) {
  if (device_value<cl_uint>(device, CL_DEVICE_VENDOR_ID) != nvidia_vendor) return 0;
  const auto major = device_value<cl_uint>(device, nvidia_capability_major);
  const auto minor = device_value<cl_uint>(device, nvidia_capability_minor);
  return 2.0 * nvidia_lanes(major, minor) * info.compute_units * info.clock_mhz / 1000.0;
}

/// True when `version` ("OpenCL 3.0 PoCL") is at least 1.2.
bool is_recent(const std::string& version) {
  const std::size_t at = version.find(' ');
  if (at == std::string::npos || at + 3 >= version.size()) return false;
  const char major = version[at + 1];
  const char minor = version[at + 3];
  return major > '1' || (major == '1' && minor >= '2');
}

void judge(cl_device_id device, DeviceInfo& info) {
  const auto refuse = [&info](std::string reason, std::string hint) {
    info.usable = false;
    info.reason = std::move(reason);
    info.hint = std::move(hint);
  };
  const std::string version = device_text(device, CL_DEVICE_VERSION);
  if (device_value<cl_bool>(device, CL_DEVICE_AVAILABLE) != CL_TRUE) {
    refuse("the driver says that the device is not available", "Check that no other process has reserved it.");
  } else if (device_value<cl_bool>(device, CL_DEVICE_COMPILER_AVAILABLE) != CL_TRUE) {
    refuse("its driver has no compiler", "Install the full OpenCL driver of the vendor.");
  } else if (!is_recent(version)) {
    refuse(fmt::format("{} is older than OpenCL 1.2", version), "Update the driver.");
  } else if (device_value<std::size_t>(device, CL_DEVICE_MAX_WORK_GROUP_SIZE) < std::size_t{group_size}) {
    refuse(fmt::format("its groups hold fewer than {} work-items", group_size), "Use another device.");
  }
}

FoundDevice describe(cl_platform_id platform, cl_device_id device, std::size_t position) {
  FoundDevice found{
      platform, device, platform_text(platform, CL_PLATFORM_NAME), platform_text(platform, CL_PLATFORM_VERSION), {}};
  DeviceInfo& info = found.info;
  info.id = fmt::format("opencl:{}", position);
  info.backend = "opencl";
  constexpr cl_device_type of_its_own = CL_DEVICE_TYPE_GPU | CL_DEVICE_TYPE_ACCELERATOR;
  const bool is_gpu = (device_value<cl_device_type>(device, CL_DEVICE_TYPE) & of_its_own) != 0;
  info.kind = is_gpu ? DeviceKind::gpu : DeviceKind::opencl_on_cpu;
  info.name = printable(device_text(device, CL_DEVICE_NAME));
  info.driver = fmt::format("{}, driver {}", found.platform_version, printable(device_text(device, CL_DRIVER_VERSION)));
  info.memory_bytes = plausible(device_value<cl_ulong>(device, CL_DEVICE_GLOBAL_MEM_SIZE), most_memory);
  info.compute_units =
      static_cast<int>(plausible(device_value<cl_uint>(device, CL_DEVICE_MAX_COMPUTE_UNITS), most_units));
  info.clock_mhz =
      static_cast<double>(plausible(device_value<cl_uint>(device, CL_DEVICE_MAX_CLOCK_FREQUENCY), most_mhz));
  info.clock_origin = "driver";
  info.peak_gflops = theoretical_gflops(device, info);
  info.double_precision = device_text(device, CL_DEVICE_EXTENSIONS).find("cl_khr_fp64") != std::string::npos;
  judge(device, info);
  return found;
}

}  // namespace

std::string device_text(cl_device_id device, cl_device_info what) {
  std::size_t bytes = 0;
  if (api().clGetDeviceInfo(device, what, 0, nullptr, &bytes) != CL_SUCCESS || bytes == 0 || bytes > most_text)
    return {};
  std::string text(bytes, '\0');
  (void)api().clGetDeviceInfo(device, what, bytes, text.data(), nullptr);
  return text.substr(0, text.find('\0'));
}

struct Refusal {
  std::string what;    ///< empty: nothing
  std::string limits;  ///< as a shell calls them
};

/// What the system refuses of that without which drivers do not give an error but end the process: those that compute
/// on the CPU start their threads when they are asked what there is, and bring a compiler (PoCL: LLVM).
Refusal missing_resources() {
  constexpr std::size_t driver_bytes = std::size_t{1} << 30;
  constexpr int driver_files = 16;  // libraries under libraries, the cache, and pipes of the program that tries them
  const unsigned threads = std::thread::hardware_concurrency() + compiler_processes;
  const std::string tight = platform::tight_limits();  // threads need stacks, too
  if (!threads_start(threads)) {
    return {fmt::format("the system refuses the {} threads and processes that drivers start", threads),
            tight.empty() ? "ulimit -u" : "ulimit -u, " + tight};
  }
  if (!platform::has_address_space(driver_bytes)) {
    const char* limit = platform::memory_limit().name;
    const std::string name = limit == nullptr ? "ulimit -v" : limit;
    return {fmt::format("the limit of memory ({}) leaves less than 1 GiB for drivers", name), name};
  }
  if (!platform::can_open_files(driver_files))
    return {fmt::format("the limit of open files leaves fewer than {} for drivers", driver_files), "ulimit -n"};
  return {};
}

namespace {

/// NAME of each NAME="VALUE".
std::vector<std::string> names_of(std::vector<std::string> settings) {
  for (std::string& setting : settings) setting.erase(std::min(setting.find('='), setting.size()));
  return settings;
}

/// What is known of drivers that are named and give no platform.
void explain_no_platform(Discovery& result) {
  std::vector<std::string> names;
  for (const InstalledDriver& driver : installed_drivers())
    names.push_back(fmt::format("{} names \"{}\"", driver.named_by(), printable(driver.library)));
  result.reason = "no OpenCL driver (platform) is installed";
  result.hint = install_hint();
  result.finding = "no-opencl-icd";
  result.evidence = "no .icd file in /etc/OpenCL/vendors, or where OCL_ICD_VENDORS and OCL_ICD_FILENAMES point";
  if (names.empty()) return;
  result.finding = "icd-fails";
  result.evidence = fmt::format("{}", fmt::join(names, ", "));
  result.reason = fmt::format("no OpenCL driver could be loaded: {}", fmt::join(names, ", "));
  result.hint = "ldd shows what such a library lacks; a driver for other cards than this machine's gives none, either.";
}

/// Why no file can be made in a folder, or the folder itself; no error where one can.
std::error_code writing_fails(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return error;
  std::string name = (folder / "overtake-XXXXXX").string();
  const platform::File file = platform::create_private(name, error);
  if (error) return error;
  fs::remove(name, error);
  return {};
}

}  // namespace

std::string unwritable_pocl_cache() {
  const fs::path folder = config::pocl_cache_directory();
  const std::error_code error = writing_fails(folder);
  return error ? fmt::format("{}: {}", folder.string(), error.message()) : "";
}

namespace {

/// There are drivers, and no device of theirs.
void explain_no_device(bool has_pocl, Discovery& result) {
  result.reason = "the installed OpenCL drivers find no device";
  result.finding = "no-device";
  result.evidence = has_pocl ? unwritable_pocl_cache() : "";
  if (!result.evidence.empty()) {
    result.reason = "PoCL gives no device, and its folder for compiled kernels cannot be written";
    result.finding = "driver-cache-unwritable";
    result.hint = pocl_cache_hint;
    return;
  }
  const std::vector<std::string> choices = config::opencl_device_choices();
  if (choices.empty()) return;
  result.reason += ", and variables decide which they show";
  result.finding = "hidden-devices";
  result.evidence = fmt::format("{}", fmt::join(choices, ", "));
  result.hint = fmt::format("unset {}; or let it name a device that is there", fmt::join(names_of(choices), " "));
}

/// The devices of all platforms. True if PoCL is one of these.
bool list_platforms(cl_uint count, Discovery& result) {
  bool has_pocl = false;
  std::vector<cl_platform_id> platforms(count);
  (void)api().clGetPlatformIDs(count, platforms.data(), nullptr);
  for (cl_platform_id platform : platforms) {
    if (platform_text(platform, CL_PLATFORM_NAME) == pocl_name) has_pocl = true;
    cl_uint device_count = 0;
    if (api().clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, nullptr, &device_count) != CL_SUCCESS) continue;
    if (device_count > most_listed) {
      result.reason =
          fmt::format("the driver of {} speaks of {} devices", platform_text(platform, CL_PLATFORM_NAME), device_count);
      continue;
    }
    std::vector<cl_device_id> devices(device_count);
    (void)api().clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, device_count, devices.data(), nullptr);
    for (cl_device_id device : devices) result.devices.push_back(describe(platform, device, result.devices.size()));
  }
  return has_pocl;
}

/// Why the loader must not be asked: it opens what is named to it, and waits where that is a pipe.
bool is_trapped(Discovery& result) {
  const auto tell = [&result](const fs::path& trap, const std::string& by, std::string hint) {
    result.reason =
        fmt::format("{} is a named pipe or a device, and no library; the loader would wait there", trap.string());
    result.evidence = fmt::format("{} names \"{}\"", by, trap.string());
    result.hint = std::move(hint);
    result.finding = "icd-missing-file";
    return true;
  };
  for (const InstalledDriver& driver : installed_drivers()) {
    for (const std::string& name : {driver.file.string(), driver.library}) {
      if (const fs::path trap = detail::trap_for(name); !trap.empty())
        return tell(trap, driver.named_by(), driver.cure());
    }
  }
  const std::string layers = config::opencl_layers();
  const fs::path trap = detail::trap_for(layers);
  return !trap.empty() && tell(trap, "OPENCL_LAYERS", "unset OPENCL_LAYERS");
}

}  // namespace

Discovery discover() {
  const platform::KeptState kept;  // the loader and all drivers are loaded here
  Discovery result;
  if (!api().missing.empty()) {
    result.reason = "the OpenCL loader cannot be opened: " + api().missing;
    result.finding = "no-opencl-loader";
    result.evidence = api().missing;
    const bool is_absent = api().missing.find("No such file") != std::string::npos;
    result.hint = is_absent
                      ? "Install the loader and a driver (Debian/Ubuntu: apt install ocl-icd-libopencl1 "
                        "pocl-opencl-icd)."
                      : "A file of that name is there and cannot be loaded: install it anew, or take its folder out "
                        "of LD_LIBRARY_PATH and OVERTAKE_LIBRARY_PATH.";
    return result;
  }
  if (const Refusal refusal = missing_resources(); !refusal.what.empty()) {
    result.reason = result.evidence = refusal.what;
    result.finding = "tight-limits";
    result.hint = hint_of_limits(refusal.limits);
    return result;
  }
  if (is_trapped(result)) return result;
  if (TrialResult trial = try_driver(start_trial()); !trial.trouble.empty()) {
    result.reason = std::move(trial.trouble);
    result.hint = std::move(trial.hint);
    result.finding = std::move(trial.finding);
    result.evidence = result.reason;
    return result;
  }
  cl_uint platform_count = 0;
  const cl_int error = api().clGetPlatformIDs(0, nullptr, &platform_count);
  if (platform_count == 0 && (error == CL_SUCCESS || error == no_platform_error)) {
    explain_no_platform(result);
    return result;
  }
  if (error != CL_SUCCESS || platform_count > most_listed) {
    result.reason = error != CL_SUCCESS ? "clGetPlatformIDs failed: " + error_name(error)
                                        : fmt::format("the loader speaks of {} platforms", platform_count);
    result.hint = install_hint();
    result.finding = "driver-fails";
    return result;
  }
  const bool has_pocl = list_platforms(platform_count, result);
  if (result.devices.empty() && result.reason.empty()) explain_no_device(has_pocl, result);
  if (result.devices.empty() && result.hint.empty()) result.hint = install_hint();
  return result;
}

}  // namespace overtake::backend::opencl
