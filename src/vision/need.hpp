// SPDX-License-Identifier: MIT
// What a network takes of a device's memory as a whole, for errors that name more than the piece that did not fit.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>

#include "overtake/memory.hpp"
#include "overtake/vision.hpp"

namespace overtake::vision {

/// Of a batch of one image, and of each further one: what plans of a few say. `least`: of any batch.
struct Need {
  std::uint64_t one = 0, each = 0, least = 0;
  [[nodiscard]] std::uint64_t of(std::int64_t rows) const {
    return std::max(one + static_cast<std::uint64_t>(rows - 1) * each, least);
  }
};

/// `bytes_of`: of a batch of so many images.
[[nodiscard]] Need need_of(const std::function<std::uint64_t(std::int64_t rows)>& bytes_of);

/// The error to throw in place of `cause`, met in `what` ("training vgg16") with batches of `rows` images: the whole
/// need, `limit` or (0) what is free, and how many images fit. Nothing of the work is in memory any more.
[[nodiscard]] MemoryError too_large(const std::string& what, const Need& need, std::int64_t rows, const Device& device,
                                    std::uint64_t limit, const MemoryError& cause);

/// too_large() of a training.
[[nodiscard]] MemoryError too_large_to_train(const ImageSet& images, const ImageTrainingOptions& options,
                                             const Device& device, std::uint64_t limit, const MemoryError& cause);

/// Bytes of the answers for `rows` images of the input's size.
[[nodiscard]] std::uint64_t answering_bytes(const ImageModel& model, std::int64_t rows);

}  // namespace overtake::vision
