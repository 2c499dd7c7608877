// SPDX-License-Identifier: MIT
#include "backend/api/operation.hpp"

#include <algorithm>

namespace overtake::backend {
namespace {

void add(std::vector<int>& slots, int slot) {
  if (slot >= 0 && std::find(slots.begin(), slots.end(), slot) == slots.end()) slots.push_back(slot);
}

void add_loads(std::vector<int>& slots, const Tape& tape) {
  for (const Access& load : tape.loads) add(slots, load.slot);
}

struct CoreReads {
  std::vector<int>& reads;

  void operator()(const MapCore&) const {}
  void operator()(const MatMulCore& core) const {
    add(reads, core.a.slot);
    add(reads, core.b.slot);
  }
  void operator()(const ReduceCore& core) const { add_loads(reads, core.input); }
  void operator()(const RowCore& core) const {
    add(reads, core.input.slot);
    add(reads, core.labels.slot);
  }
  void operator()(const GatherCore& core) const {
    add(reads, core.source.slot);
    add(reads, core.indices.slot);
    add(reads, core.start.slot);
  }
  void operator()(const ScanCore& core) const { add(reads, core.input.slot); }
  void operator()(const SortCore& core) const { add(reads, core.input.slot); }
  void operator()(const SearchCore& core) const {
    add(reads, core.values.slot);
    add(reads, core.sorted.slot);
    add(reads, core.order.slot);
  }
  void operator()(const SegmentSumCore& core) const {
    add(reads, core.values.slot);
    add(reads, core.order.slot);
    add(reads, core.starts.slot);
  }
  void operator()(const HistogramCore& core) const { add(reads, core.ids.slot); }
  void operator()(const ConvolutionCore& core) const {
    add(reads, core.a.slot);
    add(reads, core.b.slot);
  }
  void operator()(const PoolCore& core) const {
    add(reads, core.x.slot);
    add(reads, core.dy.slot);
  }
};

}  // namespace

SlotUse slots_used(const Operation& operation) {
  SlotUse use;
  std::visit(CoreReads{use.reads}, operation.core);
  add_loads(use.reads, operation.tape);
  for (const TapeStore& store : operation.tape.stores) add(use.writes, store.slot);
  if (const auto* pool = std::get_if<PoolCore>(&operation.core)) add(use.writes, pool->sums.slot);
  return use;
}

}  // namespace overtake::backend
