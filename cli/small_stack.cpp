// SPDX-License-Identifier: MIT
// Runs before the libraries that the tool is linked with, whose own first steps overflow a stack of 16 KiB (ulimit -s).
#include <sys/auxv.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <string_view>

#ifdef __GLIBC__
namespace {

void refuse_small_stack() {
  constexpr std::uintptr_t least = std::uintptr_t{20} << 10U;  // of it 8 may be lost where the system begins a child's
  constexpr std::string_view text =
      "error: the stack of this process is too small to start with (ulimit -s)\n"
      "hint: Raise the limit: ulimit -s 8192 (a shell that was started under a limit cannot).\n";
  const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  const std::uintptr_t begin = getauxval(AT_EXECFN);  // the program's name lies at the stack's beginning
  rlimit limit{};
  if (begin < here || getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur >= begin - here + least) return;
  static_cast<void>(!write(STDERR_FILENO, text.data(), text.size()));
  _exit(4);
}

[[gnu::section(".preinit_array"), gnu::used]] void (*const before_libraries)() = refuse_small_stack;

}  // namespace
#endif
