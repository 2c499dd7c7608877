// SPDX-License-Identifier: MIT
// Libraries that report errors by a call that must not return. It jumps back to attempt(), and to nowhere else; between
// the two lie frames of C, and of functions of this folder that hold nothing to be destroyed.
#pragma once

#include <csetjmp>
#include <string>

#include "overtake/error.hpp"

namespace overtake::image {

/// False where the library gave up within `step`, by a jump to `reader.back`.
template <typename Reader, typename Step>
bool attempt(Reader& reader, const Step& step) {
  if (setjmp(reader.back) != 0) return false;  // NOLINT: as above
  step();
  return true;
}

/// What the library said when it gave up is in `reader.problem`.
template <typename Reader>
[[noreturn]] void fail(const Reader& reader) {
  throw DataError(std::string("it is damaged or cut off: ") + reader.problem);
}

}  // namespace overtake::image
