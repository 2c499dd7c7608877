// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "backend/api/details.hpp"
#include "backend/api/registry.hpp"
#include "backend/common/trial/driver_text.hpp"
#include "backend/opencl/device.hpp"
#include "backend/opencl/driver_trial.hpp"
#include "core/library_files.hpp"
#include "overtake/error.hpp"
#include "platform/kept_state.hpp"

namespace overtake::backend::opencl {
namespace {

/// A driver that cannot be used matters more than one that is not there.
Severity severity_of(const std::string& finding) {
  const bool is_absent = finding == "no-opencl-icd" || finding == "no-opencl-loader" || finding == "no-device";
  if (finding == "driver-cache-unwritable") return Severity::warning;
  if (finding == "hidden-devices") return Severity::warning;  // by the user, or who started the container
  return is_absent ? Severity::note : Severity::error;
}

/// Drivers whose file is not there; the loader passes over them without a word. Grave where no other one works.
void add_missing_drivers(BackendDetails& details, bool any_device) {
  for (const InstalledDriver& driver : installed_drivers()) {
    if (!driver.library.empty() && !detail::library_files(driver.library).empty()) continue;
    details.findings.push_back({"icd-missing-file", any_device ? Severity::warning : Severity::error, "opencl",
                                "an OpenCL driver is registered whose library is not there",
                                fmt::format("{} names \"{}\"", driver.named_by(), printable(driver.library)),
                                driver.cure()});
  }
}

/// A trial that failed with the cause that the driver does not tell: where PoCL may not keep what it compiles, that
/// fails.
TrialResult explained(const FoundDevice& found, TrialResult trial) {
  if (trial.trouble.empty() || !trial.finding.empty() || found.platform_name != pocl_name) return trial;
  if (const std::string folder = unwritable_pocl_cache(); !folder.empty()) {
    trial = {fmt::format("PoCL cannot write its folder for compiled kernels, {}", folder), pocl_cache_hint,
             "driver-cache-unwritable"};
  }
  return trial;
}

std::optional<TrialResult> known_trial(const FoundDevice& found) {
  std::optional<TrialResult> trial = known_result(device_trial(found));
  return trial ? std::optional(explained(found, *std::move(trial))) : std::nullopt;
}

/// The device with what is known of it from trials. One that was not tried yet counts as usable.
DeviceInfo as_known(const FoundDevice& found) {
  DeviceInfo info = found.info;
  if (!info.usable) return info;
  if (auto trial = known_trial(found); trial && !trial->trouble.empty()) {
    info.usable = false;
    info.reason = std::move(trial->trouble);
    info.hint = std::move(trial->hint);
  }
  return info;
}

void add_device_findings(BackendDetails& details, const FoundDevice& found) {
  const DeviceInfo& info = found.info;
  if (!info.usable) {
    details.findings.push_back({"device-unfit", Severity::error, info.id, info.reason, info.driver, info.hint});
    return;
  }
  if (auto trial = known_trial(found); trial && !trial->trouble.empty()) {
    details.findings.push_back({trial->finding.empty() ? "driver-fails" : trial->finding, Severity::error, info.id,
                                trial->trouble, info.driver, trial->hint});
  }
  if (!info.double_precision) {
    details.findings.push_back({"no-fp64", Severity::note, info.id,
                                "the device has no double precision: forests there are the same, but slower",
                                "its driver does not name cl_khr_fp64", "use another device where speed matters"});
  }
}

class OpenClBackend final : public Backend {
 public:
  [[nodiscard]] std::string_view name() const override { return "opencl"; }

  [[nodiscard]] bool may_have_gpus() override {
    const std::vector<InstalledDriver> drivers = installed_drivers();  // none: the loader may be a driver itself
    const auto is_for_cpus = [](const InstalledDriver& driver) {
      const std::string name = std::filesystem::path(driver.library).filename().string();
      return name.starts_with("libpocl") || name.starts_with("libintelocl");
    };
    return drivers.empty() || !std::all_of(drivers.begin(), drivers.end(), is_for_cpus);
  }

  [[nodiscard]] std::vector<DeviceInfo> list() override {
    const Discovery discovery = discover();
    std::vector<DeviceInfo> infos;
    for (const FoundDevice& found : discovery.devices) infos.push_back(as_known(found));
    if (!infos.empty()) return infos;
    DeviceInfo none;
    none.id = none.backend = none.name = "opencl";
    none.usable = false;
    none.reason = discovery.reason;
    none.hint = discovery.hint;
    return {none};
  }

  [[nodiscard]] BackendDetails details() override {
    BackendDetails details;
    for (const auto& file : detail::placed_library_files("libOpenCL.so.1")) {
      details.libraries.push_back({"libOpenCL.so.1", file.path, file.reason});
    }
    for (const InstalledDriver& driver : installed_drivers()) {
      if (driver.library.empty()) continue;
      for (const auto& file : detail::placed_library_files(driver.library)) {
        details.libraries.push_back({driver.library, file.path, "named by " + driver.named_by()});
      }
    }
    const Discovery discovery = discover();
    add_missing_drivers(details, !discovery.devices.empty());
    if (discovery.devices.empty()) {
      const bool is_explained = !details.findings.empty() && discovery.finding == "icd-fails";
      if (!is_explained) {
        details.findings.push_back({discovery.finding.empty() ? "driver-fails" : discovery.finding,
                                    severity_of(discovery.finding), "opencl", discovery.reason, discovery.evidence,
                                    discovery.hint});
      }
    }
    for (const FoundDevice& found : discovery.devices) add_device_findings(details, found);
    return details;
  }

  [[nodiscard]] std::unique_ptr<Device> open(int index) override {
    Discovery discovery = discover();
    if (discovery.devices.empty()) throw DeviceError("opencl: " + discovery.reason, discovery.hint);
    if (index < 0 || static_cast<std::size_t>(index) >= discovery.devices.size()) {
      const std::string last =
          discovery.devices.size() == 1 ? "" : fmt::format(" to opencl:{}", discovery.devices.size() - 1);
      throw DeviceError(fmt::format("opencl:{}: there is no such device", index),
                        fmt::format("This machine has opencl:0{}; see `overtake devices`.", last));
    }
    FoundDevice& found = discovery.devices[static_cast<std::size_t>(index)];
    if (!found.info.usable) throw DeviceError(found.info.id + ": " + found.info.reason, found.info.hint);
    const TrialResult trial = explained(found, try_driver(device_trial(found)));
    if (!trial.trouble.empty()) throw DeviceError(found.info.id + ": " + trial.trouble, trial.hint);
    const platform::KeptState kept;
    return std::make_unique<OpenClDevice>(std::move(found));
  }
};

OpenClBackend instance;
const Registration registration(20, instance);

}  // namespace
}  // namespace overtake::backend::opencl
