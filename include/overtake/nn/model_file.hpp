// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "overtake/nn/sequential.hpp"

namespace overtake {

/// A model read from a file.
struct LoadedModel {
  nn::Sequential model;                         ///< on the CPU, in evaluation mode
  std::map<std::string, std::string> metadata;  ///< what save_model was given
  /// Values a row that the first Linear takes and the last one gives. 0: there is none, or the model is not of rows of
  /// numbers: it has an Embedding, a Flatten or layers over images.
  std::int64_t inputs = 0, outputs = 0;
};

/// Writes a model as one safetensors file: its state_dict() under PyTorch's names and nothing else as tensors, so that
/// load_state_dict(load_file(path), strict=True) takes them; the architecture and the counters of Dropout and its
/// like as JSON in the file's metadata, and the caller's `metadata`. The file appears complete or not at all. Throws
/// UsageError for a module of one's own (save_state() of state_file.hpp is for those), more than 1,000 layers,
/// Sequentials nested more than 32 deep, or a metadata key that starts with "overtake.", DataError when the file cannot
/// be written.
void save_model(const std::filesystem::path& path, nn::Sequential& model,
                const std::map<std::string, std::string>& metadata = {});

/// Reads what save_model wrote, now or in an earlier version. Throws DataError naming the file and what is wrong:
/// missing, truncated, altered, not a model of Overtake, an unknown layer or attribute, a parameter that is missing,
/// has another shape, or is not float32, layers that do not fit one another or exceed the limits above. An attribute
/// that is missing takes its default.
[[nodiscard]] LoadedModel load_model(const std::filesystem::path& path);

/// Overwrites the parameters of `model`, and the buffers that the file has, with the tensors of their names from any
/// safetensors file, PyTorch's save_file(model.state_dict(), path) for example; its metadata does not count, but a
/// checksum of Overtake must match. Throws DataError, before anything is overwritten, for a file that is damaged, and
/// for a tensor that is missing, has another shape, is not float32, or belongs to no layer.
void load_weights(const std::filesystem::path& path, nn::Module& model);

}  // namespace overtake
