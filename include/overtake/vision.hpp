// SPDX-License-Identifier: MIT
/// Networks for images from plain options: trained on image sets, kept in files, asked for the classes of images.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "overtake/image.hpp"
#include "overtake/nn/module.hpp"
#include "overtake/nn/summary.hpp"
#include "overtake/nn/trainer.hpp"
#include "overtake/precision.hpp"
#include "overtake/progress.hpp"
#include "overtake/stop.hpp"

namespace overtake {

/// A network of models.hpp with what its answers mean: the classes' names, and how images become its inputs.
struct ImageModel {
  std::string name;  ///< of models.hpp: "vgg16"
  std::unique_ptr<nn::Module> network;
  std::vector<std::string> classes;
  int channels = 3;
  ImageTransform transform;  ///< of images that it is asked about
};

/// Writes a safetensors file: the network's state_dict() under torchvision's names, all else as JSON in the metadata.
/// It appears complete or not at all. Throws DataError when it cannot be written.
void save_image_model(const std::filesystem::path& path, const ImageModel& model);
/// Reads what save_image_model() wrote; the network is on the CPU, in evaluation mode. Throws DataError naming the file
/// and what is wrong with it.
[[nodiscard]] ImageModel load_image_model(const std::filesystem::path& path);
/// True for a safetensors file whose metadata say that it holds such a model; false for all else, files that are not
/// there included.
[[nodiscard]] bool is_image_model(const std::filesystem::path& path);

/// A class and its probability.
struct ImageAnswer {
  std::int32_t label = 0;
  float probability = 0;
};
/// The `top` likeliest classes of each image, likeliest first, in the set's order, all classes where there are fewer;
/// none of broken images that reading.on_broken passes over, which are told to `skipped`, a sentence each.
/// The model stays on the device; in bf16 it keeps the rounded weights, which can neither be trained nor saved. Throws
/// UsageError for a top below 1, MemoryError where one image does not fit (batches become smaller until they do),
/// DeviceError where the device has no units for the precision, and what ImageLoader
/// throws.
[[nodiscard]] std::vector<std::vector<ImageAnswer>> classify(ImageModel& model, const ImageSet& images,
                                                             std::int64_t top, const ImageLoaderOptions& reading,
                                                             const Device& device,
                                                             Precision precision = Precision::fp32,
                                                             std::vector<std::string>* skipped = nullptr);

/// What an epoch of training on images gave.
struct ImageEpoch {
  int epoch = 0;  ///< counted from 1
  double learning_rate = 0;
  double train_loss = 0, train_error = 0;  ///< means over the epoch, each row before its step; errors are shares
  std::optional<double> validation_loss{}, validation_error{};
  double seconds = 0;       ///< of its training
  std::int64_t images = 0;  ///< that it trained on
  bool is_whole = true;     ///< false where it was interrupted
  double wait_seconds = 0;  ///< of those spent waiting for images
  [[nodiscard]] double images_per_second() const { return static_cast<double>(images) / seconds; }
};

/// Told of training, on the thread that called train_images().
class ImageTrainingObserver {
 public:
  virtual ~ImageTrainingObserver() = default;
  /// Before the first batch: steps are run in so many parts, of at most `rows` images.
  virtual void on_start(std::int64_t /*parts*/, std::int64_t /*rows*/) {}
  /// After each batch: `done` of `total` batches of the whole training, with the time left. Cheap to ignore.
  virtual void on_batch(const Progress& /*progress*/, double /*images_per_second*/) {}
  virtual void on_epoch(const ImageEpoch&) {}
  /// A checkpoint could not be written: the file is as it was before, training goes on, and the next one tries again.
  /// Not told again until one was written.
  virtual void on_checkpoint_failure(const std::string& /*problem*/) {}
};

struct ImageTrainingOptions {
  std::string model = "vgg16";
  int epochs = 20;
  std::int64_t batch_size = 64;
  /// A step is run in so many parts, one after the other, whose gradients are added up, weighted by rows: less memory,
  /// the same step but for rounding; batch norm sees the parts. Where memory does not suffice there are more parts.
  int accumulate = 1;
  Precision precision = Precision::fp32;
  std::string optimizer = "sgd";        ///< sgd, adam or adamw
  std::optional<double> learning_rate;  ///< unset: 0.01 for sgd, else 0.001
  double momentum = 0.9;                ///< of sgd
  double weight_decay = 0;
  std::string schedule = "constant";  ///< see optim::Schedule::parse()
  double label_smoothing = 0;
  double clip_grad_norm = 0;    ///< 0: none
  double validation_share = 0;  ///< of the images of each class, drawn by the seed: split_images()
  bool augment = true;          ///< random crops and flips; lenet has none
  int image_size = 0;           ///< height and width of the network's input; 0: the model's own (lenet takes no other)
  std::uint64_t seed = 0;       ///< of first weights, order, augmentation and the share that validates
  int threads = 0;              ///< that decode; 0: as many as this process computes with
  OnBroken on_broken = OnBroken::refuse;
  std::filesystem::path weights;    ///< start from a safetensors file with the model's names; "": from random numbers
  std::vector<std::string> freeze;  ///< parts that keep their weights: "features", "classifier.0"
  std::filesystem::path checkpoint_path;  ///< "": no checkpoints. One that cannot be written does not end the training
  int checkpoint_every = 1;               ///< epochs; one is also written at the end, and of the batch reached when
                                          ///  training is interrupted
  /// Continue from checkpoint_path if that file exists, at the batch that it reached, with the same bits as if training
  /// had never stopped. A checkpoint of other settings, data, or another model, or of more epochs than asked for, is
  /// refused (DataError) naming the difference. Without it the file is overwritten.
  bool resume = false;
  /// Looked at after each batch; on the cpu within one, too, where a batch takes a second or more: what it did so far
  /// is undone.
  const StopToken* stop = nullptr;
  ImageTrainingObserver* observer = nullptr;

