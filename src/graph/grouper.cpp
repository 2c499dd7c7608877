// SPDX-License-Identifier: MIT
// Which nodes are computed together in one operation.
#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "graph/partition.hpp"
#include "graph/primitives/shape.hpp"

namespace overtake::graph {
namespace {

// What a node adds to a tape: its instructions as it writes them, and a load for each input that is no constant.
Cost cost_of(const PlannedNode& planned) {
  if (planned.kind != NodeKind::elementwise) return {};
  backend::Tape tape;
  TapeBuilder builder(tape);
  std::vector<std::uint16_t> inputs;
  for (const auto& input : planned.node->inputs) {
    inputs.push_back(builder.core(backend::value_type_of(input->dtype)));  // stands for a value of its type
  }
  (void)static_cast<const Elementwise&>(*planned.node->primitive).emit(builder, inputs);
  const auto is_constant = [](const std::shared_ptr<Node>& input) { return constant_value(Array(input)).has_value(); };
  const auto constants = std::count_if(planned.node->inputs.begin(), planned.node->inputs.end(), is_constant);
  return {static_cast<int>(static_cast<std::ptrdiff_t>(inputs.size()) - constants), static_cast<int>(tape.code.size())};
}

class Grouper {
 public:
  Grouper(Partition& plan, const backend::FusionLimits& limits)
      : plan_(plan), limits_(limits), own_(plan.nodes.size()), floats_(plan.nodes.size()) {}

  void run() {
    for (int i = 0; i < count(); ++i) own_[index(i)] = cost_of(at(i));
    for (int i = 0; i < count(); ++i) {
      if (is_reduction(i)) inline_producers(i);
    }
    for (int i = 0; i < count(); ++i) place(i);
    for (int i = 0; i < count(); ++i) mark_stored(i);
    for (int i = count() - 1; i >= 0; --i) sink(i);
    store_before_widening();
    cut_by_stores();
  }

 private:
  [[nodiscard]] int count() const { return static_cast<int>(plan_.nodes.size()); }
  [[nodiscard]] static std::size_t index(int i) { return static_cast<std::size_t>(i); }
  [[nodiscard]] PlannedNode& at(int i) { return plan_.nodes[index(i)]; }
  [[nodiscard]] Group& group(int i) { return plan_.groups[index(i)]; }
  /// Of the node with everything that floated down to it; within the limits.
  [[nodiscard]] Cost whole_cost(int i) const { return own_[index(i)] + floats_[index(i)]; }

  [[nodiscard]] bool is_reduction(int i) {
    return at(i).kind == NodeKind::core && static_cast<const Core&>(*at(i).node->primitive).computes_its_input();
  }

  // True if element-wise node i may join the group.
  [[nodiscard]] bool is_open(int g, int i) {
    const int core = group(g).core;
    const auto epilogue =
        core < 0 ? Core::Epilogue::any : static_cast<const Core&>(*at(core).node->primitive).epilogue();
    if (epilogue != Core::Epilogue::narrowing) return epilogue == Core::Epilogue::any;
    return at(i).node->dtype == DType::bfloat16 && at(i).node->primitive->name() == "astype";
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

  // Walks from the reduction towards the leaves, users before what they use.
  void inline_producers(int reduction) {
    const Resolved source = plan_.resolve(at(reduction).inputs[0]);
    if (!source.whole) return;
    const Shape& extent = at(at(reduction).inputs[0]).node->shape;
    Cost& cost = own_[index(reduction)];
    std::set<int, std::greater<>> open{source.base};
    while (!open.empty()) {
      const int i = *open.begin();
      open.erase(open.begin());
      PlannedNode& each = at(i);
      if (each.kind != NodeKind::elementwise || each.target || each.users.empty() || each.inlined_into >= 0) continue;
      const bool feeds_only = std::all_of(each.users.begin(), each.users.end(), [&](int user) {
        return user == reduction || at(user).inlined_into == reduction;
      });
      if (!feeds_only || !reached_whole(i, reduction) || !addressable(i, extent)) continue;
      if (!(cost + own_[index(i)]).within(limits_)) continue;
      cost = cost + own_[index(i)];
      each.inlined_into = reduction;
      for (const int input : each.inputs) open.insert(plan_.resolve(input).base);
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
      } else if (can_float(i) && reserve(i)) {
        each.floating = true;
      } else {
        open_group(i);
      }
    }
  }

