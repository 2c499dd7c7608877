// SPDX-License-Identifier: MIT
#pragma once

#include <locale.h>
#ifdef __APPLE__
#include <xlocale.h>
#endif

namespace overtake::platform {

/// The locale of programming languages: '.' in numbers, names in English.
[[nodiscard]] inline locale_t classic_locale() noexcept {
  static const locale_t classic = ::newlocale(LC_ALL_MASK, "C", nullptr);
  return classic;
}

}  // namespace overtake::platform
