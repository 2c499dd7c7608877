// SPDX-License-Identifier: MIT
// Files of image models: weights by torchvision's names, all else as JSON in the metadata.
#include <fmt/format.h>

#include <array>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/shallow_json.hpp"
#include "data/file/safetensors_header.hpp"
#include "nn/layers/initial.hpp"
#include "nn/layers/tensors.hpp"
#include "overtake/data/safetensors.hpp"
#include "overtake/error.hpp"
#include "overtake/models.hpp"
#include "overtake/vision.hpp"

namespace overtake {
namespace {

using Json = nlohmann::json;

constexpr const char* key = "overtake.image_model";
constexpr const char* format_name = "overtake.image_model/1";

[[noreturn]] void damaged(const std::filesystem::path& path, const std::string& what) {
  throw DataError(fmt::format("{}: {}", path.string(), what), "Save the model again with the program that trained it.");
}

ImageTransform read_transform(const Json& json) {
  ImageTransform transform;
  transform.crop = json.at("crop") == "centre" ? ImageCrop::centre : ImageCrop::whole;
  transform.height = json.at("height").get<int>();
  transform.width = json.at("width").get<int>();
  transform.shorter_side = json.at("shorter_side").get<int>();
  transform.mean = json.at("mean").get<std::array<float, 3>>();
  transform.deviation = json.at("deviation").get<std::array<float, 3>>();
  transform.check();
  return transform;
}

}  // namespace

void save_image_model(const std::filesystem::path& path, const ImageModel& model) {
  const ImageTransform& how = model.transform;
  TensorFile file;
  file.metadata[key] = Json{
      {"format", format_name},
      {"model", model.name},
      {"classes", model.classes},
      {"channels", model.channels},
      {"crop", how.crop == ImageCrop::centre ? "centre" : "whole"},
      {"height", how.height},
      {"width", how.width},
      {"shorter_side", how.shorter_side},
      {"mean", how.mean},
      {"deviation",
       how.deviation}}.dump(-1, ' ', false, Json::error_handler_t::replace);
  for (const nn::NamedValue& entry : model.network->state_values()) {
    file.tensors.push_back({entry.name, nn::to_host(*entry.value)});
  }
  write_safetensors(path, file);
}

ImageModel load_image_model(const std::filesystem::path& path) {
  const TensorFile file = nn::read_checked(path);
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end()) damaged(path, "it holds no image model of Overtake");
  const Json json = Json::parse(shallow_json(found->second), nullptr, false);
  ImageModel model;
  try {
    if (json.at("format") != format_name) damaged(path, fmt::format("another version (expected {})", format_name));
    model.name = json.at("model").get<std::string>();
    model.classes = json.at("classes").get<std::vector<std::string>>();
    model.channels = json.at("channels").get<int>();
    model.transform = read_transform(json);
    if (model.channels != 1 && model.channels != 3) damaged(path, "its number of channels is neither 1 nor 3");
    const nn::Undrawn undrawn;  // shapes first: a small file may tell of a large network
    model.network = models::make(model.name, static_cast<std::int64_t>(model.classes.size()), model.channels);
  } catch (const Json::exception&) {
    damaged(path, "its description is damaged");
  } catch (const UsageError& error) {
    damaged(path, fmt::format("its description is damaged: {}", error.what()));
  }
  nn::overwrite_with_all(model.network->state_values(), file, path.string());
  model.network->eval();
  return model;
}

bool is_image_model(const std::filesystem::path& path) {
  std::error_code unknown;
  if (!std::filesystem::is_regular_file(path, unknown)) return false;  // reading from a pipe would wait
  std::ifstream file(path, std::ios::binary);
  std::array<unsigned char, 8> length_bytes{};
  if (!file.read(reinterpret_cast<char*>(length_bytes.data()), length_bytes.size())) return false;
  std::uint64_t length = 0;
  for (std::size_t i = length_bytes.size(); i-- > 0;) length = length << 8U | length_bytes[i];
  if (length > data::longest_safetensors_header) return false;
  std::string text(static_cast<std::size_t>(length), ' ');
  data::TensorHeader header;
  return file.read(text.data(), static_cast<std::streamsize>(length)) &&
         data::parse_tensor_header(text, header).empty() && header.metadata.contains(key);
}

}  // namespace overtake
