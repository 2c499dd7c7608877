// SPDX-License-Identifier: MIT
#include "backend/cuda/driver/driver_trial.hpp"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "core/library_files.hpp"

namespace overtake::backend::cuda {
namespace {

constexpr auto start_patience = std::chrono::seconds(60);  // many GPUs without persistence mode take half of that
constexpr auto device_patience = std::chrono::minutes(1);

/// The files that may be the driver; empty where there is none.
std::vector<std::string> driver_files() {
  std::vector<std::string> stamps;
  for (const auto& file : detail::library_files("libcuda.so.1")) stamps.push_back(detail::file_stamp(file));
  return stamps;
}

std::string kernel_module() {
  std::ifstream file("/proc/driver/nvidia/version");
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace

std::optional<Trouble> start_trouble() {
  TrialSubject subject;
  subject.name = "cuda";
  subject.key = driver_files();
  if (subject.key.empty()) return std::nullopt;  // opening it says so better
  subject.title = fmt::format("starting {}", subject.key.front().substr(0, subject.key.front().find(": ")));
  subject.key.push_back(kernel_module());
  subject.request = {{"start", "cuda"}, start_patience, {}};
  subject.is_quick = true;
  subject.hint = "Does nvidia-smi answer? If not, restart the computer or install the driver anew.";
  TrialResult result = try_driver(subject);
  if (result.trouble.empty()) return std::nullopt;
  std::string finding = result.finding.empty() ? "driver-fails" : std::move(result.finding);
  return Trouble{"starting it: " + result.trouble, std::move(result.hint), std::move(finding), result.trouble};
}

TrialSubject device_trial(const DeviceInfo& info) {
  TrialSubject subject;
  subject.name = info.id;
  subject.title = fmt::format("{}, {}", info.name, info.driver);
  subject.key = driver_files();
  subject.key.push_back(info.name);
  subject.key.push_back(info.driver);
  subject.request = {{"device", info.id}, device_patience, {}};
  subject.hint = "Update the NVIDIA driver, or use another device: --device cpu.";
  return subject;
}

}  // namespace overtake::backend::cuda
