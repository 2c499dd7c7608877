// SPDX-License-Identifier: MIT
#include "graph/compiled_step.hpp"

#include <fmt/format.h>

#include <set>

#include "graph/execute.hpp"
#include "graph/primitives/shape.hpp"
#include "graph/tracing.hpp"
#include "overtake/error.hpp"

namespace overtake::graph {
namespace {

void check_state(const Array& before, const Array& after) {
  if (!before.is_evaluated()) throw InternalError("a state array of a compiled step is not evaluated");
  if (before.shape() == after.shape() && before.dtype() == after.dtype()) return;
  throw UsageError(fmt::format("a compiled step turned a state array of shape {} into one of shape {}",
                               before.shape().to_string(), after.shape().to_string()));
}

template <typename T>
void overwrite_values(const Array& array, std::span<const T> values) {
  if (!array.is_evaluated() || array.dtype() != dtype_of<T>::value ||
      static_cast<std::int64_t>(values.size()) != array.size()) {
    throw UsageError(
        fmt::format("[overwrite] {} values for an array of shape {}", values.size(), array.shape().to_string()));
  }
  if (values.empty()) return;
  const Node& node = *array.node();
  node.device->upload(*node.buffer, 0, values.data(), values.size() * sizeof(T));
}

// What running the body once has built.
struct Traced {
  backend::Device* device = nullptr;
  std::vector<std::shared_ptr<Node>> targets;
  std::vector<Update> updates;
  std::vector<Array> outputs;
  GraphStructure structure;
};

Traced trace(std::span<Array* const> state, const std::function<std::vector<Array>()>& body,
             std::span<const Array> changing) {
  Traced traced;
  const Tracing tracing(state, changing);
  const std::vector<Array> outputs = body();
  for (std::size_t i = 0; i < state.size(); ++i) {
    const Array& before = tracing.old()[i];
    const Array& after = *state[i];
    check_state(before, after);
    traced.device = before.node()->device;
    if (after.node() == before.node()) continue;
    std::shared_ptr<Node> value = after.node()->buffer != nullptr ? copied(after).node() : plannable(after.node());
    if (value->device == nullptr) value->device = traced.device;
    traced.targets.push_back(value);
    traced.updates.push_back({before.node(), std::move(value)});
  }
  for (const Array& output : outputs) {
    if (traced.device == nullptr) traced.device = output.node()->device;
    std::shared_ptr<Node> node = output.node();
    if (node->buffer == nullptr) {
      // A copy of its own: the value may also be an update, which lives in the state's buffer.
      node = copied(Array(plannable(node))).node();
      traced.targets.push_back(node);
    }
    traced.outputs.emplace_back(node);
  }
  if (!traced.targets.empty()) traced.structure = structure_of(traced.targets);
  return traced;
}

bool same_values(const backend::Buffer& a, const backend::Buffer& b) {
  if (a.bytes() != b.bytes() || &a.device() != &b.device()) return false;
  std::vector<std::byte> values_a(a.bytes()), values_b(b.bytes());
  a.device().download(a, 0, values_a.data(), values_a.size());
  b.device().download(b, 0, values_b.data(), values_b.size());
  return values_a == values_b;
}

// A body that builds something else each time depends on what a compiled step would freeze.
void check_repeatable(const Traced& first, const Traced& second) {
  bool same = first.structure.words == second.structure.words;
  for (std::size_t i = 0; same && i < first.structure.buffers.size(); ++i) {
    const auto& a = first.structure.buffers[i];
    const auto& b = second.structure.buffers[i];
    same = a == b || same_values(*a, *b);
  }
  if (same) return;
  throw UsageError(
      "a step to be compiled (by a Trainer, say) came out differently when it was traced again: forward() or the loss "
      "depends on something that changes from call to call, such as a counter, a random number of the host, or an "
      "array kept from the call before",
      "Keep such values in buffers of the module (own_buffers() and assign_buffer()), or train with a loop of your "
      "own, which runs every step as it is written.");
}

}  // namespace

struct CompiledStep::Impl {
  std::vector<Array*> state;
  std::function<std::vector<Array>()> body;
  std::vector<Array> changing;
  Traced traced;  // without its nodes: what to compare with later
  backend::Device* device = nullptr;
  std::unique_ptr<backend::Executable> executable;
  std::vector<Array> outputs;
  std::vector<std::shared_ptr<backend::Buffer>> keep;  // leaves and outputs the plan is bound to
  std::uint64_t bytes = 0;
};

CompiledStep::CompiledStep(std::span<Array* const> state, const std::function<std::vector<Array>()>& body, bool replay,
                           std::span<const Array> changing)
    : impl_(std::make_unique<Impl>()) {
  const Traced rehearsal = trace(state, body, changing);
  Traced traced = trace(state, body, changing);
  check_repeatable(rehearsal, traced);
  impl_->state.assign(state.begin(), state.end());
  impl_->body = body;
  impl_->changing.assign(changing.begin(), changing.end());
  impl_->traced.structure = traced.structure;
  impl_->device = traced.device;
  impl_->outputs = std::move(traced.outputs);
  const std::vector<std::shared_ptr<Node>>& targets = traced.targets;
  const std::vector<Update>& updates = traced.updates;
  if (impl_->device == nullptr) impl_->device = &Device().impl();
  const Plan plan = make_plan(targets, updates);
  impl_->executable = impl_->device->compile(plan.schedule, {.replay = replay});
  const Binding binding = graph::bind(plan, *impl_->device);
  std::set<const backend::Buffer*> distinct;
  for (std::size_t i = 0; i < plan.external.size(); ++i) {
    if (plan.external[i] == nullptr) continue;
    impl_->keep.push_back(binding.fresh[i] ? binding.fresh[i] : plan.external[i]->buffer);
    if (distinct.insert(impl_->keep.back().get()).second) impl_->bytes += impl_->keep.back()->bytes();
  }
  impl_->executable->bind(binding.slots);
  impl_->bytes += impl_->executable->stats().arena_bytes;
  for (std::size_t i = 0; i < plan.external.size(); ++i) {
    if (binding.fresh[i]) plan.external[i]->buffer = binding.fresh[i];
  }
  for (Array& output : impl_->outputs) {  // outputs must not keep the traced graph alive
    if (output.node()->buffer != nullptr) output = make_leaf(output.shape(), output.dtype(), output.node()->buffer);
  }
}

CompiledStep::~CompiledStep() {
  if (impl_ == nullptr || impl_->device == nullptr) return;
  try {
    impl_->device->synchronize();  // the buffers go back to the cache: nothing may still write to them
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch): a failing device reports at the next call that can throw
  }
}
CompiledStep::CompiledStep(CompiledStep&&) noexcept = default;
CompiledStep& CompiledStep::operator=(CompiledStep&&) noexcept = default;

