// SPDX-License-Identifier: MIT
#include "graph/planner.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "graph/memory_plan.hpp"
#include "graph/partition.hpp"
#include "overtake/error.hpp"

namespace overtake::graph {
namespace {

using backend::Access;
using backend::Operation;

// Merges neighbouring axes that every operand walks as one, so that loops are few and long.
void merge_axes(Operation& operation) {
  std::vector<std::int64_t> extents = operation.extent.to_vector();
  std::vector<Access>& loads = operation.tape.loads;
  const auto erase_axis = [&](std::size_t axis) {
    extents.erase(extents.begin() + static_cast<std::ptrdiff_t>(axis));
    for (Access& load : loads) {
      std::move(load.strides.begin() + static_cast<std::ptrdiff_t>(axis) + 1, load.strides.end(),
                load.strides.begin() + static_cast<std::ptrdiff_t>(axis));
      load.strides.back() = 0;
    }
  };
  for (std::size_t axis = extents.size(); axis-- > 0;) {
    if (extents[axis] == 1 && extents.size() > 1) erase_axis(axis);
  }
  for (std::size_t axis = extents.size() - 1; axis-- > 0;) {
    const bool together = std::all_of(loads.begin(), loads.end(), [&](const Access& load) {
      return load.strides[axis] == load.strides[axis + 1] * extents[axis + 1];
    });
    if (!together) continue;
    extents[axis + 1] *= extents[axis];
    erase_axis(axis);
  }
  operation.extent = Shape(std::move(extents));
}

class Planner {
 public:
  Planner(std::span<const std::shared_ptr<Node>> targets, std::span<const Update> updates,
          const backend::FusionLimits& limits)
      : parts_(partition(targets, limits)), updates_(updates) {
    for (int i = 0; i < static_cast<int>(parts_.nodes.size()); ++i) index_[parts_.nodes[at(i)].node] = i;
  }

  Plan run() {
    if (!updates_.empty()) note_leaf_reads();
    choose_update_slots();
    for (std::size_t g = 0; g < parts_.groups.size(); ++g) {
      const int core = parts_.groups[g].core;
      const bool is_empty = core < 0 && parts_.groups[g].members.empty();  // its only member is read as it was before
      if (is_empty || parts_.groups[g].extent.size() == 0) continue;
      if (core >= 0 && static_cast<const Core&>(*parts_.nodes[at(core)].node->primitive).joins_inputs()) {
        add_pieces(core);
      } else {
        plan_.schedule.operations.push_back(make_operation(static_cast<int>(g)));
      }
    }
    for (const auto& [from, to] : final_copies_) plan_.schedule.operations.push_back(make_copy(from, to));
    plan_memory(plan_.schedule);
    return std::move(plan_);
  }

 private:
  static std::size_t at(int i) { return static_cast<std::size_t>(i); }

  int new_slot(const Node& node, Node* external) {
    plan_.schedule.slots.push_back(backend::slot_of(node.shape.size(), node.dtype, external != nullptr));
    plan_.external.push_back(external);
    return static_cast<int>(plan_.schedule.slots.size()) - 1;
  }

  // Leaves that share a buffer share a slot: a write through one is seen through the other.
  int leaf_slot(Node* leaf) {
    const auto [found, added] = leaf_slots_.try_emplace(leaf->buffer.get(), -1);
    if (added) found->second = new_slot(*leaf, leaf);
    return found->second;
  }

  int slot_of(int i) {
    const PlannedNode& planned = parts_.nodes[at(i)];
    if (planned.kind == NodeKind::leaf) return leaf_slot(planned.node);
    const auto [found, added] = slots_.try_emplace(i, -1);
    if (added) found->second = new_slot(*planned.node, planned.target ? planned.node : nullptr);
    return found->second;
  }

  void choose_update_slots() {
    for (const Update& update : updates_) {
      const int value = index_.at(update.value.get());
      const int leaf = leaf_slot(update.leaf.get());
      if (slots_.contains(value)) {  // one value for two leaves
        final_copies_.emplace_back(value, leaf);
      } else if (can_update_in_place(value, *update.leaf)) {
        slots_[value] = leaf;
      } else {
        slots_[value] = new_slot(*update.value, nullptr);
        final_copies_.emplace_back(value, leaf);
      }
    }
  }

