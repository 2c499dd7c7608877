// SPDX-License-Identifier: MIT
// bin/overtake of the bundle. The system's C++ library is preferred, because OpenCL drivers loaded later may need a
// newer one than the bundle's; only where it is missing or too old does the bundle's own copy (lib/compat) step in.
// Something in C must decide that before the first C++ library is loaded.
#define _GNU_SOURCE  // dlvsym
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// A function and its version that GCC 11's libstdc++ is the first to have; bundle.sh checks that nothing newer is used.
static int system_library_suffices(void) {
  void* library = dlopen("libstdc++.so.6", RTLD_LAZY);
  return library != NULL && dlvsym(library, "_ZSt28__throw_bad_array_new_lengthv", "GLIBCXX_3.4.29") != NULL;
}

int main(int argc, char** argv) {
  (void)argc;
  char root[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", root, sizeof root - 1);
  if (length <= 0) {
    fputs("error: cannot find the folder of this program\nhint: is /proc mounted?\n", stderr);
    return 5;
  }
  root[length] = '\0';
  for (int levels = 0; levels < 2; ++levels) *strrchr(root, '/') = '\0';

  char path[2 * PATH_MAX];
  if (!system_library_suffices()) {
    const char* old = getenv("LD_LIBRARY_PATH");
    snprintf(path, sizeof path, "%s/lib/compat%s%s", root, old != NULL && *old != '\0' ? ":" : "",
             old != NULL ? old : "");
    setenv("LD_LIBRARY_PATH", path, 1);
  }
  snprintf(path, sizeof path, "%s/libexec/overtake", root);
  execv(path, argv);
  perror(path);
  return 5;
}
