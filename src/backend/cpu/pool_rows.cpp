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

// A bfloat16 is the upper half of a float32.
template <class D, class N>
HWY_INLINE hn::Vec<D> widened(D d, N narrow) {
  const hn::RebindToUnsigned<D> wide;
  return hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(wide, narrow)));
}

/// As many channels as a vector has lanes.
template <class Tag>
struct WholeVector {
  using D = Tag;
  using V = hn::Vec<D>;
  D d;

  HWY_INLINE V load(const float* from) const { return hn::LoadU(d, from); }
  HWY_INLINE V load(const std::uint16_t* from) const {
    return widened(d, hn::LoadU(hn::Rebind<std::uint16_t, D>(), from));
  }
  HWY_INLINE void store(V value, float* to) const { hn::StoreU(value, d, to); }
};

/// The first `count` of them; what lies behind is not touched where the processor has masks for memory.
template <class Tag>
struct PartOfVector {
  using D = Tag;
  using V = hn::Vec<D>;
  D d;
  size_t count;

  HWY_INLINE V load(const float* from) const { return hn::MaskedLoad(hn::FirstN(d, count), d, from); }
  HWY_INLINE V load(const std::uint16_t* from) const {
    const hn::Rebind<std::uint16_t, D> narrow;
    return widened(d, hn::MaskedLoad(hn::FirstN(narrow, count), narrow, from));
  }
  HWY_INLINE void store(V value, float* to) const { hn::BlendedStore(value, hn::FirstN(d, count), d, to); }
};

// What windows have inside the image: two rows and columns, which the compiler unrolls, or any number.
struct TwoByTwo {
  static constexpr std::int64_t rows = 2, columns = 2;
  static constexpr std::int64_t first = 0, last = 2;  // of the rows whose gradients are wanted
};
struct AnySize {
  std::int64_t rows = 0, columns = 0, first = 0, last = 0;
};

template <class Size, class M>
struct Window {
  const PoolRow& row;
  Size size;
  std::int64_t begin = 0;  // column
  const M* x = nullptr;    // in the first row and column 0
  const M* dy = nullptr;
  float* out = nullptr;
  float divisor = 1;

  [[nodiscard]] HWY_INLINE std::int64_t at(std::int64_t r, std::int64_t column, std::int64_t channel) const {
    return (r * row.w + begin + column) * row.c + channel;
  }
};

template <class Channels, class Window>
HWY_INLINE typename Channels::V sum(Channels channels, const Window& window, std::int64_t channel) {
  auto total = hn::Zero(channels.d);
  for (std::int64_t r = 0; r < window.size.rows; ++r) {
    for (std::int64_t w = 0; w < window.size.columns; ++w) {
      total = hn::Add(total, channels.load(window.x + window.at(r, w, channel)));
    }
  }
  return total;
}

// The first largest of each channel, NaN before all, and its number in the window.
template <class Channels, class Window>
HWY_INLINE typename Channels::V largest(Channels channels, const Window& window, std::int64_t channel,
                                        typename Channels::V& number) {
  const typename Channels::D d;
  auto best = channels.load(window.x + window.at(0, 0, channel));
  number = hn::Zero(d);
  float here = 0;
  for (std::int64_t r = 0; r < window.size.rows; ++r) {
    for (std::int64_t w = 0; w < window.size.columns; ++w, ++here) {
      const auto value = channels.load(window.x + window.at(r, w, channel));
      const auto larger = hn::Or(hn::Gt(value, best), hn::AndNot(hn::IsNaN(best), hn::IsNaN(value)));
      best = hn::IfThenElse(larger, value, best);
      number = hn::IfThenElse(larger, hn::Set(d, here), number);
    }
  }
  return best;
}

// Adds to the gradients of the rows that are wanted: f(number of the place in the window). Where windows are apart
// there is nothing to add to.
template <class Channels, class Window, class F>
HWY_INLINE void add_to_places(Channels channels, const Window& window, std::int64_t channel, F f) {
  const bool apart = window.row.apart;
  for (std::int64_t r = window.size.first; r < window.size.last; ++r) {
    for (std::int64_t w = 0; w < window.size.columns; ++w) {
      float* place = window.out + window.at(r, w, channel);
      const auto mine = f(hn::Set(channels.d, static_cast<float>(r * window.size.columns + w)));
      channels.store(apart ? mine : hn::Add(channels.load(place), mine), place);
    }
  }
}

template <PoolKind kind, class Channels, class Window>
HWY_INLINE void some_channels(Channels channels, const Window& window, std::int64_t channel) {
  const typename Channels::D d;
  auto number = hn::Zero(d);
  if constexpr (kind == PoolKind::max) {
    channels.store(largest(channels, window, channel, number), window.out + channel);
  } else if constexpr (kind == PoolKind::average) {
    channels.store(hn::Div(sum(channels, window, channel), hn::Set(d, window.divisor)), window.out + channel);
  } else if constexpr (kind == PoolKind::max_gradient) {
    largest(channels, window, channel, number);
    const auto above = channels.load(window.dy + channel);
    add_to_places(channels, window, channel,
                  [&](auto place) HWY_ATTR { return hn::IfThenElseZero(hn::Eq(place, number), above); });
  } else {
    const auto above = hn::Div(channels.load(window.dy + channel), hn::Set(d, window.divisor));
    add_to_places(channels, window, channel, [&](auto /*place*/) HWY_ATTR { return above; });
  }
}

template <PoolKind kind, class Window>
HWY_INLINE void all_channels(const Window& window) {
  using Tag = hn::ScalableTag<float>;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(Tag()));
  const std::int64_t c = window.row.c;
  std::int64_t channel = 0;
  for (; channel + lanes <= c; channel += lanes) some_channels<kind>(WholeVector<Tag>(), window, channel);
  if (HWY_TARGET <= HWY_AVX3) {
    if (channel < c) some_channels<kind>(PartOfVector<Tag>{{}, static_cast<size_t>(c - channel)}, window, channel);
    return;
  }
  using Few = hn::CappedTag<float, 4>;
  const auto few = static_cast<std::int64_t>(hn::Lanes(Few()));
  for (; channel + few <= c; channel += few) some_channels<kind>(WholeVector<Few>(), window, channel);
  for (; channel < c; ++channel) some_channels<kind>(WholeVector<hn::CappedTag<float, 1>>(), window, channel);
}

template <PoolKind kind, class M>
HWY_INLINE void all_windows(const PoolRow& row) {
  constexpr bool forward = kind == PoolKind::max || kind == PoolKind::average;
  const bool two_rows = row.rows == 2 && (forward || (row.first == 0 && row.last == 2));
  for (std::int64_t q = 0; q < row.windows; ++q) {
    const std::int64_t first = q * row.stride - row.padding, end = first + row.columns;
    const std::int64_t begin = std::max<std::int64_t>(first, 0), columns = std::min(end, row.w) - begin;
    const M* x = reinterpret_cast<const M*>(row.x);
    const M* dy = reinterpret_cast<const M*>(row.dy) + (forward ? 0 : q * row.c);
    float* out = row.out + (forward ? q * row.c : 0);
    const std::int64_t counted = row.count_padding ? std::min(end, row.w + row.padding) - first : columns;
    const auto divisor = static_cast<float>(row.counted_rows * counted);
    if (two_rows && columns == 2) {
      all_channels<kind>(Window<TwoByTwo, M>{row, {}, begin, x, dy, out, divisor});
    } else {
      all_channels<kind>(Window<AnySize, M>{row, {row.rows, columns, row.first, row.last}, begin, x, dy, out, divisor});
    }
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
