// SPDX-License-Identifier: MIT
#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

#include "graph/partition.hpp"
#include "graph/primitives/shape.hpp"

namespace overtake::graph {
namespace {

// Elements of the images. Below, a launch takes longer than reading them.
constexpr std::int64_t least_elements = 1 << 22;

class Absorber {
 public:
  explicit Absorber(Partition& plan) : plan_(plan) {}

  void run() {
    for (Group& each : plan_.groups) {
      if (each.core >= 0 && each.members.empty() && is_first_stage(each.core)) absorb(each);
    }
  }

 private:
  [[nodiscard]] PlannedNode& at(int i) { return plan_.nodes[static_cast<std::size_t>(i)]; }

  // The reduction that a core node is, over an input in memory.
  [[nodiscard]] std::optional<backend::ReduceCore> reduction(int i) {
    const PlannedNode& each = at(i);
    if (each.kind != NodeKind::core) return std::nullopt;
    const Core& core = static_cast<const Core&>(*each.node->primitive);
    if (!core.computes_its_input()) return std::nullopt;
    const Node& input = *each.node->inputs[0];
    const Operand operand{-1, row_major(input.shape), input.shape, input.dtype};
    const Core::Variant lowered = core.lower({operand}, each.node->shape);
    const auto* found = std::get_if<backend::ReduceCore>(&lowered);
    return found == nullptr ? std::nullopt : std::optional(*found);
  }
  [[nodiscard]] bool is_sum_by_columns(int i) {
    const auto core = reduction(i);
    return core && core->kind == backend::ReduceKind::sum && core->outer == 1 && core->inner > 1 &&
           core->type() == backend::ValueType::float32;
  }

  // A sum in parts of a long axis, of which only the whole sum is used: any other parts will do.
  [[nodiscard]] bool is_first_stage(int i) {
    const PlannedNode& each = at(i);
    if (each.target || each.users.empty() || !is_sum_by_columns(i) || reduction(i)->chunk == 0) return false;
    return std::all_of(each.users.begin(), each.users.end(), [&](int user) {
      return is_sum_by_columns(user) && plan_.resolve(at(user).inputs[0]).base == i &&
             plan_.resolve(at(user).inputs[0]).whole &&
             at(user).node->inputs[0]->shape.size() == each.node->shape.size();
    });
  }

  // What is added up, as it is stored: the input, or what a conversion from bfloat16 reads.
  [[nodiscard]] int summed_by(int i) {
    const Resolved& from = plan_.resolve(at(i).inputs[0]);
    if (!from.whole) return -1;
    const PlannedNode& base = at(from.base);
    if (base.inlined_into != i) return from.base;
    if (base.node->primitive->name() != "astype") return -1;
    const Resolved& before = plan_.resolve(base.inputs[0]);
    return before.whole && at(before.base).node->dtype == DType::bfloat16 ? before.base : -1;
  }

  void absorb(Group& sums) {
    const int summed = summed_by(sums.core);
    if (summed < 0 || at(summed).group < 0 || at(summed).node->shape.size() < least_elements) return;
    Group& group = plan_.groups[static_cast<std::size_t>(at(summed).group)];
    if (group.core < 0 || group.sums >= 0 || at(summed).node->shape != group.extent) return;
    if (static_cast<const Core&>(*at(group.core).node->primitive).pooling() != Core::Pooling::gradient) return;
    if (group.extent[3] != at(sums.core).node->shape[1]) return;
    group.sums = std::exchange(sums.core, -1);
    group.summed = summed;
    at(group.sums).group = at(summed).group;
  }

  Partition& plan_;
};

}  // namespace

void absorb_sums(Partition& plan) { Absorber(plan).run(); }

}  // namespace overtake::graph
