// SPDX-License-Identifier: MIT
#pragma once

#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace overtake::platform {

/// A time of the calendar that a text gives.
struct TimeRead {
  std::tm time{};             ///< fields that the text does not give are those of day 1 of the year 1900, 00:00:00
  double seconds_east = 0.0;  ///< of UTC
};

/// Reads all of `text` by a format of strptime, with names in English whatever the locale; nothing if it does not fit.
[[nodiscard]] std::optional<TimeRead> read_time(std::string_view text, const std::string& format);

}  // namespace overtake::platform
