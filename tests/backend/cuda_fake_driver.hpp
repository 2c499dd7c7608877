// SPDX-License-Identifier: MIT
// A CUDA driver played by the host: memory is host memory, copies are done, kernels and graphs are only counted. Tests
// of everything but the arithmetic run on it without a GPU.
#pragma once

#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "backend/cuda/driver/driver_api.hpp"

namespace overtake::backend::cuda {

/// What the fake has seen, and what it shall refuse.
struct FakeGpu {
  std::map<std::string, int> calls;
  std::map<std::string, CUresult> refuse;  ///< function name to the code it returns
  std::size_t memory_left = std::size_t{1} << 30U;
  std::map<CUdeviceptr, std::size_t> allocations;
  std::set<const void*> objects;  ///< streams, events, modules, graphs that live
  int bad_frees = 0;
  struct Graph {
    std::vector<std::vector<std::size_t>> waits;  ///< of each node
  };
  std::map<CUgraph, Graph> graphs;
  std::vector<Graph> instantiated;
};
inline FakeGpu& fake_gpu() {
  static FakeGpu instance;
  return instance;
}

namespace fake {

/// Counts the call; the code to return.
inline CUresult enter(const char* name) {
  static std::mutex mutex;  // large copies come from several threads
  const std::lock_guard lock(mutex);
  ++fake_gpu().calls[name];
  const auto refused = fake_gpu().refuse.find(name);
  return refused != fake_gpu().refuse.end() ? refused->second : CUDA_SUCCESS;
}

template <typename T>
CUresult make(T* object, const char* name) {
  if (const CUresult code = enter(name); code != CUDA_SUCCESS) return code;
  void* memory = std::malloc(16);  // NOLINT: an address that nothing else has
  fake_gpu().objects.insert(memory);
  *object = static_cast<T>(memory);
  return CUDA_SUCCESS;
}

template <typename T>
CUresult destroy(T object, const char* name) {
  const CUresult code = enter(name);
  if (fake_gpu().objects.erase(object) == 1) {
    std::free(object);  // NOLINT
  } else {
    ++fake_gpu().bad_frees;
  }
  return code;
}

inline CUresult allocate(CUdeviceptr* pointer, std::size_t bytes) {
  if (const CUresult code = enter("cuMemAlloc"); code != CUDA_SUCCESS) return code;
  if (bytes > fake_gpu().memory_left) return CUDA_ERROR_OUT_OF_MEMORY;
  void* memory = nullptr;
  if (posix_memalign(&memory, 256, bytes) != 0) return CUDA_ERROR_OUT_OF_MEMORY;
  std::memset(memory, 0xff, bytes);  // NaN: nothing may count on zeros
  fake_gpu().memory_left -= bytes;
  *pointer = reinterpret_cast<CUdeviceptr>(memory);
  fake_gpu().allocations[*pointer] = bytes;
  return CUDA_SUCCESS;
}

inline CUresult release(CUdeviceptr pointer) {
  ++fake_gpu().calls["cuMemFree"];
  const auto found = fake_gpu().allocations.find(pointer);
  if (found == fake_gpu().allocations.end()) return ++fake_gpu().bad_frees, CUDA_ERROR_INVALID_VALUE;
  fake_gpu().memory_left += found->second;
  fake_gpu().allocations.erase(found);
  std::free(reinterpret_cast<void*>(pointer));  // NOLINT
  return CUDA_SUCCESS;
}

/// True when [pointer, pointer + bytes) lies in one allocation.
inline bool inside(CUdeviceptr pointer, std::size_t bytes) {
  auto after = fake_gpu().allocations.upper_bound(pointer);
  if (after == fake_gpu().allocations.begin()) return false;
  --after;
  return pointer + bytes <= after->first + after->second;
}

inline CUresult to_device(CUdeviceptr to, const void* from, std::size_t bytes, CUstream) {
  if (const CUresult code = enter("cuMemcpyHtoDAsync"); code != CUDA_SUCCESS) return code;
  if (!inside(to, bytes)) return CUDA_ERROR_ILLEGAL_ADDRESS;
  std::memcpy(reinterpret_cast<void*>(to), from, bytes);
  return CUDA_SUCCESS;
}
inline CUresult to_host(void* to, CUdeviceptr from, std::size_t bytes, CUstream) {
  if (const CUresult code = enter("cuMemcpyDtoHAsync"); code != CUDA_SUCCESS) return code;
  if (!inside(from, bytes)) return CUDA_ERROR_ILLEGAL_ADDRESS;
  std::memcpy(to, reinterpret_cast<const void*>(from), bytes);
  return CUDA_SUCCESS;
}
inline CUresult on_device(CUdeviceptr to, CUdeviceptr from, std::size_t bytes, CUstream) {
  if (const CUresult code = enter("cuMemcpyDtoDAsync"); code != CUDA_SUCCESS) return code;
  if (!inside(to, bytes) || !inside(from, bytes)) return CUDA_ERROR_ILLEGAL_ADDRESS;
  std::memmove(reinterpret_cast<void*>(to), reinterpret_cast<const void*>(from), bytes);
  return CUDA_SUCCESS;
}

inline CUresult add_node(CUgraphNode* node, CUgraph graph, const CUgraphNode* waits, std::size_t count) {
  auto& nodes = fake_gpu().graphs[graph].waits;
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < count; ++i) indices.push_back(reinterpret_cast<std::size_t>(waits[i]) - 1);
  nodes.push_back(indices);
  *node = reinterpret_cast<CUgraphNode>(nodes.size());  // NOLINT: nodes are numbers, from 1
  return CUDA_SUCCESS;
}

}  // namespace fake

