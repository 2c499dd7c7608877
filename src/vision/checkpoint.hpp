// SPDX-License-Identifier: MIT
// Where a training on images stands, in a file of the Trainer's format.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "nn/file/checkpoint.hpp"
#include "overtake/vision.hpp"
#include "vision/steps.hpp"

namespace overtake::vision {

/// Where an epoch stands that is not complete.
struct Reached {
  std::int64_t end = 0;  ///< ImageBatch::end of the last batch
  std::int64_t rows = 0;
  RowSums sums;
  double seconds = 0, wait_seconds = 0;
};

struct Standing {
  std::vector<ImageEpoch> epochs;  ///< complete ones
  Reached reached;                 ///< of the next
  std::int64_t part_rows = 0;      ///< Steps::part_rows()
};

/// What decides the bits of a training: a checkpoint of other ones is not continued. Waits for files' sizes.
[[nodiscard]] nn::Fingerprint settings_of(const ImageTrainingOptions& options, const Prepared& prepared,
                                          const optim::Optimizer& optimizer, const ImageSet& images,
                                          const std::optional<ImageSet>& validation);

/// Writes the file atomically. Throws DataError.
void write_standing(const ImageTrainingOptions& options, nn::Module& network, optim::Optimizer& optimizer,
                    const Standing& standing, const nn::Fingerprint& settings);

/// Overwrites the arrays of network and optimiser with those of the file. Throws DataError as nn::read_checkpoint().
[[nodiscard]] Standing read_standing(const ImageTrainingOptions& options, nn::Module& network,
                                     optim::Optimizer& optimizer, std::int64_t images, const nn::Fingerprint& settings);

}  // namespace overtake::vision
