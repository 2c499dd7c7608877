// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "oracle/operator_table.hpp"

namespace overtake::oracle {

/// Adds convolutions and pooling, and their truth.
void add_images(std::vector<OperatorCase>& table);

}  // namespace overtake::oracle
