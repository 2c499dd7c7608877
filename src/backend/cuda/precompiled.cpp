// SPDX-License-Identifier: MIT
#include "backend/cuda/precompiled.hpp"

#include <array>
#include <utility>

namespace overtake::embedded {
extern const std::string_view cuda_forest_classes_bytes_small;
extern const std::string_view cuda_forest_classes_wide_small;
extern const std::string_view cuda_forest_numbers_bytes_small;
extern const std::string_view cuda_forest_numbers_wide_small;
}  // namespace overtake::embedded

namespace overtake::backend::cuda {

std::string_view precompiled_program(std::string_view name) {
  const std::array<std::pair<std::string_view, std::string_view>, 4> programs{{
      {"forest_classes_bytes_small", embedded::cuda_forest_classes_bytes_small},
      {"forest_classes_wide_small", embedded::cuda_forest_classes_wide_small},
      {"forest_numbers_bytes_small", embedded::cuda_forest_numbers_bytes_small},
      {"forest_numbers_wide_small", embedded::cuda_forest_numbers_wide_small},
  }};
  for (const auto& [known, code] : programs) {
    if (known == name) return code;
  }
  return {};
}

}  // namespace overtake::backend::cuda
