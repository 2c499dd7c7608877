// SPDX-License-Identifier: MIT
#include "platform/time_text.hpp"

#include <time.h>

#include "platform/posix/locale.hpp"

namespace overtake::platform {

std::optional<TimeRead> read_time(std::string_view text, const std::string& format) {
  TimeRead read;
  read.time.tm_mday = 1;
  const std::string copy(text);
  const char* const end = ::strptime_l(copy.c_str(), format.c_str(), &read.time, classic_locale());
  if (end == nullptr || *end != '\0') return std::nullopt;
  read.seconds_east = static_cast<double>(read.time.tm_gmtoff);
  return read;
}

}  // namespace overtake::platform
