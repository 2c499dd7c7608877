// SPDX-License-Identifier: MIT
#include "backend/cpu/step.hpp"
#include "backend/cpu/vector_math.hpp"

namespace overtake::backend::cpu {
namespace {

class MapStep final : public Step {
 public:
  MapStep(const Operation& operation, int threads)
      : tape_(operation.tape, operation.extent),
        size_(operation.extent.size()),
        threads_(worthwhile_threads(static_cast<double>(size_) * static_cast<double>(operation.tape.code.size()),
                                    threads)) {}

  void bind(SlotPointers slots) override { tape_.bind(slots); }
  void run() override {
    parallel_ranges(size_, block_size, threads_,
                    [this](std::int64_t begin, std::int64_t end) { tape_.run(begin, end, nullptr); });
  }

 private:
  TapeRunner tape_;
  std::int64_t size_;
  int threads_;
};

}  // namespace

int worthwhile_threads(double operations, int threads) {
  constexpr double least = 1e5;  // about 10 microseconds on one thread
  return operations < least ? 1 : std::max(threads, 1);
}

std::unique_ptr<Step> make_map_step(const Operation& operation, int threads) {
  return std::make_unique<MapStep>(operation, threads);
}

}  // namespace overtake::backend::cpu
