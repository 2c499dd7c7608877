// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>

#include "backend/api/device.hpp"
#include "forest/grow/grower.hpp"
#include "forest/grow/need.hpp"
#include "forest/problem/problem.hpp"

namespace overtake::forest {

/// The grower of a device: threads on the cpu, kernels elsewhere. `problem` must outlive it. `limit`: what it
/// may plan with; 0: most of what the device has. Throws DeviceError when the problem itself does not fit, naming need
/// and limit, or when the device cannot run the kernels (no run-time compiler).
[[nodiscard]] std::unique_ptr<Grower> make_grower(backend::Device& device, const Problem& problem,
                                                  const GrowerLimit& limit);

/// The `limit` for it where --memory-limit and --host-memory-limit are these (0: none): on a device whose memory
/// is the computer's both hold.
[[nodiscard]] GrowerLimit grower_limit(const backend::Device& device, const Problem& problem,
                                       std::uint64_t memory_limit, std::uint64_t host_limit,
                                       const GrowerShare& share = {});

}  // namespace overtake::forest
