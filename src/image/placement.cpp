// SPDX-License-Identifier: MIT
#include "image/placement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/philox.hpp"
#include "overtake/error.hpp"

namespace overtake::image {
namespace {

constexpr std::uint32_t first_stream = 0x494D'4700;  // "IMG": of blocks of four numbers; part of what a seed means

/// A box of an image in pixels, and the pixels that its resizing may look at: those of `from` to `to`.
struct Side {
  double begin = 0, size = 0;
  double from = 0, to = 0;
};

struct Box {
  Side down, across;
};

std::array<std::uint32_t, 4> block(const Draw& draw, std::uint32_t number) {
  return philox::block_at(draw.seed, first_stream + number, draw.epoch, static_cast<std::uint32_t>(draw.image));
}

/// In 0 .. count - 1.
int below(std::uint32_t bits, std::int64_t count) {
  return static_cast<int>((std::uint64_t{bits} * static_cast<std::uint64_t>(count)) >> 32U);
}

/// The part itself is all that is looked at, as if it had been cut out before.
Box part(int top, int left, int height, int width) {
  const auto side = [](int begin, int size) {
    return Side{static_cast<double>(begin), static_cast<double>(size), static_cast<double>(begin),
                static_cast<double>(begin) + size};
  };
  return {side(top, height), side(left, width)};
}

/// Ten tries, then the middle with the nearest allowed proportions.
Box random_part(const ImageTransform& transform, const Draw& draw, int height, int width) {
  const std::array<std::uint32_t, 4> place = block(draw, 0);
  const auto at_random = [&](int h, int w) {
    return part(below(place[0], std::int64_t{height} - h + 1), below(place[1], std::int64_t{width} - w + 1), h, w);
  };
  const double area = static_cast<double>(height) * width;
  for (std::uint32_t attempt = 0; attempt < 10; ++attempt) {
    const std::array<std::uint32_t, 4> words = block(draw, 1 + attempt / 2);
    const double u = philox::to_uniform(words[attempt % 2 * 2]), v = philox::to_uniform(words[attempt % 2 * 2 + 1]);
    const double wanted = area * (transform.least_area + u * (transform.most_area - transform.least_area));
    const double low = std::log(transform.least_ratio), high = std::log(transform.most_ratio);
    const double ratio = std::exp(low + v * (high - low));
    const double w = std::nearbyint(std::sqrt(wanted * ratio)), h = std::nearbyint(std::sqrt(wanted / ratio));
    if (w >= 1 && w <= width && h >= 1 && h <= height) return at_random(static_cast<int>(h), static_cast<int>(w));
  }
  const double ratio = static_cast<double>(width) / height;
  int h = height, w = width;
  if (ratio < transform.least_ratio) h = static_cast<int>(std::nearbyint(width / transform.least_ratio));
  if (ratio > transform.most_ratio) w = static_cast<int>(std::nearbyint(height * transform.most_ratio));
  h = std::clamp(h, 1, height);
  w = std::clamp(w, 1, width);
  return part((height - h) / 2, (width - w) / 2, h, w);
}

/// A part of the output's size of the image with black pixels round it.
Box padded_part(const ImageTransform& transform, const Draw& draw, int height, int width) {
  const std::array<std::uint32_t, 4> place = block(draw, 0);
  const std::int64_t free_rows = std::int64_t{height} + 2 * std::int64_t{transform.padding} - transform.height;
  const std::int64_t free_columns = std::int64_t{width} + 2 * std::int64_t{transform.padding} - transform.width;
  if (free_rows < 0 || free_columns < 0) {
    throw DataError(fmt::format("{} x {} pixels with {} round them are fewer than the {} x {} that are cut out of them",
                                height, width, transform.padding, transform.height, transform.width),
                    "Use a crop that resizes, or a smaller input.");
  }
  Box box = part(below(place[0], free_rows + 1) - transform.padding,
                 below(place[1], free_columns + 1) - transform.padding, transform.height, transform.width);
  box.down.from = box.across.from = 0;
  box.down.to = height;
  box.across.to = width;
  return box;
}

/// As torchvision counts: the longer side is rounded down, the middle to even.
Box middle(const ImageTransform& transform, int height, int width) {
  const std::int64_t shorter = std::min(height, width);
  const auto resized = [&](int side) { return static_cast<std::int64_t>(side) * transform.shorter_side / shorter; };
  const auto side = [&](int size, int output) {
    const std::int64_t after = resized(size);
    const double step = static_cast<double>(size) / static_cast<double>(after);
    const double first = std::nearbyint(static_cast<double>(after - output) / 2.0);
    return Side{first * step, output * step, 0, static_cast<double>(size)};
  };
  return {side(height, transform.height), side(width, transform.width)};
}

Box box_of(const ImageTransform& transform, const Draw& draw, int height, int width) {
  switch (transform.crop) {
    case ImageCrop::random_resized: return random_part(transform, draw, height, width);
    case ImageCrop::random: return padded_part(transform, draw, height, width);
    case ImageCrop::centre: return middle(transform, height, width);
    case ImageCrop::whole: break;
  }
  return part(0, 0, height, width);
}

/// Pixels of one axis that are needed.
struct Range {
  int first = 0, count = 1;
};

/// The axis within those pixels, of an image decoded at `size` pixels instead of `full`.
Range range_of(const Side& side, int output, int full, int size, Axis& axis) {
  const double factor = static_cast<double>(size) / full;
  axis.step = side.size * factor / output;
  axis.start = side.begin * factor;
  const double reach = std::max(axis.step, 1.0) + 1;
  const double first = std::max(std::floor(side.from * factor), std::floor(axis.start - reach));
  const double end = std::min(std::ceil(side.to * factor), std::ceil(axis.start + output * axis.step + reach));
  Range range;
  range.first = static_cast<int>(std::clamp<double>(first, 0, size - 1));
  range.count = static_cast<int>(std::clamp<double>(end, range.first + 1, size)) - range.first;
  axis.start -= range.first;
  return range;
}

}  // namespace

Placement place(const ImageTransform& transform, const Draw& draw, int height, int width, bool scales) {
  const Box box = box_of(transform, draw, height, width);
  Placement placement;
  int& eighths = placement.cut.eighths;
  const auto keeps = [&](int fewer) {
    return box.down.size * fewer >= 8.0 * transform.height && box.across.size * fewer >= 8.0 * transform.width;
  };
  while (scales && eighths > 1 && keeps(eighths / 2)) eighths /= 2;
  const auto scaled = [&](int size) { return static_cast<int>((std::int64_t{size} * eighths + 7) / 8); };
  const Range rows = range_of(box.down, transform.height, height, scaled(height), placement.down);
  const Range columns = range_of(box.across, transform.width, width, scaled(width), placement.across);
  placement.cut.region = {rows.first, columns.first, rows.count, columns.count};
  if (transform.flip > 0) placement.is_flipped = philox::to_uniform(block(draw, 0)[2]) < transform.flip;
  return placement;
}

}  // namespace overtake::image
