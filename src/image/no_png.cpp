// SPDX-License-Identifier: MIT
#include "image/decode.hpp"
#include "overtake/error.hpp"

namespace overtake::image {

Image decode_png(std::string_view /*bytes*/, int /*channels*/, const ChooseCut& /*choose*/) {
  throw DataError("it is PNG, which this build of Overtake cannot read",
                  "Build it where libpng is installed (Debian libpng-dev), or convert the image to JPEG.");
}

}  // namespace overtake::image

std::string overtake::encode_png(const Image& /*image*/) { return {}; }
