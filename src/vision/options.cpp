// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <cmath>

#include "overtake/error.hpp"
#include "overtake/models.hpp"
#include "overtake/optim.hpp"
#include "overtake/vision.hpp"

namespace overtake {
namespace {

void require(bool holds, const std::string& message, const std::string& hint = {}) {
  if (!holds) throw UsageError(message, hint);
}

}  // namespace

void ImageTrainingOptions::check() const {
  const models::ModelInfo& info = models::info_of(model);
  require(epochs >= 1, fmt::format("epochs {} must be at least 1", epochs));
  require(checkpoint_every >= 1, fmt::format("checkpoint_every {} must be at least 1", checkpoint_every));
  require(!resume || !checkpoint_path.empty(), "resume needs a checkpoint_path to continue from",
          "With the tool, give --checkpoint FILE.");
  require(batch_size >= 1, fmt::format("batch_size {} must be at least 1", batch_size));
  require(optimizer == "sgd" || optimizer == "adam" || optimizer == "adamw",
          fmt::format("optimizer '{}' is none of sgd, adam, adamw", optimizer));
  require(accumulate >= 1 && accumulate <= batch_size,
          fmt::format("accumulate {} must be from 1 to the batch size, {}", accumulate, batch_size));
  const auto is_number = [](double value, double most) { return value >= 0 && value <= most; };
  constexpr double most = 1e6;
  require(!learning_rate || is_number(*learning_rate, most),
          fmt::format("learning_rate {} must be a number from 0 to {}", learning_rate.value_or(0), most));
  require(is_number(momentum, 1) && momentum < 1, fmt::format("momentum {} is not in [0, 1)", momentum));
  require(is_number(weight_decay, most), fmt::format("weight_decay {} must be a number of at least 0", weight_decay));
  require(is_number(label_smoothing, 1) && label_smoothing < 1,
          fmt::format("label_smoothing {} is not in [0, 1)", label_smoothing));
  require(is_number(clip_grad_norm, most), fmt::format("clip_grad_norm {} must be at least 0", clip_grad_norm));
  require(is_number(validation_share, 1) && validation_share < 1,
          fmt::format("validation_share {} is not in [0, 1)", validation_share), "0.1 sets a tenth aside.");
  require(image_size == 0 || (image_size >= info.least_size && image_size <= info.most_size),
          fmt::format("image_size {}: {} takes {} to {}", image_size, model, info.least_size, info.most_size));
  try {
    optim::Schedule::parse(schedule, epochs).check(first_rate(), epochs);
  } catch (const UsageError& error) {
    throw UsageError(fmt::format("schedule \"{}\": {}", schedule, error.what()), error.hint());
  }
}

}  // namespace overtake
