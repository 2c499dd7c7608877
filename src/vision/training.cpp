// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "backend/api/details.hpp"
#include "backend/api/device.hpp"
#include "core/clock.hpp"
#include "nn/training/mode_guard.hpp"
#include "nn/training/training_step.hpp"
#include "overtake/error.hpp"
#include "overtake/memory.hpp"
#include "vision/checkpoint.hpp"
#include "vision/need.hpp"
#include "vision/steps.hpp"
#include "vision/stopping.hpp"

namespace overtake {
namespace {

using vision::Reached;
class Training {
 public:
  Training(const ImageSet& images, const std::optional<ImageSet>& validation, const ImageTrainingOptions& options,
           const Device& device)
      : options_(options),
        device_(device),
        prepared_(vision::prepare(options, images)),
        network_(*prepared_.model.network) {
    network_.to(device);
    network_.train();
    optimizer_ = vision::optimizer_of(options, network_);
    nn::take_own_buffers(network_, *optimizer_);
    resume(images, validation);
    const std::int64_t rows = std::min(options.batch_size, images.size());
    steps_.emplace(prepared_, *optimizer_, options_, device);
    now_.part_rows = steps_->fit(rows, now_.part_rows);
    result_.judged = validation ? *validation : images;
    result_.training_images = images.size();
    result_.validation_images = validation ? validation->size() : 0;
    result_.parts = (rows + now_.part_rows - 1) / now_.part_rows;
    steps_->set_sums(now_.reached.sums);
    if (options.stop != nullptr && device.impl().is_host()) undo_.emplace(steps_->changed_arrays());
    training_.emplace(images, loader_options(prepared_.training, true), device);
    if (validation) validation_.emplace(*validation, loader_options(prepared_.model.transform, false), device);
  }

  TrainedImageModel run() {
    const optim::Schedule schedule = optim::Schedule::parse(options_.schedule, options_.epochs);
    began_ = Clock::now();
    if (options_.observer != nullptr) options_.observer->on_start(result_.parts, now_.part_rows);
    while (epochs_done() < options_.epochs && !result_.interrupted && result_.diverged.empty()) {
      optimizer_->set_learning_rate(schedule.at(options_.first_rate(), epochs_done()));
      train_epoch();
    }
    result_.compile_seconds = steps_->compile_seconds();
    result_.plan_bytes = steps_->plan_bytes();
    result_.launches_per_step = steps_->launches();
    steps_.reset();
    undo_.reset();
    network_.to(Device("cpu"));
    network_.eval();
    result_.epochs = std::move(now_.epochs);
    result_.skipped = training_->skipped();
    result_.note = std::move(prepared_.note);
    result_.model = std::move(prepared_.model);
    result_.device = device_.id();
    return std::move(result_);
  }

 private:
  ImageLoaderOptions loader_options(const ImageTransform& how, bool shuffle) const {
    ImageLoaderOptions reading{.transform = how};
    reading.channels = prepared_.model.channels;
    reading.batch_size = options_.batch_size;
    reading.shuffle = shuffle;
    reading.seed = options_.seed;
    reading.threads = options_.threads;
    reading.on_broken = options_.on_broken;
    return reading;
  }

  [[nodiscard]] int epochs_done() const { return static_cast<int>(now_.epochs.size()); }

  void resume(const ImageSet& images, const std::optional<ImageSet>& validation) {
    if (options_.checkpoint_path.empty()) return;
    settings_ = vision::settings_of(options_, prepared_, *optimizer_, images, validation);
    if (!options_.resume || !std::filesystem::exists(options_.checkpoint_path)) return;
    now_ = vision::read_standing(options_, network_, *optimizer_, images.size(), settings_);
    result_.resumed_epochs = epochs_done();
    result_.resumed_images = now_.reached.rows;
  }

  // A full disk must not end days of training: the next checkpoint tries again, and the result says what became of the
  // last one.
  void save() {
    if (options_.checkpoint_path.empty()) return;
    const bool had_failed = !result_.checkpoint_failure.empty();
    result_.checkpoint_failure.clear();
    try {
      vision::write_standing(options_, network_, *optimizer_, now_, settings_);
    } catch (const DataError& error) {
      result_.checkpoint_failure = error.what();
      if (!had_failed && options_.observer != nullptr) options_.observer->on_checkpoint_failure(error.what());
    }
  }

