// SPDX-License-Identifier: MIT
// Networks for images from a folder to answers, and what files of them keep.
#include "overtake/vision.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <numeric>

#include "image_support.hpp"
#include "overtake/error.hpp"
#include "overtake/models.hpp"
#include "overtake/nn/layers.hpp"
#include "overtake/nn/state_file.hpp"
#include "overtake/nn/summary.hpp"
#include "overtake/ops.hpp"

namespace overtake::test {
namespace {

using ::testing::HasSubstr;

ImageTrainingOptions short_training() {
  ImageTrainingOptions options;
  options.model = "lenet";
  options.epochs = 2;
  options.batch_size = 8;
  options.threads = 2;
  return options;
}

std::vector<float> values_of(nn::Module& network, std::string_view name) {
  return nn::find(network.state_dict(), name)->to_vector<float>();
}

std::vector<std::vector<ImageAnswer>> ask(ImageModel& model, const ImageSet& images) {
  return classify(model, images, 3, {.transform = {}, .batch_size = 5}, Device("cpu"));
}

TEST(Vision, AFileGivesTheAnswersOfTheTrainedNetwork) {
  const TempFolder folder;
  const ImageSet images = ImageSet::open(image_folder(folder, 3, 6));
  TrainedImageModel trained = train_images(images, images, short_training());
  ASSERT_EQ(trained.epochs.size(), 2U);
  EXPECT_GT(trained.epochs[1].validation_loss.value(), 0);
  const auto path = folder / "model.safetensors";
  EXPECT_FALSE(is_image_model(path));
  save_image_model(path, trained.model);
  ASSERT_TRUE(is_image_model(path));
  ImageModel loaded = load_image_model(path);
  EXPECT_EQ(loaded.classes, images.class_names());
  const auto before = ask(trained.model, images), after = ask(loaded, images);
  ASSERT_EQ(before.size(), static_cast<std::size_t>(images.size()));
  for (std::size_t i = 0; i < before.size(); ++i) {
    ASSERT_EQ(before[i].size(), 3U);
    float sum = 0;
    for (std::size_t place = 0; place < 3; ++place) {
      EXPECT_EQ(before[i][place].label, after[i][place].label);
      EXPECT_EQ(before[i][place].probability, after[i][place].probability);
      sum += after[i][place].probability;
    }
    EXPECT_NEAR(sum, 1, 1e-5);
    EXPECT_GE(after[i][0].probability, after[i][1].probability);
  }
}

TEST(Vision, AnswersInBFloat16AreCloseToThoseInFloat32) {
  const TempFolder folder;
  const ImageSet images = ImageSet::open(image_folder(folder, 3, 4));
  TrainedImageModel trained = train_images(images, {}, short_training());
  const auto exact = ask(trained.model, images);
  const Device cpu("cpu");
  try {
    const auto rounded = classify(trained.model, images, 3, {.transform = {}, .batch_size = 5}, cpu, Precision::bf16);
    const auto probability = [](const std::vector<ImageAnswer>& answers, std::int32_t label) {
      for (const ImageAnswer& each : answers) {
        if (each.label == label) return each.probability;
      }
      return -1.0F;
    };
    for (std::size_t i = 0; i < exact.size(); ++i) {
      for (const ImageAnswer& each : exact[i]) {
        EXPECT_NEAR(probability(rounded[i], each.label), each.probability, 0.02);
      }
    }
  } catch (const DeviceError& error) {
    GTEST_SKIP() << error.what();
  }
}

TEST(Vision, StartsFromWeightsAndKeepsFrozenParts) {
  const TempFolder folder;
  const TrainedImageModel first = train_images(ImageSet::open(image_folder(folder, 3, 4)), {}, short_training());
  const auto path = folder / "model.safetensors";
  save_image_model(path, first.model);
  const TempFolder other;
  ImageTrainingOptions options = short_training();
  options.weights = path;
  options.freeze = {"0", "3"};
  const TrainedImageModel second = train_images(ImageSet::open(image_folder(other, 2, 4)), {}, options);
  for (const char* kept : {"0.weight", "0.bias", "3.weight"}) {
    EXPECT_EQ(values_of(*first.model.network, kept), values_of(*second.model.network, kept)) << kept;
  }
  EXPECT_NE(values_of(*first.model.network, "7.weight"), values_of(*second.model.network, "7.weight"));
  EXPECT_EQ(values_of(*second.model.network, "11.bias").size(), 2U);
}

template <class Thrown>
std::string message_of(const ImageSet& images, const ImageTrainingOptions& options) {
  try {
    static_cast<void>(train_images(images, {}, options));
  } catch (const Thrown& error) {
    return std::string(error.what()) + " " + error.hint();
  }
  return "nothing was thrown";
}

TEST(Vision, RefusesWhatDoesNotFit) {
  const TempFolder folder;
  const ImageSet images = ImageSet::open(image_folder(folder, 2, 2));
  ImageTrainingOptions options = short_training();
  options.model = "vgg61";
  EXPECT_THAT(message_of<UsageError>(images, options), HasSubstr("Did you mean 'vgg"));
  options = short_training();
  options.freeze = {"features"};
  EXPECT_THAT(message_of<UsageError>(images, options), HasSubstr("freeze 'features'"));
  options.freeze = {"0", "3", "7", "9", "11"};
  EXPECT_THAT(message_of<UsageError>(images, options), HasSubstr("nothing to learn"));
  options = short_training();
  const auto path = folder / "other.safetensors";
  nn::Sequential other(nn::Linear(3, 4), nn::Linear(4, 2));
  save_state(path, other);
  options.weights = path;
  EXPECT_THAT(message_of<DataError>(images, options), HasSubstr("has the shape (4,), the network's (6,)"));
  options = short_training();
  options.precision = Precision::tf32;
  EXPECT_THAT(message_of<DeviceError>(images, options), HasSubstr("no units for tf32"));
  std::ofstream(folder / "cut.safetensors") << "12345678{\"__metadata__\":";
  EXPECT_FALSE(is_image_model(folder / "cut.safetensors"));
  EXPECT_THROW(static_cast<void>(load_image_model(folder / "cut.safetensors")), DataError);
}

TEST(Vision, EachClassGivesItsShareAndKeepsAnImage) {
  const TempFolder folder;
  const std::vector<int> sizes = {40, 13, 2, 1};
  for (std::size_t c = 0; c < sizes.size(); ++c) {
    std::filesystem::create_directories(folder / "photos" / std::to_string(c));
    for (int i = 0; i < sizes[c]; ++i) {  // listed, never read
      static_cast<void>(folder.file("photos/" + std::to_string(c) + "/" + std::to_string(i) + ".png", ""));
    }
  }
  const ImageSet images = ImageSet::open(folder / "photos");
  for (const double share : {0.1, 0.5, 0.99}) {
    const ImageParts parts = split_images(images, share, 5), again = split_images(images, share, 5);
    EXPECT_EQ(parts.training.size() + parts.validation->size(), images.size());
    EXPECT_EQ(parts.training.checksum(), again.training.checksum());
    EXPECT_NE(parts.training.checksum(), split_images(images, share, 6).training.checksum());
    const std::vector<std::int32_t> judged(parts.validation->labels().begin(), parts.validation->labels().end());
    for (std::size_t c = 0; c < sizes.size(); ++c) {
      const auto given = std::count(judged.begin(), judged.end(), static_cast<std::int32_t>(c));
      EXPECT_LT(given, sizes[c]);
      if (sizes[c] > 2) {
        EXPECT_LT(std::abs(static_cast<double>(given) - share * sizes[c]), 1) << share;
      }
    }
    EXPECT_THAT(parts.unjudged, ::testing::Contains("3"));
  }
  EXPECT_FALSE(split_images(images, 0, 5).validation.has_value());
  const std::int32_t one_each[] = {0, 40, 53, 55};
  expect_error<DataError>([&] { static_cast<void>(split_images(images.select(one_each), 0.3, 5)); },
                          {"no class has two"});
}

TEST(Vision, SummariesCountParametersAndWork) {
  nn::Sequential lenet = models::lenet();
  const nn::Summary summary = nn::summarize(lenet, {2, 1, 28, 28});
  const std::vector<nn::LayerSummary>& layers = summary.layers;
  ASSERT_EQ(layers.size(), lenet.size());
  const auto parameters = [](std::int64_t sum, const nn::LayerSummary& layer) { return sum + layer.parameters; };
  EXPECT_EQ(std::accumulate(layers.begin(), layers.end(), std::int64_t{0}, parameters), 61706);
  EXPECT_EQ(layers[3].name, "3");
  EXPECT_EQ(layers[3].output, (Shape{2, 16, 10, 10}));
  EXPECT_EQ(layers[3].flops, 2.0 * 2 * 16 * 10 * 10 * 6 * 5 * 5);
  EXPECT_EQ(layers[7].flops, 2.0 * 2 * 400 * 120);
  EXPECT_EQ(summary.parameters, 61706);
  EXPECT_EQ(nn::summary_table(summary).rows.size(), layers.size() + 1);
  EXPECT_THAT(nn::summary_text(summary), HasSubstr("convolutions on cpu: " + nn::convolution_library("cpu")));
  EXPECT_EQ(nn::convolution_library("null"), "Overtake's own kernels");
}

/// Calls its parts itself, one of them twice, and has a parameter of its own.
class Residual final : public nn::Module {
 public:
  nn::Linear inner{4, 4};
  nn::Parameter scale{"scale", full(Shape{}, 2.0F), true};
  Array forward(const Array& input) override { return input + inner(inner(input)) * scale.value; }
  [[nodiscard]] std::vector<nn::NamedModule> children() override { return {{"inner", &inner}}; }
  [[nodiscard]] std::vector<nn::Parameter*> own_parameters() override { return {&scale}; }
};

TEST(Vision, SummariesSeeLayersThatForwardCalls) {
  Residual model;
  const nn::Summary summary = nn::summarize(model, {3, 4});
  ASSERT_EQ(summary.layers.size(), 2U);
  EXPECT_EQ(summary.layers[0].name, "inner");
  EXPECT_EQ(summary.layers[0].type, "Linear");
  EXPECT_EQ(summary.layers[0].flops, 2.0 * 3 * 4 * 4);
  EXPECT_EQ(summary.parameters, 4 * 4 + 4 + 1) << "what is in no layer counts, what is called twice does so once";
}

}  // namespace
}  // namespace overtake::test
