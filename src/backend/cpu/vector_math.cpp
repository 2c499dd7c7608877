// SPDX-License-Identifier: MIT
#include "backend/cpu/vector_math.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>
#include <type_traits>

#include "backend/cpu/element_formulas.hpp"

// Vectors whose length the compiler does not know cannot stand in arrays, as those of a product's tile do. Processors
// with SVE run the code for NEON.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)

// Highway includes this file again for each instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/vector_math.cpp"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include <hwy/contrib/math/math-inl.h>

HWY_BEFORE_NAMESPACE();
namespace overtake::backend::cpu::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Tag = hn::ScalableTag<float>;
using IntTag = hn::RebindToSigned<Tag>;
using V = hn::Vec<Tag>;

// Runs f over whole vectors, then once more on the masked rest.
template <class F>
HWY_INLINE void each1(const float* a, float* out, size_t n, F f) {
  const Tag d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(f(hn::LoadU(d, a + i)), d, out + i);
  if (i == n) return;
  const auto rest = hn::FirstN(d, n - i);
  hn::BlendedStore(f(hn::MaskedLoad(rest, d, a + i)), rest, d, out + i);
}

template <class F>
HWY_INLINE void each2(const float* a, const float* b, float* out, size_t n, F f) {
  const Tag d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(f(hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, out + i);
  if (i == n) return;
  const auto rest = hn::FirstN(d, n - i);
  hn::BlendedStore(f(hn::MaskedLoad(rest, d, a + i), hn::MaskedLoad(rest, d, b + i)), rest, d, out + i);
}

template <class F>
HWY_INLINE void each3(const float* a, const float* b, const float* c, float* out, size_t n, F f) {
  const Tag d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    hn::StoreU(f(hn::LoadU(d, a + i), hn::LoadU(d, b + i), hn::LoadU(d, c + i)), d, out + i);
  }
  if (i == n) return;
  const auto rest = hn::FirstN(d, n - i);
  const V y = f(hn::MaskedLoad(rest, d, a + i), hn::MaskedLoad(rest, d, b + i), hn::MaskedLoad(rest, d, c + i));
  hn::BlendedStore(y, rest, d, out + i);
}

HWY_INLINE V constant(float value) { return hn::Set(Tag(), value); }

// Highway's functions are made for finite arguments: NaN and the far ends are settled here.
HWY_INLINE V exp_all(V x) {
  const Tag d;
  const V inside = hn::Max(hn::Min(x, constant(88.7F)), constant(-104.0F));
  V y = hn::Exp(d, inside);
  const V top = constant(88.72283F);
  y = hn::IfThenElse(hn::Gt(x, constant(88.7F)),
                     hn::Mul(hn::Exp(d, hn::Sub(hn::Min(x, top), constant(1.0F))), constant(2.7182817F)), y);
  y = hn::IfThenElse(hn::Gt(x, top), constant(std::numeric_limits<float>::infinity()), y);
  y = hn::IfThenElse(hn::Lt(x, constant(-103.9F)), hn::Zero(d), y);
  return hn::IfThenElse(hn::IsNaN(x), x, y);
}

HWY_INLINE V log_all(V x) {
  const Tag d;
  const float inf = std::numeric_limits<float>::infinity();
  const V zero = hn::Zero(d);
  const auto usual = hn::And(hn::Gt(x, zero), hn::Lt(x, constant(inf)));
  V y = hn::Log(d, hn::IfThenElse(usual, x, constant(1.0F)));
  y = hn::IfThenElse(hn::Eq(x, zero), constant(-inf), y);
  y = hn::IfThenElse(hn::Eq(x, constant(inf)), x, y);
  y = hn::IfThenElse(hn::Lt(x, zero), constant(std::numeric_limits<float>::quiet_NaN()), y);
  return hn::IfThenElse(hn::IsNaN(x), x, y);
}

HWY_INLINE V sigmoid_all(V x) {
  const V small = exp_all(hn::Neg(hn::Abs(x)));
  const V upper = hn::Div(constant(1.0F), hn::Add(constant(1.0F), small));
  return hn::IfThenElse(hn::Lt(x, hn::Zero(Tag())), hn::Mul(small, upper), upper);
}