/// A table with every function that a CudaDevice calls.
inline DriverApi fake_driver_api() {
  DriverApi api;
  api.cuGetErrorName = [](CUresult code, const char** name) {
    *name = code == CUDA_ERROR_OUT_OF_MEMORY ? "CUDA_ERROR_OUT_OF_MEMORY" : "CUDA_ERROR_FAKE";
    return CUDA_SUCCESS;
  };
  api.cuGetErrorString = [](CUresult, const char** text) { return *text = "as the test asked", CUDA_SUCCESS; };
  api.cuDeviceGet = [](CUdevice* device, int index) { return *device = index, CUDA_SUCCESS; };
  api.cuDeviceGetAttribute = [](int* value, CUdevice_attribute name, CUdevice) {
    *value = name == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR ? 9 : 0;
    return CUDA_SUCCESS;
  };
  api.cuDevicePrimaryCtxRetain = [](CUcontext* context, CUdevice) {
    return fake::make(context, "cuDevicePrimaryCtxRetain");
  };
  api.cuDevicePrimaryCtxRelease = [](CUdevice) { return fake::enter("cuDevicePrimaryCtxRelease"); };
  api.cuCtxSetCurrent = [](CUcontext) { return fake::enter("cuCtxSetCurrent"); };
  api.cuMemGetInfo = [](std::size_t* free, std::size_t* all) {
    *free = fake_gpu().memory_left;
    *all = std::size_t{8} << 30U;
    return CUDA_SUCCESS;
  };
  api.cuMemAlloc = fake::allocate;
  api.cuMemFree = fake::release;
  api.cuMemHostAlloc = [](void** memory, std::size_t bytes, unsigned) {
    if (const CUresult code = fake::enter("cuMemHostAlloc"); code != CUDA_SUCCESS) return code;
    *memory = std::malloc(bytes);  // NOLINT
    fake_gpu().objects.insert(*memory);
    return CUDA_SUCCESS;
  };
  api.cuMemFreeHost = [](void* memory) { return fake::destroy(memory, "cuMemFreeHost"); };
  api.cuMemcpyHtoDAsync = fake::to_device;
  api.cuMemcpyDtoHAsync = fake::to_host;
  api.cuMemcpyDtoDAsync = fake::on_device;
  api.cuMemsetD8Async = [](CUdeviceptr to, unsigned char value, std::size_t bytes, CUstream) {
    if (!fake::inside(to, bytes)) return CUDA_ERROR_ILLEGAL_ADDRESS;
    std::memset(reinterpret_cast<void*>(to), value, bytes);
    return fake::enter("cuMemsetD8Async");
  };
  api.cuStreamCreate = [](CUstream* stream, unsigned) { return fake::make(stream, "cuStreamCreate"); };
  api.cuStreamDestroy = [](CUstream stream) { return fake::destroy(stream, "cuStreamDestroy"); };
  api.cuStreamSynchronize = [](CUstream) { return fake::enter("cuStreamSynchronize"); };
  api.cuEventCreate = [](CUevent* event, unsigned) { return fake::make(event, "cuEventCreate"); };
  api.cuEventDestroy = [](CUevent event) { return fake::destroy(event, "cuEventDestroy"); };
  api.cuEventRecord = [](CUevent, CUstream) { return fake::enter("cuEventRecord"); };
  api.cuEventSynchronize = [](CUevent) { return fake::enter("cuEventSynchronize"); };
  api.cuEventQuery = [](CUevent) { return fake::enter("cuEventQuery"); };
  api.cuStreamWaitEvent = [](CUstream, CUevent, unsigned) { return fake::enter("cuStreamWaitEvent"); };
  api.cuEventElapsedTime = [](float* milliseconds, CUevent, CUevent) {
    *milliseconds = 0.5F;
    return fake::enter("cuEventElapsedTime");
  };
  api.cuModuleLoadDataEx = [](CUmodule* module, const void*, unsigned, CUjit_option*, void**) {
    return fake::make(module, "cuModuleLoadDataEx");
  };
  api.cuModuleUnload = [](CUmodule module) { return fake::destroy(module, "cuModuleUnload"); };
  api.cuModuleGetFunction = [](CUfunction* function, CUmodule module, const char* name) {
    if (std::strcmp(name, "missing") == 0) return CUDA_ERROR_NOT_FOUND;
    *function = reinterpret_cast<CUfunction>(module);  // NOLINT: any address will do
    return fake::enter("cuModuleGetFunction");
  };
  api.cuFuncSetAttribute = [](CUfunction, CUfunction_attribute, int) { return fake::enter("cuFuncSetAttribute"); };
  api.cuLaunchKernel = [](CUfunction, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, CUstream,
                          void**, void**) { return fake::enter("cuLaunchKernel"); };
  api.cuGraphCreate = [](CUgraph* graph, unsigned) { return fake::make(graph, "cuGraphCreate"); };
  api.cuGraphDestroy = [](CUgraph graph) {
    fake_gpu().graphs.erase(graph);
    return fake::destroy(graph, "cuGraphDestroy");
  };
  api.cuGraphAddKernelNode = [](CUgraphNode* node, CUgraph graph, const CUgraphNode* waits, std::size_t count,
                                const CUDA_KERNEL_NODE_PARAMS*) {
    if (const CUresult code = fake::enter("cuGraphAddKernelNode"); code != CUDA_SUCCESS) return code;
    return fake::add_node(node, graph, waits, count);
  };
  api.cuGraphInstantiate = [](CUgraphExec* executable, CUgraph graph, unsigned long long) {
    const CUresult code = fake::make(executable, "cuGraphInstantiate");
    if (code == CUDA_SUCCESS) fake_gpu().instantiated.push_back(fake_gpu().graphs[graph]);
    return code;
  };
  api.cuGraphExecDestroy = [](CUgraphExec executable) { return fake::destroy(executable, "cuGraphExecDestroy"); };
  api.cuGraphUpload = [](CUgraphExec, CUstream) { return fake::enter("cuGraphUpload"); };
  api.cuGraphLaunch = [](CUgraphExec, CUstream) { return fake::enter("cuGraphLaunch"); };
  return api;
}

}  // namespace overtake::backend::cuda
