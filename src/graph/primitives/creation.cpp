// SPDX-License-Identifier: MIT
// Arrays from nothing: full, zeros, ones, arange, linspace, eye, uniform.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "graph/node.hpp"
#include "graph/primitives/creation.hpp"
#include "graph/primitives/rule.hpp"
#include "graph/primitives/shape.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace {

using backend::TapeCode;
using backend::ValueType;

// Draws: uniform floats, or 32 bits as int32.
class Draw final : public graph::Elementwise {
 public:
  Draw(TapeCode code, backend::RandomKey key) : code_(code), key_(key) {}
  [[nodiscard]] std::string_view name() const override { return code_ == TapeCode::random ? "uniform" : "random_bits"; }
  void sign(graph::Signature& signature) const override {
    signature.add(key_.seed);
    signature.add(key_.stream);
  }
  [[nodiscard]] std::uint16_t emit(graph::TapeBuilder& tape, const std::vector<std::uint16_t>& in) const override {
    return tape.random(code_, in[0], key_);
  }
  [[nodiscard]] std::vector<Array> vjp(const std::vector<Array>&, const Array&, const Array&,
                                       const std::vector<bool>&) const override {
    return {Array()};
  }

 private:
  TapeCode code_;
  backend::RandomKey key_;
};

Array draw(std::string_view name, TapeCode code, const Shape& shape, backend::RandomKey key, const Array& counter) {
  graph::require_defined(name, counter);
  if (counter.size() != 1) throw UsageError(fmt::format("[{}] the counter must have one element", name));
  const Array number = graph::as_type(counter, DType::int32);
  const Array spread = broadcast_to(reshape(number, {}), shape);
  return graph::make_node(std::make_shared<Draw>(code, key), {spread}, shape,
                          code == TapeCode::random ? DType::float32 : DType::int32);
}

// The place along an axis, as int64; the input only gives the device and the shape.
class Coordinate final : public graph::Elementwise {
 public:
  /// `only`: the other axes have no extent, so that the place does not depend on the shape and fuses with anything.
  Coordinate(std::size_t axis, bool only) : axis_(axis), only_(only) {}
  [[nodiscard]] std::string_view name() const override { return "coordinate"; }
  [[nodiscard]] bool positional() const override { return !only_; }
  void sign(graph::Signature& signature) const override { signature.add(axis_ << 1U | (only_ ? 1U : 0U)); }
  [[nodiscard]] std::uint16_t emit(graph::TapeBuilder& tape, const std::vector<std::uint16_t>&) const override {
    return only_ ? tape.linear() : tape.coordinate(axis_);
  }
  [[nodiscard]] std::vector<Array> vjp(const std::vector<Array>&, const Array&, const Array&,
                                       const std::vector<bool>&) const override {
    return {Array()};
  }

 private:
  std::size_t axis_;
  bool only_;
};

}  // namespace

namespace graph {

DType step_type(const Device& device) { return device.info().double_precision ? DType::float64 : DType::float32; }

Array linspace_at(const Array& places, double start, double stop, std::int64_t intervals, bool ends) {
  const double step = intervals > 0 ? (stop - start) / static_cast<double>(intervals) : 0.0;
  const Array result = places * step + start;
  return ends ? where(equal(places, static_cast<double>(intervals)), stop, result) : result;
}

}  // namespace graph

Array full(const Shape& shape, const Array& value, DType dtype, const Device& device) {
  const std::optional<graph::Number> number = graph::constant_value(value);
  if (!number) return broadcast_to(graph::as_type(value.to(device), dtype), shape);
  return graph::make_source(std::make_shared<graph::Constant>(converted(*number, dtype)), shape, dtype, &device.impl());
}

Array full(const Shape& shape, const Array& value, const Device& device) {
  return full(shape, value, value.dtype(), device);
}

Array zeros(const Shape& shape, const Device& device) { return full(shape, 0.0F, DType::float32, device); }
Array zeros(const Shape& shape, DType dtype, const Device& device) { return full(shape, 0, dtype, device); }
Array ones(const Shape& shape, const Device& device) { return full(shape, 1.0F, DType::float32, device); }
Array ones(const Shape& shape, DType dtype, const Device& device) { return full(shape, 1, dtype, device); }

Array coordinates(const Shape& shape, int axis, const Device& device) {
  const int rank = static_cast<int>(shape.rank());
  if (axis < -rank || axis >= rank) {
    throw UsageError(fmt::format("[coordinates] axis {} of the shape {}", axis, shape.to_string()));
  }
  const auto chosen = static_cast<std::size_t>(axis < 0 ? axis + rank : axis);
  return graph::make_node(std::make_shared<Coordinate>(chosen, shape.size() == shape[chosen]),
                          {full(shape, 0, DType::int64, device)}, shape, DType::int64);
}

Array arange(std::int64_t n, DType dtype, const Device& device) {
  if (n < 0) throw UsageError(fmt::format("[arange] needs a count of at least 0, got {}", n));
  return astype(coordinates(Shape{n}, 0, device), dtype);
}

Array arange(double start, double stop, double step, DType dtype, const Device& device) {
  if (step == 0 || !std::isfinite(step) || !std::isfinite(start) || !std::isfinite(stop)) {
    throw UsageError(fmt::format("[arange] start {}, stop {}, step {}: expected finite numbers and a step other than 0",
                                 start, stop, step));
  }
  const double count = std::max(0.0, std::ceil((stop - start) / step));
  constexpr double most = 1e15;
  if (count > most) throw UsageError(fmt::format("[arange] {} elements are too many", count));
  const Shape shape{static_cast<std::int64_t>(count)};
  const Array place = coordinates(shape, 0, device);
  if (is_integer(dtype) && std::floor(start) == start && std::floor(step) == step) {
    return astype(place * static_cast<std::int64_t>(step) + static_cast<std::int64_t>(start), dtype);
  }
  return astype(astype(place, graph::step_type(device)) * step + start, dtype);
}

Array linspace(double start, double stop, std::int64_t count, bool endpoint, DType dtype, const Device& device) {
  if (count < 0) throw UsageError(fmt::format("[linspace] needs a count of at least 0, got {}", count));
  const Array place = astype(coordinates(Shape{count}, 0, device), graph::step_type(device));
  const std::int64_t intervals = endpoint ? count - 1 : count;
  return astype(graph::linspace_at(place, start, stop, intervals, endpoint && count > 1), dtype);
}

Array eye(std::int64_t rows, std::optional<std::int64_t> columns, std::int64_t k, DType dtype, const Device& device) {
  const Shape shape{rows, columns.value_or(rows)};
  return astype(equal(coordinates(shape, 1, device), coordinates(shape, 0, device) + k), dtype);
}

Array uniform(const Shape& shape, std::uint64_t seed, std::uint32_t stream, const Array& counter) {
  return draw("uniform", TapeCode::random, shape, {seed, stream}, counter);
}

Array random_bits(const Shape& shape, std::uint64_t seed, std::uint32_t stream, const Array& counter) {
  return draw("random_bits", TapeCode::random_bits, shape, {seed, stream}, counter);
}

}  // namespace overtake
