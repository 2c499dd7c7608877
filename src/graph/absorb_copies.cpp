// SPDX-License-Identifier: MIT
#include <vector>

#include "graph/partition.hpp"
#include "graph/primitives/shape.hpp"

namespace overtake::graph {
namespace {

// Elements of the pooled images. Up to here a launch takes longer than what reads far from each other cost.
constexpr std::int64_t most_elements = 1 << 18;

class Absorber {
 public:
  explicit Absorber(Partition& plan) : plan_(plan), readers_(plan.nodes.size(), 0), reader_(plan.nodes.size(), -1) {
    for (std::size_t i = 0; i < plan_.nodes.size(); ++i) {
      for (const int input : plan_.nodes[i].inputs) {
        ++readers_[index(input)];
        reader_[index(input)] = static_cast<int>(i);
      }
    }
  }

  void run() {
    for (int i = 0; i < static_cast<int>(plan_.nodes.size()); ++i) {
      if (!is_copy(i)) continue;
      if (!absorb_behind_pool(i)) absorb_before_gradient(i);
    }
  }

 private:
  static std::size_t index(int i) { return static_cast<std::size_t>(i); }
  [[nodiscard]] PlannedNode& at(int i) { return plan_.nodes[index(i)]; }

  [[nodiscard]] bool is_copy(int i) {
    const PlannedNode& each = at(i);
    return each.kind == NodeKind::elementwise && !each.target && each.node->primitive->name() == "copy" &&
           each.node->shape.rank() == 4 && each.node->shape.size() <= most_elements;
  }
  [[nodiscard]] Core::Pooling pooling_of(int i) {
    if (at(i).kind != NodeKind::core) return Core::Pooling::none;
    return static_cast<const Core&>(*at(i).node->primitive).pooling();
  }
  [[nodiscard]] bool is_hidden(int i) { return readers_[index(i)] == 1 && !at(i).target; }

  // pool -> seen with the channels first -> copy, and nothing else reads the first two.
  bool absorb_behind_pool(int copy) {
    const int view = at(copy).inputs[0];
    if (at(view).kind != NodeKind::view || !is_hidden(view) || at(view).inputs.size() != 1) return false;
    const int pool = at(view).inputs[0];
    if (pooling_of(pool) != Core::Pooling::forward || !is_hidden(pool)) return false;
    if (order_of(*at(view).node) != std::vector<int>{0, 3, 1, 2}) return false;
    at(pool).turned = true;
    at(copy).kind = NodeKind::view;
    for (Resolved& each : plan_.resolved) {
      if (each.base == copy) each.base = pool;
    }
    return true;
  }

  // Gradients by pooled images in (n, c, p, q), copied to be read with the channels last by pooling's gradient alone.
  void absorb_before_gradient(int copy) {
    if (!is_hidden(copy)) return;
    const int gradient = reader_[index(copy)];
    if (pooling_of(gradient) != Core::Pooling::gradient || at(gradient).inputs.back() != copy) return;
    const Resolved& from = plan_.resolve(at(copy).inputs[0]);
    const PlannedNode& base = at(from.base);
    const Shape& shape = at(copy).node->shape;
    const Layout first = row_major(Shape{shape[0], shape[3], shape[1], shape[2]});
    const Layout wanted{from.layout.offset, {first.strides[0], first.strides[2], first.strides[3], first.strides[1]}};
    if (base.kind == NodeKind::constant || base.node->dtype != at(copy).node->dtype || from.layout != wanted) return;
    at(copy).kind = NodeKind::view;
    plan_.resolved[index(copy)] = {from.base, from.layout, false};
  }

  Partition& plan_;
  std::vector<int> readers_, reader_;  // of each node: how many, and the last one
};

}  // namespace

void absorb_copies(Partition& plan) { Absorber(plan).run(); }

}  // namespace overtake::graph
