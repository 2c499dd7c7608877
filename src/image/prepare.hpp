// SPDX-License-Identifier: MIT
// The device's side: kernels/image/prepare.k and the memory that it reads.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "backend/api/device.hpp"
#include "image/placement.hpp"
#include "overtake/image.hpp"

namespace overtake::image {

/// What the kernel knows of an image: a row of the table at the front of a packed batch.
struct PlacedImage {
  std::int32_t offset = 0;  ///< of its pixels from the front, in units of `alignment` bytes
  std::int32_t height = 0, width = 0;
  std::int32_t is_flipped = 0;
  float down_start = 0, down_step = 1;
  float across_start = 0, across_step = 1;
};
static_assert(sizeof(PlacedImage) == 8 * sizeof(std::int32_t));  // IMAGE_WORDS

inline constexpr std::size_t alignment = 16;
[[nodiscard]] constexpr std::size_t aligned(std::size_t bytes) noexcept {
  return (bytes + alignment - 1) / alignment * alignment;
}

/// An image that waits to be packed.
struct Ready {
  std::int64_t index = 0;  ///< in the set
  std::int64_t place = 0;  ///< in the epoch's order
  Image image;
  Placement placement;
};

/// Bytes of a packed batch: the table, then the pixels of each.
[[nodiscard]] std::size_t packed_bytes(std::span<const Ready> images);
void pack(std::span<const Ready> images, std::byte* to);

/// The kernel, compiled for a device and the options of a loader.
class Prepare {
 public:
  /// Throws DeviceError where the device cannot compile it.
  Prepare(backend::Device& device, const ImageLoaderOptions& options);

  /// Of the images from `first` on, which are there. Throws UsageError for a buffer of another device or too small.
  void launch(backend::Buffer& packed, std::int64_t first, std::int64_t images, backend::Buffer& inputs);
  /// (images, height, width, padded channels)
  [[nodiscard]] Shape shape(std::int64_t images) const;
  [[nodiscard]] DType dtype() const noexcept { return dtype_; }

 private:
  ImageTransform transform_;
  int channels_;
  int padded_;
  DType dtype_;
  std::unique_ptr<backend::Program> program_;
  std::unique_ptr<backend::Kernel> kernel_;
};

}  // namespace overtake::image
