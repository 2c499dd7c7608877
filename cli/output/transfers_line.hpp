// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "overtake/transfer.hpp"

namespace cli {

/// The last line of a run: what was copied to and from devices. "" where nothing was.
[[nodiscard]] inline std::string transfers_line(const overtake::TransferStats& stats) {
  std::string text = to_text(stats);
  return text.empty() ? text : text + "\n";
}

}  // namespace cli
