// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "overtake/profile.hpp"

namespace overtake::profile {

/// What a device can do at best; 0: not known.
struct Peak {
  std::string device;
  double gflops = 0, gbs = 0;
};

/// The table of Profile::to_string().
[[nodiscard]] std::string summary_text(const std::vector<ProfileEntry>& entries, double seconds,
                                       const std::vector<Peak>& peaks);

/// The entries as Chrome's tracing has them.
[[nodiscard]] std::string trace_text(const std::vector<ProfileEntry>& entries);

}  // namespace overtake::profile