  void train_epoch() {
    ImageEpoch record{.epoch = epochs_done() + 1, .learning_rate = optimizer_->learning_rate()};
    train_batches();
    const Reached& all = now_.reached;
    if (all.rows == 0 && result_.interrupted) {
      if (epochs_done() > 0) save();
      return;
    }
    if (all.rows == 0) throw DataError("no image of the set could be read");
    record.train_loss = all.sums.loss / static_cast<double>(all.rows);
    record.train_error = all.sums.wrong / static_cast<double>(all.rows);
    record.seconds = all.seconds;
    record.wait_seconds = all.wait_seconds;
    record.images = all.rows;
    record.is_whole = !result_.interrupted;
    const bool is_finite = std::isfinite(record.train_loss);
    if (validation_ && is_finite && !result_.interrupted) judge_epoch(record);
    if (!is_finite || !std::isfinite(record.validation_loss.value_or(0))) {
      result_.diverged = fmt::format("training diverged in epoch {}: the {} loss is not finite", record.epoch,
                                     is_finite ? "validation" : "training");
    }
    const bool is_kept = result_.diverged.empty();
    if (result_.interrupted && is_kept) save();  // inside of the epoch, whose record is not complete
    now_.epochs.push_back(record);
    if (!result_.interrupted && is_kept) {
      now_.reached = {};
      if (record.epoch % options_.checkpoint_every == 0 || record.epoch == options_.epochs) save();
    }
    if (options_.observer != nullptr) options_.observer->on_epoch(record);
  }

  // The rest of the epoch's batches, or those until somebody interrupts.
  void train_batches() {
    Reached& reached = now_.reached;
    const auto start = Clock::now();
    const double before = reached.seconds, waited = training_->stats().wait_seconds - reached.wait_seconds;
    training_->begin_epoch(epochs_done(), reached.end);
    while (!is_stopped()) {
      const std::optional<ImageBatch> batch = training_->next();
      if (!batch || !train_batch(*batch)) break;
      reached.end = batch->end;
      reached.rows += batch->size();
      reached.seconds = before + seconds_since(start);
      tell_batch();
    }
    result_.interrupted = is_stopped();
    reached.sums = steps_->take_sums();
    reached.seconds = before + seconds_since(start);
    reached.wait_seconds = training_->stats().wait_seconds - waited;
  }

  [[nodiscard]] bool is_stopped() const { return options_.stop != nullptr && options_.stop->requested(); }

  // False where somebody asked to stop meanwhile: all is as it was before the batch. A device that is told of its work
  // ahead of time does all of it.
  bool train_batch(const ImageBatch& batch) {
    const auto start = Clock::now();
    if (undo_ && undo_->keep(batch_seconds_)) {
      try {
        const vision::Stoppable stoppable(*options_.stop);
        steps_->train(batch);
      } catch (const vision::Stopped&) {
        undo_->restore();
        return false;
      }
    } else {
      steps_->train(batch);
    }
    batch_seconds_ = seconds_since(start);
    return true;
  }

  void judge_batch(const ImageBatch& batch) {
    if (!undo_) return steps_->judge(batch);
    try {
      const vision::Stoppable stoppable(*options_.stop);
      steps_->judge(batch);
    } catch (const vision::Stopped&) {  // judge_epoch() asks, too
    }
  }

  void judge_epoch(ImageEpoch& record) {
    const nn::ModeGuard mode(network_, false);
    validation_->begin_epoch(0);
    std::int64_t rows = 0;
    while (const std::optional<ImageBatch> batch = validation_->next()) {
      judge_batch(*batch);
      rows += batch->size();
      if (is_stopped()) {
        result_.interrupted = true;
        return;
      }
    }
    if (rows == 0) return;
    const vision::RowSums sums = steps_->take_sums();
    record.validation_loss = sums.loss / static_cast<double>(rows);
    record.validation_error = sums.wrong / static_cast<double>(rows);
  }

  void tell_batch() {
    ++batches_run_;
    if (options_.observer == nullptr) return;
    const std::int64_t per_epoch = training_->batches_per_epoch();
    const Reached& reached = now_.reached;
    Progress progress;
    progress.done = epochs_done() * per_epoch + (reached.end + options_.batch_size - 1) / options_.batch_size;
    progress.total = options_.epochs * per_epoch;
    progress.seconds = seconds_since(began_);
    progress.seconds_left =
        progress.seconds / static_cast<double>(batches_run_) * static_cast<double>(progress.total - progress.done);
    options_.observer->on_batch(progress, static_cast<double>(reached.rows) / reached.seconds);
  }

  ImageTrainingOptions options_;
  Device device_;
  vision::Prepared prepared_;
  nn::Module& network_;
  std::unique_ptr<optim::Optimizer> optimizer_;
  nn::Fingerprint settings_;  // where there are checkpoints
  vision::Standing now_;
  std::optional<vision::Steps> steps_;
  std::optional<vision::Undo> undo_;  // where batches may end in the middle
  double batch_seconds_ = 0;          // of the last one; 0: none ran
  std::optional<ImageLoader> training_, validation_;
  Clock::time_point began_;
  std::int64_t batches_run_ = 0;
  TrainedImageModel result_;
};

}  // namespace

TrainedImageModel train_images(const ImageSet& images, const std::optional<ImageSet>& validation,
                               const ImageTrainingOptions& options, const Device& device) {
  options.check();
  nn::require_precision(options.precision, device);
  const ImageParts parts = split_images(images, validation ? 0 : options.validation_share, options.seed);
  try {
    return Training(parts.training, validation ? validation : parts.validation, options, device).run();
  } catch (const MemoryError& cause) {
    throw vision::too_large_to_train(parts.training, options, device, device.impl().memory_limit(), cause);
  }
}

}  // namespace overtake
