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
#include "core/fingerprint.hpp"
#include "core/parallel.hpp"
#include "overtake/error.hpp"
#include "overtake/memory.hpp"
#include "overtake/version.hpp"
#include "placement/measure.hpp"
#include "platform/computer.hpp"
#include "platform/decimal.hpp"

namespace overtake::placement {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view first_line = "overtake rates 1";
constexpr std::size_t most_bytes = 4096;

using Field = std::pair<std::string_view, double Slowness::*>;
constexpr Field fields[] = {
    {"forest_wide", &Slowness::forest_wide},
    {"forest_chain", &Slowness::forest_chain},
    {"network_step", &Slowness::network_step},
    {"network_product", &Slowness::network_product},
    {"host", &Slowness::host},
};

/// What this process knows.
struct Known {
  std::mutex mutex;
  std::map<std::string, Slowness> slowness;  ///< by subject
  std::vector<std::string> notes;
};
Known& known() {
  static Known instance;
  return instance;
}

std::string digest_of(std::string_view text) {
  detail::Fingerprint fingerprint;
  fingerprint.add(text);
  return fingerprint.hex();
}

std::optional<Slowness> read(const fs::path& path, std::string_view subject) {
  std::error_code error;
  if (!fs::exists(path, error)) return std::nullopt;
  const std::string text = backend::read_cache_file(path, most_bytes).value_or("");
  auto kept = parse_slowness(text, subject);
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

/// From memory, from the disk, or measured.
Slowness slowness_of(const DeviceInfo& device) {
  const auto folder = config::cache_directory();
  if (!folder || !is_measured(device)) return {};
  const std::string subject = subject_of(device);
  const std::string digest = digest_of(subject);
  Known& all = known();
  const std::scoped_lock lock(all.mutex);
  if (const auto found = all.slowness.find(subject); found != all.slowness.end()) return found->second;
  auto slowness = read(*folder / (digest + std::string(backend::rates_ending)), subject);
  if (!slowness) {
    try {
      slowness = measure_slowness(device);
      (void)backend::write_cache_file(*folder, digest, backend::rates_ending, to_text(*slowness, subject));
    } catch (const Error&) {
      slowness.emplace();  // what uses the device says what is wrong with it
    }
  }
  return all.slowness.emplace(subject, *slowness).first->second;
}

}  // namespace

std::string subject_of(const DeviceInfo& device) {
  std::string subject = fmt::format("{} ({}, {}), {} with {} threads, Overtake {}", device.id, device.name,
                                    device.driver, platform::processor_name(), thread_count(), version());
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
    const std::scoped_lock lock(known().mutex);
    std::error_code error;
    return known().slowness.contains(subject) ||
           fs::exists(*folder / (digest_of(subject) + std::string(backend::rates_ending)), error);
  };
  return !folder || (is_kept(Device().info()) && (!is_measured(device) || is_kept(device)));
}

namespace {

struct MemoryBefore {
  std::vector<backend::Device*> open = backend::opened_devices();
  std::uint64_t held = host_memory_held(), peak = host_memory_peak();
};

const MemoryBefore& memory_before() {
  static const MemoryBefore before;
  return before;
}

}  // namespace

std::uint64_t memory_held_before() { return memory_before().held; }

std::uint64_t memory_held_with(const DeviceInfo& device, double bytes) {
  const MemoryBefore& before = memory_before();
  const bool is_open = std::any_of(before.open.begin(), before.open.end(),
                                   [&](const backend::Device* one) { return one->info().id == device.id; });
  const double driver = is_open ? 0 : usual_rates(device).context_bytes;
  return std::max(before.peak, before.held + static_cast<std::uint64_t>(driver + bytes));
}

std::vector<std::string> take_calibration_notes() {
  const std::scoped_lock lock(known().mutex);
  return std::exchange(known().notes, {});
}

std::string to_text(const Slowness& slowness, std::string_view subject) {
  std::string text = fmt::format("{}\nof: {}\n", first_line, subject);
  for (const auto& [name, field] : fields) text += fmt::format("{}: {}\n", name, slowness.*field);
  return text + fmt::format("checksum: {}\n", digest_of(text));
}

std::optional<Slowness> parse_slowness(std::string_view text, std::string_view subject) {
  const std::size_t at = text.rfind("checksum: ");
  if (at == std::string_view::npos || text.substr(at) != fmt::format("checksum: {}\n", digest_of(text.substr(0, at)))) {
    return std::nullopt;
  }
  const std::string head = fmt::format("{}\nof: {}\n", first_line, subject);
  if (!text.starts_with(head)) return std::nullopt;
  text.remove_prefix(head.size());
  Slowness slowness;
  for (const auto& [name, field] : fields) {
    const std::string key = fmt::format("{}: ", name);
    if (!text.starts_with(key)) return std::nullopt;
    text.remove_prefix(key.size());
    const auto [end, error] = platform::decimal_from_chars(text.data(), text.data() + text.find('\n'), slowness.*field);
    if (error != std::errc() || !(slowness.*field > 0)) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  }
  return slowness;
}

}  // namespace overtake::placement
