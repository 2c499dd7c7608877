// SPDX-License-Identifier: MIT
// Programs over arrays, drawn from a seed: as data, so that they run lazily on a device, in double precision by plain
// loops, and inside a compiled step.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "oracle/operator_table.hpp"

namespace overtake::oracle {

enum class ProgramOp : std::uint8_t {
  // of one value
  negative,
  scale,  // by `number`
  tanh,
  sigmoid,
  sin,
  cos,
  erf,
  silu,
  square,  // of tanh, so that chains stay bounded
  softmax,
  detach,
  // of one value, not smooth
  relu,
  absolute,
  // views
  transpose,
  flatten,
  split,      // the last axis into (extent / number, number)
  cut,        // rows number .. end
  broadcast,  // a new first axis of extent `number`
  // reductions
  mean_all,
  mean_axis,  // axis `number`, kept
  sum_rows,   // over the first axis, divided by its extent
  max_axis,   // axis `number`; not smooth
  // of two values, brought to one shape where they do not broadcast
  average,
  half_difference,
  multiply,
  maximum,  // not smooth
  select,   // where(leaf of 0 and 1, a, b): `number` draws the condition
  matmul,   // of matrices that fit, divided by the inner extent
};

struct ProgramStep {
  ProgramOp op = ProgramOp::negative;
  int a = 0, b = 0;  ///< values: leaves first, then results of earlier steps
  double number = 0;
};

/// Straight-line: step i defines value leaves + i. Values stay within [-4, 4].
struct Program {
  std::uint64_t seed = 0;
  std::vector<std::vector<std::int64_t>> leaves;  ///< shapes
  std::vector<ProgramStep> steps;
  std::vector<int> outputs;  ///< values that are wanted

  [[nodiscard]] std::string describe() const;
};

/// `length` steps. `smooth`: with derivatives everywhere.
[[nodiscard]] Program draw_program(std::uint64_t seed, int length, bool smooth);
/// Values of the leaves, exact in float.
[[nodiscard]] std::vector<Tensor> draw_leaves(const Program& program);

/// The outputs as lazy arrays.
[[nodiscard]] std::vector<Array> run_lazily(const Program& program, const std::vector<Array>& leaves);
/// All values of the program in double precision. `detached`: where detach() takes its values from (a run with other
/// leaves); null: from this run.
[[nodiscard]] std::vector<Tensor> run_in_double(const Program& program, const std::vector<Tensor>& leaves,
                                                const std::vector<Tensor>* detached = nullptr);

}  // namespace overtake::oracle
