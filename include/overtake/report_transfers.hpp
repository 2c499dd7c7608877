// SPDX-License-Identifier: MIT
#pragma once

#include "overtake/report.hpp"
#include "overtake/transfer.hpp"

namespace overtake::report {

/// By device, without the cpu and those that nothing was copied to or from: {"cuda:0": {"uploads": 2, "upload_bytes":
/// ..., "upload_seconds": ..., "downloads": ..., ...}}.
[[nodiscard]] Json transfers_json(const TransferStats& stats);

}  // namespace overtake::report
