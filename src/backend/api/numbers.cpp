// SPDX-License-Identifier: MIT
#include "backend/api/numbers.hpp"

#include <fmt/format.h>

#include <limits>

namespace overtake::backend {
namespace {

template <typename T>
std::uint64_t identity(ReduceKind kind) noexcept {
  using Limits = std::numeric_limits<T>;
  switch (kind) {
    case ReduceKind::sum: return to_bits(T(0));
    case ReduceKind::product: return to_bits(T(1));
    case ReduceKind::max: return to_bits(Limits::has_infinity ? -Limits::infinity() : Limits::lowest());
    case ReduceKind::min: break;
  }
  return to_bits(Limits::has_infinity ? Limits::infinity() : Limits::max());
}

}  // namespace

TapeCode combining_code(ReduceKind kind) noexcept {
  switch (kind) {
    case ReduceKind::sum: return TapeCode::add;
    case ReduceKind::product: return TapeCode::multiply;
    case ReduceKind::max: return TapeCode::maximum;
    case ReduceKind::min: break;
  }
  return TapeCode::minimum;
}

std::uint64_t identity_bits(ReduceKind kind, ValueType type) noexcept {
  switch (type) {
    case ValueType::int32: return identity<std::int32_t>(kind);
    case ValueType::int64: return identity<std::int64_t>(kind);
    case ValueType::uint64: return identity<std::uint64_t>(kind);
    case ValueType::float32: return identity<float>(kind);
    case ValueType::float64: break;
  }
  return identity<double>(kind);
}

std::uint64_t missing_bits(ValueType type) noexcept {
  switch (type) {
    case ValueType::int32: return to_bits(std::numeric_limits<std::int32_t>::min());
    case ValueType::int64: return to_bits(std::numeric_limits<std::int64_t>::min());
    case ValueType::uint64: return 0;
    case ValueType::float32: return to_bits(std::numeric_limits<float>::quiet_NaN());
    case ValueType::float64: break;
  }
  return to_bits(std::numeric_limits<double>::quiet_NaN());
}

std::string number_text(std::uint64_t bits, ValueType type) {
  switch (type) {
    case ValueType::int32: return fmt::format("((int)0x{:08x}u)", static_cast<std::uint32_t>(bits));
    case ValueType::float32: return fmt::format("as_float((int)0x{:08x}u)", static_cast<std::uint32_t>(bits));
    case ValueType::int64:
    case ValueType::uint64: return fmt::format("(({})0x{:016x})", kernel_name(type), bits);
    case ValueType::float64: break;
  }
  return fmt::format("BITS_DOUBLE((uint64)0x{:016x})", bits);
}

}  // namespace overtake::backend
