// SPDX-License-Identifier: MIT
#include "graph/partition.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "graph/primitives/shape.hpp"
#include "overtake/error.hpp"

namespace overtake::graph {
namespace {

// Kernels take their operands as arguments; the oldest OpenCL devices guarantee 1,024 bytes of them.
constexpr int most_loads = 24;
constexpr std::size_t most_members = 96;

NodeKind kind_of(const Node& node) {
  if (node.buffer != nullptr) return NodeKind::leaf;
  const Primitive* primitive = node.primitive.get();
  if (dynamic_cast<const Elementwise*>(primitive) != nullptr) return NodeKind::elementwise;
  if (dynamic_cast<const View*>(primitive) != nullptr) return NodeKind::view;
  if (dynamic_cast<const Constant*>(primitive) != nullptr) return NodeKind::constant;
  if (dynamic_cast<const Core*>(primitive) != nullptr) return NodeKind::core;
  throw InternalError("a graph node is neither a leaf nor a known kind of primitive");
}

std::vector<Node*> reachable(std::span<const std::shared_ptr<Node>> targets) {
  std::vector<Node*> found;
  std::unordered_set<const Node*> seen;
  std::vector<Node*> open;
  for (const auto& target : targets) open.push_back(target.get());
  while (!open.empty()) {
    Node* node = open.back();
    open.pop_back();
    if (!seen.insert(node).second) continue;
    found.push_back(node);
    if (node->buffer != nullptr) continue;
    for (const auto& input : node->inputs) open.push_back(input.get());
  }
  std::sort(found.begin(), found.end(), [](const Node* a, const Node* b) { return a->id < b->id; });
  return found;
}

std::vector<std::pair<std::int64_t, std::int64_t>> without_units(const Shape& shape, const Layout& layout) {
  std::vector<std::pair<std::int64_t, std::int64_t>> axes;
  for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
    if (shape[axis] != 1) axes.emplace_back(shape[axis], layout.strides[axis]);
  }
  return axes;
}

class Grouper {
 public:
  explicit Grouper(Partition& plan) : plan_(plan) {}

  void run() {
    for (int i = 0; i < count(); ++i) {
      if (is_reduction(i)) inline_producers(i);
    }
    for (int i = 0; i < count(); ++i) place(i);
    for (int i = 0; i < count(); ++i) mark_stored(i);
    for (int i = count() - 1; i >= 0; --i) sink(i);
  }

 private:
  [[nodiscard]] int count() const { return static_cast<int>(plan_.nodes.size()); }
  [[nodiscard]] PlannedNode& at(int i) { return plan_.nodes[static_cast<std::size_t>(i)]; }
  [[nodiscard]] Group& group(int i) { return plan_.groups[static_cast<std::size_t>(i)]; }

  [[nodiscard]] bool is_reduction(int i) {
    return at(i).kind == NodeKind::core && static_cast<const Core&>(*at(i).node->primitive).computes_its_input();
  }

  [[nodiscard]] bool positional(int i) { return static_cast<const Elementwise&>(*at(i).node->primitive).positional(); }

  // True if every operand of element-wise node i can be addressed over `extent`, apart from values of `skip` groups.
  [[nodiscard]] bool addressable(int i, const Shape& extent) {
    const Shape& shape = at(i).node->shape;
    if (shape.size() != extent.size()) return false;
    if (positional(i)) return shape == extent;
    return std::all_of(at(i).inputs.begin(), at(i).inputs.end(), [&](int input) {
      const Resolved from = plan_.resolve(input);
      Layout unused;
      return at(from.base).kind == NodeKind::constant || restride(shape, from.layout, extent, unused);
    });
  }

  void inline_producers(int reduction) {
    const Resolved source = plan_.resolve(at(reduction).inputs[0]);
    if (!source.whole) return;
    const Shape& extent = at(at(reduction).inputs[0]).node->shape;
    int loads = 0;
    for (int i = source.base; i >= 0; --i) {
      PlannedNode& each = at(i);
      if (each.kind != NodeKind::elementwise || each.target || each.users.empty() || each.inlined_into >= 0) continue;
      const bool feeds_only = std::all_of(each.users.begin(), each.users.end(), [&](int user) {
        return user == reduction || at(user).inlined_into == reduction;
      });
      if (!feeds_only || !reached_whole(i, reduction) || !addressable(i, extent)) continue;
      if (loads + static_cast<int>(each.inputs.size()) > most_loads) continue;
      loads += static_cast<int>(each.inputs.size());
      each.inlined_into = reduction;
    }
  }

