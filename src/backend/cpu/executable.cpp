// SPDX-License-Identifier: MIT
#include "backend/cpu/executable.hpp"

#include <chrono>

#include "core/polling.hpp"

namespace overtake::backend::cpu {
namespace {

struct StepMaker {
  const Operation& operation;
  int threads;

  std::unique_ptr<Step> operator()(const MapCore&) const { return make_map_step(operation, threads); }
  std::unique_ptr<Step> operator()(const MatMulCore&) const { return make_matmul_step(operation, threads); }
  std::unique_ptr<Step> operator()(const ReduceCore&) const { return make_reduce_step(operation, threads); }
  std::unique_ptr<Step> operator()(const RowCore&) const { return make_row_step(operation, threads); }
  std::unique_ptr<Step> operator()(const GatherCore&) const { return make_gather_step(operation, threads); }
  std::unique_ptr<Step> operator()(const ScanCore&) const { return make_scan_step(operation, threads); }
  std::unique_ptr<Step> operator()(const SortCore&) const { return make_sort_step(operation, threads); }
  std::unique_ptr<Step> operator()(const SearchCore&) const { return make_search_step(operation, threads); }
  std::unique_ptr<Step> operator()(const SegmentSumCore&) const { return make_segment_sum_step(operation, threads); }
  std::unique_ptr<Step> operator()(const HistogramCore&) const { return make_histogram_step(operation, threads); }
  std::unique_ptr<Step> operator()(const ConvolutionCore&) const { return make_convolution_step(operation, threads); }
  std::unique_ptr<Step> operator()(const PoolCore&) const { return make_pool_step(operation, threads); }
};

}  // namespace

CpuExecutable::CpuExecutable(Device& device, const Schedule& schedule, int threads)
    : device_(device), slots_(schedule.slots) {
  const auto start = std::chrono::steady_clock::now();
  if (schedule.arena_bytes > 0) arena_ = device.allocate(schedule.arena_bytes);
  for (const Operation& operation : schedule.operations) {
    steps_.push_back(std::visit(StepMaker{operation, threads}, operation.core));
  }
  labels_ = labels_of(schedule);
  stats_.operations = static_cast<int>(steps_.size());
  stats_.launches = stats_.operations;
  stats_.arena_bytes = schedule.arena_bytes;
  stats_.compile_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void CpuExecutable::bind(std::span<Buffer* const> slots) {
  if (arena_ == nullptr && stats_.arena_bytes > 0) arena_ = device_.allocate(stats_.arena_bytes);
  std::vector<std::byte*> pointers;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const bool external = slots_[i].external;
    auto* base = reinterpret_cast<std::byte*>(external ? slots[i]->handle() : arena_->handle());
    pointers.push_back(external ? base : base + slots_[i].arena_offset);
  }
  for (const auto& step : steps_) step->bind(pointers);
}

void CpuExecutable::release() {
  if (stats_.arena_bytes > most_kept_bytes) arena_.reset();
}

void CpuExecutable::run(int times) {
  for (int i = 0; i < times; ++i) {
    if (is_profiling()) {
      run_profiled();
    } else {
      for (const auto& step : steps_) {
        step->run();
        Polling::poll();
      }
    }
  }
}

void CpuExecutable::run_profiled() {
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    timed_launch("cpu", labels_[i], "", true, [&] { steps_[i]->run(); });
  }
}

}  // namespace overtake::backend::cpu
