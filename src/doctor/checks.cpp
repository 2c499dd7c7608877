// SPDX-License-Identifier: MIT
#include "doctor/checks.hpp"

#include <fmt/format.h>

#include <chrono>

#include "backend/common/trial/driver_trial.hpp"
#include "overtake/report.hpp"

namespace overtake::doctor {
namespace {

using Clock = std::chrono::steady_clock;

// Of each check: a driver that compiles on one busy core takes half a minute for some.
constexpr auto patience = std::chrono::minutes(2);

}  // namespace

CheckedDevice check_device(const std::string& id, const std::function<void(const std::string&)>& step,
                           const std::function<bool()>& stop) {
  CheckedDevice result;
  auto begin = Clock::now();
  const auto on_check = [&](const std::string& name) {
    begin = Clock::now();
    step(name);
  };
  result.run = backend::try_now(id, {{"device", id}, patience, {}}, on_check, stop);
  for (const backend::TimedCheck& check : result.run.checks) result.checks.push_back({check.name, check.seconds, {}});
  if (result.run.kind == backend::TrialRun::Kind::passed) return result;
  if (result.checks.empty()) result.checks.push_back({"starting it", 0, {}});
  result.checks.back().seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  result.checks.back().trouble = result.run.reason;
  return result;
}

std::vector<Finding> memory_findings(const DeviceCheckup& checkup) {
  const std::uint64_t all = checkup.info.memory_bytes;
  const bool is_gpu = checkup.info.kind == DeviceKind::gpu;
  if (!is_gpu || checkup.free_bytes == 0 || all == 0 || checkup.free_bytes >= all / 2) return {};
  std::string holders;
  for (const MemoryHolder& holder : checkup.holders) {
    if (!holders.empty()) holders += ", ";
    holders += fmt::format("process {}{}: {}", holder.process, holder.name.empty() ? "" : " (" + holder.name + ")",
                           holder.bytes > 0 ? report::bytes(holder.bytes) : "unknown");
  }
  const std::string seen = fmt::format("{} of {} are free{}", report::bytes(checkup.free_bytes), report::bytes(all),
                                       holders.empty() ? "" : "; " + holders);
  constexpr std::uint64_t enough = std::uint64_t{256} << 20U;
  const char* cure = "close the programs that hold it (nvidia-smi lists them), or use another device";
  if (checkup.free_bytes < enough) {
    return {
        {"no-device-memory", Severity::error, checkup.info.id, "almost no memory of the device is free", seen, cure}};
  }
  return {{"memory-held", Severity::warning, checkup.info.id, "more than half of the device's memory is taken", seen,
           cure}};
}

std::string finding_for(std::string_view error) {
  return backend::speaks_of_memory(error) ? "no-device-memory" : "driver-fails";
}

}  // namespace overtake::doctor
