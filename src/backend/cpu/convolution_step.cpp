// SPDX-License-Identifier: MIT
// Which of the two ways computes a convolution; and the one without a library, one result after the other.
#include <algorithm>
#include <vector>

#include "backend/cpu/image_order.hpp"
#include "backend/cpu/matmul_library.hpp"
#include "backend/cpu/memory_types.hpp"
#include "backend/cpu/step.hpp"

namespace overtake::backend::cpu {
namespace {

class PlainConvolution final : public Step {
 public:
  PlainConvolution(const Operation& operation, int threads)
      : core_(std::get<ConvolutionCore>(operation.core)),
        extent_(operation.extent),
        tape_(operation.tape, operation.extent),
        x_(image_order(core_, core_.extents.c, core_.extents.h, core_.extents.w)),
        y_(image_order(core_, core_.k, core_.extents.p, core_.extents.q)),
        filters_(image_order(core_, core_.extents.c / core_.groups, core_.r, core_.s)) {
    const ImageExtents& e = core_.extents;
    const double products =
        static_cast<double>(e.n * e.p * e.q) * static_cast<double>(core_.k * core_.r * core_.s * (e.c / core_.groups));
    threads_ = worthwhile_threads(products, threads);
  }

  void bind(SlotPointers slots) override {
    a_ = address_of(slots, core_.a);
    b_ = address_of(slots, core_.b);
    tape_.bind(slots);
  }

  void run() override {
    constexpr std::int64_t at_once = 256;
    parallel_ranges(extent_.size(), at_once, threads_, [&](std::int64_t begin, std::int64_t end) {
      std::vector<float> values(at_once);
      for (std::int64_t at = begin; at < end; at += at_once) {
        const std::int64_t until = std::min(end, at + at_once);
        if (core_.a.dtype == DType::bfloat16) {
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
    const M* a = reinterpret_cast<const M*>(a_);
    const M* b = reinterpret_cast<const M*>(b_);
    const ImageOrder& order = core_.kind == ConvolutionKind::forward         ? y_
                              : core_.kind == ConvolutionKind::data_gradient ? x_
                                                                             : filters_;
    for (std::int64_t i = begin; i < end; ++i) {
      const ImagePlace place = order.place(i);
      switch (core_.kind) {
        case ConvolutionKind::forward: *values++ = forward(a, b, place); break;
        case ConvolutionKind::data_gradient: *values++ = data_gradient(a, b, place); break;
        case ConvolutionKind::filter_gradient: *values++ = filter_gradient(a, b, place); break;
      }
    }
  }

  // The place in the image that window `out` reads at `in` of its filter.
  [[nodiscard]] std::int64_t read_at(std::size_t axis, std::int64_t out, std::int64_t in) const {
    return out * core_.steps.stride[axis] + in * core_.steps.dilation[axis] - core_.steps.padding[axis];
  }

  template <class M>
  float forward(const M* x, const M* filters, const ImagePlace& at) const {
    const ImageExtents& e = core_.extents;
    const std::int64_t channels = e.c / core_.groups, first = at.c / (core_.k / core_.groups) * channels;
    double sum = 0;
    for (std::int64_t r = 0; r < core_.r; ++r) {
      const std::int64_t row = read_at(0, at.h, r);
      for (std::int64_t s = 0; s < core_.s && row >= 0 && row < e.h; ++s) {
        const std::int64_t column = read_at(1, at.w, s);
        if (column < 0 || column >= e.w) continue;
        for (std::int64_t c = 0; c < channels; ++c) {
          sum += static_cast<double>(widened(x[x_({at.n, first + c, row, column})])) *
                 static_cast<double>(widened(filters[filters_({at.c, c, r, s})]));
        }
      }
    }
    return static_cast<float>(sum);
  }

  template <class M>
  float data_gradient(const M* dy, const M* filters, const ImagePlace& at) const {
    const ImageExtents& e = core_.extents;
    const std::int64_t channels = e.c / core_.groups, count = core_.k / core_.groups, group = at.c / channels;
    double sum = 0;
    for (std::int64_t r = 0; r < core_.r; ++r) {
      const std::int64_t p = window_of(0, at.h, r, e.p);
      for (std::int64_t s = 0; s < core_.s && p >= 0; ++s) {
        const std::int64_t q = window_of(1, at.w, s, e.q);
        for (std::int64_t k = group * count; k < (group + 1) * count && q >= 0; ++k) {
          sum += static_cast<double>(widened(dy[y_({at.n, k, p, q})])) *
                 static_cast<double>(widened(filters[filters_({k, at.c - group * channels, r, s})]));
        }
      }
    }
    return static_cast<float>(sum);
  }

  // The window that reads place `in` of the image at `at` of its filter; -1: none.
  [[nodiscard]] std::int64_t window_of(std::size_t axis, std::int64_t in, std::int64_t at, std::int64_t windows) const {
    const std::int64_t distance = in + core_.steps.padding[axis] - at * core_.steps.dilation[axis];
    const std::int64_t window = distance / core_.steps.stride[axis];
    return distance < 0 || distance % core_.steps.stride[axis] != 0 || window >= windows ? -1 : window;
  }

  template <class M>
  float filter_gradient(const M* x, const M* dy, const ImagePlace& at) const {
    const ImageExtents& e = core_.extents;
    const std::int64_t channel = at.n / (core_.k / core_.groups) * (e.c / core_.groups) + at.c;
    double sum = 0;
    for (std::int64_t n = 0; n < e.n; ++n) {
      for (std::int64_t p = 0; p < e.p; ++p) {
        const std::int64_t row = read_at(0, p, at.h);
        for (std::int64_t q = 0; q < e.q && row >= 0 && row < e.h; ++q) {
          const std::int64_t column = read_at(1, q, at.w);
          if (column < 0 || column >= e.w) continue;
          sum += static_cast<double>(widened(x[x_({n, channel, row, column})])) *
                 static_cast<double>(widened(dy[y_({n, at.n, p, q})]));
        }
      }
    }
    return static_cast<float>(sum);
  }

  ConvolutionCore core_;
  Shape extent_;
  TapeRunner tape_;
  ImageOrder x_, y_, filters_;
  int threads_ = 1;
  const std::byte* a_ = nullptr;
  const std::byte* b_ = nullptr;
};

}  // namespace

std::unique_ptr<Step> make_plain_convolution(const Operation& operation, int threads) {
  return std::make_unique<PlainConvolution>(operation, threads);
}

std::unique_ptr<Step> make_convolution_step(const Operation& operation, int threads) {
  if (auto step = make_library_convolution(operation, threads)) return step;
  return make_plain_convolution(operation, threads);
}

}  // namespace overtake::backend::cpu
