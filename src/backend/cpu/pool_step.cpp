// SPDX-License-Identifier: MIT
// Pooling and its gradients, one result after the other.
#include <algorithm>
#include <cmath>
#include <vector>

#include "backend/cpu/image_order.hpp"
#include "backend/cpu/memory_types.hpp"
#include "backend/cpu/step.hpp"

namespace overtake::backend::cpu {
namespace {

struct Range {
  std::int64_t begin = 0, end = 0;
};

class PoolStep final : public Step {
 public:
  PoolStep(const Operation& operation, int threads)
      : core_(std::get<PoolCore>(operation.core)),
        extent_(operation.extent),
        tape_(operation.tape, operation.extent),
        x_order_(image_order(core_, core_.extents.c, core_.extents.h, core_.extents.w)),
        y_order_(image_order(core_, core_.extents.c, core_.extents.p, core_.extents.q)),
        threads_(worthwhile_threads(static_cast<double>(extent_.size() * core_.r * core_.s), threads)) {}

  void bind(SlotPointers slots) override {
    x_ = address_of(slots, core_.x);
    dy_ = address_of(slots, core_.dy);
    tape_.bind(slots);
  }

  void run() override {
    constexpr std::int64_t at_once = 1024;
    parallel_ranges(extent_.size(), at_once, threads_, [&](std::int64_t begin, std::int64_t end) {
      std::vector<float> values(at_once);
      for (std::int64_t at = begin; at < end; at += at_once) {
        const std::int64_t until = std::min(end, at + at_once);
        const DType dtype = x_ != nullptr ? core_.x.dtype : core_.dy.dtype;
        if (dtype == DType::bfloat16) {
          compute<bfloat16>(at, until, values.data());
        } else {
          compute<float>(at, until, values.data());
        }
        tape_.run(at, until, values.data());
      }
    });
  }

 private:
  template <class M>
  void compute(std::int64_t begin, std::int64_t end, float* values) const {
    const M* x = reinterpret_cast<const M*>(x_);
    const M* dy = reinterpret_cast<const M*>(dy_);
    const bool forward = core_.kind == PoolKind::max || core_.kind == PoolKind::average;
    for (std::int64_t i = begin; i < end; ++i) {
      const ImagePlace at = (forward ? y_order_ : x_order_).place(i);
      switch (core_.kind) {
        case PoolKind::max: *values++ = widened(x[largest(x, at)]); break;
        case PoolKind::average: *values++ = average(x, at); break;
        case PoolKind::max_gradient:
        case PoolKind::average_gradient: *values++ = gradient(x, dy, at); break;
      }
    }
  }

  // What a window has of an axis of the image.
  [[nodiscard]] Range inside(std::size_t axis, std::int64_t window) const {
    const std::int64_t size = axis == 0 ? core_.r : core_.s, extent = axis == 0 ? core_.extents.h : core_.extents.w;
    const std::int64_t begin = window * core_.steps.stride[axis] - core_.steps.padding[axis];
    return {std::max<std::int64_t>(begin, 0), std::min(begin + size, extent)};
  }

  // The windows that a place of the image is in.
  [[nodiscard]] Range windows_of(std::size_t axis, std::int64_t place) const {
    const std::int64_t size = axis == 0 ? core_.r : core_.s, count = axis == 0 ? core_.extents.p : core_.extents.q;
    const std::int64_t at = place + core_.steps.padding[axis], stride = core_.steps.stride[axis];
    return {at < size ? 0 : (at - size) / stride + 1, std::min(at / stride + 1, count)};
  }

  [[nodiscard]] float divisor(const ImagePlace& window) const {
    std::int64_t places = 1;
    for (const std::size_t axis : {std::size_t{0}, std::size_t{1}}) {
      const std::int64_t number = axis == 0 ? window.h : window.w;
      Range range = inside(axis, number);
      if (core_.count_padding) {
        const std::int64_t extent = axis == 0 ? core_.extents.h : core_.extents.w;
        range.begin = number * core_.steps.stride[axis] - core_.steps.padding[axis];
        range.end = std::min(range.begin + (axis == 0 ? core_.r : core_.s), extent + core_.steps.padding[axis]);
      }
      places *= range.end - range.begin;
    }
    return static_cast<float>(places);
  }

  template <class M>
  std::int64_t largest(const M* x, const ImagePlace& window) const {
    const Range rows = inside(0, window.h), columns = inside(1, window.w);
    std::int64_t best = -1;
    for (std::int64_t h = rows.begin; h < rows.end; ++h) {
      for (std::int64_t w = columns.begin; w < columns.end; ++w) {
        const std::int64_t at = x_order_({window.n, window.c, h, w});
        if (best < 0) best = at;
        const float value = widened(x[at]), before = widened(x[best]);
        if (value > before || (std::isnan(value) && !std::isnan(before))) best = at;
      }
    }
    return best;
  }

  template <class M>
  float average(const M* x, const ImagePlace& window) const {
    const Range rows = inside(0, window.h), columns = inside(1, window.w);
    float sum = 0;
    for (std::int64_t h = rows.begin; h < rows.end; ++h) {
      for (std::int64_t w = columns.begin; w < columns.end; ++w) {
        sum += widened(x[x_order_({window.n, window.c, h, w})]);
      }
    }
    return sum / divisor(window);
  }

  template <class M>
  float gradient(const M* x, const M* dy, const ImagePlace& at) const {
    const Range rows = windows_of(0, at.h), columns = windows_of(1, at.w);
    const std::int64_t own = x_order_(at);
    float sum = 0;
    for (std::int64_t p = rows.begin; p < rows.end; ++p) {
      for (std::int64_t q = columns.begin; q < columns.end; ++q) {
        const ImagePlace window{at.n, at.c, p, q};
        const float above = widened(dy[y_order_(window)]);
        if (core_.kind == PoolKind::average_gradient) {
          sum += above / divisor(window);
        } else if (largest(x, window) == own) {
          sum += above;
        }
      }
    }
    return sum;
  }

  PoolCore core_;
  Shape extent_;
  TapeRunner tape_;
  ImageOrder x_order_, y_order_;
  int threads_;
  const std::byte* x_ = nullptr;
  const std::byte* dy_ = nullptr;
};

}  // namespace

std::unique_ptr<Step> make_pool_step(const Operation& operation, int threads) {
  return std::make_unique<PoolStep>(operation, threads);
}

}  // namespace overtake::backend::cpu
