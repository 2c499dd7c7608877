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

  decltype(::clGetPlatformIDs)* clGetPlatformIDs = nullptr;
  decltype(::clGetPlatformInfo)* clGetPlatformInfo = nullptr;
  decltype(::clGetDeviceIDs)* clGetDeviceIDs = nullptr;
  decltype(::clGetDeviceInfo)* clGetDeviceInfo = nullptr;
  decltype(::clCreateContext)* clCreateContext = nullptr;
  decltype(::clReleaseContext)* clReleaseContext = nullptr;
  decltype(::clCreateCommandQueue)* clCreateCommandQueue = nullptr;
  decltype(::clReleaseCommandQueue)* clReleaseCommandQueue = nullptr;
  decltype(::clCreateBuffer)* clCreateBuffer = nullptr;
  decltype(::clReleaseMemObject)* clReleaseMemObject = nullptr;
  decltype(::clEnqueueReadBuffer)* clEnqueueReadBuffer = nullptr;
  decltype(::clEnqueueWriteBuffer)* clEnqueueWriteBuffer = nullptr;
  decltype(::clEnqueueCopyBuffer)* clEnqueueCopyBuffer = nullptr;
  decltype(::clEnqueueFillBuffer)* clEnqueueFillBuffer = nullptr;
  decltype(::clEnqueueNDRangeKernel)* clEnqueueNDRangeKernel = nullptr;
  decltype(::clWaitForEvents)* clWaitForEvents = nullptr;
  decltype(::clEnqueueMarkerWithWaitList)* clEnqueueMarkerWithWaitList = nullptr;
  decltype(::clGetEventInfo)* clGetEventInfo = nullptr;
  decltype(::clSetEventCallback)* clSetEventCallback = nullptr;
  decltype(::clReleaseEvent)* clReleaseEvent = nullptr;
  decltype(::clFlush)* clFlush = nullptr;
  decltype(::clFinish)* clFinish = nullptr;
  decltype(::clCreateProgramWithSource)* clCreateProgramWithSource = nullptr;
  decltype(::clCreateProgramWithBinary)* clCreateProgramWithBinary = nullptr;
  decltype(::clBuildProgram)* clBuildProgram = nullptr;
  decltype(::clGetProgramInfo)* clGetProgramInfo = nullptr;
  decltype(::clGetProgramBuildInfo)* clGetProgramBuildInfo = nullptr;
  decltype(::clReleaseProgram)* clReleaseProgram = nullptr;
  decltype(::clCreateKernel)* clCreateKernel = nullptr;
  decltype(::clGetKernelInfo)* clGetKernelInfo = nullptr;
  decltype(::clSetKernelArg)* clSetKernelArg = nullptr;
  decltype(::clReleaseKernel)* clReleaseKernel = nullptr;
};

/// The loader, opened on first use and kept for the life of the process. Check `missing` before calling anything.
[[nodiscard]] const Api& api();

/// "CL_OUT_OF_RESOURCES", or the number.
[[nodiscard]] std::string error_name(cl_int error);

/// Throws DeviceError naming the call and the error.
void check(cl_int error, const char* call);

}  // namespace overtake::backend::opencl
