// SPDX-License-Identifier: MIT
// A libcuda.so.1 with one card, that works as far as tests/faults needs it: memory is the host's, copies are made,
// kernels do nothing. OVERTAKE_TEST_FAULT says what is wrong with it:
//   abort-cuda, hang-cuda   cuInit ends the process, or does not return
//   init-N                  cuInit returns N
//   version-N               it is a driver of CUDA version N, as cuDriverGetVersion writes it
//   no-memory               another process holds all memory of the card
//   old-card                the card has compute capability 6.1
// CUDA_VISIBLE_DEVICES hides the card as it does with the real driver. The functions that are not here are in
// fake_cuda_rest.cpp. It is found by LD_LIBRARY_PATH.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "backend/cuda/vendor/driver.hpp"

namespace {

using namespace overtake::backend::cuda;  // NOLINT: the vendor's names

constexpr std::size_t card_bytes = std::size_t{8} << 30U;

std::string_view fault() {
  const char* value = std::getenv("OVERTAKE_TEST_FAULT");
  return value == nullptr ? "" : value;
}

/// The number behind "init-" in "init-34"; `otherwise` where the fault is another.
int number_of_fault(std::string_view beginning, int otherwise) {
  return fault().starts_with(beginning) ? std::atoi(fault().data() + beginning.size()) : otherwise;
}

bool is_hidden() {
  const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
  return visible != nullptr && visible != std::string_view("0");
}

struct ErrorName {
  unsigned code;
  const char* name;
};
constexpr ErrorName error_names[] = {{1, "CUDA_ERROR_INVALID_VALUE"}, {2, "CUDA_ERROR_OUT_OF_MEMORY"},
                                     {34, "CUDA_ERROR_STUB_LIBRARY"}, {46, "CUDA_ERROR_DEVICE_UNAVAILABLE"},
                                     {100, "CUDA_ERROR_NO_DEVICE"},   {803, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"},
                                     {999, "CUDA_ERROR_UNKNOWN"}};

int attribute_of_card(unsigned name) {
  const bool is_old = fault() == "old-card";
  switch (name) {
    case CU_DEVICE_ATTRIBUTE_CLOCK_RATE: return 1'500'000;
    case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT: return 20;
    case CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE: return 5'000'000;
    case CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH: return 256;
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR: return is_old ? 6 : 9;
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR: return is_old ? 1 : 0;
    default: return 0;
  }
}

void* pointer(CUdeviceptr address) { return reinterpret_cast<void*>(address); }

/// Contexts, streams, kernels and so on are one thing that nobody looks into.
template <typename Handle>
CUresult give(Handle* handle) {
  static char thing = 0;
  *handle = reinterpret_cast<Handle>(&thing);
  return CUDA_SUCCESS;
}

}  // namespace

extern "C" {

CUresult cuInit(unsigned) {
  if (fault() == "hang-cuda") {
    for (;;) pause();
  }
  if (fault() == "abort-cuda") std::abort();
  const auto code = static_cast<CUresult>(number_of_fault("init-", 0));
  return code == CUDA_SUCCESS && is_hidden() ? CUDA_ERROR_NO_DEVICE : code;
}

CUresult cuDriverGetVersion(int* version) {
  *version = number_of_fault("version-", 13000);
  return CUDA_SUCCESS;
}

CUresult cuGetErrorName(CUresult code, const char** name) {
  const auto* found = std::find_if(std::begin(error_names), std::end(error_names),
                                   [code](const auto& each) { return each.code == code; });
  *name = found == std::end(error_names) ? nullptr : found->name;
  return found == std::end(error_names) ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

CUresult cuGetErrorString(CUresult, const char** text) {
  *text = "as the test asked";
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetCount(int* count) {
  *count = 1;
  return CUDA_SUCCESS;
}

CUresult cuDeviceGet(CUdevice* device, int index) {
  *device = index;
  return index == 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

CUresult cuDeviceGetName(char* name, int size, CUdevice) {
  std::strncpy(name, "Card of a test", static_cast<std::size_t>(size) - 1);
  return CUDA_SUCCESS;
}

CUresult cuDeviceTotalMem_v2(std::size_t* bytes, CUdevice) {
  *bytes = card_bytes;
  return CUDA_SUCCESS;
}

CUresult cuDeviceGetAttribute(int* value, CUdevice_attribute name, CUdevice) {
  *value = attribute_of_card(name);
  return CUDA_SUCCESS;
}

CUresult cuMemGetInfo_v2(std::size_t* available, std::size_t* total) {
  *available = fault() == "no-memory" ? 0 : card_bytes;
  *total = card_bytes;
  return CUDA_SUCCESS;
}

CUresult cuMemAlloc_v2(CUdeviceptr* address, std::size_t bytes) {
  if (fault() == "no-memory") return CUDA_ERROR_OUT_OF_MEMORY;
  void* memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  *address = reinterpret_cast<CUdeviceptr>(memory);
  return memory == nullptr ? CUDA_ERROR_OUT_OF_MEMORY : CUDA_SUCCESS;
}

CUresult cuMemFree_v2(CUdeviceptr address) {
  std::free(pointer(address));
  return CUDA_SUCCESS;
}

CUresult cuMemHostAlloc(void** memory, std::size_t bytes, unsigned) {
  *memory = std::malloc(bytes);
  return *memory == nullptr ? CUDA_ERROR_OUT_OF_MEMORY : CUDA_SUCCESS;
}

CUresult cuMemFreeHost(void* memory) {
  std::free(memory);
  return CUDA_SUCCESS;
}

CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, std::size_t bytes, CUstream) {
  std::memcpy(pointer(to), from, bytes);
  return CUDA_SUCCESS;
}

CUresult cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, std::size_t bytes, CUstream) {
  std::memcpy(to, pointer(from), bytes);
  return CUDA_SUCCESS;
}

CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, std::size_t bytes, CUstream) {
  std::memmove(pointer(to), pointer(from), bytes);
  return CUDA_SUCCESS;
}

CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, std::size_t bytes, CUstream) {
  std::memset(pointer(to), value, bytes);
  return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice) { return give(context); }
CUresult cuStreamCreate(CUstream* stream, unsigned) { return give(stream); }
CUresult cuStreamEndCapture(CUstream, CUgraph* graph) { return give(graph); }
CUresult cuEventCreate(CUevent* event, unsigned) { return give(event); }
CUresult cuModuleLoadDataEx(CUmodule* module, const void*, unsigned, CUjit_option*, void**) { return give(module); }
CUresult cuModuleGetFunction(CUfunction* function, CUmodule, const char*) { return give(function); }
CUresult cuGraphCreate(CUgraph* graph, unsigned) { return give(graph); }
CUresult cuGraphAddKernelNode_v2(CUgraphNode* node, CUgraph, const CUgraphNode*, std::size_t,
                                 const CUDA_KERNEL_NODE_PARAMS*) {
  return give(node);
}
CUresult cuGraphAddChildGraphNode(CUgraphNode* node, CUgraph, const CUgraphNode*, std::size_t, CUgraph) {
  return give(node);
}
CUresult cuGraphInstantiateWithFlags(CUgraphExec* executable, CUgraph, unsigned long long) { return give(executable); }

CUresult cuEventElapsedTime_v2(float* milliseconds, CUevent, CUevent) {
  *milliseconds = 1;
  return CUDA_SUCCESS;
}
}
