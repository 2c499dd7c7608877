// SPDX-License-Identifier: MIT
#include "forest/device/program.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "backend/api/device.hpp"
#include "core/checked.hpp"
#include "kernels/sources.hpp"
#include "overtake/error.hpp"

namespace overtake::forest {

KernelSizes sizes_of(const KernelShape& shape) {
  // Twelve kilobytes a group let 16 groups share a processor's local memory; one wide feature may take more.
  constexpr std::int64_t usual_words = 3072;
  constexpr std::int64_t most_words = 9216;
  KernelSizes sizes;
  ShapeRow& row = sizes.row;
  row.classes = shape.classes;
  row.features = shape.features;
  row.stride = shape.stride;
  row.bins = shape.bins;
  row.counts = shape.counts ? 1 : 0;
  row.stats = shape.stats();
  row.count_slot = shape.classes > 0 ? shape.classes : 3;
  row.slots = row.count_slot + row.counts;
  row.large_features = shape.max_features;
  row.slab = row.scratch = 1;
  const std::int64_t feature_words = std::int64_t{row.bins} * row.slots;
  if (feature_words <= usual_words) {
    row.slab = static_cast<std::int32_t>(std::clamp<std::int64_t>(
        usual_words / feature_words, 1, std::min<std::int64_t>(shape.max_features, formulas::MOST_SLAB)));
  }
  row.large_hist = narrow<std::int32_t>(feature_words * shape.max_features, "the histogram of a node");
  sizes.small = feature_words <= most_words && row.stats <= formulas::MOST_STATS && row.features <= 512;
  if (sizes.small) {
    sizes.hist_bytes = feature_words * row.slab * 4;
    sizes.order_bytes = std::int64_t{row.features} * 8;
    return sizes;
  }
  row.scratch_order = narrow<std::int32_t>(feature_words * row.slab, "the histogram of a node");
  row.scratch_left = row.scratch_order + 2 * row.features;
  row.scratch = row.scratch_left + row.stats;
  return sizes;
}

KernelProgram::KernelProgram(backend::Device& device, const KernelShape& shape, bool soft_real)
    : shape_(shape), sizes_(sizes_of(shape)) {
  std::vector<std::string> defines = {
      shape.classes > 0 ? "CLASSIFY=1" : "CLASSIFY=0", sizes_.small ? "SMALL=1" : "SMALL=0",
      shape.wide ? "BIN=unsigned short" : "BIN=unsigned char", soft_real ? "SOFT_REAL=1" : "SOFT_REAL=0"};
  std::string name =
      fmt::format("forest_{}_{}_{}{}", shape.classes > 0 ? "classes" : "numbers", shape.wide ? "wide" : "bytes",
                  sizes_.small ? "small" : "large", soft_real ? "_soft" : "");
  shape_table_ = device.allocate(sizeof(sizes_.row));
  device.upload(*shape_table_, 0, &sizes_.row, sizeof(sizes_.row));
  try {
    program_ =
        device.build({.source = embedded::kernel_forest, .defines = std::move(defines), .name = std::move(name)});
  } catch (const UsageError& error) {
    throw DeviceError(fmt::format("{} cannot run the forest kernels: {}", device.info().id, error.what()),
                      "Forests need 32-bit atomics and groups of 256 work-items; use --device cpu.");
  }
}

void KernelProgram::launch(const std::string& kernel, backend::LaunchGeometry geometry,
                           std::vector<backend::KernelArgument> arguments,
                           const std::vector<std::int64_t>& local_bytes) {
  if (sizes_.small) {
    for (const std::int64_t bytes : local_bytes) {
      arguments.emplace_back(backend::LocalBytes{bytes});
    }
  }
  std::unique_ptr<backend::Kernel>& found = kernels_[kernel];
  if (!found) found = program_->kernel(kernel);
  found->launch(geometry, arguments);
  ++launches_;
}

}  // namespace overtake::forest
