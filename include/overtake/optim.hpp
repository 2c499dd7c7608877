// SPDX-License-Identifier: MIT
#pragma once

/// Optimisers with PyTorch's formulas and defaults, and learning-rate schedules (overtake::optim).
#include "overtake/optim/lbfgs.hpp"
#include "overtake/optim/optimizer.hpp"
#include "overtake/optim/optimizers.hpp"
#include "overtake/optim/schedule.hpp"
#include "overtake/optim/scheduler.hpp"
