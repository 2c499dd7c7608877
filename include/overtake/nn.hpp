// SPDX-License-Identifier: MIT
#pragma once

/// Neural networks: modules, layers and losses (overtake::nn). Optimisers are in optim.hpp, the Trainer in trainer.hpp.
#include "overtake/nn/clip_grad.hpp"
#include "overtake/nn/embedding.hpp"
#include "overtake/nn/images.hpp"
#include "overtake/nn/layers.hpp"
#include "overtake/nn/loss.hpp"
#include "overtake/nn/module.hpp"
#include "overtake/nn/norm.hpp"
#include "overtake/nn/sequential.hpp"
