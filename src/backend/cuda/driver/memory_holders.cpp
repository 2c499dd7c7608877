// SPDX-License-Identifier: MIT
#include "backend/cuda/driver/memory_holders.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

#include "backend/common/library_loader.hpp"
#include "backend/common/trial/driver_text.hpp"
#include "backend/cuda/driver/vendor_libraries.hpp"
#include "backend/cuda/vendor/nvml.hpp"
#include "platform/process.hpp"

namespace overtake::backend::cuda {
namespace {

constexpr unsigned most_processes = 256;

/// Functions of NVML, under its own names.
struct NvmlApi {
#define OVERTAKE_NVML_MEMBER(name, parameters) \
  nvmlReturn_t(*name) parameters = nullptr;  // NOLINT(bugprone-macro-parentheses)
  OVERTAKE_NVML_FUNCTIONS(OVERTAKE_NVML_MEMBER)
#undef OVERTAKE_NVML_MEMBER
};

/// False where one is missing.
bool find_functions(const Library& library, NvmlApi& api) {
  bool all = true;
#define OVERTAKE_NVML_FIND(name, parameters)               \
  api.name = library.find<nvmlReturn_t parameters>(#name); \
  all = all && api.name != nullptr;
  OVERTAKE_NVML_FUNCTIONS(OVERTAKE_NVML_FIND)
#undef OVERTAKE_NVML_FIND
  return all;
}

std::string process_name(const NvmlApi& api, unsigned process) {
  std::array<char, 1024> name{};
  if (api.nvmlSystemGetProcessName(process, name.data(), name.size() - 1) != NVML_SUCCESS) return {};
  const std::string path = printable(name.data());
  return std::filesystem::path(path.substr(0, path.find(' '))).filename().string();
}

}  // namespace

std::vector<MemoryHolder> memory_holders(const std::string& pci_address) {
  std::vector<MemoryHolder> holders;
  Library library({"libnvidia-ml.so.1"});
  NvmlApi api;
  if (!library.loaded() || !find_functions(library, api) || api.nvmlInit_v2() != NVML_SUCCESS) return holders;
  nvmlDevice_t device = nullptr;
  std::vector<nvmlProcessInfo_t> processes(most_processes);
  unsigned count = most_processes;
  if (api.nvmlDeviceGetHandleByPciBusId_v2(pci_address.c_str(), &device) != NVML_SUCCESS ||
      api.nvmlDeviceGetComputeRunningProcesses_v3(device, &count, processes.data()) != NVML_SUCCESS) {
    count = 0;
  }
  processes.resize(std::min(count, most_processes));
  for (const nvmlProcessInfo_t& process : processes) {
    if (process.pid == platform::process_number()) continue;
    const bool is_known = process.usedGpuMemory != ~0ULL;
    holders.push_back({process.pid, process_name(api, process.pid), is_known ? process.usedGpuMemory : 0});
  }
  static_cast<void>(api.nvmlShutdown());
  keep_open(std::move(library));
  std::sort(holders.begin(), holders.end(),
            [](const MemoryHolder& a, const MemoryHolder& b) { return a.bytes > b.bytes; });
  return holders;
}

}  // namespace overtake::backend::cuda
