// SPDX-License-Identifier: MIT
// Sorting: short axes in one group each, long ones in passes over 8 bits of the key.
#include <algorithm>
#include <array>
#include <bit>
#include <limits>

#include "backend/common/lower/kernel_text.hpp"
#include "backend/common/lower/load_pattern.hpp"
#include "backend/common/lower/sort_keys.hpp"
#include "kernels/sources.hpp"
#include "overtake/error.hpp"

namespace overtake::backend {
namespace {

constexpr std::int64_t most_in_a_group = 2048;
constexpr std::int64_t least_in_a_group = 512;
constexpr std::int64_t least_tile = 4096;
constexpr std::int64_t most_tiles = 512;  // of one axis: counts of all tiles are added up by one group
constexpr int digits = 256;
constexpr int bits_of_digit = 8;

std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }
std::int64_t rounded_up(std::int64_t a, std::int64_t b) { return divide_up(a, b) * b; }

bool has_short_input(const SortCore& core) {
  Tape reach;
  reach.loads = {core.input};
  return has_short_indices(reach, std::array{core.outer, core.n, core.inner});
}

void add_input(KernelText& text, const SortCore& core) {
  text.add_slot(core.input.slot, core.input.offset);
  for (std::size_t axis = 0; axis < 3; ++axis) text.add_index(core.input.strides[axis]);
}

LoweredOperation lower_short(const Operation& operation, const SortCore& core) {
  const std::string source = std::string(embedded::kernel_sort_keys) + std::string(embedded::kernel_sort_rows);
  const auto width = static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(core.n)));
  const std::int64_t capacity = width <= least_in_a_group ? least_in_a_group : most_in_a_group;
  const std::int64_t rows = core.outer * core.inner;
  KernelText text("sort_rows", source);
  define_keys(text, core.input.dtype);
  text.define("GROUP_SIZE", group_size);
  text.define("CAPACITY", capacity);
  text.set_long_indices(!has_short_input(core));
  for (const std::int64_t number : {rows, core.n, core.inner}) text.add_index(number);
  text.add_int(width);
  text.add_int(core.descending ? 1 : 0);
  add_input(text, core);
  text.add_slot(operation.tape.stores.at(0).slot, 0);
  return single(text.finish(divide_up(rows, capacity / width), 1, group_size));
}

// The kernels of all passes. Scratch memory holds the counts, then two sets of places, then two sets of keys.
class PassWriter {
 public:
  PassWriter(const Operation& operation, const SortCore& core)
      : operation_(operation),
        core_(core),
        source_(std::string(embedded::kernel_sort_keys) + std::string(embedded::kernel_sort)),
        rows_(core.outer * core.inner),
        passes_(static_cast<int>(size_of(core.input.dtype))) {
    const std::int64_t tile = rounded_up(std::max(least_tile, divide_up(core.n, most_tiles)), group_size);
    tile_ = to_index(tile);
    tiles_ = divide_up(core.n, tile);
  }

  LoweredOperation write() {
    constexpr std::int64_t aligned = 256;
    const std::int64_t sets = std::min(passes_ - 1, 2);
    const std::int64_t count = rows_ * core_.n;
    places_at_ = rounded_up(rows_ * tiles_ * digits * static_cast<std::int64_t>(sizeof(std::int32_t)), aligned);
    places_bytes_ = rounded_up(count * static_cast<std::int64_t>(sizeof(std::int32_t)), aligned);
    keys_at_ = places_at_ + sets * places_bytes_;
    keys_bytes_ = rounded_up(count * passes_, aligned);
    const std::int64_t bytes = keys_at_ + sets * keys_bytes_;
    is_long_ = !has_short_input(core_) || bytes > std::numeric_limits<std::int32_t>::max();
    result_.scratch_bytes = static_cast<std::uint64_t>(bytes);
    for (int pass = 0; pass < passes_; ++pass) {
      for (const Phase phase : {Phase::count, Phase::offsets, Phase::scatter}) add(pass, phase);
    }
    return std::move(result_);
  }

 private:
  enum class Phase : std::uint8_t { count, offsets, scatter };

