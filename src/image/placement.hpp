// SPDX-License-Identifier: MIT
// Which part of an image becomes the input, and where its pixels come from.
#pragma once

#include <cstdint>

#include "image/decode.hpp"
#include "overtake/image.hpp"

namespace overtake::image {

/// Random numbers of this image in this epoch.
struct Draw {
  std::uint64_t seed = 0;
  std::int64_t image = 0;
  std::uint32_t epoch = 0;
};

/// Output pixel i of an axis has its centre at start + (i + 0.5) * step, in pixels of the region, and looks no further
/// than that.
struct Axis {
  double start = 0, step = 1;
};

struct Placement {
  Cut cut;
  Axis down, across;
  bool is_flipped = false;
};

/// `scales`: the image can be decoded at less than its size, and may be. Throws DataError for an image that is smaller
/// than what is cut out of it.
[[nodiscard]] Placement place(const ImageTransform& transform, const Draw& draw, int height, int width, bool scales);

}  // namespace overtake::image
