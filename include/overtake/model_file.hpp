// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "overtake/nn/sequential.hpp"

namespace overtake {

/// A model read from a file.
struct LoadedModel {
  nn::Sequential model;                         ///< on the CPU, in evaluation mode
  std::map<std::string, std::string> metadata;  ///< what save_model was given
};

/// Writes a model as one safetensors file: the parameters under PyTorch's names, the architecture as JSON in the file's
/// metadata, and the caller's `metadata`. The file appears complete or not at all. Throws UsageError for a layer that
/// cannot be stored (a module of one's own) or a metadata key that starts with "overtake.", DataError when the file
/// cannot be written.
void save_model(const std::filesystem::path& path, nn::Sequential& model,
                const std::map<std::string, std::string>& metadata = {});

/// Reads what save_model wrote. Throws DataError naming the file and what is wrong: missing, truncated, altered, not a
/// model of Overtake, an unknown layer, a parameter that is missing, has another shape, or is not float32.
[[nodiscard]] LoadedModel load_model(const std::filesystem::path& path);

}  // namespace overtake
