// SPDX-License-Identifier: MIT
// One step is one compiled plan over the arrays of a batch, which the loader's kernel fills.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <map>
#include <tuple>
#include <utility>

#include "backend/api/details.hpp"
#include "backend/api/device.hpp"
#include "graph/compiled_step.hpp"
#include "graph/node.hpp"
#include "graph/primitives/layout.hpp"
#include "nn/training/make_optimizer.hpp"
#include "nn/training/mode_guard.hpp"
#include "nn/training/training_step.hpp"
#include "overtake/data/dataset.hpp"
#include "overtake/error.hpp"
#include "overtake/nn/loss.hpp"
#include "overtake/ops.hpp"
#include "vision/network.hpp"

namespace overtake {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Sums over batches, on the device: losses, wrong rows.
struct Sums {
  Array loss, wrong;
};

Sums zero_sums(const Device& device) {
  return {graph::copy_of(zeros(Shape{}, device)), graph::copy_of(zeros(Shape{}, device))};
}

// Batches of one size: arrays that the loader fills, and the plan over them.
class BatchPlan {
 public:
  BatchPlan(std::int64_t rows, const ImageTransform& how, int channels, const Device& device)
      : inputs_(graph::copy_of(zeros(Shape{rows, how.height, how.width, channels}, device))),
        labels_(graph::copy_of(astype(zeros(Shape{rows}, device), DType::int32))) {}

  // `body` gets images (n, c, h, w) and labels; `state` is what it reassigns, `others` what other plans do.
  template <class Body>
  void compile(const std::vector<Array*>& state, const std::vector<Array*>& others, const Body& body) {
    std::vector<Array> changing = {inputs_, labels_};
    for (const Array* other : others) changing.push_back(*other);
    step_.emplace(
        state,
        [this, &body] {
          body(graph::channels_first(inputs_), labels_);
          return std::vector<Array>();
        },
        true, changing);
  }

  void run(const ImageBatch& batch) {
    batch.write_inputs(*inputs_.node()->buffer);
    graph::overwrite(labels_, std::span<const std::int32_t>(batch.labels));
    step_->run();
  }
  [[nodiscard]] const graph::CompiledStep& step() const { return *step_; }

 private:
  Array inputs_, labels_;
  std::optional<graph::CompiledStep> step_;
};

// The classes' probabilities are taken in float32, whatever the network computes in.
Array logits_of(nn::Module& network, const Array& images) { return astype(network.forward(images), DType::float32); }

class Training {
 public:
  Training(const ImageSet& images, const std::optional<ImageSet>& validation, const ImageTrainingOptions& options,
           const Device& device)
      : options_(options),
        device_(device),
        prepared_(vision::prepare(options, images)),
        network_(*prepared_.model.network),
        sums_(zero_sums(device)) {
    network_.to(device);
    network_.train();
    optimizer_ = nn::make_optimizer({options.optimizer, options.first_rate(), options.momentum, options.weight_decay},
                                    vision::learnt(network_, options.freeze));
    nn::take_own_buffers(network_, *optimizer_);
    training_.emplace(images, loader_options(prepared_.training, true), device);
    if (validation) validation_.emplace(*validation, loader_options(prepared_.model.transform, false), device);
    total_batches_ = training_->batches_per_epoch() * options.epochs;
  }

