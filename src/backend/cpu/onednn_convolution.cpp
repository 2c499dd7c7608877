// SPDX-License-Identifier: MIT
// Convolutions by oneDNN: blocks of images, each computed by one of our threads and finished by the element-wise rest
// while it is in the cache (docs/adr/0024-convolutions-on-the-cpu.md).
#include <algorithm>
#include <oneapi/dnnl/dnnl.hpp>
#include <utility>
#include <vector>

#include "backend/cpu/image_order.hpp"
#include "backend/cpu/matmul_library.hpp"
#include "backend/cpu/onednn_convolution_plan.hpp"
#include "backend/cpu/onednn_support.hpp"
#include "backend/cpu/vector_math.hpp"
#include "core/parallel.hpp"

namespace overtake::backend::cpu {
namespace {

// Results of a block that stay in the second-level cache until they are finished.
constexpr std::int64_t most_block_floats = 96 * 1024;

struct Scratch {
  OneDnnMemory wide, a, b, result, blocked, pad;
};

Scratch& scratch() {
  thread_local Scratch mine;
  return mine;
}

// Where the results may lie before the rest is computed in place: a store of float32 over which the rest reads nothing,
// the core's own if it is stored. Null where there is none.
const TapeStore* place_of_core(const Tape& tape) {
  const auto is_core = [&](const TapeStore& store) { return tape.code[store.value_register].code == TapeCode::core; };
  const bool keeps_core = std::any_of(tape.stores.begin(), tape.stores.end(), is_core);
  for (const TapeStore& store : tape.stores) {
    const auto reads = [&](const Access& load) { return load.slot == store.slot; };
    if (store.dtype == DType::float32 && (is_core(store) || !keeps_core) &&
        std::none_of(tape.loads.begin(), tape.loads.end(), reads)) {
      return &store;
    }
  }
  return nullptr;
}

// Whether the core is all that is stored, in this type.
bool only_stores(const Tape& tape, DType dtype) {
  if (tape.stores.size() != 1 || tape.stores[0].dtype != dtype ||
      tape.code.size() != tape.stores[0].value_register + 1U) {
    return false;
  }
  return tape.code.size() == 1 || (tape.code.size() == 2 && tape.code[1].code == TapeCode::round_bfloat16);
}

// Whether a row or column of the filters is outside of the image in every window.
bool has_idle_places(const ConvolutionCore& core) {
  const ImageExtents& e = core.extents;
  const auto idle = [&](std::size_t axis, std::int64_t at, std::int64_t windows, std::int64_t extent) {
    for (std::int64_t i = 0; i < windows; ++i) {
      const std::int64_t place =
          i * core.steps.stride[axis] + at * core.steps.dilation[axis] - core.steps.padding[axis];
      if (place >= 0 && place < extent) return false;
    }
    return true;
  };
  for (std::int64_t r = 0; r < core.r; ++r) {
    if (idle(0, r, e.p, e.h)) return true;
  }
  for (std::int64_t s = 0; s < core.s; ++s) {
    if (idle(1, s, e.q, e.w)) return true;
  }
  return false;
}

class LibraryConvolution final : public Step {
 public:
  LibraryConvolution(const Operation& operation, int threads)
      : core_(std::get<ConvolutionCore>(operation.core)),
        size_(operation.extent.size()),
        tape_(operation.tape, operation.extent) {
    const ImageExtents& e = core_.extents;
    const std::int64_t channels = e.c / core_.groups;
    const double products =
        static_cast<double>(e.n * e.p * e.q) * static_cast<double>(core_.k * core_.r * core_.s * channels);
    threads_ = worthwhile_threads(products / 8, threads);
    const bool bfloat16s = core_.a.dtype == DType::bfloat16;
    const bool of_images = core_.kind != ConvolutionKind::filter_gradient;
    // In bfloat16, oneDNN 2.6 leaves the gradients of idle places as it found them.
    widens_ = bfloat16s && (bf16_advantage() == 0 || (!of_images && has_idle_places(core_)));
    const bool narrow = of_images && bfloat16s && !widens_ && only_stores(operation.tape, DType::bfloat16);
    finished_ = narrow || (operation.tape.code.size() == 1 && only_stores(operation.tape, DType::float32));
    const TapeStore* place = narrow ? operation.tape.stores.data() : place_of_core(operation.tape);
    if (place != nullptr && of_images) place_ = *place;
    result_size_ = size_of(narrow ? DType::bfloat16 : DType::float32);
    choose_blocks();
    const OneDnnThreads here(by_library_ ? threads_ : 1);
    const OneDnnTypes types{bfloat16s && !widens_, narrow};
    whole_ = OneDnnConvolution(core_, per_block_, types);
    if (e.n % per_block_ != 0) rest_ = OneDnnConvolution(core_, e.n % per_block_, types);
  }

