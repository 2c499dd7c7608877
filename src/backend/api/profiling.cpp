// SPDX-License-Identifier: MIT
#include "backend/api/profiling.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <span>

namespace overtake::backend {
namespace {

/// The elements that an access touches over an extent; a broadcast one counts once.
std::uint64_t touched(const Access& access, std::span<const std::int64_t> extents) {
  std::uint64_t elements = 1;
  for (std::size_t axis = 0; axis < extents.size(); ++axis) {
    if (access.strides[axis] != 0) elements *= static_cast<std::uint64_t>(extents[axis]);
  }
  return elements;
}

/// Bytes that are read of each slot. What is read twice counts once, and no more than the slot has.
class Reads {
 public:
  explicit Reads(const std::vector<Slot>& slots) : slots_(slots) {}

  void add(int slot, std::uint64_t bytes) {
    if (slot < 0) return;
    std::uint64_t& most = bytes_[slot];
    most = std::max(most, std::min(bytes, slots_.at(static_cast<std::size_t>(slot)).bytes));
  }
  void add(const Access& access, std::span<const std::int64_t> extents) {
    add(access.slot, touched(access, extents) * size_of(access.dtype));
  }
  void add(const Tape& tape, std::span<const std::int64_t> extents) {
    for (const Access& load : tape.loads) add(load, extents);
  }
  [[nodiscard]] std::uint64_t sum() const {
    std::uint64_t all = 0;
    for (const auto& [slot, bytes] : bytes_) all += bytes;
    return all;
  }

 private:
  const std::vector<Slot>& slots_;
  std::map<int, std::uint64_t> bytes_;
};

struct CoreWork {
  Reads& reads;

  void add(const Access& access, std::initializer_list<std::int64_t> extents) const {
    reads.add(access, std::span<const std::int64_t>(extents.begin(), extents.size()));
  }
  double operator()(const MapCore&) const { return 0; }
  double operator()(const MatMulCore& core) const {
    reads.add(core.a.slot, static_cast<std::uint64_t>(core.m * core.k) * size_of(core.dtype));
    reads.add(core.b.slot, static_cast<std::uint64_t>(core.k * core.n) * size_of(core.dtype));
    return 2.0 * static_cast<double>(core.m) * static_cast<double>(core.n) * static_cast<double>(core.k);
  }
  double operator()(const ReduceCore& core) const {
    const std::int64_t extents[] = {core.outer, core.reduced, core.inner};
    reads.add(core.input, extents);
    return 0;
  }
  double operator()(const RowCore& core) const {
    add(core.input, {core.rows, core.columns});
    add(core.labels, {core.rows});
    return 0;
  }
  double operator()(const GatherCore& core) const {
    // As many as the result has, and the indices.
    reads.add(core.source.slot,
              static_cast<std::uint64_t>(core.outer * core.rows * core.columns) * size_of(core.source.dtype));
    add(core.indices, {core.outer, core.rows, core.columns});
    return 0;
  }
  double operator()(const ScanCore& core) const {
    add(core.input, {core.outer, core.n, core.inner});
    return 0;
  }
  double operator()(const SortCore& core) const {
    add(core.input, {core.outer, core.n, core.inner});
    return 0;
  }
  double operator()(const SearchCore& core) const {
    add(core.values, {core.count});
    add(core.sorted, {core.n});
    add(core.order, {core.n});
    return 0;
  }
  double operator()(const SegmentSumCore& core) const {
    add(core.values, {core.outer, core.given, core.columns});
    add(core.order, {core.given});
    add(core.starts, {core.rows + 1});
    return 0;
  }
  double operator()(const HistogramCore& core) const {
    add(core.ids, {core.n});
    return 0;
  }
  void add(const ImageOperand& operand, std::int64_t elements) const {
    reads.add(operand.slot, static_cast<std::uint64_t>(elements) * size_of(operand.dtype));
  }
  double operator()(const ConvolutionCore& core) const {
    const ImageExtents& e = core.extents;
    const std::int64_t x = e.n * e.c * e.h * e.w, y = e.n * core.k * e.p * e.q;
    const std::int64_t window = core.r * core.s * (e.c / core.groups);
    add(core.a, core.kind == ConvolutionKind::data_gradient ? y : x);
    add(core.b, core.kind == ConvolutionKind::filter_gradient ? y : core.k * window);
    return 2.0 * static_cast<double>(y) * static_cast<double>(window);
  }
  double operator()(const PoolCore& core) const {
    const ImageExtents& e = core.extents;
    add(core.x, e.n * e.c * e.h * e.w);
    add(core.dy, e.n * e.c * e.p * e.q);
    return 0;
  }
};

struct Listeners {
  std::mutex mutex;
  std::vector<ProfileListener*> all;
};
Listeners& listeners() {
  static Listeners instance;
  return instance;
}

}  // namespace

std::atomic<int> detail::listeners{0};

WorkCount count_work(const Operation& operation, const std::vector<Slot>& slots) {
  Reads reads(slots);
  WorkCount work;
  work.operations = std::visit(CoreWork{reads}, operation.core);
  reads.add(operation.tape, operation.extent.to_vector());
  work.bytes_read = reads.sum();
  const auto elements = static_cast<std::uint64_t>(operation.extent.size());
  for (const TapeStore& store : operation.tape.stores) work.bytes_written += elements * size_of(store.dtype);
  if (const auto* pool = std::get_if<PoolCore>(&operation.core))
    work.bytes_written += static_cast<std::uint64_t>(pool->sums.parts * pool->extents.c) * sizeof(float);
  return work;
}

std::vector<OperationLabel> labels_of(const Schedule& schedule) {
  std::vector<OperationLabel> labels;
  for (const Operation& operation : schedule.operations) {
    labels.push_back({operation.name, count_work(operation, schedule.slots)});
  }
  return labels;
}

void add_listener(ProfileListener& listener) {
  Listeners& known = listeners();
  const std::lock_guard lock(known.mutex);
  known.all.push_back(&listener);
  detail::listeners.fetch_add(1);
}

void remove_listener(ProfileListener& listener) noexcept {
  Listeners& known = listeners();
  const std::lock_guard lock(known.mutex);
  const auto found = std::find(known.all.begin(), known.all.end(), &listener);
  if (found == known.all.end()) return;
  known.all.erase(found);
  detail::listeners.fetch_sub(1);
}

void tell(const ProfileRecord& record) {
  Listeners& known = listeners();
  const std::lock_guard lock(known.mutex);
  for (ProfileListener* listener : known.all) listener->on_record(record);
}

}  // namespace overtake::backend
