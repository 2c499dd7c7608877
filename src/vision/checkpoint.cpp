// SPDX-License-Identifier: MIT
#include "vision/checkpoint.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "core/whole_number.hpp"
#include "overtake/error.hpp"

namespace overtake::vision {
namespace {

// Names of nn::TrainingState::figures: three an epoch, and those of Reached.
constexpr const char* speeds = "speeds";
constexpr const char* reached = "reached";
constexpr std::size_t speeds_of_epoch = 3, figures_of_reached = 7;

std::string data_text(const ImageSet& images) {
  return fmt::format("{} images with checksum {}", images.size(), images.checksum());
}

[[noreturn]] void damaged(const std::filesystem::path& path) {
  throw DataError(
      fmt::format("{}: the checkpoint is damaged: it does not say where its training stands", path.string()),
      "Use an unaltered copy, or start anew without resuming.");
}

}  // namespace

nn::Fingerprint settings_of(const ImageTrainingOptions& options, const Prepared& prepared,
                            const optim::Optimizer& optimizer, const ImageSet& images,
                            const std::optional<ImageSet>& validation) {
  const ImageTransform& how = prepared.training;
  nn::Fingerprint settings = {{"model", options.model},
                              {"image_size", fmt::format("{}", how.height)},
                              {"augment", how.crop == prepared.model.transform.crop ? "false" : "true"},
                              {"optimizer", optimizer.describe()},
                              {"learning rate", fmt::format("{}", options.first_rate())},
                              {"schedule", optim::Schedule::parse(options.schedule, options.epochs).describe()},
                              {"batch size", fmt::format("{}", options.batch_size)},
                              {"accumulate", fmt::format("{}", options.accumulate)},
                              {"precision", std::string(name_of(options.precision))},
                              {"label_smoothing", fmt::format("{}", options.label_smoothing)},
                              {"clip_grad_norm", fmt::format("{}", options.clip_grad_norm)},
                              {"seed", fmt::format("{}", options.seed)},
                              {"weights", options.weights.string()},
                              {"freeze", fmt::format("{}", fmt::join(options.freeze, ","))},
                              {"on_broken", options.on_broken == OnBroken::skip ? "skip" : "refuse"},
                              {"training data", data_text(images)},
                              {"validation data", validation ? data_text(*validation) : "none"}};
  return settings;
}

void write_standing(const ImageTrainingOptions& options, nn::Module& network, optim::Optimizer& optimizer,
                    const Standing& standing, const nn::Fingerprint& settings) {
  nn::TrainingState state;
  state.epoch = static_cast<int>(standing.epochs.size());
  std::vector<double>& speed = state.figures[speeds];
  for (const ImageEpoch& epoch : standing.epochs) {
    constexpr double none = std::numeric_limits<double>::quiet_NaN();
    state.history.push_back({epoch.epoch, epoch.learning_rate, epoch.train_loss, epoch.train_error,
                             epoch.validation_loss.value_or(none), epoch.validation_error.value_or(none)});
    speed.insert(speed.end(), {epoch.seconds, epoch.wait_seconds, static_cast<double>(epoch.images)});
  }
  const Reached& at = standing.reached;
  state.figures[reached] = {static_cast<double>(at.end),
                            static_cast<double>(at.rows),
                            at.sums.loss,
                            at.sums.wrong,
                            at.seconds,
                            at.wait_seconds,
                            static_cast<double>(standing.part_rows)};
  if (state.epoch == options.epochs) state.ended = StopReason::finished;
  nn::write_checkpoint(options.checkpoint_path, network, optimizer, state, settings);
}

Standing read_standing(const ImageTrainingOptions& options, nn::Module& network, optim::Optimizer& optimizer,
                       std::int64_t images, const nn::Fingerprint& settings) {
  TrainerOptions length;
  length.epochs = options.epochs;
  const nn::TrainingState state =
      nn::read_checkpoint(options.checkpoint_path, network, optimizer, length, false, settings);
  const auto speed = state.figures.find(speeds), at = state.figures.find(reached);
  if (speed == state.figures.end() || at == state.figures.end() || at->second.size() != figures_of_reached ||
      speed->second.size() != speeds_of_epoch * state.history.size() ||
      state.history.size() != static_cast<std::size_t>(state.epoch)) {
    damaged(options.checkpoint_path);
  }
  Standing standing;
  for (std::size_t i = 0; i < state.history.size(); ++i) {
    const EpochRecord& record = state.history[i];
    const double* of_epoch = speed->second.data() + speeds_of_epoch * i;
    ImageEpoch epoch{record.epoch, record.learning_rate, record.train_loss, record.train_error};
    if (!std::isnan(record.validation_loss)) epoch.validation_loss = record.validation_loss;
    if (!std::isnan(record.validation_error)) epoch.validation_error = record.validation_error;
    epoch.seconds = of_epoch[0];
    epoch.wait_seconds = of_epoch[1];
    const auto trained_on = whole_number(of_epoch[2], 1, images);
    if (!trained_on) damaged(options.checkpoint_path);
    epoch.images = *trained_on;
    standing.epochs.push_back(epoch);
  }
  const std::vector<double>& figures = at->second;
  const auto end = whole_number(figures[0], 0, images);
  const auto rows = whole_number(figures[1], 0, end.value_or(0));
  const auto part_rows = whole_number(figures[6], 1, options.batch_size);
  if (!end || !rows || !part_rows) damaged(options.checkpoint_path);
  standing.reached = {*end, *rows, {figures[2], figures[3]}, figures[4], figures[5]};
  standing.part_rows = *part_rows;
  return standing;
}

}  // namespace overtake::vision
