// SPDX-License-Identifier: MIT
// JPEG and PNG files.
#include <stdexcept>

#include "fuzz.hpp"
#include "overtake/image.hpp"

namespace overtake::fuzz {

FUZZ_TARGET(image) {
  for (const int channels : {1, 3}) {
    const Image image = decode_image(input, channels, "input");
    const std::int64_t bytes = std::int64_t{image.height} * image.width * channels;
    if (image.channels != channels || static_cast<std::int64_t>(image.pixels.size()) != bytes) {
      throw std::logic_error("pixels that do not fit the size");
    }
  }
}

}  // namespace overtake::fuzz
