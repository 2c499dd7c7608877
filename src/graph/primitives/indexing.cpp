// SPDX-License-Identifier: MIT
// a[{...}], assigned_at, and the check of arrays of places.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/config.hpp"
#include "graph/node.hpp"
#include "graph/primitives/order.hpp"
#include "graph/primitives/rule.hpp"
#include "graph/primitives/shape.hpp"
#include "graph/tracing.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"

namespace overtake {
namespace {

// What indices mean for an array of a shape.
struct Parts {
  std::vector<Region> regions;        // of each axis of the array
  std::vector<std::int64_t> counts;   // of the regions
  std::vector<std::int64_t> extents;  // of the result: without the axes of places, with the new ones
};

[[noreturn]] void refuse_place(std::string_view name, std::string_view place, std::size_t axis, const Shape& shape) {
  const std::int64_t extent = shape[axis];
  throw UsageError(
      fmt::format("[{}] index {} is outside of axis {} of an array of shape {}", name, place, axis, shape.to_string()),
      extent == 0
          ? "The axis has no elements."
          : fmt::format("Places go from {} to {}; clip() the indices, or choose with where().", -extent, extent - 1));
}

// Ellipsis and the axes behind the last index, written out.
std::vector<Index> written_out(std::string_view name, const std::vector<Index>& indices, const Shape& shape) {
  std::size_t used = 0, ellipses = 0;
  for (const Index& index : indices) {
    const bool all = std::holds_alternative<Ellipsis>(index.value());
    ellipses += all ? 1 : 0;
    used += all || std::holds_alternative<NewAxis>(index.value()) ? 0 : 1;
  }
  if (ellipses > 1)
    throw UsageError(fmt::format("[{}] {} ellipses in one index, expected at most one", name, ellipses));
  if (used > shape.rank()) {
    throw UsageError(fmt::format("[{}] {} indices for an array of shape {}", name, used, shape.to_string()),
                     fmt::format("It has {} axes; newaxis adds one.", shape.rank()));
  }
  std::vector<Index> result;
  const auto add_whole = [&] { result.insert(result.end(), shape.rank() - used, Index(Slice())); };
  for (const Index& index : indices) {
    if (std::holds_alternative<Ellipsis>(index.value())) {
      add_whole();
    } else {
      result.push_back(index);
    }
  }
  if (ellipses == 0) add_whole();
  return result;
}

Parts parts_of(std::string_view name, const std::vector<Index>& indices, const Array& a) {
  graph::require_defined(name, a);
  const Shape& shape = a.shape();
  Parts parts;
  for (const Index& index : written_out(name, indices, shape)) {
    if (std::holds_alternative<NewAxis>(index.value())) {
      parts.extents.push_back(1);
      continue;
    }
    const std::size_t axis = parts.regions.size();
    const std::int64_t extent = shape[axis];
    if (const auto* slice = std::get_if<Slice>(&index.value())) {
      parts.regions.push_back(graph::places_of(name, *slice, extent));
      parts.extents.push_back(parts.regions.back().count);
    } else {
      const std::int64_t place = std::get<std::int64_t>(index.value());
      if (place < -extent || place >= extent) refuse_place(name, fmt::to_string(place), axis, shape);
      parts.regions.push_back({place < 0 ? place + extent : place, 1, 1});
    }
    parts.counts.push_back(parts.regions.back().count);
  }
  return parts;
}

// slice() by a region: the end of a negative step may lie before the first place, which has no number.
Array sliced(const Array& a, const Region& region, std::size_t axis) {
  const auto [begin, count, step] = region;
  if (count == 0) return slice(a, 0, 0, static_cast<int>(axis));
  const std::int64_t last = begin + (count - 1) * step;
  const std::int64_t end = step > 0 ? last + 1 : last - 1;
  return slice(a, begin, end < 0 ? std::nullopt : std::optional(end), static_cast<int>(axis), step);
}

template <typename T>
void check_values(const std::byte* values, std::int64_t count, std::int64_t extent, std::string_view name,
                  std::size_t axis, const Shape& shape) {
  for (std::int64_t i = 0; i < count; ++i) {
    T place{};
    std::memcpy(&place, values + static_cast<std::size_t>(i) * sizeof(T), sizeof(T));
    const bool above = place >= 0 && static_cast<std::uint64_t>(place) >= static_cast<std::uint64_t>(extent);
    if (above || (place < 0 && static_cast<std::int64_t>(place) < -extent)) {
      refuse_place(name, fmt::to_string(place), axis, shape);
    }
  }
}

void check_memory(const std::byte* values, DType dtype, std::int64_t count, std::int64_t extent, std::string_view name,
                  std::size_t axis, const Shape& shape) {
  const auto check = [&]<typename T>(T) { check_values<T>(values, count, extent, name, axis, shape); };
  switch (dtype) {
    case DType::int8: return check(std::int8_t());
    case DType::int16: return check(std::int16_t());
    case DType::int32: return check(std::int32_t());
    case DType::int64: return check(std::int64_t());
    case DType::uint8: return check(std::uint8_t());
    case DType::uint16: return check(std::uint16_t());
    case DType::uint32: return check(std::uint32_t());
    default: return check(std::uint64_t());
  }
}

}  // namespace

namespace graph {
namespace {

bool is_here(const Node& node) { return node.device != nullptr && node.device->is_host(); }
bool is_traced(const Array& array) { return current_trace() != 0 || array.node()->trace != 0; }

}  // namespace

bool is_read_for_checks(const Array& array) {
  return !is_traced(array) && (is_here(*array.node()) || config::check_indices());
}

void check_places(std::string_view name, const Array& indices, std::size_t axis, const Shape& shape) {
  const Node& node = *indices.node();
  if (indices.size() == 0 || is_traced(indices)) return;
  if (const std::optional<Number> constant = constant_value(indices)) {
    const double place = to_double(*constant);
    const auto extent = static_cast<double>(shape[axis]);
    if (place < -extent || place >= extent) refuse_place(name, fmt::to_string(place), axis, shape);
    return;
  }
  if (!is_read_for_checks(indices)) return;
  indices.eval();
  const auto check = [&](const std::byte* values) {
    check_memory(values, node.dtype, indices.size(), shape[axis], name, axis, shape);
  };
  if (is_here(node)) return check(reinterpret_cast<const std::byte*>(node.buffer->handle()));
  std::vector<std::byte> values(static_cast<std::size_t>(indices.size()) * size_of(node.dtype));
  indices.to_memory(values.data());
  check(values.data());
}

}  // namespace graph

Array Array::operator[](std::initializer_list<Index> indices) const { return indexed(*this, indices); }

Array indexed(const Array& a, const std::vector<Index>& indices) {
  const Parts parts = parts_of("index", indices, a);
  Array result = a;
  for (std::size_t axis = 0; axis < parts.regions.size(); ++axis) result = sliced(result, parts.regions[axis], axis);
  return reshape(result, parts.extents);
}

Array assigned_at(const Array& a, const std::vector<Index>& indices, const Array& values) {
  const Parts parts = parts_of("assigned_at", indices, a);
  graph::require_defined("assigned_at", values);
  const Shape part(parts.extents);
  if (broadcast_shapes(values.shape(), part) != part) {
    throw UsageError(fmt::format("[assigned_at] values of shape {} for a part of shape {} of an array of shape {}",
                                 values.shape().to_string(), part.to_string(), a.shape().to_string()));
  }
  const Array spread = broadcast_to(graph::fitting("assigned_at", values, a.dtype()), part);
  return assigned(a, parts.regions, reshape(spread, parts.counts));
}

}  // namespace overtake