  void open_group(int i) {
    const bool core = at(i).kind == NodeKind::core;
    const Shape& shape = at(i).node->shape;
    const Shape extent = at(i).turned ? Shape{shape[0], shape[3], shape[1], shape[2]} : shape;
    plan_.groups.push_back({.core = core ? i : -1, .extent = extent, .members = {}, .cost = {}});
    const int opened = static_cast<int>(plan_.groups.size()) - 1;
    if (core) {
      at(i).group = opened;
      group(opened).cost = {own_[index(i)].loads, 1};  // what is inlined has a tape of its own
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
    group(chosen).cost = group(chosen).cost + own_[index(i)];
  }

  // True if the only user of a node will have room for it.
  [[nodiscard]] bool reserve(int i) {
    const int user = at(i).users[0];
    if (!(whole_cost(user) + whole_cost(i)).within(limits_)) return false;
    floats_[index(user)] = floats_[index(user)] + whole_cost(i);
    return true;
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
  };

  void add_needs(int i, Need& need) {
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
    constexpr int most_looked_at = 64;  // bounds the work for each node of a long graph
    const int last = static_cast<int>(plan_.groups.size()) - 1;
    int newest = last;
    while (newest >= 0 && last - newest < most_looked_at && group(newest).extent.size() != 1) --newest;
    if (newest < 0 || group(newest).extent.size() != 1 || !is_open(newest, i)) return -1;
    for (const int input : at(i).inputs) {
      const std::vector<int>& users = at(plan_.resolve(input).base).users;
      if (users.size() > most_looked_at) return -1;
      for (const int user : users) {
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
    if (latest < 0 || latest <= need.after || !is_open(latest, i)) return -1;
    const Group& candidate = group(latest);
    const bool room = (candidate.cost + whole_cost(i)).within(limits_);
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
    const Cost cost = group(to).cost + own_[index(i)];
    if (!inputs_in_memory || !leaves_something || !cost.within(limits_) || !addressable(i, group(to).extent)) return;
    std::erase(from, i);
    std::vector<int>& members = group(to).members;
    members.insert(std::lower_bound(members.begin(), members.end(), i), i);
    group(to).cost = cost;
    each.group = to;
    each.stored = false;
  }

  // What node i was converted from, where it is stored for element-wise functions alone, which could as well read the
  // half as wide numbers that it was made of; else -1.
  [[nodiscard]] int before_widening(int i) {
    const PlannedNode& each = at(i);
    if (each.kind != NodeKind::elementwise || each.group < 0 || !each.stored || each.target) return -1;
    if (each.node->dtype != DType::float32 || each.node->primitive->name() != "astype") return -1;
    const Resolved from = plan_.resolve(each.inputs[0]);
    const PlannedNode& before = at(from.base);
    const bool is_narrow = before.node->dtype == DType::bfloat16 || before.node->dtype == DType::float16;
    if (!is_narrow || !from.whole || before.group < 0) return -1;
    if (!before.stored && before.group != each.group) return -1;
    const bool read_by_elements = std::all_of(each.users.begin(), each.users.end(),
                                              [this](int user) { return at(user).kind == NodeKind::elementwise; });
    return read_by_elements ? from.base : -1;
  }

  void store_before_widening() {
    std::vector<int> narrow(plan_.nodes.size(), -1);
    bool any = false;
    for (int i = 0; i < count(); ++i) {
      const int before = before_widening(i);
      if (before < 0) continue;
      any = true;
      narrow[index(i)] = before;
      std::erase(group(at(i).group).members, i);
      std::vector<int>& users = at(before).users;
      std::erase(users, i);
      users.insert(users.end(), at(i).users.begin(), at(i).users.end());
      at(before).stored = true;
      at(i).stored = false;
      at(i).group = -1;
      at(i).users.clear();
    }
    for (Resolved& each : plan_.resolved) {
      if (any && narrow[index(each.base)] >= 0) each.base = narrow[index(each.base)];
    }
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

  [[nodiscard]] int stores_of(int g) {
    const auto is_stored = [this](int i) { return at(i).stored; };
    const auto& members = group(g).members;
    const int core = group(g).core;
    return static_cast<int>(std::count_if(members.begin(), members.end(), is_stored)) +
           (core >= 0 && at(core).stored ? 1 : 0);
  }

  // Groups that would store more values than an operation may become several, one after the other. A piece has no more
  // members than it may store; what one reads of another is stored.
  void cut_by_stores() {
    bool any = false;
    std::vector<Group> whole = std::move(plan_.groups);
    plan_.groups.clear();
    for (Group& each : whole) {
      plan_.groups.push_back(std::move(each));
      const int now = static_cast<int>(plan_.groups.size()) - 1;
      if (stores_of(now) > limits_.stores) {
        cut(now);
        any = true;
      } else if (any) {
        adopt(now);
      }
    }
    for (int i = 0; any && i < count(); ++i) mark_stored(i);
  }

  void adopt(int g) {
    if (group(g).core >= 0) at(group(g).core).group = g;
    for (const int member : group(g).members) at(member).group = g;
  }

  void cut(int last) {
    const std::vector<int> members = std::exchange(group(last).members, {});
    const Shape extent = group(last).extent;
    group(last).cost = group(last).core >= 0 ? Cost{own_[index(group(last).core)].loads, 1} : Cost{};
    for (const int member : members) {
      const int stores = static_cast<int>(group(last).members.size()) + (group(last).core >= 0 ? 1 : 0);
      if (stores + 1 > limits_.stores || !(group(last).cost + own_[index(member)]).within(limits_)) {
        adopt(last);
        plan_.groups.push_back({.core = -1, .extent = extent, .members = {}, .cost = {}});
        ++last;
      }
      group(last).members.push_back(member);
      group(last).cost = group(last).cost + own_[index(member)];
    }
    adopt(last);
  }

  Partition& plan_;
  backend::FusionLimits limits_;
  std::vector<Cost> own_;     // of each node; of a reduction: what is inlined into it
  std::vector<Cost> floats_;  // of the nodes that float down to each node
};

}  // namespace

void make_groups(Partition& plan, const backend::FusionLimits& limits) { Grouper(plan, limits).run(); }

}  // namespace overtake::graph
