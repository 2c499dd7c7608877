// SPDX-License-Identifier: MIT
#include "backend/common/trial/driver_trial.hpp"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "backend/common/cache_files.hpp"
#include "backend/common/trial/verdict_store.hpp"
#include "core/config.hpp"
#include "core/fingerprint.hpp"
#include "overtake/device/driver_trial.hpp"
#include "overtake/error.hpp"
#include "platform/lock_file.hpp"

namespace overtake {
namespace {

TrialObserver silent;
std::atomic<TrialObserver*> current_observer{&silent};

}  // namespace

void observe_trials(TrialObserver* observer) { current_observer = observer == nullptr ? &silent : observer; }

namespace backend {
namespace {

constexpr const char* unclear_hint = "It is tried again at its next use; another device: --device cpu.";
constexpr const char* cache_hint = "\"overtake cache clear\" has it tried again.";
constexpr std::int64_t time_out_counts = 24 * 3600;      // seconds: a machine that was busy is not so for ever
constexpr auto longest_wait = std::chrono::minutes(10);  // for a trial by another process, which may be stopped

/// What this process knows, by digest.
struct Memory {
  std::mutex mutex;
  std::map<std::string, TrialResult> results;
  std::map<std::string, TrialRun> just_made;  // by try_now(), for the next use; by the subject's name
  bool distrusts_kept = false;
};
Memory& memory() {
  static Memory instance;
  return instance;
}

std::string digest_of(const TrialSubject& subject) {
  detail::Fingerprint fingerprint;
  fingerprint.add(trial_identity());
  for (const std::string& part : subject.request.arguments) fingerprint.add(part);
  for (const std::string& part : subject.key) fingerprint.add(part);
  return fingerprint.hex();
}

std::int64_t seconds_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

TrialResult result_of(const TrialSubject& subject, const DriverVerdict& verdict) {
  if (verdict.reason.empty()) return {};
  return {fmt::format("{} (tried on {})", verdict.reason, verdict.day()), subject.hint + " " + cache_hint};
}

/// Of an earlier process. That a driver takes too long is found out anew after a day, and where OVERTAKE_TRIAL_SECONDS
/// gives it longer.
std::optional<TrialResult> kept_result(const TrialSubject& subject, const std::string& digest) {
  const auto kept = VerdictStore(config::cache_directory()).load(digest);
  if (!kept) return std::nullopt;
  const std::int64_t age = seconds_now() - kept->verdict.tried_at;
  const bool is_old = age < 0 || age > time_out_counts;
  if (kept->timed_out && (is_old || config::trial_seconds() > kept->timeout)) return std::nullopt;
  return result_of(subject, kept->verdict);
}

/// The lock of the cache's folder, so that many processes that start at once do not all try the same driver. Empty
/// where there is no folder, or it has no locks: then several may. Asks `stop` while it waits.
std::unique_ptr<platform::LockFile> wait_for_lock(const std::string& name, TrialObserver& observer) {
  const auto folder = config::cache_directory();
  if (!folder) return nullptr;
  std::error_code error;
  std::filesystem::create_directories(*folder, error);
  const auto end = std::chrono::steady_clock::now() + longest_wait;
  while (!observer.stop() && std::chrono::steady_clock::now() < end) {
    auto lock = std::make_unique<platform::LockFile>();
    error = lock->take(*folder / trial_lock);
    if (!error) return lock;
    if (error != std::errc::device_or_resource_busy) return nullptr;
    observer.on_wait(name, (*folder / trial_lock).string());
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return nullptr;
}

[[noreturn]] void give_up(const TrialSubject& subject) {
  throw DeviceError(fmt::format("{}: its trial was given up", subject.name), "The next use tries it again.");
}

TrialRun run(const TrialSubject& subject) {
  TrialObserver& observer = *current_observer.load();
  const auto on_check = [&](const std::string& check) { observer.on_check(subject.name, check); };
  return run_trial(subject.request, on_check, [&observer] { return observer.stop(); });
}

/// The result of a run, which is kept where it may be there the next time.
TrialResult judged(const TrialSubject& subject, const std::string& digest, TrialRun run) {
  TrialObserver& observer = *current_observer.load();
  const auto stop = [&observer] { return observer.stop(); };
  using Kind = TrialRun::Kind;
  if (run.kind == Kind::stopped) give_up(subject);
  if (run.kind == Kind::not_started) {
    observer.on_untried(subject.name, run.reason);
    return {};
  }
  const bool bad = run.kind == Kind::failed || run.kind == Kind::timed_out;
  if (bad && subject.explain) run.reason = subject.explain(run, stop);
  if (observer.stop()) give_up(subject);
  if (run.kind == Kind::unclear || !run.limits.empty()) {  // the next process may have more luck
    observer.on_verdict(subject.name, run.reason);
    return {run.reason, hint_of(run, unclear_hint), run.finding};
  }
  const KeptVerdict kept{{fmt::format("{} ({})", subject.name, subject.title), !bad, run.reason, seconds_now()},
                         run.kind == Kind::timed_out,
                         timeout_of(subject.request)};
  const auto folder = config::cache_directory();
  const bool is_kept = VerdictStore(folder).store(digest, kept);
  observer.on_verdict(subject.name, run.reason);
  if (!is_kept && folder) observer.on_not_kept(subject.name, folder->string());
  TrialResult result = result_of(subject, kept.verdict);
  result.finding = run.finding;
  return result;
}

TrialResult remember(const std::string& digest, const TrialResult& result) {
  Memory& known = memory();
  const std::scoped_lock guard(known.mutex);
  known.results.insert_or_assign(digest, result);
  return result;
}

/// True for good news of an earlier process that this one has to see for itself.
bool is_hearsay(const TrialSubject& subject, const TrialResult& result) {
  if (!subject.in_each_process || !result.trouble.empty() || config::trial_mode() == config::TrialMode::off)
    return false;
  Memory& known = memory();
  const std::scoped_lock guard(known.mutex);
  return known.results.count(digest_of(subject)) == 0;
}

/// A driver that worked in an earlier process, looked at again. Nobody is told as long as it works, and nobody waits
/// for a trial by another process; without the program that tries, what was found then counts.
TrialResult confirmed(const TrialSubject& subject) {
  const std::string digest = digest_of(subject);
  TrialObserver& observer = *current_observer.load();
  TrialRun run = run_trial(
      subject.request, [](const std::string&) {}, [&observer] { return observer.stop(); });
  using Kind = TrialRun::Kind;
  if (run.kind == Kind::passed || run.kind == Kind::not_started) return remember(digest, {});
  return remember(digest, judged(subject, digest, std::move(run)));
}

/// What try_now() has found, once.
std::optional<TrialRun> take_just_made(const std::string& name) {
  Memory& known = memory();
  const std::scoped_lock lock(known.mutex);
  auto made = known.just_made.extract(name);
  return made.empty() ? std::nullopt : std::optional(std::move(made.mapped()));
}

}  // namespace

std::optional<TrialResult> known_result(const TrialSubject& subject) {
  const config::TrialMode mode = config::trial_mode();
  Memory& known = memory();
  const std::scoped_lock lock(known.mutex);
  if (const auto made = known.just_made.find(subject.name); made != known.just_made.end()) {
    const TrialRun& run = made->second;
    return TrialResult{run.reason, hint_of(run, subject.hint), run.finding};
  }
  if (mode == config::TrialMode::off) return TrialResult{};
  const std::string digest = digest_of(subject);
  if (const auto found = known.results.find(digest); found != known.results.end()) return found->second;
  if (mode == config::TrialMode::again) return std::nullopt;
  auto kept = kept_result(subject, digest);
  if (kept && known.distrusts_kept && (subject.is_quick || !kept->trouble.empty())) return std::nullopt;
  if (kept && kept->trouble.empty() && !subject.in_each_process) known.results.emplace(digest, *kept);
  return kept;
}

TrialResult try_driver(const TrialSubject& subject) {
  if (auto made = take_just_made(subject.name)) {
    const std::string digest = digest_of(subject);
    return remember(digest, judged(subject, digest, std::move(*made)));
  }
  if (auto known = known_result(subject)) return is_hearsay(subject, *known) ? confirmed(subject) : *known;
  TrialObserver& observer = *current_observer.load();
  observer.on_trial(subject.name);
  const auto lock = wait_for_lock(subject.name, observer);
  if (observer.stop()) give_up(subject);
  if (auto known = known_result(subject)) {  // another process has just found out
    observer.on_verdict(subject.name, known->trouble);
    return remember(digest_of(subject), *known);
  }
  const std::string digest = digest_of(subject);
  return remember(digest, judged(subject, digest, run(subject)));
}

TrialRun try_now(const std::string& name, const TrialRequest& request,
                 const std::function<void(const std::string&)>& on_check, const std::function<bool()>& stop) {
  TrialRun run = run_trial(request, on_check, stop);
  if (run.kind == TrialRun::Kind::stopped || run.kind == TrialRun::Kind::not_started) return run;  // nothing is known
  Memory& known = memory();
  const std::scoped_lock lock(known.mutex);
  known.just_made.insert_or_assign(name, run);
  return run;
}

void distrust_kept_verdicts() {
  Memory& known = memory();
  const std::scoped_lock lock(known.mutex);
  known.distrusts_kept = true;
}

}  // namespace backend
}  // namespace overtake
