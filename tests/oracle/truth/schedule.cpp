// SPDX-License-Identifier: MIT
#include "oracle/truth/schedule.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "core/philox.hpp"
#include "oracle/truth/elements.hpp"
#include "oracle/truth/images.hpp"
#include "oracle/truth/tensor.hpp"

namespace overtake::oracle {
namespace {

using backend::Access;
using backend::ConvolutionCore;
using backend::GatherCore;
using backend::MapCore;
using backend::MatMulCore;
using backend::Operation;
using backend::PoolCore;
using backend::RandomKey;
using backend::ReduceCore;
using backend::ReduceKind;
using backend::RowCore;
using backend::RowKind;
using backend::Tape;
using backend::TapeCode;
using backend::TapeInstruction;
using backend::TapeStore;

constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();

/// A register: floats are computed in double, whole numbers exactly. Each holds the other's value, too.
struct Value {
  double real = 0;
  std::int64_t integer = 0;
};

Value whole(std::int64_t value) { return {static_cast<double>(value), value}; }
Value floating(double value) { return {value, 0}; }

using Coordinates = std::array<std::int64_t, Shape::max_rank>;

Value read(const std::vector<HostSlot>& slots, const Access& access, const Coordinates& at) {
  std::int64_t index = access.offset;
  for (std::size_t axis = 0; axis < at.size(); ++axis) index += at[axis] * access.strides[axis];
  const HostSlot& slot = slots.at(static_cast<std::size_t>(access.slot));
  if (access.dtype == DType::bfloat16) return floating(slot.as_bfloat16(static_cast<std::size_t>(index)));
  if (access.dtype == DType::int32) return whole(slot.as_int(static_cast<std::size_t>(index)));
  return floating(slot.as_float(static_cast<std::size_t>(index)));
}

// What int32 registers compute, wrapping round.
std::int64_t whole_function(TapeCode code, std::int64_t a, std::int64_t b) {
  switch (code) {
    case TapeCode::add: return static_cast<std::int32_t>(a + b);
    case TapeCode::multiply: return static_cast<std::int32_t>(a * b);
    case TapeCode::equal: return a == b ? 1 : 0;
    case TapeCode::less: return a < b ? 1 : 0;
    case TapeCode::to_int64: return a;
    case TapeCode::to_int32: return static_cast<std::int32_t>(a);
    default: throw std::invalid_argument("the oracle does not know this function of whole numbers");
  }
}

std::vector<Value> evaluate(const Tape& tape, const std::vector<HostSlot>& slots, const Coordinates& at,
                            std::uint64_t linear, Value core_value) {
  std::vector<Value> r;
  for (const TapeInstruction& code : tape.code) {
    const auto real = [&](std::uint16_t i) { return r.at(i).real; };
    const auto integer = [&](std::uint16_t i) { return static_cast<std::uint32_t>(r.at(i).integer); };
    const bool of_floats = backend::is_floating(code.type);
    switch (code.code) {
      case TapeCode::core: r.push_back(core_value); break;
      case TapeCode::load: r.push_back(read(slots, tape.loads.at(code.index), at)); break;
      case TapeCode::constant:
        r.push_back(of_floats ? floating(backend::float_of(code.bits))
                              : whole(static_cast<std::int32_t>(static_cast<std::uint32_t>(code.bits))));
        break;
      case TapeCode::coordinate: r.push_back(whole(at.at(code.index))); break;
      case TapeCode::linear: r.push_back(whole(static_cast<std::int64_t>(linear))); break;
      case TapeCode::random: {
        const RandomKey& key = tape.random.at(code.index);
        r.push_back(floating(philox::uniform(key.seed, key.stream, integer(code.a), linear)));
        break;
      }
      case TapeCode::select: r.push_back(r.at(code.a).integer != 0 ? r.at(code.b) : r.at(code.c)); break;
      case TapeCode::to_float32: r.push_back(floating(static_cast<double>(static_cast<float>(real(code.a))))); break;
      default: {
        const double second = backend::operand_count(code.code) == 2 ? real(code.b) : 0;
        if (!of_floats) {
          const std::int64_t b = backend::operand_count(code.code) == 2 ? r.at(code.b).integer : 0;
          r.push_back(whole(whole_function(code.code, r.at(code.a).integer, b)));
          break;
        }
        const double value = element_truth(code.code).value().value(real(code.a), second);
        const bool is_whole = !backend::is_floating(backend::result_of(code));
        r.push_back(is_whole ? whole(static_cast<std::int64_t>(value)) : floating(value));
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

// The values of a core at every element of an operation, in row-major order.
std::vector<Value> values_of(const MapCore&, const std::vector<HostSlot>&, const Shape& extent) {
  return std::vector<Value>(static_cast<std::size_t>(extent.size()));
}

// Scans, sorting, searching and sums of segments are compared as functions (sorting_test.cpp, scattering_test.cpp).
template <class Core>
std::vector<Value> values_of(const Core&, const std::vector<HostSlot>&, const Shape&) {
  throw std::logic_error("the oracle does not compute this core");
}

std::vector<Value> values_of(const MatMulCore& core, const std::vector<HostSlot>& slots, const Shape&) {
  const auto matrix = [&](const MatMulCore::Operand& operand, std::int64_t rows, std::int64_t columns) {
    Tensor tensor{{rows, columns}, {}};
    for (std::int64_t i = 0; i < rows * columns; ++i) {
      const std::int64_t index =
          operand.offset + i / columns * operand.row_stride + i % columns * operand.column_stride;
      const HostSlot& slot = slots.at(static_cast<std::size_t>(operand.slot));
      const auto at = static_cast<std::size_t>(index);
      tensor.values.push_back(core.dtype == DType::bfloat16 ? slot.as_bfloat16(at) : slot.as_float(at));
    }
    return tensor;
  };
  std::vector<Value> values;
  for (const double value : product(matrix(core.a, core.m, core.k), matrix(core.b, core.k, core.n)).values) {
    values.push_back({value, 0});
  }
  return values;
}

std::vector<double> elements_of(const backend::ImageOperand& operand, const std::vector<HostSlot>& slots,
                                std::int64_t count) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i) {
    values.push_back(read(slots, {operand.slot, operand.offset + i, {}, operand.dtype}, {}).real);
  }
  return values;
}

std::vector<Value> reals(const std::vector<double>& numbers) {
  std::vector<Value> values;
  for (const double number : numbers) values.push_back(floating(number));
  return values;
}

std::vector<Value> values_of(const ConvolutionCore& core, const std::vector<HostSlot>& slots, const Shape&) {
  const OperandSizes sizes = operand_sizes(core);
  return reals(convolution_of(core, elements_of(core.a, slots, sizes.first), elements_of(core.b, slots, sizes.second)));
}

std::vector<Value> values_of(const PoolCore& core, const std::vector<HostSlot>& slots, const Shape&) {
  const OperandSizes sizes = operand_sizes(core);
  return reals(pool_of(core, elements_of(core.x, slots, sizes.first), elements_of(core.dy, slots, sizes.second)));
}

std::vector<Value> values_of(const ReduceCore& core, const std::vector<HostSlot>& slots, const Shape&) {
  std::vector<Value> values;
  const std::int64_t length = core.chunk == 0 ? core.reduced : core.chunk;
  for (std::int64_t i = 0; i < core.outer * core.chunks() * core.inner; ++i) {
    const std::int64_t row = i / core.inner, inner = i % core.inner;
    const std::int64_t outer = row / core.chunks(), first = row % core.chunks() * length;
    std::vector<double> column;
    for (std::int64_t r = first; r < std::min(first + length, core.reduced); ++r) {
      const auto linear = static_cast<std::uint64_t>((outer * core.reduced + r) * core.inner + inner);
      column.push_back(evaluate(core.input, slots, {outer, r, inner}, linear, {}).back().real);
    }
    const bool sums = core.kind == ReduceKind::sum;
    values.push_back({sums ? sum_of(column) : core.kind == ReduceKind::max ? max_of(column) : min_of(column), 0});
  }
  return values;
}

std::vector<Value> values_of(const RowCore& core, const std::vector<HostSlot>& slots, const Shape&) {
  std::vector<Value> values;
  for (std::int64_t i = 0; i < core.rows; ++i) {
    std::vector<double> row;
    for (std::int64_t column = 0; column < core.columns; ++column) {
      row.push_back(read(slots, core.input, {i, column}).real);
    }
    if (core.kind == RowKind::argmax) {
      values.push_back(whole(argmax_of(row)));
    } else if (core.kind == RowKind::cross_entropy) {
      const std::int64_t label = read(slots, core.labels, {i}).integer;
      const bool known = label >= 0 && label < core.columns;
      values.push_back({known ? -log_softmax_of(row)[static_cast<std::size_t>(label)] : nan_value, 0});
    } else {
      for (const double value : core.kind == RowKind::softmax ? softmax_of(row) : log_softmax_of(row)) {
        values.push_back({value, 0});
      }
    }
  }
  return values;
}

std::vector<Value> values_of(const GatherCore& core, const std::vector<HostSlot>& slots, const Shape&) {
  const std::int64_t start = core.start.slot < 0 ? 0 : read(slots, core.start, {}).integer;
  std::vector<Value> values;
  for (std::int64_t i = 0; i < core.outer * core.rows * core.columns; ++i) {
    const std::int64_t outer = i / core.columns / core.rows, row = i / core.columns % core.rows, j = i % core.columns;
    std::int64_t index = read(slots, core.indices, {outer, start * core.rows + row, j}).integer;
    if (index < 0) index += core.source_rows;
    const bool known = index >= 0 && index < core.source_rows;
    values.push_back(known ? read(slots, core.source, {outer, index, j})
                           : Value{nan_value, std::numeric_limits<std::int32_t>::min()});
  }
  return values;
}

}  // namespace

HostSlot HostSlot::floats(const std::vector<float>& values) {
  HostSlot slot;
  for (const float value : values) slot.bits.push_back(std::bit_cast<std::uint32_t>(value));
  return slot;
}

HostSlot HostSlot::ints(const std::vector<std::int32_t>& values) {
  HostSlot slot;
  for (const std::int32_t value : values) slot.bits.push_back(static_cast<std::uint32_t>(value));
  return slot;
}

HostSlot HostSlot::empty(std::int64_t elements) {
  return {std::vector<std::uint32_t>(static_cast<std::size_t>(elements), untouched)};
}

HostSlot HostSlot::bfloat16s(const std::vector<float>& values) {
  HostSlot slot = empty(static_cast<std::int64_t>(values.size() + 1) / 2);
  for (std::size_t i = 0; i < values.size(); ++i) slot.set_bfloat16(i, values[i]);
  return slot;
}

float HostSlot::as_bfloat16(std::size_t i) const {
  return std::bit_cast<float>(i % 2 == 0 ? bits.at(i / 2) << 16U : bits.at(i / 2) & 0xffff0000U);
}

// To nearest, ties to even; numbers only.
void HostSlot::set_bfloat16(std::size_t i, float value) {
  const auto wide = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t half = (wide + 0x7fffU + (wide >> 16U & 1U)) >> 16U;
  std::uint32_t& word = bits.at(i / 2);
  word = i % 2 == 0 ? (word & 0xffff0000U) | half : (word & 0xffffU) | half << 16U;
}

float HostSlot::as_float(std::size_t i) const { return std::bit_cast<float>(bits.at(i)); }
std::int32_t HostSlot::as_int(std::size_t i) const { return static_cast<std::int32_t>(bits.at(i)); }

std::vector<HostSlot> reference(std::vector<HostSlot> slots, const std::vector<Operation>& operations) {
  for (const Operation& operation : operations) {
    std::vector<HostSlot> after = slots;
    const std::vector<Value> values =
        std::visit([&](const auto& core) { return values_of(core, slots, operation.extent); }, operation.core);
    for (std::int64_t linear = 0; linear < operation.extent.size(); ++linear) {
      const Coordinates at = coordinates_of(operation.extent, linear);
      const std::vector<Value> r = evaluate(operation.tape, slots, at, static_cast<std::uint64_t>(linear),
                                            values.at(static_cast<std::size_t>(linear)));
      for (const TapeStore& store : operation.tape.stores) {
        const Value& stored = r.at(store.value_register);
        const auto place = static_cast<std::size_t>(store.offset + linear);
        HostSlot& slot = after.at(static_cast<std::size_t>(store.slot));
        if (store.dtype == DType::bfloat16) {
          slot.set_bfloat16(place, static_cast<float>(stored.real));
          continue;
        }
        slot.bits.at(place) = store.dtype == DType::int32
                                  ? static_cast<std::uint32_t>(stored.integer)
                                  : std::bit_cast<std::uint32_t>(static_cast<float>(stored.real));
      }
    }
    slots = std::move(after);
  }
  return slots;
}

}  // namespace overtake::oracle
