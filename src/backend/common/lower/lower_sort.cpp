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
constexpr std::int64_t chunk = 128;  // tiles whose counts are added up together
constexpr std::int64_t scratch_unit = 256;
constexpr int wide_group = 512;
constexpr int digits = 256;
constexpr int bits_of_digit = 8;

bool has_short_input(const SortCore& core) { return has_short_indices(core.input, {core.outer, core.n, core.inner}); }

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
  define_keys(text, core.input.dtype, core.values);
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

// The kernels of all passes. Scratch memory holds the counts of tiles, those of chunks, two sets of places (none where
// values are sorted), and two sets of keys.
class PassWriter {
 public:
  PassWriter(const Operation& operation, const SortCore& core, const LoweringTraits& traits)
      : operation_(operation),
        core_(core),
        count_source_(text_of({embedded::kernel_sort_keys, embedded::kernel_sort_pass, embedded::kernel_sort_count})),
        scatter_source_(
            text_of({embedded::kernel_sort_keys, embedded::kernel_sort_pass, embedded::kernel_sort_scatter})),
        rows_(core.outer * core.inner),
        passes_(static_cast<int>(size_of(core.input.dtype))),
        items_(passes_ == 8 ? 6 : 12),
        // The wider group needs 34 KB of local memory and writes longer stretches: in a trial on an H100 6.8 ms for
        // 2^28 numbers, where 256 work-items with 16 each took 8.4.
        scatter_group_(traits.max_group_size >= wide_group && traits.local_bytes >= 40 * 1024 ? wide_group
                                                                                              : group_size) {
    tiles_ = divide_up(core.n, scatter_group_ * items_);
    chunks_ = divide_up(tiles_, chunk);
  }

  LoweredOperation write() {
    const std::int64_t sets = std::min(passes_ - 1, 2);
    const std::int64_t count = rows_ * core_.n;
    constexpr auto word = static_cast<std::int64_t>(sizeof(std::int32_t));
    sums_at_ = divide_up(rows_ * tiles_ * digits * word, scratch_unit);
    places_at_ = sums_at_ + divide_up(rows_ * chunks_ * digits * word, scratch_unit);
    places_units_ = core_.values ? 0 : divide_up(count * word, scratch_unit);
    keys_at_ = places_at_ + sets * places_units_;
    keys_units_ = divide_up(count * passes_, scratch_unit);
    result_.scratch_bytes = static_cast<std::uint64_t>((keys_at_ + sets * keys_units_) * scratch_unit);
    is_long_ = !has_short_input(core_) || count > most_short;
    for (int pass = 0; pass < passes_; ++pass) {
      add_count(pass, Phase::count);
      if (chunks_ > 1) add_count(pass, Phase::sums);
      add_count(pass, Phase::places);
      add_scatter(pass);
    }
    return std::move(result_);
  }

 private:
  enum class Phase : std::uint8_t { count, sums, places };

  static std::string text_of(std::initializer_list<std::string_view> parts) {
    std::string text;
    for (const std::string_view part : parts) text += part;
    return text;
  }

  KernelText start(std::string_view family, const std::string& source, int pass, bool reads_input, bool writes_output) {
    KernelText text(family, source);
    define_keys(text, reads_input || writes_output ? core_.input.dtype : plain_type(), core_.values);
    text.define("TILE", scatter_group_ * items_);
    text.define("FIRST_PASS", reads_input ? 1 : 0);
    text.define("LAST_PASS", writes_output ? 1 : 0);
    text.define("INPUT_PARAMETERS", reads_input ? ", GLOBAL const KEY* RESTRICT input, INDEX input_at, INDEX input_s0, "
                                                  "INDEX input_s1, INDEX input_s2"
                                                : "");
    text.set_long_indices(is_long_);
    text.add_index(core_.n);
    text.add_index(core_.inner);
    text.add_int(tiles_);
    text.add_int(pass * bits_of_digit);
    text.add_int(core_.descending ? 1 : 0);
    text.add_scratch();
    return text;
  }

