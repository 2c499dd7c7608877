// SPDX-License-Identifier: MIT
#include "placement/calibration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "backend/api/device.hpp"
#include "backend/common/cache_files.hpp"
#include "core/config.hpp"
#include "core/parallel.hpp"
#include "overtake/error.hpp"
#include "overtake/memory.hpp"
#include "overtake/placement.hpp"
#include "overtake/version.hpp"
#include "placement/kept_rates.hpp"
#include "placement/measure.hpp"
#include "platform/computer.hpp"

namespace overtake::placement {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_bytes = 4096;

/// What this process knows.
struct Known {
  std::mutex mutex;
  std::map<std::string, KeptRates> rates;  ///< by subject
  std::vector<std::string> notes;
};
Known& known() {
  static Known instance;
  return instance;
}

std::optional<KeptRates> read(const fs::path& path, std::string_view subject) {
  std::error_code error;
  if (!fs::exists(path, error)) return std::nullopt;
  const std::string text = backend::read_cache_file(path, most_bytes).value_or("");
  auto kept = parse_rates(text, subject);
  if (!kept) {
    known().notes.push_back(
        fmt::format("{} is damaged or about another machine: the device is measured anew", path.string()));
  }
  return kept;
}

/// Whether its figures can be measured here. OpenCL on the CPU is never chosen.
bool is_measured(const DeviceInfo& device) {
  const bool is_kind = device.kind == DeviceKind::cpu || device.kind == DeviceKind::gpu;
  return is_kind && device.backend != elsewhere;
}

fs::path kept_path(const fs::path& folder, const std::string& subject) {
  return folder / (digest_of(subject) + std::string(backend::rates_ending));
}

/// What a device says of its driver while it is listed: an open one of CUDA names its run-time compiler behind that.
std::string_view listed_driver(const DeviceInfo& device) {
  const std::string_view driver = device.driver;
  for (const std::string_view behind : {", NVRTC ", ", interpreted kernels"}) {
    if (const std::size_t at = driver.find(behind); at != std::string_view::npos) return driver.substr(0, at);
  }
  return driver;
}

void keep(const fs::path& folder, const KeptRates& rates, const std::string& subject) {
  (void)backend::write_cache_file(folder, digest_of(subject), backend::rates_ending, to_text(rates, subject));
}

/// What there is to say of rates that were measured now, while others used the cores; empty where nobody did.
std::string busy_note(const std::string& device, const KeptRates& now, const KeptRates& rates) {
  if (is_settled(now)) return {};
  return fmt::format(
      "the speed of {} was measured while other programs used the cores ({:.0f} % of them were left): {}", device,
      100 * now.cores,
      is_settled(rates) ? "the fastest rates so far are kept now; \"overtake cache clear\" forgets them"
                        : "times may be predicted too long, and the next command measures again");
}

/// From memory, from the disk, or measured.
Slowness slowness_of(const DeviceInfo& device) {
  const auto folder = config::cache_directory();
  if (!folder || !is_measured(device)) return {};
  const std::string subject = subject_of(device);
  Known& all = known();
  const std::scoped_lock lock(all.mutex);
  if (const auto found = all.rates.find(subject); found != all.rates.end()) return found->second.slowness;
  auto rates = read(kept_path(*folder, subject), subject);
  if (!rates || !is_settled(*rates)) {
    try {
      const KeptRates now = measure_rates(device);
      rates = rates ? after_another(*rates, now) : now;
      keep(*folder, *rates, subject);
      if (const std::string note = busy_note(device.id, now, *rates); !note.empty()) all.notes.push_back(note);
    } catch (const Error&) {
      // What uses the device says what is wrong with it.
      if (!rates) rates = KeptRates{.looks = most_looks};
    }
  }
  return all.rates.emplace(subject, *rates).first->second.slowness;
}

struct MemoryBefore {
  std::vector<backend::Device*> open = backend::opened_devices();
  std::uint64_t held = host_memory_held(), peak = host_memory_peak();
};

const MemoryBefore& memory_before() {
  static const MemoryBefore before;
  return before;
}

}  // namespace

std::string subject_of(const DeviceInfo& device) {
  std::string subject = fmt::format("{} ({}, {}), {} with {} threads, Overtake {}", device.id, device.name,
                                    listed_driver(device), platform::processor_name(), thread_count(), version());
  std::replace_if(
      subject.begin(), subject.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  return subject;
}

DeviceRates rates_of(const DeviceInfo& device) {
  (void)memory_held_before();
  const Slowness cpu = slowness_of(Device().info());
  if (device.kind == DeviceKind::cpu) return with(usual_rates(device), cpu);
  Slowness slowness = slowness_of(device);
  slowness.host = cpu.host;
  return with(usual_rates(device), slowness);
}

bool are_rates_known(const DeviceInfo& device) {
  const auto folder = config::cache_directory();
  const auto is_kept = [&](const DeviceInfo& of) {
    const std::string subject = subject_of(of);
    Known& all = known();
    const std::scoped_lock lock(all.mutex);
    if (all.rates.contains(subject)) return true;
    const auto kept = read(kept_path(*folder, subject), subject);
    return kept && is_settled(*kept);
  };
  return !folder || (is_kept(Device().info()) && (!is_measured(device) || is_kept(device)));
}

std::uint64_t memory_held_before() { return memory_before().held; }

std::uint64_t memory_held_with(const DeviceInfo& device, double bytes) {
  const MemoryBefore& before = memory_before();
  const bool is_open = std::any_of(before.open.begin(), before.open.end(),
                                   [&](const backend::Device* one) { return one->info().id == device.id; });
  const double driver = is_open ? 0 : usual_rates(device).context_bytes;
  return std::max(before.peak, before.held + static_cast<std::uint64_t>(driver + bytes));
}

}  // namespace overtake::placement

namespace overtake {

std::vector<std::string> take_prediction_notes() {
  const std::scoped_lock lock(placement::known().mutex);
  return std::exchange(placement::known().notes, {});
}

bool doubt_rates(const Prediction& predicted, double compute_seconds) {
  using placement::KeptRates;
  if (predicted.device != "cpu" || !placement::is_much_faster(predicted.compute_seconds, compute_seconds)) return false;
  const auto folder = config::cache_directory();
  placement::Known& all = placement::known();
  const std::scoped_lock lock(all.mutex);
  bool found = false;
  for (auto& [subject, rates] : all.rates) {
    const KeptRates doubted{rates.slowness, 0, rates.looks};
    if (!folder || !subject.starts_with("cpu ") || !is_settled(rates) || is_settled(doubted)) continue;
    rates = doubted;
    placement::keep(*folder, rates, subject);
    found = true;
  }
  return found;
}

}  // namespace overtake
