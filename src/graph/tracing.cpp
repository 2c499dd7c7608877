// SPDX-License-Identifier: MIT
#include "graph/tracing.hpp"

#include <fmt/format.h>

#include <atomic>

#include "graph/compiled_step.hpp"
#include "overtake/error.hpp"

namespace overtake::graph {
namespace {

thread_local Tracing* active = nullptr;

std::uint64_t next_trace() {
  static std::atomic<std::uint64_t> counter{0};
  return ++counter;
}

}  // namespace

Tracing::Tracing(std::span<Array* const> state, std::span<const Array> changing)
    : state_(state), id_(next_trace()), outer_(active) {
  for (const Array& each : changing) buffers_.insert(each.node()->buffer.get());
  for (const Array* each : state) {
    old_.push_back(*each);
    if (each->defined() && each->is_evaluated()) buffers_.insert(each->node()->buffer.get());
  }
  clear_gradients();
  active = this;
}

Tracing::~Tracing() {
  active = outer_;
  for (std::size_t i = 0; i < state_.size(); ++i) *state_[i] = old_[i];
  clear_gradients();  // traced gradients would keep the traced graph alive
}

void Tracing::clear_gradients() const {
  for (const Array& each : old_) {
    if (each.requires_grad()) each.set_grad(Array());
  }
}

bool Tracing::depends_on_state(const Node& node) const {
  std::unordered_set<const Node*> seen;
  std::vector<const Node*> open{&node};
  while (!open.empty()) {
    const Node* each = open.back();
    open.pop_back();
    if (!seen.insert(each).second) continue;
    if (each->buffer != nullptr) {
      if (buffers_.contains(each->buffer.get())) return true;
      continue;
    }
    for (const auto& input : each->inputs) open.push_back(input.get());
  }
  return false;
}

std::uint64_t current_trace() noexcept { return active == nullptr ? 0 : active->id(); }

bool is_tracing() noexcept { return active != nullptr; }

void require_fixed(std::string_view function, const Node& node) {
  if (active == nullptr || !active->depends_on_state(node)) return;
  throw UsageError(
      fmt::format(
          "[{}] inside a step that is being compiled (by a Trainer, say) this array has no value yet: reading it "
          "would freeze the first batch's value into every later step",
          function),
      "Stay with functions of arrays there: where() for branches, detach() to cut gradients off. Or train with a loop "
      "of your own, which runs every step as it is written.");
}

void require_of_trace(const Node& node, std::uint64_t trace) {
  if (node.buffer != nullptr || node.trace == 0 || node.trace == trace) return;
  throw UsageError(
      "an array that was kept from inside a compiled step (by forward() or a loss of a Trainer's model, say) was used "
      "outside of it, where it has no value",
      "Keep such values in a buffer (own_buffers() and assign_buffer()) of a module that children() names: each step "
      "updates those.");
}

}  // namespace overtake::graph