HWY_INLINE V tanh_all(V x) {
  const Tag d;
  const V y = hn::Tanh(d, hn::Max(hn::Min(x, constant(20.0F)), constant(-20.0F)));
  return hn::IfThenElse(hn::IsNaN(x), x, y);
}

HWY_INLINE V truth(hn::Mask<Tag> mask) { return hn::IfThenElseZero(mask, constant(1.0F)); }

// `of_equals` has the right sign where the operands are two zeros.
HWY_INLINE V extreme(V a, V b, hn::Mask<Tag> first_wins, V of_equals) {
  const V chosen = hn::IfThenElse(hn::Eq(a, b), of_equals, hn::IfThenElse(first_wins, a, b));
  return hn::IfThenElse(hn::IsNaN(a), a, chosen);  // b's NaN is chosen already: it never loses a comparison
}

HWY_INLINE V maximum(V a, V b) { return extreme(a, b, hn::Gt(a, b), hn::And(a, b)); }
HWY_INLINE V minimum(V a, V b) { return extreme(a, b, hn::Lt(a, b), hn::Or(a, b)); }

HWY_INLINE hn::Vec<IntTag> bits(V x) { return hn::BitCast(IntTag(), x); }
HWY_INLINE V unbits(hn::Vec<IntTag> x) { return hn::BitCast(Tag(), x); }

HWY_INLINE V sign_of(V x) {
  const V one = hn::CopySign(constant(1.0F), x);
  const V zero_or_nan = hn::IfThenElse(hn::IsNaN(x), x, hn::Zero(Tag()));
  return hn::IfThenElse(hn::Or(hn::Eq(x, hn::Zero(Tag())), hn::IsNaN(x)), zero_or_nan, one);
}

// The vector forms of element functions, where there are any.
template <TapeCode code>
using Code = std::integral_constant<TapeCode, code>;

HWY_INLINE V vector_form(Code<TapeCode::negate>, V x) { return hn::Neg(x); }
HWY_INLINE V vector_form(Code<TapeCode::absolute>, V x) { return hn::Abs(x); }
HWY_INLINE V vector_form(Code<TapeCode::sign>, V x) { return sign_of(x); }
HWY_INLINE V vector_form(Code<TapeCode::sqrt>, V x) { return hn::Sqrt(x); }
HWY_INLINE V vector_form(Code<TapeCode::exp>, V x) { return exp_all(x); }
HWY_INLINE V vector_form(Code<TapeCode::log>, V x) { return log_all(x); }
HWY_INLINE V vector_form(Code<TapeCode::tanh>, V x) { return tanh_all(x); }
HWY_INLINE V vector_form(Code<TapeCode::sigmoid>, V x) { return sigmoid_all(x); }
HWY_INLINE V vector_form(Code<TapeCode::int_to_float>, V x) { return hn::ConvertTo(Tag(), bits(x)); }
HWY_INLINE V vector_form(Code<TapeCode::add>, V x, V y) { return hn::Add(x, y); }
HWY_INLINE V vector_form(Code<TapeCode::subtract>, V x, V y) { return hn::Sub(x, y); }
HWY_INLINE V vector_form(Code<TapeCode::multiply>, V x, V y) { return hn::Mul(x, y); }
HWY_INLINE V vector_form(Code<TapeCode::divide>, V x, V y) { return hn::Div(x, y); }
HWY_INLINE V vector_form(Code<TapeCode::maximum>, V x, V y) { return maximum(x, y); }
HWY_INLINE V vector_form(Code<TapeCode::minimum>, V x, V y) { return minimum(x, y); }
HWY_INLINE V vector_form(Code<TapeCode::less>, V x, V y) { return truth(hn::Lt(x, y)); }
HWY_INLINE V vector_form(Code<TapeCode::less_equal>, V x, V y) { return truth(hn::Le(x, y)); }
HWY_INLINE V vector_form(Code<TapeCode::equal>, V x, V y) { return truth(hn::Eq(x, y)); }
HWY_INLINE V vector_form(Code<TapeCode::not_equal>, V x, V y) { return truth(hn::Not(hn::Eq(x, y))); }
HWY_INLINE V vector_form(Code<TapeCode::int_add>, V x, V y) { return unbits(hn::Add(bits(x), bits(y))); }
HWY_INLINE V vector_form(Code<TapeCode::int_multiply>, V x, V y) { return unbits(hn::Mul(bits(x), bits(y))); }
HWY_INLINE V vector_form(Code<TapeCode::int_equal>, V x, V y) {
  return truth(hn::RebindMask(Tag(), hn::Eq(bits(x), bits(y))));
}