  void bind(SlotPointers slots) override {
    a_ = address_of(slots, core_.a);
    b_ = address_of(slots, core_.b);
    if (place_.slot >= 0) {
      target_ = slots[static_cast<std::size_t>(place_.slot)] +
                place_.offset * static_cast<std::int64_t>(size_of(place_.dtype));
    }
    tape_.bind(slots);
  }

  void run() override {
    with_onednn("a convolution", [&] {
      if (is_filter_gradient()) return run_filter_gradient();
      const OneDnnThreads here(1);
      const std::int64_t count = core_.k * core_.r * core_.s * core_.extents.c / core_.groups;
      const std::byte* filters = prepared(whole_, OneDnnArray::b, b_, count);
      for_blocks([&](std::int64_t block, std::int64_t images) { run_images(block * per_block_, images, filters); });
    });
  }

 private:
  [[nodiscard]] bool is_filter_gradient() const { return core_.kind == ConvolutionKind::filter_gradient; }
  [[nodiscard]] std::int64_t x_image() const { return core_.extents.c * core_.extents.h * core_.extents.w; }
  [[nodiscard]] std::int64_t y_image() const { return core_.k * core_.extents.p * core_.extents.q; }
  [[nodiscard]] std::int64_t blocks() const { return (core_.extents.n + per_block_ - 1) / per_block_; }

  // Images of a block: as many for each thread, in pieces that stay in the cache; the gradient of filters, which has a
  // sum for each block, in one piece. Fewer images than threads: all at once, on oneDNN's own threads.
  void choose_blocks() {
    by_library_ = core_.extents.n < threads_;
    const std::int64_t share = (core_.extents.n + threads_ - 1) / threads_;
    const std::int64_t image = core_.kind == ConvolutionKind::forward ? y_image() : x_image();
    const std::int64_t most = is_filter_gradient() ? share : std::max<std::int64_t>(most_block_floats / image, 1);
    const std::int64_t pieces = (share + most - 1) / most;
    per_block_ = by_library_ ? core_.extents.n : (share + pieces - 1) / pieces;
  }

  template <class Body>
  void for_blocks(const Body& body) const {
    if (by_library_) {
      const OneDnnThreads team(threads_);
      return body(0, core_.extents.n);
    }
    parallel_for(static_cast<std::size_t>(blocks()), threads_, [&](std::size_t i, std::size_t thread) {
      const OneDnnThreads one(1);  // oneDNN must not start a team of its own on each of ours
      const auto block = static_cast<std::int64_t>(i);
      body(block, std::min(per_block_, core_.extents.n - block * per_block_));
      if (thread == 0) Polling::poll();
    });
  }

  // An operand of so many elements as the primitive wants it: where it is, or in this thread's memory.
  const std::byte* prepared(const OneDnnConvolution& made, OneDnnArray array, const std::byte* from,
                            std::int64_t count) const {
    Scratch& mine = scratch();
    OneDnnMemory& memory = array == OneDnnArray::a ? mine.a : mine.b;
    if (widens_) {
      OneDnnMemory& to = made.reorders(array) ? mine.wide : memory;
      auto* wide = reinterpret_cast<float*>(to.of(static_cast<std::size_t>(count) * sizeof(float)));
      widen_bfloat16s(reinterpret_cast<const std::uint16_t*>(from), wide, static_cast<std::size_t>(count));
      from = reinterpret_cast<const std::byte*>(wide);
    }
    if (!made.reorders(array)) return from;
    std::byte* to = memory.of(made.wanted_bytes(array));
    made.to_wanted(array, from, to);
    return to;
  }

