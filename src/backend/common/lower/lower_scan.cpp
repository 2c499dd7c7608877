// SPDX-License-Identifier: MIT
// Scans: one kernel for axes of one block; for longer ones the blocks' totals are scanned as an axis of their own.
#include <array>

#include "backend/api/numbers.hpp"
#include "backend/common/lower/kernel_text.hpp"
#include "backend/common/lower/load_pattern.hpp"
#include "kernels/sources.hpp"

namespace overtake::backend {
namespace {

class ScanWriter {
 public:
  ScanWriter(const Operation& operation, const ScanCore& core)
      : operation_(operation), core_(core), type_(value_type_of(core.input.dtype)), rows_(core.outer * core.inner) {}

  LoweredOperation write() {
    std::int64_t elements = 0;  // of scratch memory
    for (std::int64_t n = core_.n; n > ScanCore::block;) {
      const std::int64_t blocks = divide_up(n, ScanCore::block);
      levels_.push_back({n, blocks, elements});
      elements += rows_ * blocks;
      n = blocks;
    }
    is_long_ = !has_short_indices(core_.input, {core_.outer, core_.n, core_.inner}) || core_.n > most_short;
    // Down to where one block holds an axis of totals, and up again.
    for (std::size_t level = 0; level < levels_.size(); ++level) add(level, true);
    for (std::size_t level = levels_.size() + 1; level-- > 0;) add(level, false);
    result_.scratch_bytes = static_cast<std::uint64_t>(elements) * size_of(core_.input.dtype);
    return std::move(result_);
  }

 private:
  struct Level {
    std::int64_t n, blocks;
    std::int64_t totals_at;
  };

  // The last level is that of one block; it has no totals.
  void add(std::size_t level, bool totals) {
    const bool last = level == levels_.size();
    const std::int64_t n = !last ? levels_[level].n : level == 0 ? core_.n : levels_[level - 1].blocks;
    const std::int64_t blocks = last ? 1 : levels_[level].blocks;
    const int lanes = last ? lanes_for(divide_up(n, ScanCore::piece), ScanCore::lanes) : int{ScanCore::lanes};
    const bool in_scratch = level > 0;
    KernelText text("scan", embedded::kernel_scan);
    text.define("VALUE", kernel_name(type_));
    text.define("IDENTITY", number_text(identity_bits(core_.kind, type_), type_));
    text.add_function("combine", combining_code(core_.kind), type_);
    text.define("GROUP_SIZE", group_size);
    text.define("PIECE", ScanCore::piece);
    text.define("LANES", lanes);
    text.define("OUTPUTS", group_size / lanes);
    text.define("PHASE_TOTALS", totals ? 1 : 0);
    text.define("HAS_BEFORE", !totals && !last ? 1 : 0);
    text.define("IN_SCRATCH", in_scratch ? 1 : 0);
    text.set_long_indices(is_long_);
    for (const std::int64_t number : {rows_, n, core_.inner, blocks}) text.add_index(number);
    text.add_index(last ? 0 : levels_[level].totals_at);
    add_memory(text, level, totals, last);
    result_.kernels.push_back(text.finish(divide_up(rows_ * blocks, group_size / lanes), 1, group_size));
  }

  void add_memory(KernelText& text, std::size_t level, bool totals, bool last) {
    if (level > 0) {
      text.define("MEMORY_PARAMETERS", ", GLOBAL VALUE* scratch");
      text.add_index(levels_[level - 1].totals_at);
      text.add_scratch();
      return;
    }
    const LoweredArgument::Kind offset = LoweredArgument::Kind::offset;
    text.add({offset, core_.input.offset, core_.input.slot});
    std::string parameters = ", GLOBAL const VALUE* RESTRICT input, INDEX input_s0, INDEX input_s1, INDEX input_s2";
    text.add({LoweredArgument::Kind::slot, 0, core_.input.slot});
    for (std::size_t axis = 0; axis < 3; ++axis) text.add_index(core_.input.strides[axis]);
    if (!totals) {
      parameters += ", GLOBAL VALUE* RESTRICT output, INDEX output_at";
      text.add_slot(operation_.tape.stores.at(0).slot, 0);
    }
    if (!last) {
      parameters += ", GLOBAL VALUE* RESTRICT scratch";
      text.add_scratch();
    }
    text.define("MEMORY_PARAMETERS", parameters);
  }

  const Operation& operation_;
  const ScanCore& core_;
  ValueType type_;
  std::int64_t rows_;
  bool is_long_ = false;
  std::vector<Level> levels_;
  LoweredOperation result_;
};

}  // namespace

LoweredOperation lower_scan(const Operation& operation, const ScanCore& core) {
  return ScanWriter(operation, core).write();
}

}  // namespace overtake::backend