  TrainedImageModel run() {
    const optim::Schedule schedule = optim::Schedule::parse(options_.schedule, options_.epochs);
    const double base_rate = optimizer_->learning_rate();
    began_ = Clock::now();
    for (int epoch = 0; epoch < options_.epochs && !result_.interrupted; ++epoch) {
      optimizer_->set_learning_rate(schedule.at(base_rate, epoch));
      train_epoch(epoch);
    }
    plans_.clear();
    network_.to(Device("cpu"));
    network_.eval();
    result_.skipped = training_->skipped();
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

  std::vector<Array*> training_state() {
    std::vector<Array*> state = nn::step_state(network_, *optimizer_);
    state.insert(state.end(), {&sums_.loss, &sums_.wrong});
    return state;
  }

  void step(const Array& images, const Array& labels) {
    const PrecisionScope precision(options_.precision);
    const Array logits = logits_of(network_, images);
    const Array loss = nn::cross_entropy(logits, labels, {.label_smoothing = options_.label_smoothing});
    nn::learn(network_, *optimizer_, loss, options_.clip_grad_norm);
    add_to_sums(logits, labels, loss);
  }

  void add_to_sums(const Array& logits, const Array& labels, const Array& loss) {
    const auto rows = static_cast<float>(labels.size());
    sums_.loss = sums_.loss + reshape(loss, {}) * rows;
    sums_.wrong = sums_.wrong + sum(astype(not_equal(argmax(logits, -1), labels), DType::float32));
  }

  void judge(const Array& images, const Array& labels) {
    const PrecisionScope precision(options_.precision);
    const Array logits = logits_of(network_, images);
    add_to_sums(logits, labels, nn::cross_entropy(logits, labels));
  }

  // The plan for batches of so many rows, made when the first comes: the last one of an epoch may be smaller.
  BatchPlan& plan_for(std::int64_t rows, bool trains) {
    const auto found = plans_.find({rows, trains});
    if (found != plans_.end()) return found->second;
    const auto start = Clock::now();
    BatchPlan& plan = plans_
                          .try_emplace({rows, trains}, rows, trains ? prepared_.training : prepared_.model.transform,
                                       prepared_.model.channels, device_)
                          .first->second;
    if (trains) {
      plan.compile(training_state(), {}, [this](const Array& images, const Array& labels) { step(images, labels); });
      result_.plan_bytes = std::max(result_.plan_bytes, plan.step().bytes());
      result_.launches_per_step = std::max(result_.launches_per_step, plan.step().stats().launches);
    } else {
      plan.compile({&sums_.loss, &sums_.wrong}, nn::step_state(network_, *optimizer_),
                   [this](const Array& images, const Array& labels) { judge(images, labels); });
    }
    result_.compile_seconds += seconds_since(start);
    return plan;
  }

  // Mean loss and share of wrong rows since the last call.
  std::pair<double, double> read_sums(std::int64_t rows) {
    const std::pair<double, double> sums(sums_.loss.item<float>(), sums_.wrong.item<float>());
    for (const Array& each : {sums_.loss, sums_.wrong}) graph::overwrite(each, std::array<float, 1>{0});
    return {sums.first / static_cast<double>(rows), sums.second / static_cast<double>(rows)};
  }

  void train_epoch(int epoch) {
    const auto start = Clock::now();
    const double waited = training_->stats().wait_seconds;
    training_->begin_epoch(epoch);
    std::int64_t rows = 0;
    while (const std::optional<ImageBatch> batch = training_->next()) {
      plan_for(batch->size(), true).run(*batch);
      rows += batch->size();
      tell_batch(rows, start);
      result_.interrupted = options_.stop != nullptr && options_.stop->requested();
      if (result_.interrupted) break;
    }
    if (rows == 0) throw DataError("no image of the set could be read");
    ImageEpoch record{.epoch = epoch + 1, .learning_rate = optimizer_->learning_rate()};
    std::tie(record.train_loss, record.train_error) = read_sums(rows);
    record.seconds = seconds_since(start);
    record.wait_seconds = training_->stats().wait_seconds - waited;
    record.images_per_second = static_cast<double>(rows) / record.seconds;
    if (!std::isfinite(record.train_loss)) {
      throw UsageError(fmt::format("training diverged in epoch {}: the loss is not finite", record.epoch),
                       "Lower the learning rate.");
    }
    if (validation_ && !result_.interrupted) judge_epoch(record);
    result_.epochs.push_back(record);
    if (options_.observer != nullptr) options_.observer->on_epoch(record);
  }

  void judge_epoch(ImageEpoch& record) {
    const nn::ModeGuard mode(network_, false);
    validation_->begin_epoch(0);
    std::int64_t rows = 0;
    while (const std::optional<ImageBatch> batch = validation_->next()) {
      plan_for(batch->size(), false).run(*batch);
      rows += batch->size();
    }
    if (rows == 0) return;
    const auto [loss, error] = read_sums(rows);
    record.validation_loss = loss;
    record.validation_error = error;
  }

  void tell_batch(std::int64_t rows_of_epoch, Clock::time_point epoch_start) {
    ++done_batches_;
    if (options_.observer == nullptr) return;
    Progress progress;
    progress.done = done_batches_;
    progress.total = total_batches_;
    progress.seconds = seconds_since(began_);
    progress.seconds_left =
        progress.seconds / static_cast<double>(done_batches_) * static_cast<double>(total_batches_ - done_batches_);
    options_.observer->on_batch(progress, static_cast<double>(rows_of_epoch) / seconds_since(epoch_start));
  }

  ImageTrainingOptions options_;
  Device device_;
  vision::Prepared prepared_;
  nn::Module& network_;
  std::unique_ptr<optim::Optimizer> optimizer_;
  Sums sums_;
  std::optional<ImageLoader> training_, validation_;
  std::map<std::pair<std::int64_t, bool>, BatchPlan> plans_;  // by rows, and whether it trains
  Clock::time_point began_;
  std::int64_t done_batches_ = 0, total_batches_ = 0;
  TrainedImageModel result_;
};

void require_precision(Precision precision, const Device& device) {
  if (precision == Precision::fp32 || device.impl().probe(name_of(precision)).run) return;
  throw DeviceError(fmt::format("{} has no units for {}", device.id(), name_of(precision)),
                    "Use fp32, or a device that has them.");
}

}  // namespace

TrainedImageModel train_images(const ImageSet& images, const std::optional<ImageSet>& validation,
                               const ImageTrainingOptions& options, const Device& device) {
  options.check();
  if (!images.has_labels()) throw UsageError("these images have no labels", "Give a folder a class, or a label file.");
  require_precision(options.precision, device);
  if (validation || options.validation_share == 0) return Training(images, validation, options, device).run();
  const Split split = split_stratified(images.labels(), static_cast<std::int32_t>(images.class_names().size()),
                                       options.validation_share, options.seed);
  return Training(images.select(split.training), images.select(split.validation), options, device).run();
}

}  // namespace overtake
