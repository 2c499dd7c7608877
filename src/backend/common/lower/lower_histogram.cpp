// SPDX-License-Identifier: MIT
// Counts of whole numbers.
#include <algorithm>
#include <bit>
#include <limits>

#include "backend/common/lower/kernel_text.hpp"
#include "backend/common/lower/load_pattern.hpp"
#include "kernels/sources.hpp"
#include "overtake/error.hpp"

namespace overtake::backend {
namespace {

constexpr std::int64_t most_local_bins = 4096;
constexpr std::int64_t least_tile = 4096;
constexpr std::int64_t most_tiles = 1024;
constexpr std::int64_t least_local_bins = 256;

class HistogramWriter {
 public:
  HistogramWriter(const Operation& operation, const HistogramCore& core)
      : operation_(operation), core_(core), in_local_(core.bins <= most_local_bins) {
    tile_ = std::max(least_tile, divide_up(core.n, most_tiles));
    tiles_ = divide_up(core.n, tile_);
    parts_ = in_local_ ? tiles_ : 1;
    is_long_ = !has_short_indices(core.ids, {core.n}) || std::max(core.n, parts_ * core.bins) > most_short;
  }

  LoweredOperation write() {
    if (!in_local_) add(Phase::zero);
    add(Phase::count);
    add(Phase::finish);
    result_.scratch_bytes = static_cast<std::uint64_t>(parts_ * core_.bins) * sizeof(std::int32_t);
    return std::move(result_);
  }

 private:
  enum class Phase : std::uint8_t { zero, count, finish };

  void add(Phase phase) {
    KernelText text("histogram", embedded::kernel_histogram);
    text.define("GROUP_SIZE", group_size);
    text.define("BATCH", 8);
    text.define("PHASE_ZERO", phase == Phase::zero ? 1 : 0);
    text.define("PHASE_COUNT", phase == Phase::count ? 1 : 0);
    text.define("IN_LOCAL", in_local_ ? 1 : 0);
    const auto bins = static_cast<std::uint64_t>(std::max(core_.bins, least_local_bins));
    text.define("BINS", in_local_ ? static_cast<std::int64_t>(std::bit_ceil(bins)) : 0);
    const std::string name(memory_type(core_.ids.dtype).name);
    text.define("INPUT_PARAMETERS",
                phase == Phase::count ? ", GLOBAL const " + name + "* RESTRICT ids, INDEX ids_at, INDEX ids_s0" : "");
    text.define("OUTPUT_PARAMETERS", phase == Phase::finish ? ", GLOBAL int64* RESTRICT output, INDEX output_at" : "");
    text.set_long_indices(is_long_);
    for (const std::int64_t number : {core_.n, core_.bins, tile_}) text.add_index(number);
    text.add_int(parts_);
    text.add_scratch();
    if (phase == Phase::count) {
      text.add_slot(core_.ids.slot, core_.ids.offset);
      text.add_index(core_.ids.strides[0]);
    }
    if (phase == Phase::finish) text.add_slot(operation_.tape.stores.at(0).slot, 0);
    const std::int64_t groups = phase == Phase::count ? tiles_ : divide_up(core_.bins, group_size);
    result_.kernels.push_back(text.finish(groups, 1, group_size));
  }

  const Operation& operation_;
  const HistogramCore& core_;
  bool in_local_;
  bool is_long_ = false;
  std::int64_t tile_ = 0, tiles_ = 0, parts_ = 0;
  LoweredOperation result_;
};

}  // namespace

LoweredOperation lower_histogram(const Operation& operation, const HistogramCore& core) {
  if (std::max(core.n, core.bins) > std::numeric_limits<std::int32_t>::max()) {
    throw UsageError("2^31 elements or more, or as many bins, cannot be counted on a GPU", "Split the array.");
  }
  return HistogramWriter(operation, core).write();
}

}  // namespace overtake::backend