  // True if every user of node i sees it whole, in its own order.
  [[nodiscard]] bool reached_whole(int i, int reduction) {
    return std::all_of(at(i).users.begin(), at(i).users.end(), [&](int user) {
      if (user != reduction && at(user).inlined_into != reduction) return true;
      return std::all_of(at(user).inputs.begin(), at(user).inputs.end(), [&](int input) {
        const Resolved from = plan_.resolve(input);
        return from.base != i || from.whole;
      });
    });
  }

  void place(int i) {
    PlannedNode& each = at(i);
    if (each.inlined_into >= 0) return;
    if (each.kind == NodeKind::core) {
      open_group(i);
    } else if (each.kind == NodeKind::elementwise) {
      const int chosen = group_to_join(i);
      if (chosen >= 0) {
        settle(i, chosen);
      } else if (can_float(i)) {
        each.floating = true;
      } else {
        open_group(i);
      }
    }
  }

  void open_group(int i) {
    const bool core = at(i).kind == NodeKind::core;
    plan_.groups.push_back({.core = core ? i : -1, .extent = at(i).node->shape, .members = {}, .loads = 0});
    const int opened = static_cast<int>(plan_.groups.size()) - 1;
    if (core) {
      at(i).group = opened;
    } else {
      settle(i, opened);
    }
  }

  // Makes the node, and the nodes that floated down to it, members of a group.
  void settle(int i, int chosen) {
    for (const int input : at(i).inputs) {
      const int base = plan_.resolve(input).base;
      if (at(base).floating) settle(base, chosen);
    }
    at(i).floating = false;
    at(i).group = chosen;
    std::vector<int>& members = group(chosen).members;
    members.insert(std::lower_bound(members.begin(), members.end(), i), i);
    group(chosen).loads += static_cast<int>(at(i).inputs.size());
  }

  // A node that can join no group yet and has a single element-wise user is computed where that user is.
  [[nodiscard]] bool can_float(int i) {
    const PlannedNode& each = at(i);
    if (each.target || each.users.size() != 1) return false;
    const int user = each.users[0];
    if (at(user).kind != NodeKind::elementwise || at(user).inlined_into >= 0) return false;
    if (at(user).node->shape != each.node->shape) return false;
    return std::all_of(at(user).inputs.begin(), at(user).inputs.end(), [&](int input) {
      const Resolved from = plan_.resolve(input);
      return from.base != i || from.whole;
    });
  }

  // What a node needs: the latest group whose values it could use as they are computed, and the latest group that must
  // have finished before.
  struct Need {
    int join = -1;
    int after = -1;
    int loads = 0;
  };

  void add_needs(int i, Need& need) {
    need.loads += static_cast<int>(at(i).inputs.size());
    for (const int input : at(i).inputs) {
      const Resolved from = plan_.resolve(input);
      if (at(from.base).floating) {
        add_needs(from.base, need);
      } else if (const int g = at(from.base).group; from.whole) {
        need.join = std::max(need.join, g);
      } else {
        need.after = std::max(need.after, g);
      }
    }
  }

  [[nodiscard]] bool addressable_with_floats(int i, const Shape& extent) {
    return addressable(i, extent) && std::all_of(at(i).inputs.begin(), at(i).inputs.end(), [&](int input) {
             const int base = plan_.resolve(input).base;
             return !at(base).floating || addressable_with_floats(base, extent);
           });
  }

  // A scalar computed from leaves alone (a counter) rides along with the newest scalar operation, if nothing reads the
  // same leaves after that: a counter may still be updated in place then.
  [[nodiscard]] int group_to_ride_with(int i) {
    int newest = static_cast<int>(plan_.groups.size()) - 1;
    while (newest >= 0 && group(newest).extent.size() != 1) --newest;
    for (const int input : at(i).inputs) {
      for (const int user : at(plan_.resolve(input).base).users) {
        if (user != i && (at(user).group < 0 || at(user).group > newest)) return -1;
      }
    }
    return newest;
  }

  [[nodiscard]] int group_to_join(int i) {
    Need need;
    add_needs(i, need);
    int latest = need.join;
    if (latest < 0 && need.after < 0 && at(i).node->shape.size() == 1 && !can_float(i)) latest = group_to_ride_with(i);
    if (latest < 0 || latest <= need.after) return -1;
    const Group& candidate = group(latest);
    const bool room = candidate.loads + need.loads <= most_loads && candidate.members.size() < most_members;
    return room && addressable_with_floats(i, candidate.extent) ? latest : -1;
  }

