// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "overtake/optim.hpp"
#include "overtake/vision.hpp"

namespace overtake::vision {

/// The network, with first weights from seed or file, and what images become for training and for answers.
struct Prepared {
  ImageModel model;
  ImageTransform training;
};
[[nodiscard]] Prepared prepare(const ImageTrainingOptions& options, const ImageSet& images);

/// The optimiser that the options describe, of parameters() that are not frozen. Throws UsageError for a part that the
/// network does not have, and where nothing is left to learn.
[[nodiscard]] std::unique_ptr<optim::Optimizer> optimizer_of(const ImageTrainingOptions& options, nn::Module& network);

}  // namespace overtake::vision
