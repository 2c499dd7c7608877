// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <new>
#include <thread>
#include <utility>

#include "backend/api/details.hpp"
#include "backend/api/registry.hpp"
#include "backend/common/trial/driver_trial.hpp"
#include "core/stop.hpp"
#include "core/threads.hpp"
#include "doctor/cache.hpp"
#include "doctor/checks.hpp"
#include "doctor/host.hpp"
#include "doctor/libraries.hpp"
#include "doctor/rates.hpp"
#include "doctor/texts.hpp"
#include "overtake/error.hpp"
#include "overtake/out_of_memory.hpp"
#include "platform/memory_limit.hpp"

namespace overtake {
namespace {

using Clock = std::chrono::steady_clock;
using backend::TrialRun;

/// What was asked for; an empty name is nothing in particular.
struct Wanted {
  std::string name;
  backend::DeviceName device;
};

std::vector<Wanted> wanted_of(const std::vector<std::string>& names) {
  std::vector<Wanted> wanted;
  for (const std::string& name : names) wanted.push_back({name, backend::parse_device(name)});
  if (!names.empty()) return wanted;
  for (backend::Backend* backend : backend::backends()) {
    if (backend->name() != "null") wanted.push_back({"", {backend, {}}});  // for tests: it computes nothing
  }
  return wanted;
}

/// The number behind the colon; 0 where there is none.
int number_of(const std::string& id) {
  const std::size_t colon = id.find(':');
  return colon == std::string::npos ? 0 : std::stoi(id.substr(colon + 1));
}

/// True if a finding is about this device, or about its backend as a whole.
bool is_about(const Finding& finding, const DeviceInfo& info) {
  return finding.device == info.id || finding.device == info.backend || finding.id == "tight-limits";
}

/// True for the one entry of a backend that found no device.
bool stands_for_all(const DeviceInfo& info) {
  return !info.usable && (info.kind == DeviceKind::none || info.name.empty());
}

/// An examination under way.
class Visit {
 public:
  explicit Visit(const DoctorOptions& options) : options_(options) {}

  void see(const Wanted& wanted);
  void look_around() {
    (void)within_memory("", [this] { see_host(); });
  }
  Diagnosis take() { return std::move(result_); }
  [[nodiscard]] bool is_over() const { return is_stopped(options_.stop); }

 private:
  template <class What>
  bool within_memory(const std::string& device, const What& what);
  void see_devices(const Wanted& wanted);
  void see_host();
  void step(const std::string& what) const {
    if (options_.observer != nullptr) options_.observer->on_step(what);
  }
  bool see_device(DeviceInfo info);
  void work_on(DeviceCheckup& checkup);
  void use(DeviceCheckup& checkup);
  void explain(const DeviceCheckup& checkup, const TrialRun& run);
  void add(Finding finding);

