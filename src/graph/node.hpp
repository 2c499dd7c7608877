// SPDX-License-Identifier: MIT
// A node of the lazy graph: what overtake::Array is a handle to.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "backend/api/device.hpp"
#include "overtake/array.hpp"

namespace overtake::graph {

class Primitive;
class Constant;
enum class NodeKind : std::uint8_t;

/// Where the gradient of a leaf is accumulated. The handles (Array) to the leaf own it, and the leaf through it. The
/// leaf itself only knows it: a gradient that nobody evaluated leads back to the leaf, which would keep both for ever.
struct GradientSlot {
  Array gradient;
  std::shared_ptr<Node> leaf;
};

/// Either a leaf (buffer set, no primitive) or a computation (primitive and inputs; buffer set once evaluated).
/// Ids grow with creation, so ascending ids are a topological order.
struct Node : std::enable_shared_from_this<Node> {
  std::uint64_t id = 0;
  Shape shape;
  DType dtype = DType::float32;
  backend::Device* device = nullptr;  ///< null for constants that take any device
  std::shared_ptr<const Primitive> primitive;
  std::vector<std::shared_ptr<Node>> inputs;
  std::shared_ptr<backend::Buffer> buffer;
  std::weak_ptr<GradientSlot> gradient;  ///< of a leaf that requires a gradient, while there are handles to it
  bool needs_gradient = false;           ///< this or an input requires a gradient
  int view_depth = 0;                    ///< views upon views down to values; bounded
  bool frozen = false;                   ///< a leaf whose owner said that it needs no gradient
  std::uint64_t trace = 0;               ///< number of the trace that made it (graph/tracing.hpp); 0: none

  Node();
  ~Node();  ///< releases long chains without recursion
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
};

[[nodiscard]] NodeKind kind_of(const Node& node) noexcept;
/// The constant that the node is, not a view of one; null for others.
[[nodiscard]] const Constant* constant_of(const Node& node) noexcept;

/// While one of these lives, this thread's new nodes do not require gradients: first derivatives are not differentiated
/// again unless asked for, so they need not keep what they were computed from.
class NoGradient {
 public:
  NoGradient() noexcept;
  ~NoGradient();
  NoGradient(const NoGradient&) = delete;
  NoGradient& operator=(const NoGradient&) = delete;
  /// For languages without scopes: `change` more of them live on this thread.
  static void change_depth(int change) noexcept;
};

/// A leaf over a finished buffer.
[[nodiscard]] Array make_leaf(const Shape& shape, DType dtype, std::shared_ptr<backend::Buffer> buffer);

/// A computation. The device is that of the inputs; throws UsageError("[name] ...") when they differ.
[[nodiscard]] Array make_node(std::shared_ptr<const Primitive> primitive, const std::vector<Array>& inputs,
                              const Shape& shape, DType dtype);

/// The same, on a named device (for primitives without inputs).
[[nodiscard]] Array make_source(std::shared_ptr<const Primitive> primitive, const Shape& shape, DType dtype,
                                backend::Device* device);

}  // namespace overtake::graph
