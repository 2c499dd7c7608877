// SPDX-License-Identifier: MIT
// The forest kernels for the executor: compiled once for each variant, with the definitions that forest/nodes.k lists
// and PROGRAM, the name that src/forest/device/program.cpp gives it.
#include "executor/kernel_table.hpp"

// clang-format off
#include "executor/programs/executor.prelude"

// NOLINTBEGIN: this is the dialect (docs/dialect.md)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wold-style-cast"
namespace {
#include "kernels/philox.k"
#include "kernels/forest/real.k"
#include "kernels/forest/records.k"
#include "kernels/forest/split.k"
#include "kernels/forest/nodes.k"
#include "kernels/forest/evaluate.k"
#include "kernels/forest/rows.k"
#include "kernels/forest/small.k"
#include "kernels/forest/subtrees.k"
#include "kernels/forest/large.k"
#include "kernels/forest/divide.k"
#include "kernels/forest/numbers.k"
#include "kernels/forest/score.k"
}  // namespace
#pragma GCC diagnostic pop
// NOLINTEND
// clang-format on

namespace overtake::executor {
namespace {

const bool registered = [] {
  KernelTable& table = programs()[PROGRAM];
#define ENTRY(kernel) table[#kernel] = table_kernel<&kernel>()
  ENTRY(forest_clear);
  ENTRY(forest_draw);
  ENTRY(forest_list);
  ENTRY(forest_roots);
  ENTRY(forest_subtrees);
  ENTRY(forest_subtrees_turn);
  ENTRY(forest_large_turn);
  ENTRY(forest_large_begin);
  ENTRY(forest_large_count);
  ENTRY(forest_large_choose);
  ENTRY(forest_large_divide);
  ENTRY(forest_large_end);
  ENTRY(forest_score_rows);
  ENTRY(forest_fill_zero);
#if !CLASSIFY
  ENTRY(forest_root_sums);
  ENTRY(forest_means);
  ENTRY(forest_large_sum);
  ENTRY(forest_sum_errors);
#endif
#undef ENTRY
  return true;
}();

}  // namespace
}  // namespace overtake::executor
