// SPDX-License-Identifier: MIT
// The calls that a compiler puts before every access of memory for its thread sanitizer (-fsanitize=thread). Only the
// kernels are compiled so, and nothing is linked with the sanitizer itself: the calls come here.
#include "executor/executor.hpp"

namespace {

using overtake::executor::Access;

void note(const void* address, std::size_t bytes, Access access) {
  overtake::executor::Executor::instance().note(address, bytes, access);
}

}  // namespace

// NOLINTBEGIN(bugprone-reserved-identifier): the compiler names them
#define EXECUTOR_ACCESS(bytes)                                                             \
  void __tsan_read##bytes(void* address) { note(address, bytes, Access::read); }           \
  void __tsan_write##bytes(void* address) { note(address, bytes, Access::write); }         \
  void __tsan_unaligned_read##bytes(void* address) { note(address, bytes, Access::read); } \
  void __tsan_unaligned_write##bytes(void* address) { note(address, bytes, Access::write); }

extern "C" {
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
EXECUTOR_ACCESS(1)
EXECUTOR_ACCESS(2)
EXECUTOR_ACCESS(4)
EXECUTOR_ACCESS(8)
EXECUTOR_ACCESS(16)
void __tsan_read_range(void* address, std::size_t bytes) { note(address, bytes, Access::read); }
void __tsan_write_range(void* address, std::size_t bytes) { note(address, bytes, Access::write); }
}
// NOLINTEND(bugprone-reserved-identifier)
