// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <string_view>

#include "overtake/race.hpp"
#include "overtake/version.hpp"
#include "platform/computer.hpp"
#include "platform/host_limits.hpp"

namespace overtake {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

Machine this_machine() {
  Machine machine;
  machine.cpu = platform::processor_name();
  machine.cores = platform::usable_cores();
  machine.memory_bytes = platform::physical_memory();
  machine.os = platform::operating_system();
  machine.version = version();
  return machine;
}

bool is_gpu(const DeviceInfo& info) {
  if (info.backend == "cuda") {
    return true;
  }
  if (info.backend != "opencl") {
    return false;
  }
  // The contract has no device type; OpenCL on a CPU shows it in its name or its driver.
  const std::string text = lower(info.name + " " + info.driver);
  constexpr std::array<std::string_view, 8> cpu_words = {
      "pocl", "portable computing", "pthread", "llvmpipe", "cpu", "xeon", "epyc", "ryzen"};
  return std::none_of(cpu_words.begin(), cpu_words.end(),
                      [&](std::string_view word) { return text.find(word) != std::string::npos; });
}

}  // namespace overtake
