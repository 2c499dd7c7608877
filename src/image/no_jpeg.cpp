// SPDX-License-Identifier: MIT
#include "image/decode.hpp"
#include "overtake/error.hpp"

namespace overtake::image {

Image decode_jpeg(std::string_view /*bytes*/, int /*channels*/, const ChooseCut& /*choose*/) {
  throw DataError("it is JPEG, which this build of Overtake cannot read",
                  "Build it where libjpeg is installed (Debian libjpeg-dev), or convert the image to PNG.");
}

}  // namespace overtake::image
