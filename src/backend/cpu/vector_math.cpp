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
template <class T, class F>
HWY_INLINE void each1(const T* a, T* out, size_t n, F f) {
  const hn::ScalableTag<T> d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(f(hn::LoadU(d, a + i)), d, out + i);
  if (i == n) return;
  const auto rest = hn::FirstN(d, n - i);
  hn::BlendedStore(f(hn::MaskedLoad(rest, d, a + i)), rest, d, out + i);
}

// The result may be of another type of the same size.
template <class T, class R, class F>
HWY_INLINE void each2(const T* a, const T* b, R* out, size_t n, F f) {
  const hn::ScalableTag<T> d;
  const hn::ScalableTag<R> to;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(f(hn::LoadU(d, a + i), hn::LoadU(d, b + i)), to, out + i);
  if (i == n) return;
  const auto rest = hn::FirstN(d, n - i);
  hn::BlendedStore(f(hn::MaskedLoad(rest, d, a + i), hn::MaskedLoad(rest, d, b + i)), hn::FirstN(to, n - i), to,
                   out + i);
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

// NaN wins; of two zeros the sum (of maxima) or the negative one (of minima).
template <class W>
HWY_INLINE W maximum(W a, W b) {
  const hn::DFromV<W> d;
  const W of_equals = hn::IfThenElse(hn::Eq(a, hn::Zero(d)), hn::Add(a, b), a);
  const W chosen = hn::IfThenElse(hn::Eq(a, b), of_equals, hn::IfThenElse(hn::Gt(a, b), a, b));
  return hn::IfThenElse(hn::IsNaN(a), a, chosen);  // b's NaN is chosen already: it never loses a comparison
}
template <class W>
HWY_INLINE W minimum(W a, W b) {
  const hn::DFromV<W> d;
  const W of_equals = hn::IfThenElse(hn::Eq(a, hn::Zero(d)), hn::Or(a, b), a);
  const W chosen = hn::IfThenElse(hn::Eq(a, b), of_equals, hn::IfThenElse(hn::Lt(a, b), a, b));
  return hn::IfThenElse(hn::IsNaN(a), a, chosen);
}

HWY_INLINE V sign_of(V x) {
  const V one = hn::CopySign(constant(1.0F), x);
  const V zero_or_nan = hn::IfThenElse(hn::IsNaN(x), x, hn::Zero(Tag()));
  return hn::IfThenElse(hn::Or(hn::Eq(x, hn::Zero(Tag())), hn::IsNaN(x)), zero_or_nan, one);
}

// As formulas::bfloat16_bits() has them, in 32 bits.
HWY_INLINE hn::Vec<hn::RebindToUnsigned<Tag>> bfloat16_bits_of(V x) {
  const hn::RebindToUnsigned<Tag> u;
  const auto bits = hn::BitCast(u, x);
  const auto even = hn::And(hn::ShiftRight<16>(bits), hn::Set(u, 1U));
  const auto rounded = hn::Add(hn::Add(bits, hn::Set(u, 0x7fffU)), even);
  const auto quiet = hn::Or(bits, hn::Set(u, 0x400000U));
  return hn::ShiftRight<16>(hn::IfThenElse(hn::RebindMask(u, hn::IsNaN(x)), quiet, rounded));
}

// The vector forms of element functions, where there are any: for float, or for any type.
template <TapeCode code>
using Code = formulas::Code<code>;

HWY_INLINE V vector_form(Code<TapeCode::sign>, V x) { return sign_of(x); }
HWY_INLINE V vector_form(Code<TapeCode::exp>, V x) { return exp_all(x); }
HWY_INLINE V vector_form(Code<TapeCode::log>, V x) { return log_all(x); }
HWY_INLINE V vector_form(Code<TapeCode::tanh>, V x) { return tanh_all(x); }
HWY_INLINE V vector_form(Code<TapeCode::sigmoid>, V x) { return sigmoid_all(x); }

HWY_INLINE V vector_form(Code<TapeCode::round_bfloat16>, V x) {
  return hn::BitCast(Tag(), hn::ShiftLeft<16>(bfloat16_bits_of(x)));
}

template <class W>
concept FloatVector = hwy::IsFloat<hn::TFromV<W>>();

template <FloatVector W>
HWY_INLINE W vector_form(Code<TapeCode::negative>, W x) {
  return hn::Neg(x);
}
template <FloatVector W>
HWY_INLINE W vector_form(Code<TapeCode::abs>, W x) {
  return hn::Abs(x);
}
template <FloatVector W>
HWY_INLINE W vector_form(Code<TapeCode::sqrt>, W x) {
  return hn::Sqrt(x);
}
template <class W>
HWY_INLINE W vector_form(Code<TapeCode::add>, W x, W y) {
  return hn::Add(x, y);
}
template <class W>
HWY_INLINE W vector_form(Code<TapeCode::subtract>, W x, W y) {
  return hn::Sub(x, y);
}
template <FloatVector W>
HWY_INLINE W vector_form(Code<TapeCode::multiply>, W x, W y) {
  return hn::Mul(x, y);
}
template <FloatVector W>
HWY_INLINE W vector_form(Code<TapeCode::divide>, W x, W y) {
  return hn::Div(x, y);
}
template <FloatVector W>
HWY_INLINE W vector_form(Code<TapeCode::maximum>, W x, W y) {
  return maximum(x, y);
}
template <FloatVector W>
HWY_INLINE W vector_form(Code<TapeCode::minimum>, W x, W y) {
  return minimum(x, y);
}

// Comparisons of 32 bits, as int32.
template <class M>
HWY_INLINE hn::Vec<IntTag> truth(M mask) {
  return hn::IfThenElseZero(hn::RebindMask(IntTag(), mask), hn::Set(IntTag(), 1));
}
HWY_INLINE hn::Vec<IntTag> vector_form(Code<TapeCode::less>, V x, V y) { return truth(hn::Lt(x, y)); }
HWY_INLINE hn::Vec<IntTag> vector_form(Code<TapeCode::less_equal>, V x, V y) { return truth(hn::Le(x, y)); }
HWY_INLINE hn::Vec<IntTag> vector_form(Code<TapeCode::equal>, V x, V y) { return truth(hn::Eq(x, y)); }
HWY_INLINE hn::Vec<IntTag> vector_form(Code<TapeCode::not_equal>, V x, V y) { return truth(hn::Not(hn::Eq(x, y))); }

// What has none is computed by its formula, a value at a time.
template <TapeCode code, class T>
HWY_INLINE void run(const T* a, const T* b, void* out, size_t n) {
  using R = decltype(formulas::formula(Code<code>(), T(), T()));
  using W = hn::Vec<hn::ScalableTag<T>>;
  auto* to = static_cast<R*>(out);
  if constexpr (requires(W x) { vector_form(Code<code>(), x); }) {
    each1(a, to, n, [](W x) { return vector_form(Code<code>(), x); });
  } else if constexpr (requires(W x) { vector_form(Code<code>(), x, x); }) {
    each2(a, b, to, n, [](W x, W y) { return vector_form(Code<code>(), x, y); });
  } else if constexpr (element_function(code)->operands == 1) {
    for (size_t i = 0; i < n; ++i) to[i] = formulas::formula(Code<code>(), a[i], T());
  } else {
    for (size_t i = 0; i < n; ++i) to[i] = formulas::formula(Code<code>(), a[i], b[i]);
  }
}

template <TapeCode code>
HWY_INLINE void run_typed(ValueType type, const void* a, const void* b, void* out, size_t n) {
  const auto with = [&]<class T>(T) {
    if constexpr (requires { formulas::formula(Code<code>(), T(), T()); } &&
                  element_function(code)->takes(value_type_of(dtype_of<T>::value))) {
      run<code>(static_cast<const T*>(a), static_cast<const T*>(b), out, n);
    }
  };
  // NOLINTBEGIN(bugprone-branch-clone): each has another type
  switch (type) {
    case ValueType::int32: return with(std::int32_t());
    case ValueType::int64: return with(std::int64_t());
    case ValueType::uint64: return with(std::uint64_t());
    case ValueType::float32: return with(float());
    case ValueType::float64: return with(double());
  }
  // NOLINTEND(bugprone-branch-clone)
}

template <class T>
HWY_INLINE void select_typed(const std::int32_t* a, const T* b, const T* c, T* out, size_t n) {
  for (size_t i = 0; i < n; ++i) out[i] = a[i] != 0 ? b[i] : c[i];
}

// The choice between floats, with the bits of a comparison.
HWY_INLINE void select_words(const std::int32_t* a, const std::int32_t* b, const std::int32_t* c, std::int32_t* out,
                             size_t n) {
  const IntTag d;
  const size_t lanes = hn::Lanes(d);
  const auto choose = [&](auto x, auto y, auto z) { return hn::IfThenElse(hn::Eq(x, hn::Zero(d)), z, y); };
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    hn::StoreU(choose(hn::LoadU(d, a + i), hn::LoadU(d, b + i), hn::LoadU(d, c + i)), d, out + i);
  }
  if (i < n) select_typed(a + i, b + i, c + i, out + i, n - i);
}

}  // namespace

