// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace overtake::nn {

/// True for layers over images, which model files do not hold.
[[nodiscard]] bool is_image_layer(const std::string& type);

/// True if make_layer() knows the type and model files, whose inputs are tables of numbers, may hold it.
[[nodiscard]] bool is_stored_layer(const std::string& type);

}  // namespace overtake::nn