void CompiledStep::require_unchanged() const {
  check_repeatable(impl_->traced, trace(impl_->state, impl_->body, impl_->changing));
}

void CompiledStep::run(int times) {
  if (times > 0) impl_->executable->run(times);
}
const std::vector<Array>& CompiledStep::outputs() const { return impl_->outputs; }
void CompiledStep::prepare(int times) { impl_->executable->prepare(times); }

backend::ExecutableStats CompiledStep::stats() const { return impl_->executable->stats(); }
std::uint64_t CompiledStep::bytes() const { return impl_->bytes; }

void require_repeatable(const std::function<std::vector<Array>()>& body, std::span<const Array> changing) {
  const Traced rehearsal = trace({}, body, changing);
  check_repeatable(rehearsal, trace({}, body, changing));
}

void overwrite_with(const Array& array, const Array& values) {
  const Array local = values.to(array.device());
  local.eval();
  const Node& from = *local.node();
  if (!array.is_evaluated() || array.shape() != values.shape() || array.dtype() != values.dtype()) {
    throw UsageError(fmt::format("[overwrite] values of shape {} for an array of shape {}", values.shape().to_string(),
                                 array.shape().to_string()));
  }
  if (array.size() == 0) return;
  const std::size_t bytes = static_cast<std::size_t>(array.size()) * size_of(array.dtype());
  array.node()->device->copy(*from.buffer, 0, *array.node()->buffer, 0, bytes);
}

Array copy_of(const Array& array) {
  array.eval();
  const Node& from = *array.node();
  std::shared_ptr<backend::Buffer> buffer = from.device->allocate(from.buffer->bytes());
  from.device->copy(*from.buffer, 0, *buffer, 0, from.buffer->bytes());
  Array copy = make_leaf(from.shape, from.dtype, std::move(buffer));
  copy.node()->frozen = from.frozen;
  return copy;
}

void overwrite(const Array& array, std::span<const float> values) { overwrite_values(array, values); }
void overwrite(const Array& array, std::span<const std::int32_t> values) { overwrite_values(array, values); }

}  // namespace overtake::graph
