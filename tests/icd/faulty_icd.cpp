// SPDX-License-Identifier: MIT
// An OpenCL driver with a fault: a real one, the library in OVERTAKE_TEST_ICD, whose table of functions is changed as
// OVERTAKE_TEST_FAULT says. The loader is told of it by a file in OCL_ICD_VENDORS (tests/faults/driver_test.py).
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl_icd.h>
#include <dlfcn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cfenv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace {

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool has_fault(std::string_view name) { return variable("OVERTAKE_TEST_FAULT") == name; }

/// The driver behind this one. It stays: drivers do not like to be unloaded.
void* real_driver() {
  static void* library = dlopen(variable("OVERTAKE_TEST_ICD").data(), RTLD_NOW | RTLD_LOCAL);
  return library;
}

template <typename Function>
Function* real_function(const char* name) {
  return real_driver() == nullptr ? nullptr : reinterpret_cast<Function*>(dlsym(real_driver(), name));
}

/// The real functions that the table had.
cl_icd_dispatch original;

[[noreturn]] void break_down(std::string_view how) {
  if (how.starts_with("hang")) {
    for (;;) pause();
  }
  std::fputs("driver: assertion failed on purpose\n", stderr);
  std::abort();
}

/// Changes what belongs to the whole process, as libraries do that were linked with -ffast-math or were once programs.
void be_rude() {
#if defined(__x86_64__)
  __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040U);  // subnormal numbers are 0
#endif
  std::fesetround(FE_UPWARD);
  umask(0777);
  static_cast<void>(!chdir("/"));
  std::signal(SIGINT, SIG_IGN);
}

cl_int CL_API_CALL faulty_build(cl_program, cl_uint, const cl_device_id*, const char*,
                                void(CL_CALLBACK*)(cl_program, void*), void*) {
  break_down(variable("OVERTAKE_TEST_FAULT"));
}

cl_int CL_API_CALL faulty_read(cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t bytes,
                               void* target, cl_uint waits, const cl_event* wait_for, cl_event* event) {
  const cl_int result =
      original.clEnqueueReadBuffer(queue, buffer, blocking, offset, bytes, target, waits, wait_for, event);
  // Copies are right, and so are the first few results; then a bit of an exponent flips.
  static int reads = 0;
  if (result == CL_SUCCESS && ++reads > 12 && bytes >= 4)
    static_cast<unsigned char*>(target)[bytes / 8 * 4 + 3] ^= 0x40U;
  return result;
}

/// A device without double precision.
cl_int CL_API_CALL single_precision(cl_device_id device, cl_device_info what, size_t bytes, void* value,
                                    size_t* needed) {
  const cl_int result = original.clGetDeviceInfo(device, what, bytes, value, needed);
  if (result != CL_SUCCESS || value == nullptr) return result;
  if (what == CL_DEVICE_DOUBLE_FP_CONFIG) *static_cast<cl_device_fp_config*>(value) = 0;
  if (what == CL_DEVICE_EXTENSIONS) {
    char* found = std::strstr(static_cast<char*>(value), "cl_khr_fp64");
    if (found != nullptr) std::memset(found, ' ', std::string_view("cl_khr_fp64").size());
  }
  return result;
}

/// A device whose memory others hold.
cl_mem CL_API_CALL no_buffer(cl_context, cl_mem_flags, size_t, void*, cl_int* error) {
  if (error != nullptr) *error = CL_MEM_OBJECT_ALLOCATION_FAILURE;
  return nullptr;
}

void make_faulty(cl_icd_dispatch& table) {
  original = table;
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const std::uintptr_t begin = reinterpret_cast<std::uintptr_t>(&table) / page * page;
  const std::uintptr_t end = reinterpret_cast<std::uintptr_t>(&table + 1);
  if (mprotect(reinterpret_cast<void*>(begin), end - begin, PROT_READ | PROT_WRITE) != 0) std::abort();
  if (has_fault("abort-build") || has_fault("hang-build")) table.clBuildProgram = faulty_build;
  if (has_fault("wrong-results")) table.clEnqueueReadBuffer = faulty_read;
  if (has_fault("no-fp64")) table.clGetDeviceInfo = single_precision;
  if (has_fault("no-memory")) table.clCreateBuffer = no_buffer;
}

}  // namespace

extern "C" {

cl_int CL_API_CALL clIcdGetPlatformIDsKHR(cl_uint count, cl_platform_id* platforms, cl_uint* found) {
  if (has_fault("rude")) be_rude();
  if (has_fault("abort-list") || has_fault("hang-list")) break_down(variable("OVERTAKE_TEST_FAULT"));
  using GetPlatforms = cl_int(cl_uint, cl_platform_id*, cl_uint*);
  using GetFunction = void*(const char*);
  const auto look_up = real_function<GetFunction>("clGetExtensionFunctionAddress");
  if (look_up == nullptr) return CL_INVALID_VALUE;
  const auto list = reinterpret_cast<GetPlatforms*>(look_up("clIcdGetPlatformIDsKHR"));
  const cl_int result = list(count, platforms, found);
  static bool changed = false;
  if (result == CL_SUCCESS && platforms != nullptr && count > 0 && !changed) {
    changed = true;
    make_faulty(**reinterpret_cast<cl_icd_dispatch**>(platforms[0]));
  }
  return result;
}

cl_int CL_API_CALL clGetPlatformInfo(cl_platform_id platform, cl_platform_info what, size_t bytes, void* value,
                                     size_t* needed) {
  // Not every driver exports it: it is in the table that the platform begins with.
  return (*reinterpret_cast<cl_icd_dispatch**>(platform))->clGetPlatformInfo(platform, what, bytes, value, needed);
}

void* CL_API_CALL clGetExtensionFunctionAddress(const char* name) {
  if (name == std::string_view("clIcdGetPlatformIDsKHR")) return reinterpret_cast<void*>(clIcdGetPlatformIDsKHR);
  if (name == std::string_view("clGetPlatformInfo")) return reinterpret_cast<void*>(clGetPlatformInfo);
  using GetFunction = void*(const char*);
  return real_function<GetFunction>("clGetExtensionFunctionAddress")(name);
}
}
