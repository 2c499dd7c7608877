// SPDX-License-Identifier: MIT
#include "graph/execute.hpp"

#include <algorithm>
#include <array>
#include <list>
#include <map>
#include <mutex>
#include <unordered_map>

#include "core/checked.hpp"
#include "core/polling.hpp"
#include "graph/partition.hpp"
#include "graph/primitives/shape.hpp"
#include "graph/tracing.hpp"
#include "overtake/error.hpp"

namespace overtake::graph {
namespace {

using Key = std::vector<std::uint64_t>;

// Numbers pointers in the order of their first appearance: by a list while they are few, as in most graphs, then by a
// map.
class Numbered {
 public:
  struct Place {
    std::size_t number = 0;
    bool is_new = false;
  };
  Place add(const void* pointer) {
    if (many_.empty()) {
      const auto end = few_.begin() + static_cast<std::ptrdiff_t>(count_);
      const auto number = static_cast<std::size_t>(std::find(few_.begin(), end, pointer) - few_.begin());
      if (number < count_) return {number, false};
      if (count_ < few_.size()) {
        few_[count_++] = pointer;
        return {number, true};
      }
      for (std::size_t i = 0; i < count_; ++i) many_[few_[i]] = i;
    }
    const auto [found, added] = many_.try_emplace(pointer, many_.size());
    return {found->second, added};
  }

 private:
  std::array<const void*, 24> few_{};
  std::size_t count_ = 0;
  std::unordered_map<const void*, std::size_t> many_;
};

// The structure of a graph as numbers: two graphs with equal keys have equal plans, whatever their buffers.
class KeyMaker {
 public:
  Key make(std::span<const std::shared_ptr<Node>> targets) {
    collect(targets);
    constexpr std::size_t words_of_node = 8;  // about
    Signature signature;
    signature.reserve(words_of_node * (order_.size() + 1));
    signature.add(reinterpret_cast<std::uintptr_t>(targets.front()->device));
    for (const Node* node : order_) describe(*node, signature);
    for (const auto& target : targets) signature.add(index(target.get()));
    return std::move(signature).words();
  }
  /// Leaves in the order of their first appearance; the cached plan names them by position.
  [[nodiscard]] const std::vector<Node*>& order() const { return order_; }
  /// The place of a node in that order.
  [[nodiscard]] std::size_t index(const Node* node) const {
    const auto found = std::lower_bound(order_.begin(), order_.end(), node->id,
                                        [](const Node* each, std::uint64_t id) { return each->id < id; });
    return static_cast<std::size_t>(found - order_.begin());
  }
  [[nodiscard]] const std::vector<std::shared_ptr<backend::Buffer>>& buffers() const { return buffer_order_; }

 private:
  void collect(std::span<const std::shared_ptr<Node>> targets) {
    const std::uint64_t trace = current_trace();
    Numbered seen;
    std::vector<Node*> open;
    open.reserve(16);
    order_.reserve(16);
    for (const auto& target : targets) open.push_back(target.get());
    while (!open.empty()) {
      Node* node = open.back();
      open.pop_back();
      if (!seen.add(node).is_new) continue;
      order_.push_back(node);
      require_of_trace(*node, trace);
      if (node->buffer != nullptr) continue;
      for (const auto& input : node->inputs) open.push_back(input.get());
    }
    std::sort(order_.begin(), order_.end(), [](const Node* a, const Node* b) { return a->id < b->id; });
  }

  void describe(const Node& node, Signature& signature) {
    signature.add(static_cast<std::uint64_t>(node.dtype) << 8 | node.shape.rank());
    for (const std::int64_t extent : node.shape.extents()) signature.add(static_cast<std::uint64_t>(extent));
    if (node.buffer != nullptr) {
      const auto [number, is_new] = buffers_.add(node.buffer.get());
      if (is_new) buffer_order_.push_back(node.buffer);
      signature.add(0xB0FFE7ULL << 32 | number);
      return;
    }
    signature.add(node.primitive->name());
    node.primitive->sign(signature);
    for (const auto& input : node.inputs) signature.add(index(input.get()));
  }

