// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "overtake/nn/module.hpp"
#include "overtake/nn/state_dict.hpp"

/// States of modules in safetensors files: of any module, one's own included, with PyTorch's names. Unlike a model file
/// (model_file.hpp) such a file does not say what the module is: make the module, then load its state.
namespace overtake {

/// Writes the module's state_dict() and the caller's `metadata`. float32 values come back bit for bit; PyTorch reads
/// the file with safetensors.torch.load_file(). The file appears complete or not at all. Throws UsageError for two
/// arrays of one name, or a metadata key that starts with "overtake.", DataError when the file cannot be written.
void save_state(const std::filesystem::path& path, nn::Module& module,
                const std::map<std::string, std::string>& metadata = {});

/// module.load_state_dict() of a safetensors file: what save_state, save_model or PyTorch's
/// safetensors.torch.save_file(model.state_dict(), path) wrote. Throws DataError, before anything is overwritten, for a
/// file that is missing or damaged, and where load_state_dict() refuses the state; each names the file.
nn::IncompatibleKeys load_state(const std::filesystem::path& path, nn::Module& module, bool strict = true);

/// The tensors of a safetensors file, on the CPU, in the order of the file: F32 as they are, F16 and BF16 as float32,
/// F64 rounded to float32, I32, I64, U8 and BOOL as int32. Throws DataError naming the file for one that is missing or
/// damaged, and naming the tensor for another dtype, for whole numbers that int32 cannot hold, and for more than 8
/// dimensions.
[[nodiscard]] nn::StateDict read_state_dict(const std::filesystem::path& path);

/// Writes a state. Throws as save_state does, and UsageError for an undefined array and for types
/// that safetensors files of ours do not hold: int8, int16, uint16, uint32, uint64.
void write_state_dict(const std::filesystem::path& path, const nn::StateDict& state,
                      const std::map<std::string, std::string>& metadata = {});

}  // namespace overtake
