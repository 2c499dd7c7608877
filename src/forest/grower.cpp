// SPDX-License-Identifier: MIT
#include "forest/growth.hpp"
#include "forest/host_grower.hpp"
#include "forest/kernel_grower.hpp"
#include "overtake/error.hpp"

namespace overtake::forest {

std::unique_ptr<Grower> make_grower(backend::Device& device, const Problem& problem, std::uint64_t memory_limit) {
  if (device.info().id.starts_with("null")) {
    throw DeviceError("the null device computes nothing, and a forest's tables come from its results",
                      "Use cpu, cuda or opencl.");
  }
  if (device.is_host()) return make_host_grower(device, problem, memory_limit);
  return make_kernel_grower(device, problem, memory_limit);
}

}  // namespace overtake::forest