// What has none is computed by its formula, a value at a time.
template <TapeCode code, class F>
HWY_INLINE void run_one(const float* a, float* out, size_t n, F formula) {
  if constexpr (requires(V x) { vector_form(Code<code>(), x); }) {
    each1(a, out, n, [](V x) { return vector_form(Code<code>(), x); });
  } else {
    for (size_t i = 0; i < n; ++i) out[i] = std::bit_cast<float>(formula(a[i]));
  }
}
template <TapeCode code, class F>
HWY_INLINE void run_two(const float* a, const float* b, float* out, size_t n, F formula) {
  if constexpr (requires(V x) { vector_form(Code<code>(), x, x); }) {
    each2(a, b, out, n, [](V x, V y) { return vector_form(Code<code>(), x, y); });
  } else {
    for (size_t i = 0; i < n; ++i) out[i] = std::bit_cast<float>(formula(a[i], b[i]));
  }
}

}  // namespace

// Registers hold bits, whatever the type.
void function_block(TapeCode code, const float* a, const float* b, float* out, size_t n) {
#define OVERTAKE_ONE(name, result, operand, formula) \
  case TapeCode::name:                               \
    return run_one<TapeCode::name>(a, out, n, [](float x) { return formulas::tape_##name(std::bit_cast<operand>(x)); });
#define OVERTAKE_TWO(name, result, operand, formula)                                      \
  case TapeCode::name:                                                                    \
    return run_two<TapeCode::name>(a, b, out, n, [](float x, float y) {                   \
      return formulas::tape_##name(std::bit_cast<operand>(x), std::bit_cast<operand>(y)); \
    });
  switch (code) {
    ELEMENT_FUNCTIONS(OVERTAKE_ONE, OVERTAKE_TWO)
    default: return;
  }
#undef OVERTAKE_ONE
#undef OVERTAKE_TWO
}

void select_block(const float* a, const float* b, const float* c, float* out, size_t n) {
  each3(a, b, c, out, n, [](V x, V y, V z) { return hn::IfThenElse(hn::Eq(x, hn::Zero(Tag())), z, y); });
}

void add_block(float* sum, const float* values, size_t n) {
  each2(sum, values, sum, n, [](V x, V y) { return hn::Add(x, y); });
}

void extreme_block(float* best, const float* values, size_t n, bool want_maximum) {
  if (want_maximum) {
    each2(best, values, best, n, [](V x, V y) { return maximum(x, y); });
  } else {
    each2(best, values, best, n, [](V x, V y) { return minimum(x, y); });
  }
}

size_t two_vectors() { return 2 * hn::Lanes(Tag()); }

namespace {

// Stores the first `count` lanes.
HWY_INLINE void put(V value, size_t count, float* to) {
  const Tag d;
  if (count >= hn::Lanes(d)) return hn::StoreU(value, d, to);
  hn::BlendedStore(value, hn::FirstN(d, count), d, to);
}

// rows x two vectors of c stay in registers over the whole k loop.
template <size_t rows>
HWY_INLINE void product_tile(const ProductBlock& block, size_t row, const float* panel, size_t column) {
  const Tag d;
  const size_t lanes = hn::Lanes(d);
  V left[rows], right[rows];
  const float* a[rows];
  for (size_t r = 0; r < rows; ++r) {
    left[r] = hn::Zero(d);
    right[r] = hn::Zero(d);
    a[r] = block.a + static_cast<std::ptrdiff_t>(row + r) * block.row_stride;
  }
  for (size_t k = 0; k < block.k; ++k) {
    const V b0 = hn::LoadU(d, panel + k * 2 * lanes);
    const V b1 = hn::LoadU(d, panel + k * 2 * lanes + lanes);
    HWY_UNROLL(12)
    for (size_t r = 0; r < rows; ++r) {
      const V x = hn::Set(d, a[r][static_cast<std::ptrdiff_t>(k) * block.column_stride]);
      left[r] = hn::MulAdd(x, b0, left[r]);
      right[r] = hn::MulAdd(x, b1, right[r]);
    }
  }
  const size_t width = block.columns - column;
  for (size_t r = 0; r < rows; ++r) {
    float* c = block.c + (row + r) * block.columns + column;
    if (width >= 2 * lanes) {
      put(left[r], lanes, c);
      put(right[r], lanes, c + lanes);
    } else {
      put(left[r], width, c);
      if (width > lanes) put(right[r], width - lanes, c + lanes);
    }
  }
}

// The same for at most one vector of columns: half the work for narrow results.
template <size_t rows>
HWY_INLINE void narrow_tile(const ProductBlock& block, size_t row, const float* panel, size_t column) {
  const Tag d;
  const size_t lanes = hn::Lanes(d);
  V sum[rows];
  const float* a[rows];
  for (size_t r = 0; r < rows; ++r) {
    sum[r] = hn::Zero(d);
    a[r] = block.a + static_cast<std::ptrdiff_t>(row + r) * block.row_stride;
  }
  for (size_t k = 0; k < block.k; ++k) {
    const V b = hn::LoadU(d, panel + k * 2 * lanes);
    HWY_UNROLL(12)
    for (size_t r = 0; r < rows; ++r) {
      sum[r] = hn::MulAdd(hn::Set(d, a[r][static_cast<std::ptrdiff_t>(k) * block.column_stride]), b, sum[r]);
    }
  }
  for (size_t r = 0; r < rows; ++r) {
    put(sum[r], block.columns - column, block.c + (row + r) * block.columns + column);
  }
}

template <size_t rows>
HWY_INLINE void any_tile(const ProductBlock& block, size_t row, const float* panel, size_t column) {
  if (block.columns - column <= hn::Lanes(Tag())) return narrow_tile<rows>(block, row, panel, column);
  product_tile<rows>(block, row, panel, column);
}

}  // namespace

void multiply_block(const ProductBlock& block) {
  const size_t width = two_vectors();
  constexpr size_t tall = HWY_TARGET <= HWY_AVX3 ? 12 : 6;  // smaller target numbers are newer; 32 against 16 registers
  for (size_t column = 0, p = 0; column < block.columns; column += width, ++p) {
    const float* panel = block.panels + p * block.k * width;
    size_t row = 0;
    for (; row + tall <= block.rows; row += tall) any_tile<tall>(block, row, panel, column);
    for (; row + 4 <= block.rows; row += 4) any_tile<4>(block, row, panel, column);
    for (; row < block.rows; ++row) any_tile<1>(block, row, panel, column);
  }
}

// Four columns of b, contiguous along k, into four neighbouring columns of a panel.
void pack_four_columns(const float* b, std::ptrdiff_t column_stride, size_t k, size_t width, float* panel) {
  const float* column[4] = {b, b + column_stride, b + 2 * column_stride, b + 3 * column_stride};
  size_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::FixedTag<float, 4> d;
  for (; i + 4 <= k; i += 4) {
    const auto c0 = hn::LoadU(d, column[0] + i), c1 = hn::LoadU(d, column[1] + i);
    const auto c2 = hn::LoadU(d, column[2] + i), c3 = hn::LoadU(d, column[3] + i);
    const auto low01 = hn::InterleaveLower(d, c0, c1), low23 = hn::InterleaveLower(d, c2, c3);
    const auto high01 = hn::InterleaveUpper(d, c0, c1), high23 = hn::InterleaveUpper(d, c2, c3);
    float* to = panel + i * width;
    hn::StoreU(hn::ConcatLowerLower(d, low23, low01), d, to);
    hn::StoreU(hn::ConcatUpperUpper(d, low23, low01), d, to + width);
    hn::StoreU(hn::ConcatLowerLower(d, high23, high01), d, to + 2 * width);
    hn::StoreU(hn::ConcatUpperUpper(d, high23, high01), d, to + 3 * width);
  }
#endif
  for (; i < k; ++i) {
    for (size_t j = 0; j < 4; ++j) panel[i * width + j] = column[j][i];
  }
}

const char* target_name() { return hwy::TargetName(HWY_TARGET); }

}  // namespace overtake::backend::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace overtake::backend::cpu {

HWY_EXPORT(function_block);
HWY_EXPORT(select_block);
HWY_EXPORT(add_block);
HWY_EXPORT(extreme_block);
HWY_EXPORT(two_vectors);
HWY_EXPORT(multiply_block);
HWY_EXPORT(pack_four_columns);
HWY_EXPORT(target_name);

void apply_block(TapeCode code, const float* a, const float* b, const float* c, float* out, std::size_t n) {
  if (c != nullptr) return HWY_DYNAMIC_DISPATCH(select_block)(a, b, c, out, n);
  HWY_DYNAMIC_DISPATCH(function_block)(code, a, b, out, n);
}

void accumulate_sum(float* sum, const float* values, std::size_t n) { HWY_DYNAMIC_DISPATCH(add_block)(sum, values, n); }

void accumulate_extreme(float* best, const float* values, std::size_t n, bool maximum) {
  HWY_DYNAMIC_DISPATCH(extreme_block)(best, values, n, maximum);
}

std::size_t panel_columns() {
  static const std::size_t columns = HWY_DYNAMIC_DISPATCH(two_vectors)();
  return columns;
}

void packed_product(const ProductBlock& block) { HWY_DYNAMIC_DISPATCH(multiply_block)(block); }

void pack_panels(const float* b, std::ptrdiff_t row_stride, std::ptrdiff_t column_stride, std::size_t k,
                 std::size_t columns, float* panels) {
  const std::size_t width = panel_columns();
  for (std::size_t first = 0; first < columns; first += width, panels += k * width) {
    const std::size_t filled = std::min(width, columns - first);
    const float* source = b + static_cast<std::ptrdiff_t>(first) * column_stride;
    if (filled < width) std::memset(panels, 0, k * width * sizeof(float));
    if (column_stride == 1) {
      for (std::size_t i = 0; i < k; ++i) {
        std::memcpy(panels + i * width, source + static_cast<std::ptrdiff_t>(i) * row_stride, filled * sizeof(float));
      }
      continue;
    }
    std::size_t j = 0;
    if (row_stride == 1) {
      for (; j + 4 <= filled; j += 4) {
        const float* four = source + static_cast<std::ptrdiff_t>(j) * column_stride;
        HWY_DYNAMIC_DISPATCH(pack_four_columns)(four, column_stride, k, width, panels + j);
      }
    }
    for (; j < filled; ++j) {
      const float* column = source + static_cast<std::ptrdiff_t>(j) * column_stride;
      for (std::size_t i = 0; i < k; ++i) panels[i * width + j] = column[static_cast<std::ptrdiff_t>(i) * row_stride];
    }
  }
}

const char* instruction_set() { return HWY_DYNAMIC_DISPATCH(target_name)(); }

int fused_multiply_adds_per_cycle() {
  const std::string_view name = instruction_set();
  // Highway has one name for each generation of AVX-512: AVX3, AVX3_DL, AVX3_ZEN4, AVX3_SPR, AVX10_2.
  if (name.starts_with("AVX3") || name.starts_with("AVX10")) return 32;
  return name == "AVX2" ? 16 : 0;
}

}  // namespace overtake::backend::cpu
#endif  // HWY_ONCE
