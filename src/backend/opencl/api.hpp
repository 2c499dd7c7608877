// SPDX-License-Identifier: MIT
// The functions of the OpenCL loader that this backend calls, looked up at run time.
#pragma once

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>

#include <string>

#include "backend/common/library_loader.hpp"

namespace overtake::backend::opencl {

/// One pointer for each function, named as in cl.h without the "cl".
struct Api {
  Library library;
  std::string missing;  ///< why the loader cannot be used; empty when it can

  decltype(::clGetPlatformIDs)* GetPlatformIDs = nullptr;
  decltype(::clGetPlatformInfo)* GetPlatformInfo = nullptr;
  decltype(::clGetDeviceIDs)* GetDeviceIDs = nullptr;
  decltype(::clGetDeviceInfo)* GetDeviceInfo = nullptr;
  decltype(::clCreateContext)* CreateContext = nullptr;
  decltype(::clReleaseContext)* ReleaseContext = nullptr;
  decltype(::clCreateCommandQueue)* CreateCommandQueue = nullptr;
  decltype(::clReleaseCommandQueue)* ReleaseCommandQueue = nullptr;
  decltype(::clCreateBuffer)* CreateBuffer = nullptr;
  decltype(::clReleaseMemObject)* ReleaseMemObject = nullptr;
  decltype(::clEnqueueReadBuffer)* EnqueueReadBuffer = nullptr;
  decltype(::clEnqueueWriteBuffer)* EnqueueWriteBuffer = nullptr;
  decltype(::clEnqueueCopyBuffer)* EnqueueCopyBuffer = nullptr;
  decltype(::clEnqueueFillBuffer)* EnqueueFillBuffer = nullptr;
  decltype(::clEnqueueNDRangeKernel)* EnqueueNDRangeKernel = nullptr;
  decltype(::clFlush)* Flush = nullptr;
  decltype(::clFinish)* Finish = nullptr;
  decltype(::clCreateProgramWithSource)* CreateProgramWithSource = nullptr;
  decltype(::clCreateProgramWithBinary)* CreateProgramWithBinary = nullptr;
  decltype(::clBuildProgram)* BuildProgram = nullptr;
  decltype(::clGetProgramInfo)* GetProgramInfo = nullptr;
  decltype(::clGetProgramBuildInfo)* GetProgramBuildInfo = nullptr;
  decltype(::clReleaseProgram)* ReleaseProgram = nullptr;
  decltype(::clCreateKernel)* CreateKernel = nullptr;
  decltype(::clGetKernelInfo)* GetKernelInfo = nullptr;
  decltype(::clSetKernelArg)* SetKernelArg = nullptr;
  decltype(::clReleaseKernel)* ReleaseKernel = nullptr;
};

/// The loader, opened on first use and kept for the life of the process. Check `missing` before calling anything.
[[nodiscard]] const Api& api();

/// "CL_OUT_OF_RESOURCES", or the number.
[[nodiscard]] std::string error_name(cl_int error);

/// Throws DeviceError naming the call and the error.
void check(cl_int error, const char* call);

}  // namespace overtake::backend::opencl
