// SPDX-License-Identifier: MIT
#include "executor/kernel_side.hpp"

#include <algorithm>

#include "executor/executor.hpp"

namespace overtake::executor {
namespace {

template <typename T, typename Change>
T change(T* pointer, const Change& to) {
  Executor& executor = Executor::instance();
  executor.group().maybe_yield();
  executor.note(pointer, sizeof(T), Access::atomic);
  const T old = *pointer;
  *pointer = to(old);
  return old;
}

}  // namespace

int local_id(int axis) {
  const Geometry& geometry = Executor::instance().geometry();
  const std::int32_t item = Executor::instance().group().item();
  if (axis == 0) return item % geometry.group_size[0];
  if (axis == 1) return item / geometry.group_size[0] % geometry.group_size[1];
  return item / geometry.group_size[0] / geometry.group_size[1];
}
int local_size(int axis) { return Executor::instance().geometry().group_size[axis]; }
int group_id(int axis) { return Executor::instance().geometry().group[axis]; }
int num_groups(int axis) { return Executor::instance().geometry().groups[axis]; }
std::byte* local_memory() { return Executor::instance().local_memory(); }
void synchronise(int line) { Executor::instance().group().synchronise(line); }

int atomic_add(int* pointer, int value) {
  return change(pointer, [value](int old) { return old + value; });
}
std::uint32_t atomic_add(std::uint32_t* pointer, std::uint32_t value) {
  return change(pointer, [value](std::uint32_t old) { return old + value; });
}
int atomic_min(int* pointer, int value) {
  return change(pointer, [value](int old) { return std::min(old, value); });
}
int atomic_max(int* pointer, int value) {
  return change(pointer, [value](int old) { return std::max(old, value); });
}

}  // namespace overtake::executor
