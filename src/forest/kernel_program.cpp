// SPDX-License-Identifier: MIT
#include "forest/kernel_program.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/sources.hpp"
#include "overtake/error.hpp"

namespace overtake::forest {
namespace {

std::string source_text() {
  std::string text(embedded::kernel_philox);
  for (const std::string_view part :
       {embedded::kernel_forest_split, embedded::kernel_forest, embedded::kernel_forest_rows,
        embedded::kernel_forest_subtrees, embedded::kernel_forest_large, embedded::kernel_forest_score}) {
    text += part;
  }
  return text;
}

std::vector<std::string> defines_of(const KernelShape& shape, const KernelSizes& sizes) {
  const auto number = [](const char* name, std::uint64_t value) { return fmt::format("{}={}", name, value); };
  return {number("GROUP", KernelSizes::group),
          number("LARGE_GROUP", KernelSizes::large_group),
          number("CLASSES", static_cast<std::uint64_t>(shape.classes)),
          shape.wide ? "BIN=unsigned short" : "BIN=unsigned char",
          fmt::format("STRIDE={}u", shape.stride),
          number("FEATURES", static_cast<std::uint64_t>(shape.features)),
          number("BINS", static_cast<std::uint64_t>(shape.bins)),
          number("COUNTS", shape.counts ? 1 : 0),
          number("SLAB", static_cast<std::uint64_t>(sizes.slab)),
          number("HIST_LOCAL", sizes.hist_local ? 1 : 0),
          sizes.hist_local ? "HIST=LOCAL_ARG" : "HIST=GLOBAL",
          number("STATS_LOCAL", sizes.stats_local ? 1 : 0),
          number("ORDER_LOCAL", sizes.order_local ? 1 : 0),
          sizes.order_local ? "ORDER=LOCAL_ARG" : "ORDER=GLOBAL",
          number("SCRATCH", sizes.scratch_words),
          number("SCRATCH_HIST", sizes.scratch_hist),
          number("SCRATCH_ORDER", sizes.scratch_order),
          number("SCRATCH_LEFT", sizes.scratch_left),
          number("LARGE_FEATURES", static_cast<std::uint64_t>(shape.max_features)),
          number("LARGE_HIST", sizes.large_hist)};
}

}  // namespace

KernelSizes sizes_of(const KernelShape& shape) {
  // Ten kilobytes a group let 20 groups share a processor's local memory; one wide feature may take more.
  constexpr std::int64_t usual_words = 2560;
  constexpr std::int64_t most_words = 9216;
  KernelSizes sizes;
  const std::int64_t feature_words = std::int64_t{shape.bins} * shape.slots();
  sizes.hist_local = feature_words <= most_words;
  if (feature_words <= usual_words) {
    sizes.slab = static_cast<std::int32_t>(
        std::clamp<std::int64_t>(usual_words / feature_words, 1, std::min(shape.max_features, 64)));
  }
  sizes.stats_local = shape.stats() <= 64;
  sizes.order_local = shape.features <= 256;
  std::uint64_t words = 0;
  sizes.scratch_hist = words;
  if (!sizes.hist_local) words += static_cast<std::uint64_t>(feature_words) * static_cast<std::uint64_t>(sizes.slab);
  sizes.scratch_order = words;
  if (!sizes.order_local) words += 2 * static_cast<std::uint64_t>(shape.features);
  sizes.scratch_left = words;
  if (!sizes.stats_local) words += static_cast<std::uint64_t>(shape.stats());
  sizes.scratch_words = std::max<std::uint64_t>(words, 1);
  sizes.large_hist = static_cast<std::uint64_t>(feature_words) * static_cast<std::uint64_t>(shape.max_features);
  return sizes;
}

KernelProgram::KernelProgram(backend::Device& device, const KernelShape& shape)
    : shape_(shape), sizes_(sizes_of(shape)) {
  const std::vector<std::string> defines = defines_of(shape, sizes_);
  try {
    program_ = device.build(source_text(), defines);
  } catch (const UsageError& error) {
    throw DeviceError(fmt::format("{} cannot run the forest kernels: {}", device.info().id, error.what()),
                      "Forests need double precision and 32-bit atomics; use --device cpu.");
  }
}

void KernelProgram::launch(const std::string& kernel, backend::LaunchGeometry geometry,
                           const std::vector<backend::KernelArgument>& arguments) {
  std::unique_ptr<backend::Kernel>& found = kernels_[kernel];
  if (!found) found = program_->kernel(kernel);
  found->launch(geometry, arguments);
  ++launches_;
}

}  // namespace overtake::forest
