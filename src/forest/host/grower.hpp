// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>

#include "backend/api/device.hpp"
#include "forest/grow/grower.hpp"
#include "forest/problem/problem.hpp"

namespace overtake::forest {

/// Grows forests on the host threads of `device` (Device::run_on_host).
[[nodiscard]] std::unique_ptr<Grower> make_host_grower(backend::Device& device, const Problem& problem,
                                                       std::uint64_t memory_limit);

}  // namespace overtake::forest
