// SPDX-License-Identifier: MIT
#include "doctor/host.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <string>
#include <system_error>

#include "core/config.hpp"
#include "core/parallel.hpp"
#include "overtake/report.hpp"
#include "platform/computer.hpp"
#include "platform/host_limits.hpp"
#include "platform/surroundings.hpp"

namespace overtake::doctor {
namespace {

// Page-locked memory that a GPU's uploads and downloads go through (backend/cuda/run/staging.hpp), with room beside it.
constexpr std::uint64_t locked_memory_wanted = std::uint64_t{4} << 20U;

// PoCL alone compiles its kernels in about as much.
constexpr std::uint64_t little_memory = std::uint64_t{256} << 20U;

std::string limits_text(const platform::CoreLimits& limits) {
  std::string text;
  const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (limits.allowed < limits.all) add(fmt::format("cpu affinity: {} of {}", limits.allowed, limits.all));
  if (limits.quota > 0 && limits.quota < limits.allowed) {
    add(fmt::format("quota of the control group: {:.3g} cores", limits.quota));
  }
  return text;
}

std::string word_in(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

}  // namespace

HostCheckup examine_host(const std::filesystem::path& root) {
  HostCheckup host;
  host.processor = platform::processor_name();
  host.system = platform::operating_system();
  const platform::CoreLimits limits = platform::core_limits(root);
  host.hardware_threads = limits.all;
  host.usable_cores = platform::usable_cores(root);
  host.threads = thread_count();
  host.limits = limits_text(limits);
  host.container = platform::container_kind(root);
  if (host.container.empty()) host.container = config::container_by_environment();
  host.memory_bytes = platform::physical_memory();
  const platform::MemoryLeft left = platform::memory_left(root);
  host.usable_memory_bytes = left.bytes == platform::unlimited ? 0 : left.bytes;
  host.memory_limit = left.by;
  host.locked_memory_limit = platform::locked_memory_limit();
  return host;
}

std::vector<Finding> host_findings(const HostCheckup& host, bool has_gpu) {
  std::vector<Finding> findings;
  if (host.threads > host.usable_cores) {
    findings.push_back(
        {"fewer-cores", Severity::warning, "cpu",
         fmt::format("Overtake computes with {} threads on {}: they wait for each other", host.threads,
                     report::counted(host.usable_cores, "usable core")),
         host.limits.empty() ? fmt::format("hardware threads: {}", host.hardware_threads) : host.limits,
         fmt::format("unset OVERTAKE_THREADS; or --threads {} with train, search and predict", host.usable_cores)});
  } else if (host.usable_cores < host.hardware_threads) {
    findings.push_back({"fewer-cores", Severity::note, "cpu",
                        fmt::format("this process may use {} of the computer's {} hardware threads", host.usable_cores,
                                    host.hardware_threads),
                        host.limits,
                        "give it more: docker run --cpus, taskset, the job's --cpus-per-task, resources.limits.cpu"});
  }
  if (host.usable_memory_bytes > 0 && host.usable_memory_bytes < little_memory) {
    findings.push_back({"memory-low", Severity::warning, "",
                        "little memory is left to this process: devices that compute on the CPU, and training, may "
                        "fail for want of it",
                        fmt::format("{} are left{}", report::bytes(host.usable_memory_bytes),
                                    host.memory_limit.empty() ? "" : " by " + host.memory_limit),
                        more_memory});
  }
  if (host.locked_memory_limit < locked_memory_wanted) {
    findings.push_back({"locked-memory-low", has_gpu ? Severity::warning : Severity::note, "",
                        "little memory may be locked: page-locked copies to and from a GPU may be refused",
                        fmt::format("ulimit -l: {}", report::bytes(host.locked_memory_limit)),
                        "ulimit -l unlimited, memlock in /etc/security/limits.conf, docker run --ulimit memlock=-1"});
  }
  if (host.container == "wsl2" || host.container == "wsl1") {
    findings.push_back({"wsl", Severity::note, "",
                        "this is the Windows Subsystem for Linux: the GPU's driver is that of Windows",
                        "/proc/version names microsoft",
                        host.container == "wsl2" ? "install the NVIDIA driver in Windows only, never inside WSL"
                                                 : "wsl --set-version DISTRIBUTION 2: version 1 has no GPU"});
  }
  return findings;
}

std::vector<Finding> card_findings(const std::vector<DeviceCheckup>& devices, const std::filesystem::path& root) {
  for (const DeviceCheckup& checkup : devices) {
    if (checkup.info.kind == DeviceKind::gpu && checkup.info.usable) return {};
  }
  struct Maker {
    const char* number;
    const char* name;
    const char* cure;
  };
  constexpr std::array makers{
      Maker{"0x1002", "AMD",
            "install its OpenCL driver (Debian/Ubuntu: rocm-opencl-icd, or mesa-opencl-icd with "
            "RUSTICL_ENABLE=radeonsi)"},
      Maker{"0x8086", "Intel", "install its OpenCL driver (Debian/Ubuntu: intel-opencl-icd)"}};
  std::vector<Finding> findings;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(root / "sys/bus/pci/devices", error), end; !error && entry != end;
       entry.increment(error)) {
    if (!word_in(entry->path() / "class").starts_with("0x03")) continue;  // displays and 3D controllers
    const std::string vendor = word_in(entry->path() / "vendor");
    const auto maker =
        std::find_if(makers.begin(), makers.end(), [&](const Maker& one) { return vendor == one.number; });
    if (maker == makers.end()) continue;
    findings.push_back({"gpu-unused", Severity::note, "opencl",
                        fmt::format("there is a GPU of {}, and no driver shows it", maker->name),
                        fmt::format("{}: vendor {}", entry->path().string(), vendor), maker->cure});
  }
  return findings;
}

}  // namespace overtake::doctor