  [[nodiscard]] const OneDnnConvolution& made_for(std::int64_t images) const {
    return images == per_block_ ? whole_ : rest_;
  }

  void run_images(std::int64_t first, std::int64_t images, const std::byte* filters) const {
    Scratch& mine = scratch();
    const OneDnnConvolution& made = made_for(images);
    const bool forward = core_.kind == ConvolutionKind::forward;
    const std::int64_t in = forward ? x_image() : y_image(), out = forward ? y_image() : x_image();
    const std::byte* a = prepared(made, OneDnnArray::a,
                                  a_ + first * in * static_cast<std::int64_t>(size_of(core_.a.dtype)), images * in);
    std::byte* plain = target_ != nullptr ? target_ + first * out * static_cast<std::int64_t>(result_size_)
                                          : mine.result.of(static_cast<std::size_t>(images * out) * result_size_);
    compute(made, a, filters, plain);
    if (finished_) return;
    if (by_library_) return finish(reinterpret_cast<float*>(plain), 1);
    tape_.run(first * out, (first + images) * out, plain);
  }

  // The result in our order.
  static void compute(const OneDnnConvolution& made, const std::byte* a, const std::byte* b, std::byte* plain) {
    Scratch& mine = scratch();
    constexpr OneDnnArray array = OneDnnArray::result;
    std::byte* result = made.reorders(array) ? mine.blocked.of(made.wanted_bytes(array)) : plain;
    made.execute({a, b, result, mine.pad.of(made.scratchpad_bytes())});
    if (made.reorders(array)) made.to_ours(array, result, plain);
  }

  // Each block's sum, then the sum of those, in their order.
  void run_filter_gradient() const {
    auto* sums =
        reinterpret_cast<float*>(scratch().result.of(static_cast<std::size_t>(size_ * blocks()) * sizeof(float)));
    for_blocks([&](std::int64_t block, std::int64_t images) {
      const OneDnnConvolution& made = made_for(images);
      const auto size = static_cast<std::int64_t>(size_of(core_.a.dtype)), first = block * per_block_;
      const std::byte* x = prepared(made, OneDnnArray::a, a_ + first * x_image() * size, images * x_image());
      const std::byte* dy = prepared(made, OneDnnArray::b, b_ + first * y_image() * size, images * y_image());
      compute(made, x, dy, reinterpret_cast<std::byte*>(sums + block * size_));
    });
    finish(sums, blocks());
  }

  // Adds up so many sums, and computes the rest.
  void finish(float* sums, std::int64_t count) const {
    constexpr auto most = static_cast<std::int64_t>(block_size);
    const int threads = worthwhile_threads(static_cast<double>(size_ * count), threads_);
    parallel_ranges(size_, most, threads, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t at = begin; at < end; at += most) {
        const std::int64_t until = std::min(at + most, end);
        for (std::int64_t i = 1; i < count; ++i) {
          apply_block({.code = TapeCode::add}, sums + at, sums + i * size_ + at, nullptr, sums + at,
                      static_cast<std::size_t>(until - at));
        }
        tape_.run(at, until, sums + at);
      }
    });
  }

  ConvolutionCore core_;
  std::int64_t size_;
  TapeRunner tape_;
  int threads_ = 1;
  bool widens_ = false;      // operands of bfloat16 are computed in float32
  bool finished_ = false;    // oneDNN stores the results: no rest
  bool by_library_ = false;  // on oneDNN's threads
  std::int64_t per_block_ = 1;
  std::size_t result_size_ = sizeof(float);
  OneDnnConvolution whole_, rest_;
  TapeStore place_;  // of the results before the rest; no slot: scratch memory
  const std::byte* a_ = nullptr;
  const std::byte* b_ = nullptr;
  std::byte* target_ = nullptr;
};

}  // namespace

std::unique_ptr<Step> make_library_convolution(const Operation& operation, int threads) {
  return onednn_step([&] { return std::make_unique<LibraryConvolution>(operation, threads); });
}

}  // namespace overtake::backend::cpu