  void add(int pass, Phase phase) {
    const bool reads_input = pass == 0 && phase != Phase::offsets;
    const bool writes_output = pass == passes_ - 1 && phase == Phase::scatter;
    KernelText text("sort", source_);
    define_keys(text, reads_input ? core_.input.dtype : phase == Phase::offsets ? DType::uint8 : plain_type());
    text.define("GROUP_SIZE", group_size);
    text.define("BATCH", 8);
    text.define("PHASE_COUNT", phase == Phase::count ? 1 : 0);
    text.define("PHASE_OFFSETS", phase == Phase::offsets ? 1 : 0);
    text.define("PHASE_SCATTER", phase == Phase::scatter ? 1 : 0);
    text.define("FIRST_PASS", reads_input ? 1 : 0);
    text.define("LAST_PASS", writes_output ? 1 : 0);
    text.define("INPUT_PARAMETERS", reads_input ? ", int descending, GLOBAL const KEY* RESTRICT input, INDEX input_at, "
                                                  "INDEX input_s0, INDEX input_s1, INDEX input_s2"
                                                : "");
    text.define("OUTPUT_PARAMETERS", writes_output ? ", GLOBAL int64* RESTRICT output, INDEX output_at" : "");
    text.set_long_indices(is_long_);
    text.add_index(core_.n);
    text.add_index(core_.inner);
    text.add_int(tiles_);
    text.add_int(tile_);
    text.add_int(pass * bits_of_digit);
    text.add_scratch();
    const std::int64_t from = (pass + 1) % 2, to = pass % 2;
    text.add_index(keys_at_ + from * keys_bytes_);
    text.add_index(places_at_ + from * places_bytes_);
    text.add_index(keys_at_ + to * keys_bytes_);
    text.add_index(places_at_ + to * places_bytes_);
    if (reads_input) {
      text.add_int(core_.descending ? 1 : 0);
      add_input(text, core_);
    }
    if (writes_output) text.add_slot(operation_.tape.stores.at(0).slot, 0);
    result_.kernels.push_back(text.finish(phase == Phase::offsets ? rows_ : rows_ * tiles_, 1, group_size));
  }

  // Keys in scratch memory are unsigned numbers, so that dtypes of one size share kernels.
  [[nodiscard]] DType plain_type() const {
    constexpr std::array types{DType::uint8, DType::uint16, DType::uint32, DType::uint64};
    return types[static_cast<std::size_t>(std::countr_zero(static_cast<unsigned>(passes_)))];
  }

  const Operation& operation_;
  const SortCore& core_;
  std::string source_;
  std::int64_t rows_;
  int passes_;
  std::int64_t tile_ = 0, tiles_ = 0;
  std::int64_t places_at_ = 0, places_bytes_ = 0, keys_at_ = 0, keys_bytes_ = 0;
  bool is_long_ = false;
  LoweredOperation result_;
};

}  // namespace

void define_keys(KernelText& text, DType dtype) {
  constexpr std::array names{"unsigned char", "unsigned short", "uint32", "uint64"};
  const KeyForm form = key_form(dtype);
  text.define("KEY", names[static_cast<std::size_t>(std::countr_zero(size_of(dtype)))]);
  text.define("KEY_TOP", "((KEY)" + std::to_string(form.top) + "u)");
  text.define("KEY_INFINITY", "((KEY)" + std::to_string(form.infinity) + "u)");
  text.define("KEY_FLOATING", form.kind == DTypeKind::floating ? 1 : 0);
  text.define("KEY_SIGNED", form.kind == DTypeKind::signed_integer ? 1 : 0);
  text.define("KEY_BOOL", form.kind == DTypeKind::boolean ? 1 : 0);
}

LoweredOperation lower_sort(const Operation& operation, const SortCore& core) {
  if (core.n > std::numeric_limits<std::int32_t>::max()) {
    throw UsageError("an axis of 2^31 elements or more cannot be sorted", "Split the array.");
  }
  return core.n <= most_in_a_group ? lower_short(operation, core) : PassWriter(operation, core).write();
}

}  // namespace overtake::backend