void function_block(TapeCode code, ValueType type, const void* a, const void* b, void* out, size_t n) {
#define OVERTAKE_ROW(name, arity, types, result, low, high, body, da, db) \
  case TapeCode::name: return run_typed<TapeCode::name>(type, a, b, out, n);
  switch (code) {
    ELEMENT_FUNCTIONS(OVERTAKE_ROW)
    TAPE_FUNCTIONS(OVERTAKE_ROW)
    default: return;
  }
#undef OVERTAKE_ROW
}

void select_block(size_t bytes, const void* a, const void* b, const void* c, void* out, size_t n) {
  const auto* condition = static_cast<const std::int32_t*>(a);
  if (bytes == sizeof(std::int32_t)) {
    return select_words(condition, static_cast<const std::int32_t*>(b), static_cast<const std::int32_t*>(c),
                        static_cast<std::int32_t*>(out), n);
  }
  select_typed(condition, static_cast<const std::int64_t*>(b), static_cast<const std::int64_t*>(c),
               static_cast<std::int64_t*>(out), n);
}

void widen_values(const std::uint16_t* from, float* to, size_t n) {
  const Tag d;
  const hn::RebindToUnsigned<Tag> u;
  const hn::Rebind<std::uint16_t, Tag> narrow;
  size_t i = 0;
  for (; i + hn::Lanes(d) <= n; i += hn::Lanes(d)) {
    const auto bits = hn::PromoteTo(u, hn::LoadU(narrow, from + i));
    hn::StoreU(hn::BitCast(d, hn::ShiftLeft<16>(bits)), d, to + i);
  }
  for (; i < n; ++i) to[i] = formulas::bfloat16_value(from[i]);
}

