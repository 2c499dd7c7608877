// SPDX-License-Identifier: MIT
#include "forest/make_grower.hpp"

#include <algorithm>

#include "forest/device/grower.hpp"
#include "forest/grow/need.hpp"
#include "forest/host/grower.hpp"
#include "overtake/memory.hpp"

namespace overtake::forest {

std::unique_ptr<Grower> make_grower(backend::Device& device, const Problem& problem, const GrowerLimit& limit) {
  if (device.is_host()) return make_host_grower(problem, limit);
  return make_kernel_grower(device, problem, limit);
}

GrowerLimit grower_limit(const backend::Device& device, const Problem& problem, std::uint64_t memory_limit,
                         std::uint64_t host_limit, const GrowerShare& share) {
  if (device.is_host()) return host_grower_limit(problem, memory_limit, host_limit, share);
  if (host_limit == 0 || !is_in_host_memory(device.info().kind)) return memory_limit;
  // Tables beside the host's own copy of the problem; the other half is for what is fetched and scored.
  const std::uint64_t own = std::max<std::uint64_t>(1, share.bytes(host_limit));
  return memory_limit > 0 && memory_limit <= own ? GrowerLimit(memory_limit)
                                                 : GrowerLimit(own, host_limit, share.growers);
}

}  // namespace overtake::forest
