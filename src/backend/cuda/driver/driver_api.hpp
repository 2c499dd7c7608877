// SPDX-License-Identifier: MIT
// The functions of libcuda.so.1, found at run time.
#pragma once

#include <functional>
#include <string>

#include "backend/cuda/driver/handle.hpp"
#include "backend/cuda/vendor/driver.hpp"

namespace overtake::backend::cuda {

/// Finds the address of an exported function; null when there is none.
using SymbolLookup = std::function<void*(const char* name)>;

/// Functions of libcuda.so.1, under the names they have in the vendor's documents. Those of
/// OVERTAKE_CUDA_DRIVER_OPTIONAL are null where the driver lacks them.
struct DriverApi {
#define OVERTAKE_CUDA_MEMBER(name, symbol, parameters) \
  CUresult(*name) parameters = nullptr;  // NOLINT(bugprone-macro-parentheses)
  OVERTAKE_CUDA_DRIVER_REQUIRED(OVERTAKE_CUDA_MEMBER)
  OVERTAKE_CUDA_DRIVER_OPTIONAL(OVERTAKE_CUDA_MEMBER)
#undef OVERTAKE_CUDA_MEMBER
};

/// Fills the table, or names the first function that is missing.
struct DriverLookup {
  DriverApi api;
  std::string missing;  ///< empty: complete
};
[[nodiscard]] DriverLookup find_driver_functions(const SymbolLookup& lookup);

using StreamHandle = Handle<CUstream, CUresult>;
using EventHandle = Handle<CUevent, CUresult>;
using ModuleHandle = Handle<CUmodule, CUresult>;
using GraphHandle = Handle<CUgraph, CUresult>;
using GraphExecHandle = Handle<CUgraphExec, CUresult>;
using HostMemoryHandle = Handle<void*, CUresult>;

}  // namespace overtake::backend::cuda
