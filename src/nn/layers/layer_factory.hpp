// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace overtake::nn {

/// True if make_layer() knows the type.
[[nodiscard]] bool is_layer_type(const std::string& type);

}  // namespace overtake::nn
