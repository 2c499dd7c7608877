// SPDX-License-Identifier: MIT
// Kernels with one fault each, which the executor must find, and one without.
#include "executor/kernel_table.hpp"

// clang-format off
#include "executor/programs/executor.prelude"
// clang-format on

namespace {

// NOLINTBEGIN: this is the dialect (docs/dialect.md)
KERNEL void sound(GLOBAL int* out, GLOBAL int* counter) {
  LOCAL int row[32];
  LOCAL int any;
  int lane = LOCAL_ID(0);
  row[lane] = lane;
  any = 1;  // all write the same
  SYNC;
  out[GLOBAL_ID(0)] = row[31 - lane] + any;
  ATOMIC_ADD(counter, 1);
}
KERNEL void forgets_barrier(GLOBAL int* out) {
  LOCAL int row[32];
  row[LOCAL_ID(0)] = LOCAL_ID(0);
  out[GLOBAL_ID(0)] = row[31 - LOCAL_ID(0)];
}
KERNEL void writes_beside(GLOBAL int* out) {
  LOCAL int last;
  last = LOCAL_ID(0);
  SYNC;
  out[GLOBAL_ID(0)] = last;
}
KERNEL void reads_other_group(GLOBAL int* out, int count) {
  out[GLOBAL_ID(0)] = 1;
  SYNC;
  out[GLOBAL_ID(0) + count] = out[(GLOBAL_ID(0) + LOCAL_SIZE(0)) % count];
}
KERNEL void mixes_atomics(GLOBAL int* counter) {
  if (GROUP_ID(0) == 0 && LOCAL_ID(0) == 0) {
    counter[0] = 7;
  } else {
    ATOMIC_ADD(counter, 1);
  }
}
KERNEL void reads_rubbish(GLOBAL int* out) {
  LOCAL int row[32];
  if (LOCAL_ID(0) < 31) row[LOCAL_ID(0)] = 1;
  SYNC;
  out[GLOBAL_ID(0)] = row[LOCAL_ID(0)];
}
KERNEL void parts_ways(GLOBAL int* out) {
  if (LOCAL_ID(0) < 16) SYNC;
  out[GLOBAL_ID(0)] = 1;
}
// NOLINTEND

}  // namespace

namespace overtake::executor {
namespace {

const bool registered = [] {
  KernelTable& table = programs()["planted"];
#define ENTRY(kernel) table[#kernel] = table_kernel<&kernel>()
  ENTRY(sound);
  ENTRY(forgets_barrier);
  ENTRY(writes_beside);
  ENTRY(reads_other_group);
  ENTRY(mixes_atomics);
  ENTRY(reads_rubbish);
  ENTRY(parts_ways);
#undef ENTRY
  return true;
}();

}  // namespace
}  // namespace overtake::executor
