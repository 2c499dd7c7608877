// SPDX-License-Identifier: MIT
#include "image/prepare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/checked.hpp"
#include "kernels/sources.hpp"
#include "overtake/error.hpp"

namespace overtake::image {

std::size_t packed_bytes(std::span<const Ready> images) {
  std::size_t bytes = aligned(images.size() * sizeof(PlacedImage));
  for (const Ready& ready : images) bytes += aligned(ready.image.pixels.size());
  return bytes;
}

void pack(std::span<const Ready> images, std::byte* to) {
  std::size_t offset = aligned(images.size() * sizeof(PlacedImage));
  std::byte* row = to;
  for (const Ready& ready : images) {
    const Placement& placement = ready.placement;
    PlacedImage placed;
    placed.offset = narrow<std::int32_t>(offset / alignment, "a batch of images");
    placed.height = ready.image.height;
    placed.width = ready.image.width;
    placed.is_flipped = placement.is_flipped ? 1 : 0;
    placed.down_start = static_cast<float>(placement.down.start);
    placed.down_step = static_cast<float>(placement.down.step);
    placed.across_start = static_cast<float>(placement.across.start);
    placed.across_step = static_cast<float>(placement.across.step);
    std::memcpy(row, &placed, sizeof placed);
    row += sizeof placed;
    const std::vector<std::uint8_t>& pixels = ready.image.pixels;
    std::memcpy(to + offset, pixels.data(), pixels.size());
    std::memset(to + offset + pixels.size(), 0, aligned(pixels.size()) - pixels.size());
    offset += aligned(pixels.size());
  }
}

Prepare::Prepare(backend::Device& device, const ImageLoaderOptions& options)
    : transform_(options.transform),
      channels_(options.channels),
      padded_(options.padded_channels == 0 ? options.channels : options.padded_channels),
      dtype_(options.dtype) {
  const bool is_half = dtype_ == DType::bfloat16;
  program_ = device.build({.source = embedded::kernel_image,
                           .defines = {is_half ? "BFLOAT16=1" : "BFLOAT16=0"},
                           .name = is_half ? "image_bfloat16" : "image_float32"});
  kernel_ = program_->kernel("image_prepare");
}

Shape Prepare::shape(std::int64_t images) const { return {images, transform_.height, transform_.width, padded_}; }

void Prepare::launch(backend::Buffer& packed, std::int64_t first, std::int64_t images, backend::Buffer& inputs) {
  constexpr std::uint32_t group = 256;
  constexpr std::int64_t most_groups = 32768;
  const auto need = static_cast<std::size_t>(shape(images).size()) * size_of(dtype_);
  if (inputs.bytes() < need) {
    throw UsageError(fmt::format("{} bytes for a batch of {} images, which needs {}", inputs.bytes(), images, need));
  }
  const auto pixels = static_cast<std::uint32_t>(transform_.height * transform_.width);
  const std::array<float, 3>&mean = transform_.mean, &deviation = transform_.deviation;
  const backend::KernelArgument arguments[] = {&inputs,
                                               &packed,
                                               narrow<std::int32_t>(first),
                                               narrow<std::int32_t>(images),
                                               channels_,
                                               padded_,
                                               transform_.height,
                                               transform_.width,
                                               mean[0],
                                               mean[1],
                                               mean[2],
                                               deviation[0],
                                               deviation[1],
                                               deviation[2]};
  const auto rows = static_cast<std::uint32_t>(std::min(images, most_groups));
  kernel_->launch({.groups = {(pixels + group - 1) / group, rows, 1}, .group_size = {group, 1, 1}}, arguments);
}

}  // namespace overtake::image
