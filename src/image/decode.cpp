// SPDX-License-Identifier: MIT
#include "image/decode.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "data/source/binary_file.hpp"
#include "data/source/file_kind.hpp"
#include "overtake/error.hpp"

namespace overtake::image {
namespace {

constexpr const char* cure = "Replace or remove it, or let broken images be skipped.";

/// 0 to 255: a * b / 255, rounded.
int product(int a, int b) {
  const int value = a * b + 128;
  return ((value >> 8) + value) >> 8;
}

std::uint8_t grey_of(int r, int g, int b) {
  // 299, 587 and 114 thousandths as 65536ths, rounded.
  return static_cast<std::uint8_t>((r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16);
}

struct Colour {
  int r, g, b;
};

Colour colour_of(const std::uint8_t* pixel, int channels) {
  if (channels == 1) return {pixel[0], pixel[0], pixel[0]};
  if (channels == 3) return {pixel[0], pixel[1], pixel[2]};
  const int black = pixel[3];  // Adobe stores what is not printed: 255 is no ink
  const auto of = [&](int ink) { return std::max(0, black - product(255 - ink, black)); };
  return {of(pixel[0]), of(pixel[1]), of(pixel[2])};
}

}  // namespace

void check_channels(int channels) {
  if (channels == 1 || channels == 3) return;
  throw UsageError(fmt::format("{} channels of an image, expected 1 (grey) or 3 (red, green, blue)", channels));
}

void check_size(std::uint64_t height, std::uint64_t width) {
  constexpr std::uint64_t most_pixels = 100'000'000;
  if (height == 0 || width == 0) throw DataError("it has no pixels");
  if (height > most_pixels || width > most_pixels || height * width > most_pixels) {
    throw DataError(fmt::format("{} x {} are more than {} pixels", height, width, most_pixels));
  }
}

void convert_pixels(const std::uint8_t* from, int from_channels, std::uint8_t* to, int channels, std::size_t count) {
  if (from_channels == channels) {
    std::memcpy(to, from, count * static_cast<std::size_t>(channels));
    return;
  }
  for (std::size_t i = 0; i < count; ++i, from += from_channels, to += channels) {
    const Colour colour = colour_of(from, from_channels);
    if (channels == 1) {
      *to = grey_of(colour.r, colour.g, colour.b);
      continue;
    }
    to[0] = static_cast<std::uint8_t>(colour.r);
    to[1] = static_cast<std::uint8_t>(colour.g);
    to[2] = static_cast<std::uint8_t>(colour.b);
  }
}

Image cut_pixels(const std::uint8_t* pixels, const Image& size, const Region& region, int channels) {
  Image image{region.height, region.width, channels, {}};
  const auto row_bytes = static_cast<std::size_t>(region.width) * static_cast<std::size_t>(channels);
  image.pixels.resize(row_bytes * static_cast<std::size_t>(region.height));
  for (int y = 0; y < region.height; ++y) {
    const std::size_t first = static_cast<std::size_t>(region.top + y) * static_cast<std::size_t>(size.width) +
                              static_cast<std::size_t>(region.left);
    convert_pixels(pixels + first * static_cast<std::size_t>(size.channels), size.channels,
                   image.pixels.data() + row_bytes * static_cast<std::size_t>(y), channels,
                   static_cast<std::size_t>(region.width));
  }
  return image;
}

Image decode(std::string_view bytes, int channels, const std::string& name, const ChooseCut& choose) {
  using std::string_view_literals::operator""sv;
  check_channels(channels);
  try {
    if (bytes.empty()) throw DataError("it is empty");
    if (bytes.starts_with("\xFF\xD8\xFF"sv)) return decode_jpeg(bytes, channels, choose);
    if (bytes.starts_with("\x89PNG\r\n\x1A\n"sv)) return decode_png(bytes, channels, choose);
    const auto kind = data::recognise(bytes.substr(0, data::kind_bytes));
    throw DataError(kind ? fmt::format("it is {}, expected JPEG or PNG", kind->what)
                         : "it is neither JPEG nor PNG, by its first bytes");
  } catch (const DataError& error) {
    throw DataError(fmt::format("cannot use the image {}: {}", name, error.what()),
                    error.hint().empty() ? cure : error.hint());
  }
}

std::string file_bytes(const std::filesystem::path& path) {
  data::BinaryFile file(path);
  constexpr std::uint64_t most_bytes = std::uint64_t{1} << 30;
  if (file.size() > most_bytes) {
    throw DataError(fmt::format("cannot use the image {}: {} bytes are too many", file.name(), file.size()), cure);
  }
  std::string bytes(static_cast<std::size_t>(file.size()), '\0');
  file.read(std::span(bytes), "content");
  return bytes;
}

}  // namespace overtake::image

namespace overtake {

Image read_image(const std::filesystem::path& path, int channels) {
  image::check_channels(channels);
  return decode_image(image::file_bytes(path), channels, path.string());
}

Image decode_image(std::string_view bytes, int channels, const std::string& name) {
  return image::decode(bytes, channels, name, image::whole_image);
}

}  // namespace overtake
