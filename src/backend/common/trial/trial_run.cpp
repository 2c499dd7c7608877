// SPDX-License-Identifier: MIT
#include "backend/common/trial/trial_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <system_error>
#include <thread>
#include <utility>

#include "core/config.hpp"
#include "core/fingerprint.hpp"
#include "core/threads.hpp"
#include "kernels/sources.hpp"
#include "overtake/version.hpp"
#include "platform/host_limits.hpp"
#include "platform/process.hpp"
#include "platform/shared_library.hpp"

namespace overtake::backend {
namespace {

namespace fs = std::filesystem;

constexpr const char* program_name = "overtake-trial";

/// The folder of the file that this code was loaded from: the library's, or the program's that holds it.
fs::path own_folder() {
  static const char here = 0;
  return platform::file_that_holds(&here).parent_path();
}

/// Limits of this process under which a driver may fail that works elsewhere. That of processes says nothing by its
/// number, as all of a user count in it: room for the threads of a driver and a compiler is tried.
std::string limits_here() {
  std::string limits = platform::tight_limits();
  if (!threads_start(2 * std::thread::hardware_concurrency() + 8))
    limits += limits.empty() ? "ulimit -u" : ", ulimit -u";
  return limits;
}

/// A failure that limits may be the cause of says so.
void blame_limits(TrialRun& run) {
  using Kind = TrialRun::Kind;
  const bool is_unexplained = run.kind == Kind::unclear && run.finding.empty();
  if (run.kind != Kind::failed && run.kind != Kind::timed_out && !is_unexplained) return;
  run.limits = limits_here();
  if (run.limits.empty()) return;
  run.reason += fmt::format("; this process has limits that may be the cause ({})", run.limits);
  run.finding = "tight-limits";
}

std::string last_words(const platform::ChildEnd& end) {
  return end.last_error.empty() ? "" : fmt::format(" (it says \"{}\")", end.last_error);
}

}  // namespace

std::string trial_identity() {
  detail::Fingerprint fingerprint;
  fingerprint.add(version());
  for (const std::string_view text :
       {embedded::prelude_cuda,      embedded::prelude_opencl,    embedded::kernel_tape,
        embedded::kernel_philox,     embedded::kernel_map,        embedded::kernel_matmul,
        embedded::kernel_reduce,     embedded::kernel_rows,       embedded::kernel_gather,
        embedded::kernel_scan,       embedded::kernel_sort_keys,  embedded::kernel_sort_rows,
        embedded::kernel_sort_pass,  embedded::kernel_sort_count, embedded::kernel_sort_scatter,
        embedded::kernel_search,     embedded::kernel_segment,    embedded::kernel_histogram,
        embedded::kernel_forest,     embedded::kernel_self_test,  embedded::kernel_peak,
        embedded::kernel_interpreted}) {
    fingerprint.add(text);
  }
  return fingerprint.hex();
}

fs::path find_trial_program() {
  if (auto chosen = config::trial_program()) return *chosen;
  const fs::path folder = own_folder();
  if (folder.empty()) return {};
  // A library's folder may be lib, lib64 or lib/x86_64-linux-gnu. In a build tree the program is beside the library,
  // and the tests, which hold this code themselves, are in the next folder.
  for (const char* way : {".", "../libexec", "../../libexec", "../src"}) {
    std::error_code error;
    const fs::path program = folder / way / program_name;
    if (fs::is_regular_file(program, error)) return fs::weakly_canonical(program, error);
  }
  return {};
}

bool TrialReport::take(std::string_view line) {
  const std::size_t space = line.find(' ');
  const std::string_view word = line.substr(0, space);
  const std::string_view text = space == std::string_view::npos ? std::string_view() : line.substr(space + 1);
  if (word == report_wrong) wrong = text;
  if (word == report_error) error = text;
  if (word == report_begin) begun = true;
  if (word == report_foreign) foreign = true;
  if (word == report_done) done = true;
  if (word == report_time && !checks.empty()) checks.back().seconds = std::strtod(std::string(text).c_str(), nullptr);
  if (word != report_check) return false;
  check = text;
  checks.push_back({check, 0});
  return true;
}

namespace {

/// Somebody else's signal. Where less is left than drivers and compilers take, SIGKILL is how the system takes memory
/// back; limits of the process itself (ulimit) only refuse it.
TrialRun judge_destroyed(const std::string& signal, const std::string& where, const platform::MemoryLeft& left) {
  using Kind = TrialRun::Kind;
  constexpr std::uint64_t enough = std::uint64_t{512} << 20U;
  if (signal == "SIGKILL" && left.bytes < enough && std::string_view(left.by).starts_with("the ")) {
    return {Kind::unclear,
            fmt::format("the system ended its trial by SIGKILL{} for want of memory: {} MiB are left by {}{}", where,
                        left.bytes >> 20U, left.by,
                        left.limit > 0 ? fmt::format(", whose limit is {} MiB", left.limit >> 20U) : ""),
            "memory-low"};
  }
  return {Kind::unclear,
          fmt::format("its trial was ended from outside, by {}{}: for want of memory, by a limit (ulimit -a), by "
                      "somebody",
                      signal, where)};
}

}  // namespace

TrialRun judge(const TrialReport& report, const platform::ChildEnd& end, std::chrono::milliseconds timeout,
               const platform::MemoryLeft& left) {
  using Kind = TrialRun::Kind;
  const std::string where = report.done            ? " when it was to end"
                            : report.check.empty() ? ""
                                                   : fmt::format(" in the check of {}", report.check);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout).count();
  if (end.kind == platform::ChildEnd::Kind::stopped) return {Kind::stopped, "its trial was given up"};
  if (report.foreign) return {Kind::not_started, "the program that tries drivers belongs to another version"};
  if (!report.begun && end.kind != platform::ChildEnd::Kind::destroyed) {
    return {Kind::not_started, fmt::format("the program that tries drivers does not run{}", last_words(end))};
  }
  switch (end.kind) {
    case platform::ChildEnd::Kind::timed_out:
      return {Kind::timed_out, fmt::format("its driver hangs: nothing happened for {} s{}", seconds, where),
              "driver-hangs"};
    case platform::ChildEnd::Kind::destroyed: return judge_destroyed(end.signal, where, left);
    case platform::ChildEnd::Kind::crashed:
      return {Kind::failed, fmt::format("its driver ends the process: {}{}{}", end.signal, where, last_words(end)),
              "driver-aborts"};
    case platform::ChildEnd::Kind::stopped:
    case platform::ChildEnd::Kind::exited: break;
  }
  if (!report.wrong.empty()) {
    return {Kind::failed, fmt::format("it computes wrongly in the check of {}: {}", report.check, report.wrong),
            "wrong-results"};
  }
  if (!report.error.empty()) {
    return {Kind::unclear, fmt::format("its trial failed{}: {}", where, report.error),
            speaks_of_memory(report.error) ? "no-device-memory" : ""};
  }
  if (report.done && end.code == 0) return {};
  return {Kind::failed, fmt::format("its driver ends the process: exit code {}{}{}", end.code, where, last_words(end)),
          "driver-aborts"};
}

