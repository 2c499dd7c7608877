// SPDX-License-Identifier: MIT
// Arrays over memory of somebody else.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "backend/api/foreign_buffer.hpp"
#include "core/checked.hpp"
#include "graph/node.hpp"
#include "graph/primitive.hpp"
#include "overtake/dlpack.hpp"
#include "overtake/error.hpp"
#include "overtake/ops.hpp"

namespace overtake {
namespace {

// Any strides over a flat leaf. Nothing is differentiated by the leaf, which no one has a handle to.
class Strided final : public graph::View {
 public:
  explicit Strided(graph::Layout layout) : layout_(layout) {}
  [[nodiscard]] std::string_view name() const override { return "strided"; }
  void sign(graph::Signature& signature) const override {
    signature.add(static_cast<std::uint64_t>(layout_.offset));
    for (const std::int64_t stride : layout_.strides) signature.add(static_cast<std::uint64_t>(stride));
  }
  [[nodiscard]] graph::Layout apply(const graph::Layout&, const Shape&, const Shape&) const override { return layout_; }
  [[nodiscard]] std::vector<Array> vjp(const std::vector<Array>&, const Array&, const Array&,
                                       const std::vector<bool>&) const override {
    return {Array()};
  }

 private:
  graph::Layout layout_;
};

// The elements from the lowest to the highest address, relative to the first one.
struct Span {
  std::int64_t lowest = 0, highest = 0;
};

Span span_of(const Shape& shape, const std::vector<std::int64_t>& strides) {
  Span span;
  for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
    const std::int64_t reach = checked_mul(shape[axis] - 1, strides[axis], "the strides of imported memory");
    std::int64_t& end = reach < 0 ? span.lowest : span.highest;
    end = checked_add(end, reach, "the strides of imported memory");
  }
  return span;
}

bool is_row_major(const Shape& shape, const std::vector<std::int64_t>& strides) {
  std::int64_t expected = 1;
  for (std::size_t axis = shape.rank(); axis-- > 0;) {
    if (shape[axis] > 1 && strides[axis] != expected) return false;
    expected *= shape[axis];
  }
  return true;
}

std::vector<std::int64_t> row_major_strides(const Shape& shape) {
  const graph::Layout layout = graph::row_major(shape);
  return {layout.strides.begin(), layout.strides.begin() + static_cast<std::ptrdiff_t>(shape.rank())};
}

void require_shareable(std::string_view name, const Device& device) {
  if (device.info().kind == DeviceKind::cpu || device.info().backend == "cuda") return;
  throw UsageError(
      fmt::format("[{}] memory of {} cannot be shared, that of cpu and cuda devices can", name, device.id()),
      "Move the array with to(\"cpu\").");
}

// Elements of the computer's memory at addresses that processors do not load them from.
Array copied_from(const ForeignMemory& memory, const std::vector<std::int64_t>& strides) {
  const std::size_t size = size_of(memory.dtype);
  const auto* from = static_cast<const std::byte*>(memory.data);
  std::vector<std::byte> values(static_cast<std::size_t>(memory.shape.size()) * size);
  std::vector<std::int64_t> at(memory.shape.rank(), 0);
  for (std::size_t to = 0; to < values.size(); to += size) {
    std::int64_t place = 0;
    for (std::size_t axis = 0; axis < at.size(); ++axis) place += at[axis] * strides[axis];
    std::memcpy(values.data() + to, from + place * static_cast<std::int64_t>(size), size);
    for (std::size_t axis = at.size(); axis > 0; --axis) {
      std::int64_t& place_on_axis = at[axis - 1];
      ++place_on_axis;
      if (place_on_axis < memory.shape[axis - 1]) break;
      place_on_axis = 0;
    }
  }
  return Array::from_memory(values.data(), memory.shape.size(), memory.dtype, memory.shape, memory.device);
}

Array viewed(const ForeignMemory& memory, const std::vector<std::int64_t>& strides) {
  constexpr std::uintptr_t alignment = 256;  // of buffers
  const auto size = static_cast<std::int64_t>(size_of(memory.dtype));
  const auto first = reinterpret_cast<std::uintptr_t>(memory.data);
  const bool on_host = memory.device.impl().is_host();
  const auto leaf = [&](const Shape& shape, std::uintptr_t begin) {
    const auto bytes = static_cast<std::size_t>(checked_mul(shape.size(), size, "imported memory"));
    return graph::make_leaf(shape, memory.dtype,
                            std::make_shared<backend::ForeignBuffer>(memory.device.impl(), begin, bytes, memory.owner));
  };
  // The CPU's code takes elements from any address that is a multiple of their size.
  const bool aligned = on_host || first % alignment == 0;
  if (aligned && is_row_major(memory.shape, strides)) return leaf(memory.shape, first);
  const Span span = span_of(memory.shape, strides);
  const std::uintptr_t lowest = first + static_cast<std::uintptr_t>(span.lowest * size);
  // Elsewhere the buffer begins at an aligned address before, which nothing reads.
  const std::uintptr_t begin = on_host ? lowest : lowest / alignment * alignment;
  const auto before = static_cast<std::int64_t>(lowest - begin) / size;
  const Array flat = leaf(Shape{before + span.highest - span.lowest + 1}, begin);
  graph::Layout layout{.offset = before - span.lowest, .strides = {}};
  std::copy(strides.begin(), strides.end(), layout.strides.begin());
  return graph::make_node(std::make_shared<Strided>(layout), {flat}, memory.shape, memory.dtype);
}

}  // namespace

Array from_foreign(const ForeignMemory& memory) {
  require_shareable("from_foreign", memory.device);
  if (memory.shape.size() == 0) return zeros(memory.shape, memory.dtype, memory.device);
  const std::vector<std::int64_t> strides = memory.strides.value_or(row_major_strides(memory.shape));
  if (strides.size() != memory.shape.rank()) {
    throw UsageError(fmt::format("[from_foreign] {} strides for shape {}", strides.size(), memory.shape.to_string()),
                     "One for each axis.");
  }
  if (memory.data == nullptr) throw UsageError("[from_foreign] the address is null");
  if (reinterpret_cast<std::uintptr_t>(memory.data) % size_of(memory.dtype) == 0) return viewed(memory, strides);
  if (memory.device.impl().is_host()) return copied_from(memory, strides);
  throw UsageError(fmt::format("[from_foreign] an address on {} that is no multiple of {} bytes", memory.device.id(),
                               size_of(memory.dtype)),
                   "Copy the values on their side first.");
}

std::uintptr_t address_of(const Array& array) {
  require_shareable("address_of", array.device());
  array.eval();
  return array.node()->buffer->handle();
}

std::uintptr_t stream_of(const Device& device) { return device.impl().stream_handle(); }

}  // namespace overtake
