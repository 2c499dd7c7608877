// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "nn_support.hpp"
#include "overtake/error.hpp"
#include "overtake/model_file.hpp"
#include "overtake/safetensors.hpp"

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
  EXPECT_THAT(refused_after([](TensorFile& f) { replace(f, "overtake.model/1", "overtake.model/9"); }),
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