  std::vector<Node*> order_;
  Numbered buffers_;
  std::vector<std::shared_ptr<backend::Buffer>> buffer_order_;
};

struct CachedPlan {
  Key key;
  std::unique_ptr<backend::Executable> executable;
  std::vector<std::ptrdiff_t> external;  // slot -> position in KeyMaker::order(), -1 for arena slots
};

class PlanCache {
 public:
  CachedPlan& find_or_make(std::span<const std::shared_ptr<Node>> targets, KeyMaker& maker) {
    Key key = maker.make(targets);
    const auto found = index_.find(key);
    if (found != index_.end()) {
      plans_.splice(plans_.begin(), plans_, found->second);
      return plans_.front();
    }
    const Plan plan = make_plan(targets, {});
    CachedPlan made{key, targets.front()->device->compile(plan.schedule, {.replay = false}), {}};
    for (const Node* node : plan.external) {
      made.external.push_back(node == nullptr ? -1 : static_cast<std::ptrdiff_t>(maker.index(node)));
    }
    plans_.push_front(std::move(made));
    words_ += key.size();
    index_[std::move(key)] = plans_.begin();
    while (plans_.size() > 1 && (plans_.size() > most_plans || words_ > most_words)) {
      words_ -= plans_.back().key.size();
      index_.erase(plans_.back().key);
      plans_.pop_back();
    }
    return plans_.front();
  }

 private:
  static constexpr std::size_t most_plans = 256;
  static constexpr std::size_t most_words = 8'000'000;  // of all keys: long graphs have long plans
  std::size_t words_ = 0;
  std::list<CachedPlan> plans_;
  std::map<Key, std::list<CachedPlan>::iterator> index_;
};

// The plans of one device. Its lock covers planning, binding and enqueueing, so that devices do not wait for each
// other.
struct DevicePlans {
  std::mutex mutex;
  PlanCache cache;
};

// Never destroyed: executables must not outlive their devices, which are never destroyed either.
DevicePlans& plans_of(const backend::Device& device) {
  static std::mutex mutex;
  static auto& plans = *std::make_unique<std::map<const backend::Device*, DevicePlans>>().release();
  const std::lock_guard lock(mutex);
  return plans[&device];  // stays where it is
}

thread_local std::vector<std::weak_ptr<Node>> evaluated_along;

std::unique_ptr<backend::Buffer> buffer_for(const Node& node, backend::Device& device) {
  const auto elements = static_cast<std::uint64_t>(std::max<std::int64_t>(node.shape.size(), 1));
  return device.allocate(checked_mul<std::uint64_t>(elements, size_of(node.dtype), "an array"));
}

void run_plan(std::span<const std::shared_ptr<Node>> targets) {
  if (Polling::is_asking()) {  // this thread holds the lock below
    throw UsageError("[eval] a handler of a signal came while arrays were computed, and computes arrays itself",
                     "Let it set a flag, and compute where the flag is read.");
  }
  backend::Device& device = *targets.front()->device;
  DevicePlans& plans = plans_of(device);
  const std::lock_guard lock(plans.mutex);
  KeyMaker maker;
  CachedPlan& plan = plans.cache.find_or_make(targets, maker);
  std::vector<backend::Buffer*> slots(plan.external.size(), nullptr);
  std::vector<std::pair<Node*, std::shared_ptr<backend::Buffer>>> fresh;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (plan.external[i] < 0) continue;
    Node* node = maker.order()[static_cast<std::size_t>(plan.external[i])];
    if (node->buffer == nullptr) fresh.emplace_back(node, buffer_for(*node, device));
    slots[i] = node->buffer != nullptr ? node->buffer.get() : fresh.back().second.get();
  }
  plan.executable->bind(slots);
  plan.executable->run(1);
  plan.executable->release();
  for (auto& [node, buffer] : fresh) node->buffer = std::move(buffer);
  for (const auto& target : targets) {  // empty arrays have no operation and so no slot
    if (target->buffer == nullptr) target->buffer = buffer_for(*target, device);
  }
}

bool is_computed(const Node& node) {
  const NodeKind kind = node.primitive->kind();
  return kind == NodeKind::elementwise || kind == NodeKind::core;
}

// What is computed for a node. A reshaped array lies in memory as what it was made from, and shares its buffer where
// nobody else can see that.
std::shared_ptr<Node> target_of(const std::shared_ptr<Node>& node) {
  const Node* each = node.get();
  while (each->primitive != nullptr && each->primitive->keeps_memory()) {
    const std::shared_ptr<Node>& input = each->inputs[0];
    if (input->buffer != nullptr || input.use_count() > 1) break;
    if (is_computed(*input)) return input;
    each = input.get();
  }
  return plannable(node);
}

// An evaluated node that no gradient will pass through needs its inputs no more.
void release_inputs(Node& node) {
  if (node.needs_gradient) return;
  node.inputs.clear();
  node.primitive.reset();
}

}  // namespace