  struct LeafRead {
    int group = -1;  // the operation that reads
    bool same_element = false;
  };

  void note_leaf_reads() {
    for (const PlannedNode& reader : parts_.nodes) {
      if (reader.kind == NodeKind::view) continue;
      const int group = reader.inlined_into >= 0 ? parts_.nodes[at(reader.inlined_into)].group : reader.group;
      for (const int input : reader.inputs) {
        const Resolved& from = parts_.resolve(input);
        const backend::Buffer* buffer = parts_.nodes[at(from.base)].node->buffer.get();
        if (buffer == nullptr) continue;
        const bool same_element = reader.kind == NodeKind::elementwise && reader.inlined_into < 0 && from.whole;
        leaf_reads_[buffer].push_back({group, same_element});
      }
    }
  }

  // The old value may be read before, or element by element in the same operation, but not by its core and not later.
  bool can_update_in_place(int value, const Node& leaf) const {
    const int group = parts_.nodes[at(value)].group;
    const auto reads = leaf_reads_.find(leaf.buffer.get());
    return reads == leaf_reads_.end() || std::none_of(reads->second.begin(), reads->second.end(), [&](LeafRead read) {
             return read.group > group || (read.group == group && !read.same_element);
           });
  }

  Access access(int input, const Shape& shape, const Shape& extent) {
    const Resolved from = parts_.resolve(input);
    Layout layout;
    if (!restride(shape, from.layout, extent, layout))
      throw InternalError("an operand of a fused operation has no strides");
    return {slot_of(from.base), layout.offset, layout.strides, parts_.nodes[at(from.base)].node->dtype};
  }

  // A weak constant keeps more digits than its type.
  static Number constant_of(const PlannedNode& constant) {
    return converted(static_cast<const Constant&>(*constant.node->primitive).value(), constant.node->dtype);
  }

  // Emits the value of element-wise node i: registers of `known` nodes are used, everything else is loaded.
  std::uint16_t emit(int i, TapeBuilder& tape, std::map<int, std::uint16_t>& known, const Shape& extent,
                     int inlined_into) {
    const PlannedNode& planned = parts_.nodes[at(i)];
    std::vector<std::uint16_t> inputs;
    for (const int input : planned.inputs) {
      const int base = parts_.resolve(input).base;
      const PlannedNode& source = parts_.nodes[at(base)];
      auto found = known.find(base);
      if (found == known.end()) {
        if (source.kind == NodeKind::constant) {
          found = known.emplace(base, tape.constant(constant_of(source))).first;
        } else if (inlined_into >= 0 && source.inlined_into == inlined_into) {
          found = known.emplace(base, emit(base, tape, known, extent, inlined_into)).first;
        }
      }
      inputs.push_back(found != known.end() ? found->second : tape.load(access(input, planned.node->shape, extent)));
    }
    return static_cast<const Elementwise&>(*planned.node->primitive).emit(tape, inputs);
  }

  Operation::CoreVariant make_core(const PlannedNode& planned) {
    std::vector<Operand> operands;
    std::vector<int> bases;
    for (const int input : planned.inputs) {
      const Resolved from = parts_.resolve(input);
      const PlannedNode& source = parts_.nodes[at(from.base)];
      bases.push_back(from.base);
      // An inlined or constant input has no memory: lower() gets a placeholder and its tape is replaced below.
      const bool in_memory = source.inlined_into < 0 && source.kind != NodeKind::constant;
      operands.push_back(
          {in_memory ? slot_of(from.base) : -1, from.layout, parts_.nodes[at(input)].node->shape, source.node->dtype});
    }
    auto core = static_cast<const Core&>(*planned.node->primitive).lower(operands, planned.node->shape);
    if (auto* pool = std::get_if<backend::PoolCore>(&core); pool != nullptr && planned.turned) {
      pool->y_channels_first = true;
    }
    if (auto* reduce = std::get_if<backend::ReduceCore>(&core); reduce != nullptr && operands[0].slot < 0) {
      reduce->input = {};
      TapeBuilder tape(reduce->input);
      std::map<int, std::uint16_t> known;
      const PlannedNode& source = parts_.nodes[at(bases[0])];
      if (source.kind == NodeKind::constant) {
        (void)tape.constant(constant_of(source));
      } else {
        (void)emit(bases[0], tape, known, operands[0].shape, source.inlined_into);
      }
    }
    return core;
  }

