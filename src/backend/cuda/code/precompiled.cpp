// SPDX-License-Identifier: MIT
#include "backend/cuda/code/precompiled.hpp"

#include <array>
#include <utility>

#include "backend/cuda/code/code_pack.hpp"

namespace overtake::embedded {
extern const std::string_view cuda_interpreted;
extern const std::string_view cuda_peak;
extern const std::string_view cuda_forest_classes_bytes_small;
extern const std::string_view cuda_forest_classes_bytes_large;
extern const std::string_view cuda_forest_classes_wide_small;
extern const std::string_view cuda_forest_classes_wide_large;
extern const std::string_view cuda_forest_numbers_bytes_small;
extern const std::string_view cuda_forest_numbers_bytes_large;
extern const std::string_view cuda_forest_numbers_wide_small;
extern const std::string_view cuda_forest_numbers_wide_large;
}  // namespace overtake::embedded

namespace overtake::backend::cuda {

bool has_precompiled(int driver_cuda_version) {
  constexpr int compiler_generation = OVERTAKE_CUDA_GENERATION;  // the build says; 0 without a compiler
  return !embedded::cuda_interpreted.empty() && driver_cuda_version / 1000 >= compiler_generation;
}

std::string precompiled_program(std::string_view name, int driver_cuda_version, int architecture) {
  if (!has_precompiled(driver_cuda_version)) return {};
  const std::array<std::pair<std::string_view, std::string_view>, 10> programs{{
      {"interpreted", embedded::cuda_interpreted},
      {"peak", embedded::cuda_peak},
      {"forest_classes_bytes_small", embedded::cuda_forest_classes_bytes_small},
      {"forest_classes_bytes_large", embedded::cuda_forest_classes_bytes_large},
      {"forest_classes_wide_small", embedded::cuda_forest_classes_wide_small},
      {"forest_classes_wide_large", embedded::cuda_forest_classes_wide_large},
      {"forest_numbers_bytes_small", embedded::cuda_forest_numbers_bytes_small},
      {"forest_numbers_bytes_large", embedded::cuda_forest_numbers_bytes_large},
      {"forest_numbers_wide_small", embedded::cuda_forest_numbers_wide_small},
      {"forest_numbers_wide_large", embedded::cuda_forest_numbers_wide_large},
  }};
  for (const auto& [known, code] : programs) {
    if (known == name) return unpack_code(code, architecture);
  }
  return {};
}

}  // namespace overtake::backend::cuda
