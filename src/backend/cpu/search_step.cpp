// SPDX-License-Identifier: MIT
// Binary search in sorted values.
#include <array>

#include "backend/api/sort_key.hpp"
#include "backend/cpu/step.hpp"

namespace overtake::backend::cpu {
namespace {

class SearchStep final : public Step {
 public:
  SearchStep(const Operation& operation, int threads)
      : core_(std::get<SearchCore>(operation.core)), tape_(operation.tape, operation.extent) {
    constexpr double work_of_element = 64;
    threads_ = worthwhile_threads(work_of_element * static_cast<double>(core_.count), threads);
  }

  void bind(SlotPointers slots) override {
    values_ = address_of(slots, core_.values);
    sorted_ = address_of(slots, core_.sorted);
    order_ = reinterpret_cast<const std::int64_t*>(address_of(slots, core_.order));
    tape_.bind(slots);
  }

  void run() override {
    with_key_type(core_.values.dtype, [this]<class Key>(Key) {
      parallel_ranges(core_.count, block, threads_, [this](std::int64_t begin, std::int64_t end) {
        std::array<std::int64_t, block> places;
        for (std::int64_t at = begin; at < end; at += block) {
          const std::int64_t count = std::min<std::int64_t>(block, end - at);
          for (std::int64_t i = 0; i < count; ++i) places[static_cast<std::size_t>(i)] = place_of<Key>(at + i);
          tape_.run(at, at + count, places.data());
        }
      });
    });
  }

 private:
  static constexpr std::int64_t block = 1024;

  template <class Key>
  std::int64_t place_of(std::int64_t i) const {
    const KeyForm form = key_form(core_.values.dtype);
    const Key key = sort_key(reinterpret_cast<const Key*>(values_)[i * core_.values.strides[0]], form, false);
    const auto* sorted = reinterpret_cast<const Key*>(sorted_);
    std::int64_t low = 0, high = core_.n;
    while (low < high) {
      const std::int64_t middle = low + (high - low) / 2;
      const std::int64_t at = order_ == nullptr ? middle : order_[middle * core_.order.strides[0]];
      const Key other = sort_key(sorted[at * core_.sorted.strides[0]], form, false);
      const bool below = core_.right ? other <= key : other < key;
      low = below ? middle + 1 : low;
      high = below ? high : middle;
    }
    return low;
  }

  SearchCore core_;
  TapeRunner tape_;
  int threads_ = 1;
  const std::byte* values_ = nullptr;
  const std::byte* sorted_ = nullptr;
  const std::int64_t* order_ = nullptr;
};

}  // namespace

std::unique_ptr<Step> make_search_step(const Operation& operation, int threads) {
  return std::make_unique<SearchStep>(operation, threads);
}

}  // namespace overtake::backend::cpu
