// SPDX-License-Identifier: MIT
// The meaning of operation.hpp and tape.hpp as plain loops in double precision.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "backend/dialect_support.hpp"
#include "core/philox.hpp"

namespace overtake::backend::dialect_tests {
namespace {

constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();

/// A register: float32 values are computed in double, integers exactly.
struct Value {
  double real = 0;
  std::int32_t integer = 0;
};

using Coordinates = std::array<std::int64_t, Shape::max_rank>;

Value read(const std::vector<HostSlot>& slots, const Access& access, const Coordinates& at) {
  std::int64_t index = access.offset;
  for (std::size_t axis = 0; axis < at.size(); ++axis) index += at[axis] * access.strides[axis];
  const HostSlot& slot = slots.at(static_cast<std::size_t>(access.slot));
  if (access.dtype == DType::int32) return {0, slot.as_int(static_cast<std::size_t>(index))};
  return {slot.as_float(static_cast<std::size_t>(index)), 0};
}

double larger(double a, double b) { return std::isnan(a) || std::isnan(b) ? nan_value : std::max(a, b); }
double smaller(double a, double b) { return std::isnan(a) || std::isnan(b) ? nan_value : std::min(a, b); }

double unary(TapeCode code, double x) {
  switch (code) {
    case TapeCode::negate: return -x;
    case TapeCode::absolute: return std::abs(x);
    case TapeCode::sign: return x > 0 ? 1 : (x < 0 ? -1 : x);
    case TapeCode::sqrt: return std::sqrt(x);
    case TapeCode::exp: return std::exp(x);
    case TapeCode::log: return std::log(x);
    case TapeCode::log1p: return std::log1p(x);
    case TapeCode::sin: return std::sin(x);
    case TapeCode::cos: return std::cos(x);
    case TapeCode::tanh: return std::tanh(x);
    case TapeCode::erf: return std::erf(x);
    case TapeCode::sigmoid: return 1 / (1 + std::exp(-x));
    case TapeCode::floor: return std::floor(x);
    default: ADD_FAILURE() << "not a unary code"; return nan_value;
  }
}

double binary(TapeCode code, double a, double b) {
  switch (code) {
    case TapeCode::add: return a + b;
    case TapeCode::subtract: return a - b;
    case TapeCode::multiply: return a * b;
    case TapeCode::divide: return a / b;
    case TapeCode::power: return std::pow(a, b);
    case TapeCode::maximum: return larger(a, b);
    case TapeCode::minimum: return smaller(a, b);
    case TapeCode::less: return a < b ? 1 : 0;
    case TapeCode::less_equal: return a <= b ? 1 : 0;
    case TapeCode::equal: return a == b ? 1 : 0;
    case TapeCode::not_equal: return a != b ? 1 : 0;
    default: ADD_FAILURE() << "not a binary code"; return nan_value;
  }
}

std::vector<Value> evaluate(const Tape& tape, const std::vector<HostSlot>& slots, const Coordinates& at,
                            std::uint64_t linear, Value core_value) {
  std::vector<Value> r;
  for (const TapeInstruction& code : tape.code) {
    const auto real = [&](std::uint16_t i) { return r.at(i).real; };
    const auto integer = [&](std::uint16_t i) { return static_cast<std::uint32_t>(r.at(i).integer); };
    switch (code.code) {
      case TapeCode::core: r.push_back(core_value); break;
      case TapeCode::load: r.push_back(read(slots, tape.loads.at(code.index), at)); break;
      case TapeCode::constant: r.push_back({code.value, 0}); break;
      case TapeCode::coordinate: r.push_back({0, static_cast<std::int32_t>(at.at(code.index))}); break;
      case TapeCode::random: {
        const RandomKey& key = tape.random.at(code.index);
        r.push_back({philox::uniform(key.seed, key.stream, integer(code.a), linear), 0});
        break;
      }
      case TapeCode::select: r.push_back(real(code.a) != 0 ? r.at(code.b) : r.at(code.c)); break;
      case TapeCode::int_add: r.push_back({0, static_cast<std::int32_t>(integer(code.a) + integer(code.b))}); break;
      case TapeCode::int_multiply:
        r.push_back({0, static_cast<std::int32_t>(integer(code.a) * integer(code.b))});
        break;
      case TapeCode::int_equal: r.push_back({integer(code.a) == integer(code.b) ? 1.0 : 0.0, 0}); break;
      case TapeCode::int_to_float:
        r.push_back({static_cast<double>(static_cast<float>(r.at(code.a).integer)), 0});
        break;
      case TapeCode::float_to_int: r.push_back({0, static_cast<std::int32_t>(real(code.a))}); break;
      default:
        if (code.code >= TapeCode::negate && code.code <= TapeCode::floor) {
          r.push_back({unary(code.code, real(code.a)), 0});
        } else {
          r.push_back({binary(code.code, real(code.a), real(code.b)), 0});
        }
    }
  }
  return r;
}

Coordinates coordinates_of(const Shape& extent, std::int64_t linear) {
  Coordinates at{};
  for (std::size_t axis = extent.rank(); axis-- > 0;) {
    at[axis] = linear % extent[axis];
    linear /= extent[axis];
  }
  return at;
}

Value core_at(const MapCore&, const std::vector<HostSlot>&, const Coordinates&) { return {}; }

Value core_at(const MatMulCore& core, const std::vector<HostSlot>& slots, const Coordinates& at) {
  const auto element = [&](const MatMulCore::Operand& operand, std::int64_t row, std::int64_t column) {
    const std::int64_t index = operand.offset + row * operand.row_stride + column * operand.column_stride;
    return static_cast<double>(
        slots.at(static_cast<std::size_t>(operand.slot)).as_float(static_cast<std::size_t>(index)));
  };
  double sum = 0;
  for (std::int64_t k = 0; k < core.k; ++k) sum += element(core.a, at[0], k) * element(core.b, k, at[1]);
  return {sum, 0};
}

Value core_at(const ReduceCore& core, const std::vector<HostSlot>& slots, const Coordinates& at) {
  double result = core.kind == ReduceKind::sum ? 0 : std::numeric_limits<double>::infinity();
  if (core.kind == ReduceKind::max) result = -result;
  for (std::int64_t r = 0; r < core.reduced; ++r) {
    const auto linear = static_cast<std::uint64_t>((at[0] * core.reduced + r) * core.inner + at[1]);
    const double x = evaluate(core.input, slots, {at[0], r, at[1]}, linear, {}).back().real;
    if (core.kind == ReduceKind::sum) result += x;
    if (core.kind == ReduceKind::max) result = larger(result, x);
    if (core.kind == ReduceKind::min) result = smaller(result, x);
  }
  return {result, 0};
}

Value core_at(const RowCore& core, const std::vector<HostSlot>& slots, const Coordinates& at) {
  const auto x = [&](std::int64_t column) { return read(slots, core.input, {at[0], column}).real; };
  if (core.kind == RowKind::argmax) {
    std::int32_t best = 0;
    for (std::int32_t c = 1; c < core.columns; ++c) {
      if (!std::isnan(x(best)) && (std::isnan(x(c)) || x(c) > x(best))) best = c;
    }
    return {0, best};
  }
  double top = -std::numeric_limits<double>::infinity();
  for (std::int64_t c = 0; c < core.columns; ++c) top = larger(top, x(c));
  double sum = 0;
  for (std::int64_t c = 0; c < core.columns; ++c) sum += std::exp(x(c) - top);
  if (core.kind == RowKind::softmax) return {std::exp(x(at[1]) - top) / sum, 0};
  if (core.kind == RowKind::log_softmax) return {x(at[1]) - top - std::log(sum), 0};
  const std::int32_t label = read(slots, core.labels, {at[0]}).integer;
  if (label < 0 || label >= core.columns) return {nan_value, 0};
  return {top + std::log(sum) - x(label), 0};
}

Value core_at(const GatherCore& core, const std::vector<HostSlot>& slots, const Coordinates& at) {
  const auto first = [&](const Access& access, std::int64_t index) {
    Access moved = access;
    moved.offset += index;
    return read(slots, moved, {});
  };
  const std::int64_t start = core.start.slot < 0 ? 0 : first(core.start, 0).integer;
  const std::int64_t index = first(core.indices, start * core.rows + at[0]).integer;
  if (index < 0 || index >= core.source_rows) return {nan_value, std::numeric_limits<std::int32_t>::min()};
  return first(core.source, index * core.columns + at[1]);
}

}  // namespace

std::vector<HostSlot> reference(std::vector<HostSlot> slots, const std::vector<Operation>& operations) {
  for (const Operation& operation : operations) {
    std::vector<HostSlot> after = slots;
    for (std::int64_t linear = 0; linear < operation.extent.size(); ++linear) {
      const Coordinates at = coordinates_of(operation.extent, linear);
      const Value value = std::visit([&](const auto& core) { return core_at(core, slots, at); }, operation.core);
      const std::vector<Value> r = evaluate(operation.tape, slots, at, static_cast<std::uint64_t>(linear), value);
      for (const TapeStore& store : operation.tape.stores) {
        const Value& stored = r.at(store.value_register);
        after.at(static_cast<std::size_t>(store.slot)).bits.at(static_cast<std::size_t>(linear)) =
            store.dtype == DType::int32 ? static_cast<std::uint32_t>(stored.integer)
                                        : std::bit_cast<std::uint32_t>(static_cast<float>(stored.real));
      }
    }
    slots = std::move(after);
  }
  return slots;
}

}  // namespace overtake::backend::dialect_tests
