// SPDX-License-Identifier: MIT
// PNG files by libpng, whose errors jump (guarded.hpp).
#include <fmt/format.h>
#include <png.h>

#include <csetjmp>
#include <cstring>
#include <string>
#include <vector>

#include "image/decode.hpp"
#include "image/guarded.hpp"
#include "overtake/error.hpp"

namespace overtake::image {
namespace {

struct Reader {
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::string_view rest;  // of the file
  std::jmp_buf back{};
  char problem[128]{};

  Reader() = default;
  ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
};

[[noreturn]] void give_up(png_structp png, png_const_charp problem) {
  auto& reader = *static_cast<Reader*>(png_get_error_ptr(png));
  std::strncpy(reader.problem, problem, sizeof reader.problem - 1);
  std::longjmp(reader.back, 1);  // NOLINT: the interface of libpng
}

void hear(png_structp /*png*/, png_const_charp /*warning*/) {}

void take(png_structp png, png_bytep to, std::size_t count) {
  auto& reader = *static_cast<Reader*>(png_get_io_ptr(png));
  if (count > reader.rest.size()) png_error(png, "the file ends too early");
  std::memcpy(to, reader.rest.data(), count);
  reader.rest.remove_prefix(count);
}

void open(Reader& reader) {
  reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, give_up, hear);
  if (reader.png == nullptr) return;
  reader.info = png_create_info_struct(reader.png);
  if (reader.info == nullptr) return;
  png_set_read_fn(reader.png, &reader, take);
  png_read_info(reader.png, reader.info);
}

/// Asks for bytes of grey or of red, green and blue; returns how many a pixel.
int start(const Reader& reader) {
  png_set_palette_to_rgb(reader.png);
  png_set_expand_gray_1_2_4_to_8(reader.png);
  png_set_strip_16(reader.png);
  png_set_strip_alpha(reader.png);
  png_set_interlace_handling(reader.png);
  png_read_update_info(reader.png, reader.info);
  return png_get_channels(reader.png, reader.info);
}

}  // namespace

Image decode_png(std::string_view bytes, int channels, const ChooseCut& choose) {
  Reader reader;
  reader.rest = bytes;
  if (!attempt(reader, [&] { open(reader); })) fail(reader);
  if (reader.info == nullptr) throw DataError("there is no memory to read it");
  const png_uint_32 height = png_get_image_height(reader.png, reader.info);
  const png_uint_32 width = png_get_image_width(reader.png, reader.info);
  check_size(height, width);
  const Cut cut = choose(static_cast<int>(height), static_cast<int>(width), false);
  Image whole{static_cast<int>(height), static_cast<int>(width), 0, {}};
  if (!attempt(reader, [&] { whole.channels = start(reader); })) fail(reader);
  const std::size_t row_bytes = png_get_rowbytes(reader.png, reader.info);
  whole.pixels.resize(row_bytes * height);
  std::vector<png_bytep> rows(height);
  for (std::size_t y = 0; y < height; ++y) rows[y] = whole.pixels.data() + y * row_bytes;
  const auto read = [&] {
    png_read_image(reader.png, rows.data());
    png_read_end(reader.png, nullptr);
  };
  if (!attempt(reader, read)) fail(reader);
  return cut_pixels(whole.pixels.data(), whole, cut.region, channels);
}

}  // namespace overtake::image

std::string overtake::encode_png(const Image& image) {
  png_image info{};
  info.version = PNG_IMAGE_VERSION;
  info.height = static_cast<png_uint_32>(image.height);
  info.width = static_cast<png_uint_32>(image.width);
  info.format = image.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(info);
  std::string bytes(size, '\0');
  if (png_image_write_to_memory(&info, bytes.data(), &size, 0, image.pixels.data(), 0, nullptr) == 0) {
    throw DataError(fmt::format("an image of {} x {} cannot be written as PNG", image.height, image.width));
  }
  bytes.resize(size);
  return bytes;
}
