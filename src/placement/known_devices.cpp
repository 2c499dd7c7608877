// SPDX-License-Identifier: MIT
// Devices that this machine need not have, as their makers describe them.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>

#include "core/nearest.hpp"
#include "overtake/error.hpp"
#include "overtake/placement.hpp"
#include "placement/calibration.hpp"

namespace overtake {
namespace {

/// A GPU of a maker's data sheet: multiprocessors (of 128 float32 lanes, A100 and T4: 64), boost clock, memory.
struct Sheet {
  std::string_view name, title;
  int units;
  int lanes;
  double mhz, gib, gbs;
};

// NVIDIA's data sheets and architecture white papers of each card (H100, H200, A100, L4, L40S, T4, V100 tensor core
// GPU; Turing, Ampere GA102, Ada and Blackwell RTX).
constexpr Sheet sheets[] = {
    {"h100", "NVIDIA H100 SXM", 132, 128, 1980, 80, 3350},
    {"h100-pcie", "NVIDIA H100 PCIe", 114, 128, 1755, 80, 2000},
    {"h200", "NVIDIA H200", 132, 128, 1980, 141, 4800},
    {"a100", "NVIDIA A100 SXM 80 GB", 108, 64, 1410, 80, 2039},
    {"l4", "NVIDIA L4", 58, 128, 2040, 24, 300},
    {"l40s", "NVIDIA L40S", 142, 128, 2520, 48, 864},
    {"t4", "NVIDIA T4", 40, 64, 1590, 16, 320},
    {"v100", "NVIDIA V100 SXM2", 80, 64, 1530, 32, 900},
    {"rtx-2060", "NVIDIA GeForce RTX 2060", 30, 64, 1680, 6, 336},
    {"rtx-3060", "NVIDIA GeForce RTX 3060", 28, 128, 1777, 12, 360},
    {"rtx-3090", "NVIDIA GeForce RTX 3090", 82, 128, 1695, 24, 936},
    {"rtx-4060", "NVIDIA GeForce RTX 4060", 24, 128, 2460, 8, 272},
    {"rtx-4090", "NVIDIA GeForce RTX 4090", 128, 128, 2520, 24, 1008},
    {"rtx-5090", "NVIDIA GeForce RTX 5090", 170, 128, 2407, 32, 1792},
};

DeviceInfo of_sheet(const Sheet& sheet) {
  DeviceInfo info;
  info.id = sheet.name;
  info.backend = placement::elsewhere;
  info.kind = DeviceKind::gpu;
  info.name = sheet.title;
  info.memory_bytes = static_cast<std::uint64_t>(sheet.gib * (std::uint64_t{1} << 30));
  info.compute_units = sheet.units;
  info.clock_mhz = sheet.mhz;
  info.clock_origin = "data sheet";
  info.peak_gflops = 2e-3 * sheet.units * sheet.lanes * sheet.mhz;
  info.peak_gbs = sheet.gbs;
  return info;
}

/// "cpu-16": so many cores of the kind that this machine has.
std::optional<DeviceInfo> cores(std::string_view name) {
  constexpr std::string_view prefix = "cpu-";
  constexpr int most = 1024;
  if (!name.starts_with(prefix)) return std::nullopt;
  int count = 0;
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + prefix.size(), end, count);
  if (error != std::errc() || stop != end || count < 1 || count > most) return std::nullopt;
  DeviceInfo info = Device().info();
  info.id = name;
  info.backend = placement::elsewhere;
  info.peak_gflops *= static_cast<double>(count) / std::max(1, info.compute_units);
  info.compute_units = count;
  return info;
}

}  // namespace

std::vector<std::string> known_device_names() {
  std::vector<std::string> names;
  for (const Sheet& sheet : sheets) names.emplace_back(sheet.name);
  return names;
}

DeviceInfo known_device(std::string_view name) {
  for (const Sheet& sheet : sheets) {
    if (sheet.name == name) return of_sheet(sheet);
  }
  if (const auto cpu = cores(name)) return *cpu;
  const std::vector<std::string> names = known_device_names();
  const std::string near = nearest(name, names);
  throw UsageError(
      fmt::format("there is no data sheet of a device \"{}\"{}", name,
                  near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near)),
      fmt::format("Known: {}, and cpu-N for N cores (1 to 1024) of this machine's kind.", fmt::join(names, ", ")));
}

}  // namespace overtake
