// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>

#include "forest/grow/grower.hpp"
#include "forest/grow/need.hpp"
#include "forest/problem/problem.hpp"

namespace overtake::forest {

/// Grows forests on thread_count() threads, fewer where memory allows no more.
[[nodiscard]] std::unique_ptr<Grower> make_host_grower(const Problem& problem, const GrowerLimit& limit);

}  // namespace overtake::forest
