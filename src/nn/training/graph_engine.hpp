// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "nn/training/engine.hpp"

namespace overtake::nn {

/// The engine that replays one compiled plan of a whole step: take the batch, forward, loss, backward, update, count. A
/// last smaller batch has a plan of its own.
[[nodiscard]] std::unique_ptr<Engine> make_graph_engine(const EngineTask& task);

}  // namespace overtake::nn