std::string hint_of(const TrialRun& run, const std::string& otherwise) {
  if (run.finding == "memory-low") {
    return "Give it more memory (docker run --memory, the job's --mem, memory.max of its control group), close other "
           "programs, or use another device: --device cpu.";
  }
  return run.limits.empty() ? otherwise : hint_of_limits(run.limits);
}

std::string hint_of_limits(const std::string& limits) {
  return fmt::format(
      "Raise what is too small ({}; a shell that was started under a limit cannot), or use another "
      "device: --device cpu.",
      platform::raised(limits));
}

// The program that tries drivers tells errors as text.
bool speaks_of_memory(std::string_view error) {
  constexpr std::array signs{"free memory of the device", "OUT_OF_MEMORY", "CL_MEM_OBJECT_ALLOCATION_FAILURE",
                             "CL_OUT_OF_RESOURCES"};
  return std::any_of(signs.begin(), signs.end(),
                     [&](const char* sign) { return error.find(sign) != std::string_view::npos; });
}

std::int64_t timeout_of(const TrialRequest& request) {
  const int chosen = config::trial_seconds();
  return chosen > 0 ? chosen : std::chrono::ceil<std::chrono::seconds>(request.timeout).count();
}

TrialRun run_trial(const TrialRequest& request, const std::function<void(const std::string&)>& on_check,
                   const std::function<bool()>& stop) {
  platform::ChildCommand command;
  command.program = find_trial_program();
  if (command.program.empty()) {
    return {TrialRun::Kind::not_started,
            fmt::format("{} is not installed with the library (OVERTAKE_TRIAL_PROGRAM names it)", program_name)};
  }
  command.arguments = {std::to_string(platform::process_number()), trial_identity()};
  command.arguments.insert(command.arguments.end(), request.arguments.begin(), request.arguments.end());
  auto variables = request.environment;
  variables.emplace_back("OVERTAKE_TRIAL", "off");  // it is the trial
  command.environment = config::environment_with(variables);
  const std::chrono::seconds timeout(timeout_of(request));
  TrialReport report;
  try {
    const auto take = [&](std::string_view line) {
      if (report.take(line)) on_check(report.check);
    };
    const platform::ChildEnd end = platform::run_child(command, timeout, take, stop);
    TrialRun run = judge(report, end, timeout, platform::memory_left());
    run.checks = std::move(report.checks);
    blame_limits(run);
    return run;
  } catch (const std::system_error& error) {
    return {TrialRun::Kind::not_started, fmt::format("it cannot be tried: {}", error.what())};
  }
}

}  // namespace overtake::backend
