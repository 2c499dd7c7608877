// SPDX-License-Identifier: MIT
// A traced function that is compiled once and replayed: the way a Trainer runs its steps.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "backend/api/device.hpp"
#include "overtake/array.hpp"

namespace overtake::graph {

/// A training step (or an evaluation) as a fixed plan over fixed buffers.
///
/// `state` are variables that the body reads and reassigns: parameters, optimiser state, counters. They must be
/// evaluated leaves on one device. Tracing runs the body once without computing anything, then puts every variable back
/// to its old array. Each run then reads those arrays' buffers and overwrites them, in place, with the values the body
/// assigned. So the buffers of state arrays change under every other handle to them: give the plan arrays of its own
/// (copy_of). Several plans may share state. Gradients accumulated by backward() in the body do not survive it.
///
/// Inside the body detach() stays part of the step. eval(), item(), to_vector() and to() of an array that depends on
/// the state throw UsageError there: its value is another one in each run.
class CompiledStep {
 public:
  /// The body runs twice, to see that it builds the same step again. `changing` are arrays that it only reads and that
  /// others overwrite between runs. Throws UsageError if the body changes a state's shape or dtype, mixes devices,
  /// reads values that differ from run to run on the host, or builds another step the second time.
  CompiledStep(std::span<Array* const> state, const std::function<std::vector<Array>()>& body, bool replay = true,
               std::span<const Array> changing = {});
  ~CompiledStep();
  CompiledStep(CompiledStep&&) noexcept;
  CompiledStep& operator=(CompiledStep&&) noexcept;

  /// Traces the body again. Throws UsageError if it builds another step by now: what ran since then changed something
  /// that the plan has frozen. What the body refers to must still be there: it is called again here, and nowhere else.
  void require_unchanged() const;
  /// Enqueues `times` runs in a row.
  void run(int times = 1);
  /// Does ahead of time what the first run(times) would do once.
  void prepare(int times);
  /// What the body returned; each run overwrites these arrays' buffers.
  [[nodiscard]] const std::vector<Array>& outputs() const;
  [[nodiscard]] backend::ExecutableStats stats() const;
  /// Bytes of all buffers the plan uses: external slots plus arena.
  [[nodiscard]] std::uint64_t bytes() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// True while a CompiledStep traces on this thread: optimisers and layers must then leave arrays unevaluated.
[[nodiscard]] bool is_tracing() noexcept;

/// Traces the body twice, as a CompiledStep does, without making a plan of it. Throws what that throws.
void require_repeatable(const std::function<std::vector<Array>()>& body, std::span<const Array> changing);

/// An evaluated array with a buffer of its own.
[[nodiscard]] Array copy_of(const Array& array);

/// Overwrites the buffer of an evaluated array in place with the values of another on its device, which is evaluated.
void overwrite_with(const Array& array, const Array& values);

/// Overwrites the buffer of an evaluated array in place. Throws UsageError on a wrong count or dtype.
void overwrite(const Array& array, std::span<const float> values);
void overwrite(const Array& array, std::span<const std::int32_t> values);

}  // namespace overtake::graph
