// SPDX-License-Identifier: MIT
#include "doctor/checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <initializer_list>

#include "backend/common/trial/driver_trial.hpp"
#include "doctor/host.hpp"
#include "overtake/report.hpp"
#include "platform/host_limits.hpp"
#include "platform/memory_limit.hpp"

namespace overtake::doctor {
namespace {

using Clock = std::chrono::steady_clock;
using backend::TrialRun;

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
  if (result.run.kind == TrialRun::Kind::passed && result.run.checks.empty()) {
    result.run = {TrialRun::Kind::not_started,
                  "the program that tries drivers says that all is right, and checks nothing"};
  }
  for (const backend::TimedCheck& check : result.run.checks) result.checks.push_back({check.name, check.seconds, {}});
  if (result.run.kind == TrialRun::Kind::passed) return result;
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

std::optional<Finding> limits_finding(const TrialRun& run, const std::string& device) {
  const auto says = [&run](std::initializer_list<std::string_view> signs) {
    return std::any_of(signs.begin(), signs.end(),
                       [&run](std::string_view sign) { return run.reason.find(sign) != std::string::npos; });
  };
  Finding finding{"tight-limits", Severity::error, device, "", run.reason, ""};
  const auto memory_is_low = [&finding] {
    finding.id = "memory-low";
    finding.cause = "the computer, or the control group of this process, has too little memory left to try a device";
    finding.cure = more_memory;
    return finding;
  };
  if (run.finding == "memory-low") return memory_is_low();
  // A loader that may open no more files says "Error 24".
  if (says({"Too many open files", "Error 24"})) {
    finding.cause = "this process may open too few files to try a device";
    finding.cure = "raise the limit of open files: ulimit -n 1024, docker run --ulimit nofile=1024";
  } else if (says({"Resource temporarily unavailable", "Thread creation failed", "refuses more", "refuses the"})) {
    finding.cause = "the system refuses this process more threads or processes";
    finding.cure =
        "raise the limit of processes: ulimit -u, docker run --pids-limit, pids.max of the control group; or end some "
        "of those that run";
    const char* memory = platform::memory_limit().name;  // of which stacks take a part
    if (memory != nullptr) finding.cure += fmt::format("; or the limit of memory: {} unlimited", memory);
  } else if (says({"bad_alloc", "Cannot allocate memory", "memory is exhausted", "failed to map segment"})) {
    const std::string limits = platform::tight_limits();
    if (limits.find("ulimit -v") == std::string::npos && limits.find("ulimit -d") == std::string::npos) {
      return memory_is_low();
    }
    finding.cause = fmt::format("the limits of this process leave too little memory to try a device: {}", limits);
    finding.cure = "raise them: ulimit -v unlimited, ulimit -d unlimited";
  } else if (!run.limits.empty()) {
    finding.cause = fmt::format("the limits of this process are too small to try a device: {}", run.limits);
    finding.cure =
        fmt::format("raise them: {}; a shell that was started under a limit cannot", platform::raised(run.limits));
  } else {
    return std::nullopt;
  }
  return finding;
}

std::string finding_for(std::string_view error) {
  return backend::speaks_of_memory(error) ? "no-device-memory" : "driver-fails";
}

}  // namespace overtake::doctor
