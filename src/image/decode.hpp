// SPDX-License-Identifier: MIT
// From the bytes of a file to the pixels that are needed of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "overtake/image.hpp"

namespace overtake::image {

/// Of an image, in pixels.
struct Region {
  int top = 0, left = 0, height = 0, width = 0;
};

/// What is wanted of an image. At `eighths` of its size, which is rounded up; the region counts pixels of that.
struct Cut {
  Region region;
  int eighths = 8;  ///< 8, 4, 2 or 1
};

/// Asked once the size of an image is known. `scales`: whether the decoder can decode at less than full size.
using ChooseCut = std::function<Cut(int height, int width, bool scales)>;
[[nodiscard]] inline Cut whole_image(int height, int width, bool /*scales*/) {
  return {.region = {.height = height, .width = width}};
}

/// The region of the image in these bytes, of `channels` channels. Throws DataError, naming `name`, as read_image().
[[nodiscard]] Image decode(std::string_view bytes, int channels, const std::string& name, const ChooseCut& choose);
/// The bytes of a file. Throws DataError for one that cannot be read.
[[nodiscard]] std::string file_bytes(const std::filesystem::path& path);

/// The decoders: as decode(). They throw DataError that says what is wrong, to be completed with the name of the file.
[[nodiscard]] Image decode_jpeg(std::string_view bytes, int channels, const ChooseCut& choose);
[[nodiscard]] Image decode_png(std::string_view bytes, int channels, const ChooseCut& choose);

/// Throws DataError for a size that nobody wants to decode.
void check_size(std::uint64_t height, std::uint64_t width);

/// `count` pixels of `from_channels` (1, 3, or 4: CMYK as Adobe writes it) to `channels` (1 or 3).
void convert_pixels(const std::uint8_t* from, int from_channels, std::uint8_t* to, int channels, std::size_t count);

/// Part of an image that is in memory, converted.
[[nodiscard]] Image cut_pixels(const std::uint8_t* pixels, const Image& size, const Region& region, int channels);

/// Throws UsageError unless it is 1 or 3.
void check_channels(int channels);

}  // namespace overtake::image
