// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "backend/common/cache_files.hpp"
#include "core/config.hpp"
#include "overtake/device/peak.hpp"
#include "placement/calibration.hpp"
#include "placement/kept_rates.hpp"

namespace overtake {
namespace {

namespace fs = std::filesystem;

using placement::digest_of;

std::string head_of(const std::string& subject) { return fmt::format("overtake peak 1\nof: {}\n", subject); }

std::string to_text(const MeasuredPeak& peak, const std::string& subject) {
  const std::string text = head_of(subject) + fmt::format("gflops: {}\ngbs: {}\n", peak.gflops, peak.gbs);
  return text + fmt::format("checksum: {}\n", digest_of(text));
}

/// Nothing for a file that is missing, damaged or about something else: the device is measured anew.
std::optional<MeasuredPeak> read(const fs::path& path, const std::string& subject) {
  constexpr std::uintmax_t most_bytes = 4096;
  const std::string text = backend::read_cache_file(path, most_bytes).value_or("");
  const std::string head = head_of(subject);
  if (!text.starts_with(head)) return std::nullopt;
  std::string_view numbers = std::string_view(text).substr(head.size());
  const auto gflops = placement::take_number(numbers, "gflops"), gbs = placement::take_number(numbers, "gbs");
  if (!gflops || !gbs || !(*gflops > 0 && *gbs > 0)) return std::nullopt;
  const MeasuredPeak peak{*gflops, *gbs};
  return to_text(peak, subject) == text ? std::optional(peak) : std::nullopt;
}

}  // namespace

MeasuredPeak kept_peak(const Device& device) {
  static std::mutex mutex;
  static std::map<std::string, MeasuredPeak> known;
  const std::string subject = "peak of " + placement::subject_of(device.info());
  const std::lock_guard lock(mutex);
  if (const auto found = known.find(subject); found != known.end()) return found->second;
  const auto folder = config::cache_directory();
  const std::string digest = digest_of(subject);
  if (folder) {
    if (const auto kept = read(*folder / (digest + std::string(backend::rates_ending)), subject)) {
      return known.emplace(subject, *kept).first->second;
    }
  }
  const MeasuredPeak peak = measure_peak(device);
  if (folder) (void)backend::write_cache_file(*folder, digest, backend::rates_ending, to_text(peak, subject));
  return known.emplace(subject, peak).first->second;
}

}  // namespace overtake