GraphStructure structure_of(std::span<const std::shared_ptr<Node>> targets) {
  KeyMaker maker;
  GraphStructure structure{maker.make(targets), {}};
  structure.buffers = maker.buffers();
  return structure;
}

std::shared_ptr<Node> plannable(const std::shared_ptr<Node>& node) {
  return is_computed(*node) ? node : copied(Array(node)).node();
}

void evaluate_along(const std::shared_ptr<Node>& node) { evaluated_along.push_back(node); }

void evaluate(std::span<const std::shared_ptr<Node>> nodes) {
  std::vector<std::shared_ptr<Node>> wanted;  // as asked for
  Numbered known;
  const auto want = [&](const std::shared_ptr<Node>& node) {
    if (node->buffer == nullptr && known.add(node.get()).is_new) wanted.push_back(node);
  };
  for (const auto& node : nodes) want(node);
  if (wanted.empty()) return;
  if (wanted.size() == 1 && wanted[0]->device != nullptr && evaluated_along.empty()) {
    // Most of the time: one array of a device.
    Node& node = *wanted[0];
    const std::shared_ptr<Node> target = target_of(wanted[0]);
    run_plan(std::span(&target, 1));
    node.buffer = target->buffer;
    return release_inputs(node);
  }
  backend::Device* device = nullptr;
  for (const auto& node : wanted) device = node->device != nullptr ? node->device : device;
  if (device == nullptr) device = &Device().impl();
  for (const auto& weak : std::exchange(evaluated_along, {})) {
    const auto node = weak.lock();
    if (node && node->device == device && node->trace == current_trace()) want(node);
  }
  std::map<backend::Device*, std::vector<std::shared_ptr<Node>>> by_device;
  std::vector<std::pair<std::shared_ptr<Node>, std::shared_ptr<Node>>> wrapped;
  for (const auto& node : wanted) {
    std::shared_ptr<Node> target = target_of(node);
    if (target->device == nullptr) target->device = device;
    if (target != node) wrapped.emplace_back(node, target);
    by_device[target->device].push_back(std::move(target));
  }
  for (const auto& [each, targets] : by_device) run_plan(targets);
  for (const auto& [node, target] : wrapped) {
    node->buffer = target->buffer;
    node->device = target->device;
  }
  for (const auto& node : wanted) release_inputs(*node);
}

Binding bind(const Plan& plan, backend::Device& device) {
  Binding binding;
  for (Node* node : plan.external) {
    std::shared_ptr<backend::Buffer> made;
    if (node != nullptr && node->buffer == nullptr) made = buffer_for(*node, device);
    binding.slots.push_back(node == nullptr ? nullptr : made ? made.get() : node->buffer.get());
    binding.fresh.push_back(std::move(made));
  }
  return binding;
}

}  // namespace overtake::graph