  void add_count(int pass, Phase phase) {
    const bool reads_input = pass == 0 && phase == Phase::count;
    KernelText text = start("sort_count", count_source_, pass, reads_input, false);
    text.define("GROUP_SIZE", group_size);
    text.define("BATCH", 8);
    text.define("CHUNK", chunk);
    text.define("PHASE_SUMS", phase == Phase::sums ? 1 : 0);
    text.define("PHASE_PLACES", phase == Phase::places ? 1 : 0);
    text.add_int(sums_at_);
    text.add_int(keys_at(pass + 1));
    if (reads_input) add_input(text, core_);
    result_.kernels.push_back(text.finish(rows_ * (phase == Phase::count ? tiles_ : chunks_), 1, group_size));
  }

  void add_scatter(int pass) {
    const bool reads_input = pass == 0, writes_output = pass == passes_ - 1;
    KernelText text = start("sort_scatter", scatter_source_, pass, reads_input, writes_output);
    text.define("GROUP_SIZE", scatter_group_);
    text.define("ITEMS", items_);
    text.define("KEY_WORDS", passes_ == 8 ? 2 : 1);
    text.define("WITH_PLACES", core_.values ? 0 : 1);
    const std::string type = core_.values ? "KEY" : "int64";
    text.define("OUTPUT_PARAMETERS",
                writes_output ? ", GLOBAL " + type + "* RESTRICT output, INDEX output_at" : std::string());
    text.add_int(keys_at(pass + 1));
    text.add_int(places_at(pass + 1));
    text.add_int(keys_at(pass));
    text.add_int(places_at(pass));
    if (reads_input) add_input(text, core_);
    if (writes_output) text.add_slot(operation_.tape.stores.at(0).slot, 0);
    result_.kernels.push_back(text.finish(rows_ * tiles_, 1, scatter_group_));
  }

  // Passes write to one set and read from the other, in turn.
  [[nodiscard]] std::int64_t keys_at(int pass) const { return keys_at_ + pass % 2 * keys_units_; }
  [[nodiscard]] std::int64_t places_at(int pass) const { return places_at_ + pass % 2 * places_units_; }

  // Keys in scratch memory are unsigned numbers, so that dtypes of one size share kernels.
  [[nodiscard]] DType plain_type() const {
    constexpr std::array types{DType::uint8, DType::uint16, DType::uint32, DType::uint64};
    return types[static_cast<std::size_t>(std::countr_zero(static_cast<unsigned>(passes_)))];
  }

  const Operation& operation_;
  const SortCore& core_;
  std::string count_source_, scatter_source_;
  std::int64_t rows_;
  int passes_;
  int items_;  // of each work-item that moves them
  int scatter_group_;
  std::int64_t tiles_ = 0, chunks_ = 0;
  std::int64_t sums_at_ = 0, places_at_ = 0, places_units_ = 0, keys_at_ = 0, keys_units_ = 0;  // units of 256 bytes
  bool is_long_ = false;
  LoweredOperation result_;
};

}  // namespace

void define_keys(KernelText& text, DType dtype, bool of_values) {
  constexpr std::array names{"unsigned char", "unsigned short", "uint32", "uint64"};
  const KeyForm form = key_form(dtype);
  text.define("KEY", names[static_cast<std::size_t>(std::countr_zero(size_of(dtype)))]);
  text.define("KEY_TOP", "((KEY)" + std::to_string(form.top) + "u)");
  text.define("KEY_INFINITY", "((KEY)" + std::to_string(form.infinity) + "u)");
  text.define("KEY_FLOATING", form.kind == DTypeKind::floating ? 1 : 0);
  text.define("KEY_SIGNED", form.kind == DTypeKind::signed_integer ? 1 : 0);
  text.define("KEY_OF_VALUES", of_values ? 1 : 0);
  text.define("KEY_BOOL", form.kind == DTypeKind::boolean ? 1 : 0);
}

LoweredOperation lower_sort(const Operation& operation, const SortCore& core, const LoweringTraits& traits) {
  if (core.n > std::numeric_limits<std::int32_t>::max()) {
    throw UsageError("an axis of 2^31 elements or more cannot be sorted", "Split the array.");
  }
  return core.n <= most_in_a_group ? lower_short(operation, core) : PassWriter(operation, core, traits).write();
}

}  // namespace overtake::backend
