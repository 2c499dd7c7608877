// SPDX-License-Identifier: MIT
#include "overtake/version.hpp"

namespace overtake {

std::string_view version() noexcept { return OVERTAKE_VERSION; }

}  // namespace overtake