  Operation make_operation(int g) {
    const Group& group = parts_.groups[at(g)];
    Operation operation;
    operation.extent = group.extent.rank() == 0 ? Shape{1} : group.extent;
    TapeBuilder tape(operation.tape);
    std::map<int, std::uint16_t> known;
    if (group.core >= 0) {
      const PlannedNode& core = parts_.nodes[at(group.core)];
      operation.core = make_core(core);
      operation.name = core.node->primitive->name();
      known[group.core] = tape.core(backend::value_type_of(core.node->dtype));
    }
    bool positional = false;
    for (const int member : group.members) {
      const auto& primitive = static_cast<const Elementwise&>(*parts_.nodes[at(member)].node->primitive);
      known[member] = emit(member, tape, known, operation.extent, -1);
      positional = positional || primitive.positional();
      operation.name += (operation.name.empty() ? "" : "+") + std::string(primitive.name());
    }
    for (const auto& [node, value] : known) {
      const PlannedNode& planned = parts_.nodes[at(node)];
      if (planned.stored && planned.group == g) tape.store(slot_of(node), value, planned.node->dtype);
    }
    if (group.sums >= 0) {
      const std::int64_t parts = parts_.nodes[at(group.sums)].node->shape[0];
      std::get<backend::PoolCore>(operation.core).sums = {slot_of(group.sums), parts, known.at(group.summed)};
      operation.name += "+sum";
    }
    if (group.core < 0 && !positional) merge_axes(operation);
    return operation;
  }

  // Copies each input of node `joined` to its place in the result.
  void add_pieces(int joined) {
    const PlannedNode& planned = parts_.nodes[at(joined)];
    std::int64_t offset = 0;
    for (const int input : planned.inputs) {
      const Shape& shape = parts_.nodes[at(input)].node->shape;
      if (shape.size() == 0) continue;
      Operation operation;
      operation.extent = shape.rank() == 0 ? Shape{1} : shape;
      operation.name = planned.node->primitive->name();
      TapeBuilder tape(operation.tape);
      const PlannedNode& source = parts_.nodes[at(parts_.resolve(input).base)];
      const std::uint16_t value = source.kind == NodeKind::constant ? tape.constant(constant_of(source))
                                                                    : tape.load(access(input, shape, operation.extent));
      tape.store(slot_of(joined), value, planned.node->dtype);
      operation.tape.stores.back().offset = offset;
      merge_axes(operation);
      plan_.schedule.operations.push_back(std::move(operation));
      offset += shape.size();
    }
  }

  Operation make_copy(int value, int slot) {
    const Node& node = *parts_.nodes[at(value)].node;
    Operation operation;
    operation.extent = Shape{node.shape.size()};
    operation.name = "copy";
    TapeBuilder tape(operation.tape);
    const std::uint16_t loaded = tape.load({slots_.at(value), 0, {1}, node.dtype});
    tape.store(slot, loaded, node.dtype);
    return operation;
  }

  Partition parts_;
  std::span<const Update> updates_;
  Plan plan_;
  std::unordered_map<const Node*, int> index_;
  std::unordered_map<const backend::Buffer*, int> leaf_slots_;
  std::unordered_map<const backend::Buffer*, std::vector<LeafRead>> leaf_reads_;
  std::map<int, int> slots_;                       // node -> slot
  std::vector<std::pair<int, int>> final_copies_;  // value node, leaf slot
};

}  // namespace

Plan make_plan(std::span<const std::shared_ptr<Node>> targets, std::span<const Update> updates,
               std::optional<backend::FusionLimits> limits) {
  for (const auto& target : targets) {
    if (!limits && target->device != nullptr) limits = target->device->fusion_limits();
  }
  return Planner(targets, updates, limits.value_or(backend::FusionLimits{})).run();
}

}  // namespace overtake::graph