  /// learning_rate, or what stands for it where it is unset.
  [[nodiscard]] double first_rate() const { return learning_rate.value_or(optimizer == "sgd" ? 0.01 : 0.001); }
  /// Throws UsageError naming the option for values out of range, and for an unknown model the nearest.
  void check() const;
};

struct TrainedImageModel {
  ImageModel model;                  ///< on the CPU, in evaluation mode
  std::vector<ImageEpoch> epochs;    ///< empty where it was interrupted before the first batch ended
  std::vector<std::string> skipped;  ///< broken images that were passed over
  std::string note;                  ///< which layer began anew beside `weights`; "" if none
  std::optional<ImageSet> judged;    ///< the images that validate, else those that it learnt from
  bool interrupted = false;
  /// What went wrong where a loss became NaN or infinite: training ended there, and these weights are of no use. A
  /// checkpoint stays that of before. "" else.
  std::string diverged;
  /// Why the last checkpoint could not be written; the file is then an earlier one. "" else.
  std::string checkpoint_failure;
  int resumed_epochs = 0;           ///< complete ones of the checkpoint that training continued from
  std::int64_t resumed_images = 0;  ///< of the epoch behind those, that had been trained on
  std::int64_t training_images = 0, validation_images = 0;
  std::string device;
  double compile_seconds = 0;
  std::int64_t parts = 1;        ///< that a step was run in
  std::uint64_t plan_bytes = 0;  ///< of device memory that a training step takes
  int launches_per_step = 0;
};

/// The images that a network learns from, and those that judge it.
struct ImageParts {
  ImageSet training;
  std::optional<ImageSet> validation{};  ///< nothing for a share of 0
  std::vector<std::string> unjudged{};   ///< classes too small to give an image to validation
};
/// What train_images() makes of a set by validation_share and seed. Each class gives its share, but for less than one
/// image more or less, and keeps one at least; a class of one image gives none. The same set, share and seed give the
/// same parts everywhere. Throws UsageError for images without labels and shares outside of [0, 1), DataError where
/// each class has one image and so none can be given.
[[nodiscard]] ImageParts split_images(const ImageSet& images, double share, std::uint64_t seed);

/// What a training on images would take, found out without a device that computes.
struct ImagePlan {
  nn::Summary network;                ///< with one image
  std::int64_t batch = 0, parts = 1;  ///< images of a step, and the parts that it is run in
  std::uint64_t step_bytes = 0;       ///< of device memory, what libraries take for themselves not counted
  std::uint64_t free_bytes = 0;       ///< of the device; 0: unknown
  std::uint64_t host_left_bytes = 0;  ///< of the computer's memory, in which images wait for the device
};
/// Draws, reads and computes nothing. `memory_limit`: of the device; 0: none. Throws as train_images() would.
[[nodiscard]] ImagePlan plan_images(const ImageSet& images, const ImageTrainingOptions& options, const Device& device,
                                    std::uint64_t memory_limit);

/// Trains a network of models.hpp on images, streamed through the device batch by batch. `validation` are images to
/// judge it by; empty: a share of the images where options say so. Weights from a file keep their place where names and
/// shapes fit; of a last layer with another number of classes they are left out. Throws UsageError for options and sets
/// that do not fit (no labels, a frozen part that the model does not have), DataError for images and weights that
/// cannot be read, MemoryError where a step of one image does not fit, DeviceError where the device cannot compute in
/// the precision that was asked for. Same options, images, device and number of threads: same bits, interrupted and
/// resumed or not.
[[nodiscard]] TrainedImageModel train_images(const ImageSet& images, const std::optional<ImageSet>& validation,
                                             const ImageTrainingOptions& options, const Device& device = {});

/// An HTML page of a training, in one file: curves of loss, error and speed, the settings, and some of the images with
/// the answers that the model, which moves to the device, gives for them. Throws what classify() throws.
[[nodiscard]] std::string training_page(TrainedImageModel& trained, const ImageTrainingOptions& options,
                                        const std::string& data, const Device& device);

}  // namespace overtake
