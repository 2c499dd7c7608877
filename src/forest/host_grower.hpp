// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>

#include "forest/growth.hpp"

namespace overtake::forest {

/// Grows forests on the host threads of `device` (Device::run_on_host).
[[nodiscard]] std::unique_ptr<Grower> make_host_grower(backend::Device& device, const Problem& problem,
                                                       std::uint64_t memory_limit);

}  // namespace overtake::forest
