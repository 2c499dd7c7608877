// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <utility>

#include "nn_support.hpp"
#include "overtake/data/safetensors.hpp"
#include "overtake/error.hpp"
#include "overtake/nn/embedding.hpp"
#include "overtake/nn/model_file.hpp"

namespace overtake::testing {
namespace {

using ::testing::HasSubstr;

nn::Sequential every_layer() {
  nn::Sequential model(nn::Linear(3, 8), nn::ReLU(), nn::LeakyReLU(0.2F), nn::Tanh(),
                       nn::Sequential(nn::Linear(8, 8, false), nn::Sigmoid(), nn::Dropout(0.3F)), nn::GELU(),
                       nn::SiLU(), nn::Linear(8, 2), nn::Softmax());
  model.initialize(5);
  return model;
}

std::filesystem::path saved(const std::string& name) {
  const std::filesystem::path path = fresh_path(name);
  nn::Sequential model = every_layer();
  save_model(path, model, {{"task", "classification"}});
  return path;
}

// Writes the saved model again after `change`; the checksum is made anew.
std::string refused_after(const std::function<void(TensorFile&)>& change) {
  const std::filesystem::path path = saved("changed.safetensors");
  TensorFile file = read_safetensors(path);
  change(file);
  write_safetensors(path, file);
  return message_of<DataError>([&] { (void)load_model(path); });
}

void replace(TensorFile& file, const std::string& from, const std::string& to) {
  std::string& text = file.metadata.at("overtake.model");
  const std::size_t at = text.find(from);
  ASSERT_NE(at, std::string::npos) << text;
  text.replace(at, from.size(), to);
}

TEST(NnModelFile, RoundTripKeepsEverything) {
  nn::Sequential model = every_layer();
  const LoadedModel loaded = load_model(saved("round.safetensors"));
  EXPECT_EQ(loaded.metadata, (std::map<std::string, std::string>{{"task", "classification"}}));
  EXPECT_EQ(loaded.model.to_string(), model.to_string());
  EXPECT_FALSE(loaded.model.is_training());
  LoadedModel again = load_model(saved("round.safetensors"));
  EXPECT_EQ(weights_of(again.model), weights_of(model));
  const Array x = random_array(Shape{5, 3}, 1);
  EXPECT_EQ(nn::predict(again.model, x).to_vector<float>(), nn::predict(model, x).to_vector<float>());
}

TEST(NnModelFile, SameModelSameBytes) {
  const auto bytes = [](const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return std::string((std::istreambuf_iterator<char>(in)), {});
  };
  EXPECT_EQ(bytes(saved("a.safetensors")), bytes(saved("b.safetensors")));
}

TEST(NnModelFile, TruncatedAndAlteredFilesAreRefusedByName) {
  const std::filesystem::path path = saved("short.safetensors");
  std::ifstream in(path, std::ios::binary);
  const std::string content((std::istreambuf_iterator<char>(in)), {});
  const auto refused_with = [&](const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    return message_of<DataError>([&] { (void)load_model(path); });
  };
  for (std::size_t length = 0; length < content.size(); length += 97) {
    EXPECT_THAT(refused_with(content.substr(0, length)), HasSubstr("short.safetensors")) << length;
  }
  for (std::size_t at = 0; at < content.size(); at += 61) {
    std::string altered = content;
    altered[at] = static_cast<char>(altered[at] ^ 0x10);
    EXPECT_THAT(refused_with(altered), HasSubstr("short.safetensors")) << at;
  }
  EXPECT_THAT(message_of<DataError>([] { (void)load_model(fresh_path("missing.safetensors")); }),
              HasSubstr("missing.safetensors"));
}

TEST(NnModelFile, WrongArchitecturesAreRefusedByName) {
  EXPECT_THAT(refused_after([](TensorFile& f) { replace(f, "\"Tanh\"", "\"Tahn\""); }),
              HasSubstr("layer 3: there is no layer \"Tahn\""));
  EXPECT_THAT(refused_after([](TensorFile& f) { replace(f, "overtake.model/2", "overtake.model/9"); }),
              HasSubstr("another version"));
  EXPECT_THAT(refused_after([](TensorFile& f) { f.metadata["overtake.model"] = "{"; }), HasSubstr("damaged"));
  EXPECT_THAT(refused_after([](TensorFile& f) { f.metadata.erase("overtake.model"); }),
              HasSubstr("no model of Overtake"));
  EXPECT_THAT(refused_after([](TensorFile& f) { replace(f, "\"in_features\":3.0", "\"in_features\":3e9"); }),
              HasSubstr("does not have the shape"));
  EXPECT_THAT(refused_after([](TensorFile& f) { f.tensors.erase(f.tensors.begin()); }), HasSubstr("is missing"));
  EXPECT_THAT(refused_after([](TensorFile& f) {
                f.tensors.push_back({"9.weight", host_array(std::vector<float>{1}, {1, 1})});
              }),
              HasSubstr("\"9.weight\" belongs to no layer"));
  EXPECT_THAT(refused_after([](TensorFile& f) {
                for (auto& tensor : f.tensors) {
                  if (tensor.name == "0.bias") tensor.array.extents = {4, 2};
                }
              }),
              HasSubstr("\"0.bias\" is float32 (4, 2), expected float32 (8,)"));
}

TEST(NnModelFile, MissingAttributesTakeTheirDefaultsUnknownOnesAreRefused) {
  const auto changed = [](const std::string& from, const std::string& to) {
    const std::filesystem::path path = saved("attributes.safetensors");
    TensorFile file = read_safetensors(path);
    replace(file, from, to);
    write_safetensors(path, file);
    return path;
  };
  const auto layer_text = [](const LoadedModel& loaded, std::size_t layer) { return loaded.model[layer].to_string(); };
  EXPECT_EQ(layer_text(load_model(changed("\"negative_slope\":0.20000000298023224,", "")), 2),
            "LeakyReLU(negative_slope=0.01)");
  EXPECT_THAT(layer_text(load_model(changed("\"p\":0.30000001192092896,", "")), 4), HasSubstr("Dropout(p=0.5)"));
  const LoadedModel loaded = load_model(changed("\"bias\":1.0,\"in_features\":3.0", "\"in_features\":3.0"));
  EXPECT_EQ(layer_text(loaded, 0), "Linear(in_features=3, out_features=8, bias=True)");
  EXPECT_EQ(loaded.inputs, 3);
  EXPECT_EQ(loaded.outputs, 2);
  const auto refused = [&](const std::string& from, const std::string& to) {
    return message_of<DataError>([&] { (void)load_model(changed(from, to)); });
  };
  EXPECT_THAT(refused("\"type\":\"Tanh\"", "\"rate\":1,\"type\":\"Tanh\""),
              HasSubstr("layer 3: layer Tanh has the unknown attribute \"rate\""));
  EXPECT_THAT(refused("\"in_features\":3.0,", ""), HasSubstr("does not have the shape"));
  EXPECT_THAT(refused("\"p\":0.3", "\"p\":\"x\",\"q\":0.3"), HasSubstr("layer 4.2: \"p\" is no number"));
  EXPECT_THAT(refused("\"p\":0.3", "\"p\":1.00000000001"), HasSubstr("not in [0, 1]"));
  EXPECT_THAT(refused("\"negative_slope\":0.2", "\"negative_slope\":1e300,\"x\":0.2"), HasSubstr("beyond float32"));
  EXPECT_THAT(refused("\"format\"", "\"kind\":1,\"format\""), HasSubstr("unknown key \"kind\""));
  EXPECT_THAT(refused("\"4.2.counter\":0", "\"4.2.counter\":1e9"), HasSubstr("\"4.2.counter\" is no 32-bit number"));
  EXPECT_THAT(refused("\"4.2.counter\":0", "\"4.1.counter\":0"), HasSubstr("counters that belong to no layer"));
}

nn::Sequential many_layers(int count) {
  nn::Sequential model((nn::Linear(2, 2)));
  for (int i = 1; i < count; ++i) model.add(nn::ReLU());
  return model;
}

TEST(NnModelFile, LayersAreBounded) {
  const std::filesystem::path path = fresh_path("layers.safetensors");
  nn::Sequential most = many_layers(1000);
  save_model(path, most);
  LoadedModel loaded = load_model(path);
  EXPECT_EQ(loaded.model.size(), 1000U);
  const Array rows = random_array(Shape{3, 2}, 1);  // as many layers as are allowed must work, not only load
  EXPECT_EQ(nn::predict(loaded.model, rows).to_vector<float>(), nn::predict(most, rows).to_vector<float>());
  nn::Sequential more = many_layers(1001);
  EXPECT_THAT(message_of<UsageError>([&] { save_model(path, more); }), HasSubstr("at most 1000 layers"));
  TensorFile file = read_safetensors(path);
  replace(file, "[{", "[{\"type\":\"ReLU\"},{");
  for (NamedArray& tensor : file.tensors) tensor.name[0] = '1';
  write_safetensors(path, file);
  EXPECT_THAT(message_of<DataError>([&] { (void)load_model(path); }), HasSubstr("more than 1000 layers"));
}

TEST(NnModelFile, LayersThatDoNotFitOneAnotherAreRefused) {
  const std::filesystem::path path = fresh_path("widths.safetensors");
  nn::Sequential model(nn::Linear(2, 8), nn::ReLU(), nn::Sequential(nn::Tanh(), nn::Linear(7, 3)));
  save_model(path, model);
  EXPECT_THAT(message_of<DataError>([&] { (void)load_model(path); }),
              HasSubstr("layer 2.1 takes 7 values, the layer before it gives 8"));
}

// What PyTorch's save_file(model.state_dict(), path) writes: no metadata, or {"format": "pt"}.
std::filesystem::path by_pytorch(const std::string& name, const std::string& metadata) {
  std::string header = "{" + metadata + R"("0.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},)" +
                       R"("0.bias":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}})";
  header.append((8 - header.size() % 8) % 8, ' ');
  std::string bytes(8, '\0');
  bytes[0] = static_cast<char>(header.size());
  const std::vector<float> values = {1.5F, -2, 0.25F};
  bytes += header + std::string(reinterpret_cast<const char*>(values.data()), 12);
  const std::filesystem::path path = fresh_path(name);
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

TEST(NnModelFile, WeightsOfPyTorchAreRead) {
  for (const char* metadata : {"", R"("__metadata__":{"format":"pt"},)"}) {
    const std::filesystem::path path = by_pytorch("torch.safetensors", metadata);
    nn::Sequential model(nn::Linear(2, 1), nn::Dropout(0.5F));
    load_weights(path, model);
    EXPECT_EQ(weights_of(model), (std::vector<std::vector<float>>{{1.5F, -2}, {0.25F}}));
    EXPECT_TRUE(std::as_const(model.parameters()[0]->value).requires_grad());
    const auto refused = [&](nn::Sequential&& other) {
      return message_of<DataError>([&] { load_weights(path, other); });
    };
    EXPECT_THAT(refused(nn::Sequential(nn::Linear(3, 1))), HasSubstr("\"0.weight\" is float32 (1, 2)"));
    EXPECT_THAT(refused(nn::Sequential(nn::Linear(2, 1, false))), HasSubstr("\"0.bias\" belongs to no layer"));
    EXPECT_THAT(refused(nn::Sequential(nn::Linear(2, 1), nn::Linear(1, 1))), HasSubstr("\"1.weight\" is missing"));
    // As a model it lacks the architecture, which is what the message must say: nothing was altered.
    EXPECT_THAT(message_of<DataError>([&] { (void)load_model(path); }), HasSubstr("it holds no model of Overtake"));
  }
}

TEST(NnModelFile, TensorsAreThoseOfPyTorchAndCountersAreKept) {
  nn::Sequential model = every_layer();
  (void)model.forward(random_array(Shape{5, 3}, 1)).to_vector<float>();  // the counter is now 1
  const std::filesystem::path path = fresh_path("strict.safetensors");
  save_model(path, model);
  std::vector<std::string> names;
  for (const NamedArray& tensor : read_safetensors(path).tensors) names.push_back(tensor.name);
  std::vector<std::string> expected;  // of state_dict(): Linear has parameters, nothing else has anything
  for (const nn::NamedValue& entry : model.named_parameters()) expected.push_back(entry.name);
  EXPECT_THAT(names, ::testing::UnorderedElementsAreArray(expected));
  LoadedModel loaded = load_model(path);
  ASSERT_EQ(loaded.model.buffers().size(), 1U);
  EXPECT_EQ(loaded.model.buffers()[0].value->to_vector<std::int32_t>(), (std::vector<std::int32_t>{1}));
}

nn::Sequential image_network() {
  nn::Sequential model;
  model.add(nn::RandomHorizontalFlip(0.25F)).add(nn::RandomCrop({8, 9}, 1));
  model.add(nn::Conv2d(2, 6, {3, 2}, {.stride = 2, .padding = {1, 0}, .groups = 2, .bias = false}));
  model.add(nn::BatchNorm2d(6)).add(nn::ReLU()).add(nn::MaxPool2d(2, 1, 1, true));
  model.add(nn::AvgPool2d({2, 1}, std::nullopt, 0, false, false)).add(nn::AdaptiveAvgPool2d({2, 2}));
  model.add(nn::Sequential(nn::Flatten(), nn::LayerNorm(Shape{24}), nn::Dropout(0.1F), nn::Linear(24, 3)));
  model.initialize(6);
  return model;
}

TEST(NnModelFile, NetworksForImagesComeBack) {
  nn::Sequential model = image_network();
  const Array images = random_array(Shape{4, 2, 8, 9}, 1);
  (void)model.forward(images).to_vector<float>();  // statistics and counters move
  const std::filesystem::path path = fresh_path("images.safetensors");
  save_model(path, model);
  LoadedModel loaded = load_model(path);
  EXPECT_EQ(loaded.model.to_string(), model.to_string());
  EXPECT_EQ(loaded.inputs, 0);  // they are not rows of numbers
  EXPECT_EQ(nn::predict(loaded.model, images).to_vector<float>(), nn::predict(model, images).to_vector<float>());
  std::vector<std::int32_t> counters;
  for (const nn::NamedValue& buffer : loaded.model.buffers()) {
    if (buffer.name.ends_with("counter")) counters.push_back(buffer.value->to_vector<std::int32_t>().front());
  }
  EXPECT_EQ(counters, (std::vector<std::int32_t>{1, 1, 1}));
}

TEST(NnModelFile, NetworksOfWordsComeBack) {
  nn::Sequential model(nn::Embedding(7, 4, 0), nn::Linear(4, 5), nn::BatchNorm1d(3), nn::Flatten(), nn::Linear(15, 2));
  const std::filesystem::path path = fresh_path("words.safetensors");
  save_model(path, model);
  LoadedModel loaded = load_model(path);
  EXPECT_EQ(loaded.model.to_string(), model.to_string());
  EXPECT_EQ(loaded.inputs, 0);
  const Array words = Array::from(std::vector<float>{0, 1, 2, 6, 5, 4}, Shape{2, 3});
  EXPECT_EQ(nn::predict(loaded.model, words).to_vector<float>(), nn::predict(model, words).to_vector<float>());
}

TEST(NnModelFile, DamagedNetworksForImagesAreRefusedByName) {
  const auto refused = [](const std::string& from, const std::string& to) {
    nn::Sequential model = image_network();
    const std::filesystem::path path = fresh_path("damaged.safetensors");
    save_model(path, model);
    TensorFile file = read_safetensors(path);
    replace(file, from, to);
    write_safetensors(path, file);
    return message_of<DataError>([&] { (void)load_model(path); });
  };
  const auto wrong_shape = HasSubstr("\"2.weight\" does not have the shape");
  EXPECT_THAT(refused("\"out_channels\":6.0", "\"out_channels\":2e9"), wrong_shape);
  EXPECT_THAT(refused("\"in_channels\":2.0", "\"in_channels\":2e9"), wrong_shape);
  EXPECT_THAT(refused("\"kernel_size_0\":3.0", "\"kernel_size_0\":2e9"), wrong_shape);
  EXPECT_THAT(refused("\"groups\":2.0", "\"groups\":0"), wrong_shape);
  EXPECT_THAT(refused("\"groups\":2.0,\"in_channels\":2.0", "\"groups\":4,\"in_channels\":4.0"),
              HasSubstr("layer 2: "));
  EXPECT_THAT(refused("\"num_features\":6.0", "\"num_features\":2e9"), HasSubstr("\"3.weight\""));
  EXPECT_THAT(refused("\"padding_0\":1.0", "\"padding_0\":-1"), HasSubstr("layer 2: layer Conv2d: padding_0 = -1"));
  EXPECT_THAT(refused("\"p\":0.25", "\"p\":1.25"), HasSubstr("layer 0: layer RandomHorizontalFlip: p = 1.25"));
  EXPECT_THAT(refused("\"size_0\":8.0", "\"size_0\":0.5"), HasSubstr("layer 1: layer RandomCrop: size_0 = 0.5"));
  EXPECT_THAT(refused("\"padding\":1.0", "\"padding\":2e9"), HasSubstr("layer 1: "));
  EXPECT_THAT(refused("\"output_size_0\":2.0", "\"output_size_0\":1e99"), HasSubstr("layer 7: "));
  EXPECT_THAT(refused("\"start_dim\":1.0", "\"start_dim\":99"), HasSubstr("layer 8.0: layer Flatten: start_dim"));
  EXPECT_THAT(refused("\"type\":\"MaxPool2d\"", "\"dilation\":2,\"type\":\"MaxPool2d\""),
              HasSubstr("layer MaxPool2d has the unknown attribute \"dilation\""));
  nn::Sequential channels(nn::Conv2d(1, 4, 3), nn::ReLU(), nn::MaxPool2d(2), nn::Conv2d(5, 2, 3));
  const std::filesystem::path path = fresh_path("channels.safetensors");
  save_model(path, channels);
  EXPECT_THAT(message_of<DataError>([&] { (void)load_model(path); }),
              HasSubstr("layer 3 takes 5 values, the layer before it gives 4"));
}

class OwnLayer : public nn::Module {
 public:
  Array forward(const Array& input) override { return input; }
};

TEST(NnModelFile, RefusesToStoreWhatItCouldNotLoad) {
  nn::Sequential model(nn::Linear(2, 2), OwnLayer());
  const std::filesystem::path path = fresh_path("own.safetensors");
  EXPECT_THAT(message_of<UsageError>([&] { save_model(path, model); }), HasSubstr("layer 1 (Module)"));
  nn::Sequential plain((nn::Linear(2, 2)));
  EXPECT_THAT(message_of<UsageError>([&] { save_model(path, plain, {{"overtake.x", "1"}}); }), HasSubstr("overtake.x"));
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace overtake::testing
