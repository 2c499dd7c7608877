// SPDX-License-Identifier: MIT
#include "forest/make_grower.hpp"
#include "forest/device/grower.hpp"
#include "forest/host/grower.hpp"

namespace overtake::forest {

std::unique_ptr<Grower> make_grower(backend::Device& device, const Problem& problem, std::uint64_t memory_limit) {
  if (device.is_host()) return make_host_grower(problem, memory_limit);
  return make_kernel_grower(device, problem, memory_limit);
}

}  // namespace overtake::forest
