// SPDX-License-Identifier: MIT
// While a step is traced, arrays stand for the values of every later run: reading one would freeze that of the first.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "graph/node.hpp"

namespace overtake::graph {

/// Traces in its scope, on this thread. Puts the state variables back to their old arrays, without gradients, however
/// the scope is left.
class Tracing {
 public:
  /// `changing`: arrays that others overwrite between runs.
  explicit Tracing(std::span<Array* const> state, std::span<const Array> changing = {});
  ~Tracing();
  Tracing(const Tracing&) = delete;
  Tracing& operator=(const Tracing&) = delete;

  [[nodiscard]] const std::vector<Array>& old() const noexcept { return old_; }
  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
  /// True for an array whose value the step changes, or that is computed from one.
  [[nodiscard]] bool depends_on_state(const Node& node) const;

 private:
  void clear_gradients() const;

  std::span<Array* const> state_;
  std::vector<Array> old_;
  std::unordered_set<const backend::Buffer*> buffers_;  // whose values differ from run to run
  std::uint64_t id_;
  Tracing* outer_;
};

/// The number of the trace that runs on this thread; 0: none.
[[nodiscard]] std::uint64_t current_trace() noexcept;

/// Throws UsageError("[function] ...") if the node's value differs from run to run of the step being traced.
void require_fixed(std::string_view function, const Node& node);

/// Throws UsageError for an unevaluated node of a trace other than `trace`: its step is over, it has no value.
void require_of_trace(const Node& node, std::uint64_t trace);

}  // namespace overtake::graph
