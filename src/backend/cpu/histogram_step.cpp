// SPDX-License-Identifier: MIT
// Counts of whole numbers: each thread counts for itself where that is worth the additions at the end.
#include "backend/cpu/memory_types.hpp"
#include "backend/cpu/step.hpp"

namespace overtake::backend::cpu {
namespace {

class HistogramStep final : public Step {
 public:
  HistogramStep(const Operation& operation, int threads)
      : core_(std::get<HistogramCore>(operation.core)), target_slot_(operation.tape.stores.at(0).slot) {
    constexpr std::int64_t elements_of_bin = 4;
    if (core_.n >= elements_of_bin * core_.bins)
      threads_ = worthwhile_threads(4 * static_cast<double>(core_.n), threads);
  }

  void bind(SlotPointers slots) override {
    ids_ = slots[static_cast<std::size_t>(core_.ids.slot)] +
           core_.ids.offset * static_cast<std::int64_t>(size_of(core_.ids.dtype));
    counts_ = reinterpret_cast<std::int64_t*>(slots[static_cast<std::size_t>(target_slot_)]);
  }

  void run() override {
    std::fill_n(counts_, core_.bins, 0);
    with_memory_type(core_.ids.dtype, [this]<class M>(M) { count<M>(); });
  }

 private:
  template <class M>
  void count() {
    if (threads_ == 1) return count_part<M>(0, core_.n, counts_);
    std::vector<std::vector<std::int64_t>> parts(static_cast<std::size_t>(threads_));
    ThreadPool::instance().run(threads_, [&](int part) {
      auto& own = parts[static_cast<std::size_t>(part)];
      own.resize(static_cast<std::size_t>(core_.bins));
      count_part<M>(core_.n * part / threads_, core_.n * (part + 1) / threads_, own.data());
    });
    for (const auto& own : parts) {
      for (std::size_t bin = 0; bin < own.size(); ++bin) counts_[bin] += own[bin];
    }
  }

  template <class M>
  void count_part(std::int64_t begin, std::int64_t end, std::int64_t* counts) const {
    const M* ids = reinterpret_cast<const M*>(ids_);
    for (std::int64_t k = begin; k < end; ++k) {
      // Negative numbers become large ones.
      const auto id = static_cast<std::uint64_t>(widened(ids[k * core_.ids.strides[0]]));
      if (id < static_cast<std::uint64_t>(core_.bins)) ++counts[id];
    }
  }

  HistogramCore core_;
  int target_slot_;
  int threads_ = 1;
  const std::byte* ids_ = nullptr;
  std::int64_t* counts_ = nullptr;
};

}  // namespace

std::unique_ptr<Step> make_histogram_step(const Operation& operation, int threads) {
  return std::make_unique<HistogramStep>(operation, threads);
}

}  // namespace overtake::backend::cpu