  const DoctorOptions& options_;
  Diagnosis result_;
  std::vector<backend::LibraryFile> library_files_;
};

/// What keeps a device from working is told once, whoever tells it; of lesser findings there may be several of one
/// kind.
void Visit::add(Finding finding) {
  if (finding.id == "tight-limits") {  // of the process: one fault, whoever meets it first
    for (Finding& other : result_.findings) {
      if (other.id != finding.id) continue;
      other.severity = std::max(other.severity, finding.severity);
      if (other.device != finding.device) other.device.clear();
      if (other.evidence.find(finding.evidence) == std::string::npos) other.evidence += "; " + finding.evidence;
      return;
    }
  }
  const auto is_told = [&](const Finding& other) {
    const bool is_grave = finding.severity == Severity::error && !finding.device.empty();
    return other.id == finding.id && other.device == finding.device && (is_grave || other.cause == finding.cause);
  };
  if (std::any_of(result_.findings.begin(), result_.findings.end(), is_told)) return;
  if (finding.id == "driver-cache-unwritable") {  // the cause of what the trial alone could not explain
    std::erase_if(result_.findings,
                  [&](const Finding& other) { return other.id == "driver-fails" && other.device == finding.device; });
  }
  result_.findings.push_back(std::move(finding));
}

/// What a trial says that the backend does not: of the CPU, and where no check was made at all.
void Visit::explain(const DeviceCheckup& checkup, const TrialRun& run) {
  if (run.kind == TrialRun::Kind::passed) return;
  if (auto tight = doctor::limits_finding(run, checkup.info.id)) {
    add(std::move(*tight));
    return;
  }
  if (run.kind == TrialRun::Kind::not_started) {
    const bool has_null = run.reason.find("/dev/null") == std::string::npos;
    add({"not-tried", Severity::error, checkup.info.id,
         "no check was made: whether the device computes rightly is not known", run.reason,
         has_null ? "install overtake-trial of this version with the library, or name it in OVERTAKE_TRIAL_PROGRAM "
                    "(unset it where it names another program)"
                  : "give this root its /dev: mount --bind /dev ROOT/dev, or mknod -m 666 /dev/null c 1 3"});
    return;
  }
  const char* cure = checkup.info.kind == DeviceKind::cpu
                         ? "look at memory and limits (free -h, ulimit -a); where there is enough, please report it"
                         : "update its driver, or use another device";
  add({run.finding.empty() ? "driver-fails" : run.finding, Severity::error, checkup.info.id,
       checkup.info.id + ": " + run.reason, checkup.info.driver, checkup.info.hint.empty() ? cure : checkup.info.hint});
}

/// Opens the device in this process, which has not been done before its checks have passed elsewhere.
void Visit::use(DeviceCheckup& checkup) {
  const Device device(checkup.info.id);
  checkup.info = device.info();
  backend::DeviceDetails details = device.impl().details();
  checkup.driver_limit = std::move(details.driver_limit);
  checkup.runtime = std::move(details.runtime);
  checkup.compiler = std::move(details.compiler);
  checkup.free_bytes = details.free_bytes;
  checkup.holders = std::move(details.holders);
  for (Finding& finding : details.findings) add(std::move(finding));
  for (Finding& finding : doctor::memory_findings(checkup)) add(std::move(finding));
  if (!options_.measure || is_over()) return;
  const auto told = [this, &checkup](const std::string& what) {
    step(fmt::format("{}: measuring {}", checkup.info.id, what));
  };
  checkup.rates = doctor::measure_rates(device, details.peaks, told, [this] { return is_over(); });
}

void Visit::work_on(DeviceCheckup& checkup) {
  const std::string id = checkup.info.id;
  const auto told = [this, &id](const std::string& check) { step(fmt::format("{}: {}", id, check)); };
  doctor::CheckedDevice checked = doctor::check_device(id, told, [this] { return is_over(); });
  if (is_over()) return;
  checkup.checks = std::move(checked.checks);
  const bool passed = checked.run.kind == TrialRun::Kind::passed;
  try {
    const bool untouched = checked.run.kind == TrialRun::Kind::not_started;  // a driver may end this process
    if (passed || (checkup.info.backend != "cpu" && !untouched)) use(checkup);
    checkup.works = passed;
  } catch (const DeviceError& error) {
    if (passed) checked.run = {TrialRun::Kind::unclear, error.what(), doctor::finding_for(error.what())};
    checkup.info.hint = error.hint();
  }
  explain(checkup, checked.run);
}

/// True if it works.
bool Visit::see_device(DeviceInfo info) {
  DeviceCheckup checkup;
  checkup.info = std::move(info);
  if (checkup.info.usable) work_on(checkup);
  const bool works = checkup.works;
  result_.devices.push_back(std::move(checkup));
  return works;
}

void Visit::see_devices(const Wanted& wanted) {
  backend::Backend& backend = *wanted.device.backend;
  step(fmt::format("{}: which devices there are", backend.name()));
  bool all_work = true, any = false;
  for (DeviceInfo& info : backend::list_devices_of(backend)) {
    if (is_over()) return;
    if (wanted.device.index && !stands_for_all(info) && number_of(info.id) != *wanted.device.index) continue;
    any = true;
    const auto seen = std::find_if(result_.devices.begin(), result_.devices.end(),
                                   [&info](const DeviceCheckup& other) { return other.info.id == info.id; });
    const bool works = seen != result_.devices.end() ? seen->works : see_device(std::move(info));
    all_work = works && all_work;
  }
  backend::BackendDetails details = backend.details();
  std::move(details.libraries.begin(), details.libraries.end(), std::back_inserter(library_files_));
  for (Finding& finding : details.findings) {
    const bool is_elsewhere =
        wanted.device.index && finding.device != backend.name() && number_of(finding.device) != *wanted.device.index;
    if (!is_elsewhere) add(std::move(finding));
  }
  if (!any) {
    add({"no-such-device", Severity::error, wanted.name, fmt::format("{}: there is no such device", wanted.name), "",
         "overtake devices lists those that there are"});
  }
  if (wanted.name.empty() || (any && all_work)) return;
  if (std::find(result_.unmet.begin(), result_.unmet.end(), wanted.name) == result_.unmet.end()) {
    result_.unmet.push_back(wanted.name);
  }
  for (const DeviceCheckup& checkup : result_.devices) {
    if (checkup.info.backend != backend.name()) continue;
    for (Finding& finding : result_.findings) {
      const bool says_why = checkup.checks.empty() && is_about(finding, checkup.info);  // work would have said it
      if (!checkup.works && says_why) finding.severity = Severity::error;
    }
  }
}

void Visit::see_host() {
  step("libraries, limits and the cache");
  // Drivers and compilers will meet a small limit of processes, whether one has met it or not. Stacks take memory, too.
  const unsigned wanted = std::thread::hardware_concurrency() + compiler_processes;
  if (platform::memory_limit().name == nullptr && !threads_start(wanted)) {
    add({"tight-limits", Severity::warning, "", "the system refuses this process more threads or processes",
         fmt::format("the system refuses the {} threads and processes that drivers start", wanted),
         "raise the limit of processes: ulimit -u, docker run --pids-limit, pids.max of the control group"});
  }
  result_.host = doctor::examine_host();
  result_.libraries = doctor::loaded_libraries(library_files_);
  const bool has_gpu = std::any_of(result_.devices.begin(), result_.devices.end(), [](const DeviceCheckup& checkup) {
    return checkup.works && checkup.info.kind == DeviceKind::gpu;
  });
  const doctor::CacheCheckup cache = doctor::examine_cache();
  result_.cache_folder = cache.folder;
  result_.cached_programs = cache.programs;
  const bool has_seen_all = options_.devices.empty();
  for (const auto& findings :
       {doctor::copy_findings(library_files_, result_.libraries), doctor::host_findings(result_.host, has_gpu),
        cache.findings, has_seen_all ? doctor::card_findings(result_.devices) : std::vector<Finding>()}) {
    for (const Finding& finding : findings) add(finding);
  }
}

/// `what` where memory suffices for it. Where it does not, that is a finding about `device`, and what else is seen is
/// told all the same.
template <class What>
bool Visit::within_memory(const std::string& device, const What& what) {
  try {
    what();
    return true;
  } catch (const std::bad_alloc&) {
    const TrialRun run{TrialRun::Kind::unclear, out_of_memory_text().message.data()};
    if (auto tight = doctor::limits_finding(run, device)) add(std::move(*tight));
    return false;
  }
}

void Visit::see(const Wanted& wanted) {
  const bool was_seen = within_memory(std::string(wanted.device.backend->name()), [&] { see_devices(wanted); });
  if (!was_seen && !wanted.name.empty()) result_.unmet.push_back(wanted.name);
}

}  // namespace

bool Diagnosis::healthy() const noexcept {
  return unmet.empty() && std::none_of(findings.begin(), findings.end(),
                                       [](const Finding& finding) { return finding.severity == Severity::error; });
}

Diagnosis examine(const DoctorOptions& options) {
  const auto begin = Clock::now();
  const std::vector<Wanted> wanted = wanted_of(options.devices);
  backend::distrust_kept_verdicts();
  Visit visit(options);
  for (const Wanted& one : wanted) {
    if (!visit.is_over()) visit.see(one);
  }
  if (!visit.is_over()) visit.look_around();
  Diagnosis result = visit.take();
  doctor::make_printable(result);
  result.interrupted = visit.is_over();
  std::stable_sort(result.findings.begin(), result.findings.end(),
                   [](const Finding& a, const Finding& b) { return a.severity > b.severity; });
  result.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  return result;
}

}  // namespace overtake