void narrow_values(const float* from, std::uint16_t* to, size_t n) {
  const Tag d;
  const hn::Rebind<std::uint16_t, Tag> narrow;
  size_t i = 0;
  for (; i + hn::Lanes(d) <= n; i += hn::Lanes(d)) {
    const auto bits = hn::BitCast(IntTag(), bfloat16_bits_of(hn::LoadU(d, from + i)));
    hn::StoreU(hn::DemoteTo(narrow, bits), narrow, to + i);
  }
  for (; i < n; ++i) to[i] = static_cast<std::uint16_t>(formulas::bfloat16_bits(from[i]));
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
HWY_EXPORT(widen_values);
HWY_EXPORT(narrow_values);
HWY_EXPORT(two_vectors);
HWY_EXPORT(multiply_block);
HWY_EXPORT(pack_four_columns);
HWY_EXPORT(target_name);

void apply_block(const TapeInstruction& what, const void* a, const void* b, const void* c, void* out, std::size_t n) {
  if (what.code == TapeCode::select) {
    return HWY_DYNAMIC_DISPATCH(select_block)(size_of(dtype_of_value(what.type)), a, b, c, out, n);
  }
  HWY_DYNAMIC_DISPATCH(function_block)(what.code, what.type, a, b, out, n);
}

void widen_bfloat16s(const std::uint16_t* from, float* to, std::size_t n) {
  HWY_DYNAMIC_DISPATCH(widen_values)(from, to, n);
}

void narrow_bfloat16s(const float* from, std::uint16_t* to, std::size_t n) {
  HWY_DYNAMIC_DISPATCH(narrow_values)(from, to, n);
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
