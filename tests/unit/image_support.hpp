// SPDX-License-Identifier: MIT
// Images made for a test, and files of them.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>

#include <jpeglib.h>  // needs <cstdio>

#include "data_support.hpp"
#include "overtake/image.hpp"

namespace overtake::test {

/// Waves of colour with some noise.
inline Image random_image(int height, int width, int channels, std::uint32_t seed) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<double> noise(-20, 20);
  Image image{height, width, channels, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < channels; ++c) {
        const double wave = 127 + 90 * std::sin(x / (5.0 + c) + seed) * std::cos(y / (7.0 - c)) + noise(engine);
        image.pixels.push_back(static_cast<std::uint8_t>(std::fmin(std::fmax(wave, 0), 255)));
      }
    }
  }
  return image;
}

struct JpegKind {
  int quality = 90;
  bool progressive = false;
  bool subsampled = true;
  J_COLOR_SPACE in = JCS_RGB;        ///< JCS_GRAYSCALE, JCS_CMYK: as many channels
  J_COLOR_SPACE stored = JCS_YCbCr;  ///< JCS_YCCK, say
};

inline std::string jpeg_bytes(const Image& image, const JpegKind& kind = {}) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* memory = nullptr;
  unsigned long size = 0;  // NOLINT: libjpeg's type
  jpeg_mem_dest(&info, &memory, &size);
  info.image_height = static_cast<JDIMENSION>(image.height);
  info.image_width = static_cast<JDIMENSION>(image.width);
  info.input_components = image.channels;
  info.in_color_space = image.channels == 1 ? JCS_GRAYSCALE : kind.in;
  jpeg_set_defaults(&info);
  if (image.channels > 1) jpeg_set_colorspace(&info, kind.stored);
  if (!kind.subsampled) info.comp_info[0].h_samp_factor = info.comp_info[0].v_samp_factor = 1;
  jpeg_set_quality(&info, kind.quality, TRUE);
  if (kind.progressive) jpeg_simple_progression(&info);
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    const std::size_t row_bytes = static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.channels);
    auto* row = const_cast<JSAMPROW>(image.pixels.data() + info.next_scanline * row_bytes);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  std::string bytes(reinterpret_cast<const char*>(memory), size);
  jpeg_destroy_compress(&info);
  std::free(memory);  // NOLINT: what jpeg_mem_dest gave
  return bytes;
}

inline std::string png_bytes(const Image& image) { return encode_png(image); }

/// A folder of `classes` classes with `each` JPEG and PNG images of random sizes each; returns its path.
inline std::filesystem::path image_folder(const TempFolder& folder, int classes, int each) {
  std::mt19937 engine(7);
  std::uniform_int_distribution<int> side(20, 90);
  for (int c = 0; c < classes; ++c) {
    const std::string name = std::string(1, static_cast<char>('a' + c));
    std::filesystem::create_directories(folder / "photos" / name);
    for (int i = 0; i < each; ++i) {
      const Image image =
          random_image(side(engine), side(engine), i % 4 == 0 ? 1 : 3, static_cast<std::uint32_t>(c * each + i));
      const bool is_png = i % 3 == 0;
      static_cast<void>(folder.file("photos/" + name + "/" + std::to_string(i) + (is_png ? ".png" : ".jpg"),
                                    is_png ? png_bytes(image) : jpeg_bytes(image)));
    }
  }
  return folder / "photos";
}

}  // namespace overtake::test
