// SPDX-License-Identifier: MIT
#include "backend/cpu/pool_rows.hpp"

#include <algorithm>

// Highway includes this file again for each instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/pool_rows.cpp"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace overtake::backend::cpu::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

template <class D>
HWY_INLINE hn::Vec<D> load(D d, const float* from) {
  return hn::LoadU(d, from);
}

// A bfloat16 is the upper half of a float32.
template <class D>
HWY_INLINE hn::Vec<D> load(D d, const std::uint16_t* from) {
  const hn::Rebind<std::uint16_t, D> narrow;
  const hn::RebindToUnsigned<D> wide;
  return hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(wide, hn::LoadU(narrow, from))));
}

// What one window has inside the image.
template <class M>
struct Window {
  const PoolRow& row;
  std::int64_t begin, end;  // columns
  const M* x = nullptr;     // in the first row and column 0
  const M* dy = nullptr;
  float* out = nullptr;
  float divisor = 1;

  [[nodiscard]] HWY_INLINE std::int64_t at(std::int64_t r, std::int64_t column, std::int64_t channel) const {
    return (r * row.w + column) * row.c + channel;
  }
};

template <class D, class M>
HWY_INLINE hn::Vec<D> sum(D d, const Window<M>& window, std::int64_t channel) {
  auto total = hn::Zero(d);
  for (std::int64_t r = 0; r < window.row.rows; ++r) {
    for (std::int64_t w = window.begin; w < window.end; ++w) {
      total = hn::Add(total, load(d, window.x + window.at(r, w, channel)));
    }
  }
  return total;
}

// The first largest of each channel, NaN before all, and its number in the window.
template <class D, class M>
HWY_INLINE hn::Vec<D> largest(D d, const Window<M>& window, std::int64_t channel, hn::Vec<D>& number) {
  auto best = load(d, window.x + window.at(0, window.begin, channel));
  number = hn::Zero(d);
  float here = 0;
  for (std::int64_t r = 0; r < window.row.rows; ++r) {
    for (std::int64_t w = window.begin; w < window.end; ++w, ++here) {
      const auto value = load(d, window.x + window.at(r, w, channel));
      const auto larger = hn::Or(hn::Gt(value, best), hn::AndNot(hn::IsNaN(best), hn::IsNaN(value)));
      best = hn::IfThenElse(larger, value, best);
      number = hn::IfThenElse(larger, hn::Set(d, here), number);
    }
  }
  return best;
}

// Adds to the gradients of the rows that are wanted: f(number of the place in the window).
template <class D, class M, class F>
HWY_INLINE void add_to_places(D d, const Window<M>& window, std::int64_t channel, F f) {
  for (std::int64_t r = window.row.first; r < window.row.last; ++r) {
    for (std::int64_t w = window.begin; w < window.end; ++w) {
      float* place = window.out + window.at(r, w, channel);
      const auto number = static_cast<float>(r * (window.end - window.begin) + w - window.begin);
      hn::StoreU(hn::Add(hn::LoadU(d, place), f(hn::Set(d, number))), d, place);
    }
  }
}

template <PoolKind kind, class D, class M>
HWY_INLINE void some_channels(D d, const Window<M>& window, std::int64_t channel) {
  auto number = hn::Zero(d);
  if constexpr (kind == PoolKind::max) {
    hn::StoreU(largest(d, window, channel, number), d, window.out + channel);
  } else if constexpr (kind == PoolKind::average) {
    hn::StoreU(hn::Div(sum(d, window, channel), hn::Set(d, window.divisor)), d, window.out + channel);
  } else if constexpr (kind == PoolKind::max_gradient) {
    largest(d, window, channel, number);
    const auto above = load(d, window.dy + channel);
    add_to_places(d, window, channel,
                  [&](auto place) HWY_ATTR { return hn::IfThenElseZero(hn::Eq(place, number), above); });
  } else {
    const auto above = hn::Div(load(d, window.dy + channel), hn::Set(d, window.divisor));
    add_to_places(d, window, channel, [&](auto /*place*/) HWY_ATTR { return above; });
  }
}

template <PoolKind kind, class M>
HWY_INLINE void all_channels(const Window<M>& window) {
  const hn::ScalableTag<float> whole;
  const hn::CappedTag<float, 4> quarter;
  const hn::CappedTag<float, 1> one;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(whole)), few = static_cast<std::int64_t>(hn::Lanes(quarter));
  const std::int64_t c = window.row.c;
  std::int64_t channel = 0;
  for (; channel + lanes <= c; channel += lanes) some_channels<kind>(whole, window, channel);
  for (; channel + few <= c; channel += few) some_channels<kind>(quarter, window, channel);
  for (; channel < c; ++channel) some_channels<kind>(one, window, channel);
}

template <PoolKind kind, class M>
HWY_INLINE void all_windows(const PoolRow& row) {
  constexpr bool forward = kind == PoolKind::max || kind == PoolKind::average;
  for (std::int64_t q = 0; q < row.windows; ++q) {
    const std::int64_t first = q * row.stride - row.padding, end = first + row.columns;
    Window<M> window{.row = row, .begin = std::max<std::int64_t>(first, 0), .end = std::min(end, row.w)};
    window.x = reinterpret_cast<const M*>(row.x);
    window.dy = reinterpret_cast<const M*>(row.dy) + (forward ? 0 : q * row.c);
    window.out = row.out + (forward ? q * row.c : 0);
    const std::int64_t counted = row.count_padding ? std::min(end, row.w + row.padding) - first
                                                   : window.end - window.begin;
    window.divisor = static_cast<float>(row.counted_rows * counted);
    all_channels<kind>(window);
  }
}

template <class M>
HWY_INLINE void any_kind(const PoolRow& row) {
  switch (row.kind) {
    case PoolKind::max: return all_windows<PoolKind::max, M>(row);
    case PoolKind::average: return all_windows<PoolKind::average, M>(row);
    case PoolKind::max_gradient: return all_windows<PoolKind::max_gradient, M>(row);
    case PoolKind::average_gradient: return all_windows<PoolKind::average_gradient, M>(row);
  }
}

}  // namespace

void row_of_windows(const PoolRow& row) {
  if (row.dtype == DType::bfloat16) return any_kind<std::uint16_t>(row);
  any_kind<float>(row);
}

}  // namespace overtake::backend::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace overtake::backend::cpu {

HWY_EXPORT(row_of_windows);

void pool_row(const PoolRow& row) { HWY_DYNAMIC_DISPATCH(row_of_windows)(row); }

}  // namespace overtake::backend::cpu
#endif  // HWY_ONCE
