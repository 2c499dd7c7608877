// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "overtake/doctor.hpp"

namespace overtake::doctor {

/// The folder of compiled kernels and verdicts.
struct CacheCheckup {
  std::string folder;  ///< empty: nothing is kept
  std::int64_t programs = 0;
  std::vector<Finding> findings;
};

/// Reads what is kept, and writes a small file for a moment to see whether more can be.
[[nodiscard]] CacheCheckup examine_cache();
/// The same of a folder; nothing: none is kept.
[[nodiscard]] CacheCheckup examine_cache(const std::optional<std::filesystem::path>& folder);

}  // namespace overtake::doctor
