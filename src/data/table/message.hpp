// SPDX-License-Identifier: MIT
// Wording that the error messages of all readers share.
#pragma once

#include <string>
#include <string_view>

namespace overtake::data {

/// The text in double quotes, shortened to about 40 bytes, control characters as \xNN: fit for a one-line message.
[[nodiscard]] std::string quote(std::string_view text);

/// "No space left on device" for an errno value.
[[nodiscard]] std::string os_error(int number);

}  // namespace overtake::data
