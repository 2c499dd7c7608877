// SPDX-License-Identifier: MIT
// Where the elements of images (or filters) are in memory.
#pragma once

#include <cstdint>

#include "backend/api/image_cores.hpp"
#include "backend/cpu/tape_runner.hpp"

namespace overtake::backend::cpu {

/// An element of images: image, channel, row, column. Of filters: filter, channel, row, column.
struct ImagePlace {
  std::int64_t n = 0, c = 0, h = 0, w = 0;
};

/// Contiguous images of so many channels, rows and columns.
struct ImageOrder {
  bool channels_last = true;
  std::int64_t c = 1, h = 1, w = 1;

  [[nodiscard]] std::int64_t operator()(const ImagePlace& at) const noexcept {
    return channels_last ? ((at.n * h + at.h) * w + at.w) * c + at.c : ((at.n * c + at.c) * h + at.h) * w + at.w;
  }
  /// The element at a place of the memory.
  [[nodiscard]] ImagePlace place(std::int64_t at) const noexcept {
    ImagePlace result;
    if (channels_last) {
      result.c = at % c;
      result.w = at / c % w;
      result.h = at / c / w % h;
    } else {
      result.w = at % w;
      result.h = at / w % h;
      result.c = at / w / h % c;
    }
    result.n = at / (c * h * w);
    return result;
  }
};

template <class Core>
[[nodiscard]] ImageOrder image_order(const Core& core, std::int64_t c, std::int64_t h, std::int64_t w) noexcept {
  return {core.channels_last, c, h, w};
}

/// Where an operand begins; null for one that is not there.
[[nodiscard]] inline const std::byte* address_of(SlotPointers slots, const ImageOperand& operand) {
  if (operand.slot < 0) return nullptr;
  return slots[static_cast<std::size_t>(operand.slot)] +
         operand.offset * static_cast<std::int64_t>(size_of(operand.dtype));
}

}  // namespace overtake::backend::cpu
