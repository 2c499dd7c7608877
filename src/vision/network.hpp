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
  std::string note;  ///< which layer begins anew, since the file of weights has it for other classes; "" if none
};
[[nodiscard]] Prepared prepare(const ImageTrainingOptions& options, const ImageSet& images);

/// The optimiser that the options describe, of parameters() that are not frozen. Throws UsageError for a part that the
/// network does not have, and where nothing is left to learn.
[[nodiscard]] std::unique_ptr<optim::Optimizer> optimizer_of(const ImageTrainingOptions& options, nn::Module& network);

/// Keeps the weights of layers that multiply in the type that a precision computes in, so that answers read them as
/// they are: in bf16 half the bytes, which no answer rounds again. The network can no longer be trained or saved.
void hold_weights(nn::Module& network, Precision precision);

}  // namespace overtake::vision
