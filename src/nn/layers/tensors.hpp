// SPDX-License-Identifier: MIT
// Between arrays on a device and tensors of a file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "overtake/array.hpp"
#include "overtake/data/safetensors.hpp"
#include "overtake/nn/module.hpp"

namespace overtake::nn {

/// Reads a file of which all that is Overtake's carries its checksum: without one an altered file could pass for
/// another program's. A file without any metadata of Overtake needs none. Throws DataError naming the file.
[[nodiscard]] TensorFile read_checked(const std::filesystem::path& path);

/// A copy on the host.
[[nodiscard]] HostArray to_host(const Array& array);

/// The tensor called `name`, checked to have the shape and dtype of `like`. Throws DataError starting with `context`
/// (the file) if it is missing or differs.
[[nodiscard]] const HostArray& matching_tensor(const TensorFile& file, const std::string& name, const Array& like,
                                               const std::string& context);

/// Overwrites the arrays with the tensors of their names, which must be all that the file holds. Throws DataError,
/// before anything is overwritten, as matching_tensor() does and for a tensor without an array.
void overwrite_with_all(const std::vector<NamedValue>& values, const TensorFile& file, const std::string& context);

/// Overwrites an evaluated array of the same shape and dtype.
void overwrite_with(const Array& array, const HostArray& values);

/// A new array on `device`.
[[nodiscard]] Array to_array(const HostArray& values, const Device& device);

}  // namespace overtake::nn