  // A value that is stored only for one later operation, and whose own inputs are in memory anyway, is computed there
  // instead: the sign of an activation, say, in the backward pass.
  void sink(int i) {
    PlannedNode& each = at(i);
    if (each.kind != NodeKind::elementwise || each.group < 0 || !each.stored || !can_float(i)) return;
    const int to = at(each.users[0]).group;
    const bool inputs_in_memory = std::all_of(each.inputs.begin(), each.inputs.end(), [&](int input) {
      const PlannedNode& base = at(plan_.resolve(input).base);
      return base.kind == NodeKind::leaf || base.kind == NodeKind::constant || base.stored;
    });
    std::vector<int>& from = group(each.group).members;
    const bool leaves_something = from.size() > 1 || group(each.group).core >= 0;
    const int loads = group(to).loads + static_cast<int>(each.inputs.size());
    if (!inputs_in_memory || !leaves_something || loads > most_loads || !addressable(i, group(to).extent)) return;
    std::erase(from, i);
    std::vector<int>& members = group(to).members;
    members.insert(std::lower_bound(members.begin(), members.end(), i), i);
    group(to).loads = loads;
    each.group = to;
    each.stored = false;
  }

  void mark_stored(int i) {
    PlannedNode& each = at(i);
    if (each.group < 0) return;
    each.stored = each.target;
    for (const int user : each.users) {
      const bool elsewhere =
          at(user).kind == NodeKind::core || at(user).inlined_into >= 0 || at(user).group != each.group;
      each.stored = each.stored || elsewhere;
    }
  }

  Partition& plan_;
};

}  // namespace

bool restride(const Shape& shape, const Layout& layout, const Shape& extent, Layout& result) {
  result = Layout{.offset = layout.offset, .strides = {}};
  if (shape == extent) {
    result.strides = layout.strides;
    return true;
  }
  if (is_row_major(layout, shape)) {
    result.strides = row_major(extent).strides;
    return true;
  }
  const auto axes = without_units(shape, layout);
  if (std::all_of(axes.begin(), axes.end(), [](const auto& axis) { return axis.second == 0; })) return true;
  std::size_t next = 0;
  for (std::size_t axis = 0; axis < extent.rank(); ++axis) {
    if (extent[axis] == 1) continue;
    if (next >= axes.size() || axes[next].first != extent[axis]) return false;
    result.strides[axis] = axes[next++].second;
  }
  return next == axes.size();
}

Resolved Partition::resolve(int index) const {
  std::vector<int> chain;
  int base = index;
  while (nodes[static_cast<std::size_t>(base)].kind == NodeKind::view) {
    chain.push_back(base);
    base = nodes[static_cast<std::size_t>(base)].inputs[0];
  }
  const Node* at = nodes[static_cast<std::size_t>(base)].node;
  const std::int64_t base_size = at->shape.size();
  Layout layout = row_major(at->shape);
  for (std::size_t i = chain.size(); i-- > 0;) {
    const Node* view = nodes[static_cast<std::size_t>(chain[i])].node;
    layout = static_cast<const View&>(*view->primitive).apply(layout, at->shape, view->shape);
    at = view;
  }
  const bool whole = layout.offset == 0 && at->shape.size() == base_size && is_row_major(layout, at->shape);
  return {base, layout, whole};
}

Partition partition(std::span<const std::shared_ptr<Node>> targets) {
  Partition plan;
  std::unordered_map<const Node*, int> index;
  for (Node* node : reachable(targets)) {
    index[node] = static_cast<int>(plan.nodes.size());
    PlannedNode planned;
    planned.node = node;
    planned.kind = kind_of(*node);
    if (planned.kind != NodeKind::leaf) {
      for (const auto& input : node->inputs) planned.inputs.push_back(index.at(input.get()));
    }
    plan.nodes.push_back(std::move(planned));
  }
  for (const auto& target : targets) plan.nodes[static_cast<std::size_t>(index.at(target.get()))].target = true;
  for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
    if (plan.nodes[i].kind == NodeKind::view) continue;
    for (const int input : plan.nodes[i].inputs) {
      plan.nodes[static_cast<std::size_t>(plan.resolve(input).base)].users.push_back(static_cast<int>(i));
    }
  }
  Grouper(plan).run();
  return plan;
}

}  // namespace overtake::graph
