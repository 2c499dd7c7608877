// SPDX-License-Identifier: MIT
#include "backend/cpu/key_vectors.hpp"

#include <cstddef>

// Highway includes this file again for each instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/key_vectors.cpp"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace overtake::backend::cpu::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// All bits where the highest is set.
template <class D, class V>
HWY_INLINE V spread_top(D d, V v) {
  return hn::BitCast(d, hn::BroadcastSignBit(hn::BitCast(hn::RebindToSigned<D>(), v)));
}

// to[i] = vector(from[i]), by one(from[i]) where no vector is full any more.
template <class Key, class Vector, class One>
HWY_INLINE void each(const Key* from, Key* to, std::int64_t n, const Vector& vector, const One& one) {
  const hn::ScalableTag<Key> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(vector(hn::LoadU(d, from + i)), d, to + i);
  for (; i < n; ++i) to[i] = one(from[i]);
}

template <class Key>
HWY_INLINE void keys_of(const Key* from, Key* to, std::int64_t n, const KeyForm& form, bool descending) {
  const hn::ScalableTag<Key> d;
  const hn::RebindToSigned<decltype(d)> whole;
  const auto top = hn::Set(d, static_cast<Key>(form.top));
  const auto flipped = hn::Set(d, static_cast<Key>(descending ? ~Key{0} : Key{0}));
  const auto one = [&](Key bits) { return sort_key(bits, form, descending, true); };
  if (form.kind == DTypeKind::floating) {
    const auto infinity = hn::BitCast(whole, hn::Set(d, static_cast<Key>(form.infinity)));
    each(
        from, to, n,
        [&](auto bits) HWY_ATTR {
          const auto magnitude = hn::BitCast(whole, hn::AndNot(top, bits));
          const auto nan = hn::BitCast(d, hn::VecFromMask(whole, hn::Gt(magnitude, infinity)));
          return hn::Xor(hn::Or(hn::Xor(bits, hn::Or(spread_top(d, bits), top)), nan), flipped);
        },
        one);
  } else {
    const auto mask = form.kind == DTypeKind::signed_integer ? hn::Xor(top, flipped) : flipped;
    each(
        from, to, n, [&](auto bits) HWY_ATTR { return hn::Xor(bits, mask); }, one);
  }
}

template <class Key>
HWY_INLINE void values_of(const Key* from, Key* to, std::int64_t n, const KeyForm& form, bool descending) {
  const hn::ScalableTag<Key> d;
  const auto top = hn::Set(d, static_cast<Key>(form.top));
  const auto ones = hn::Set(d, static_cast<Key>(~Key{0}));
  const auto flipped = hn::Set(d, static_cast<Key>(descending ? ~Key{0} : Key{0}));
  const auto one = [&](Key key) { return sort_value(key, form, descending); };
  if (form.kind == DTypeKind::floating) {
    const auto nan = hn::Set(d, sort_value(static_cast<Key>(~Key{0}), form, false));
    each(
        from, to, n,
        [&](auto ordered) HWY_ATTR {
          const auto key = hn::Xor(ordered, flipped);
          const auto bits = hn::Xor(key, hn::Or(hn::Xor(spread_top(d, key), ones), top));
          return hn::IfThenElse(hn::Eq(key, ones), nan, bits);
        },
        one);
  } else {
    const auto mask = form.kind == DTypeKind::signed_integer ? hn::Xor(top, flipped) : flipped;
    each(
        from, to, n, [&](auto key) HWY_ATTR { return hn::Xor(key, mask); }, one);
  }
}

// One function for each size: Highway's table of instruction sets holds no templates.
void keys_of_16(const std::uint16_t* from, std::uint16_t* to, std::int64_t n, const KeyForm& form, bool descending) {
  keys_of(from, to, n, form, descending);
}
void keys_of_32(const std::uint32_t* from, std::uint32_t* to, std::int64_t n, const KeyForm& form, bool descending) {
  keys_of(from, to, n, form, descending);
}
void keys_of_64(const std::uint64_t* from, std::uint64_t* to, std::int64_t n, const KeyForm& form, bool descending) {
  keys_of(from, to, n, form, descending);
}
void values_of_16(const std::uint16_t* from, std::uint16_t* to, std::int64_t n, const KeyForm& form, bool descending) {
  values_of(from, to, n, form, descending);
}
void values_of_32(const std::uint32_t* from, std::uint32_t* to, std::int64_t n, const KeyForm& form, bool descending) {
  values_of(from, to, n, form, descending);
}
void values_of_64(const std::uint64_t* from, std::uint64_t* to, std::int64_t n, const KeyForm& form, bool descending) {
  values_of(from, to, n, form, descending);
}

}  // namespace
}  // namespace overtake::backend::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace overtake::backend::cpu {

HWY_EXPORT(keys_of_16);
HWY_EXPORT(keys_of_32);
HWY_EXPORT(keys_of_64);
HWY_EXPORT(values_of_16);
HWY_EXPORT(values_of_32);
HWY_EXPORT(values_of_64);

void make_keys(const std::uint16_t* values, std::uint16_t* keys, std::int64_t n, const KeyForm& form, bool descending) {
  HWY_DYNAMIC_DISPATCH(keys_of_16)(values, keys, n, form, descending);
}
void make_keys(const std::uint32_t* values, std::uint32_t* keys, std::int64_t n, const KeyForm& form, bool descending) {
  HWY_DYNAMIC_DISPATCH(keys_of_32)(values, keys, n, form, descending);
}
void make_keys(const std::uint64_t* values, std::uint64_t* keys, std::int64_t n, const KeyForm& form, bool descending) {
  HWY_DYNAMIC_DISPATCH(keys_of_64)(values, keys, n, form, descending);
}
void turn_back(const std::uint16_t* keys, std::uint16_t* values, std::int64_t n, const KeyForm& form, bool descending) {
  HWY_DYNAMIC_DISPATCH(values_of_16)(keys, values, n, form, descending);
}
void turn_back(const std::uint32_t* keys, std::uint32_t* values, std::int64_t n, const KeyForm& form, bool descending) {
  HWY_DYNAMIC_DISPATCH(values_of_32)(keys, values, n, form, descending);
}
void turn_back(const std::uint64_t* keys, std::uint64_t* values, std::int64_t n, const KeyForm& form, bool descending) {
  HWY_DYNAMIC_DISPATCH(values_of_64)(keys, values, n, form, descending);
}

}  // namespace overtake::backend::cpu
#endif  // HWY_ONCE
