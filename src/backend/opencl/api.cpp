// SPDX-License-Identifier: MIT
#include "backend/opencl/api.hpp"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "core/config.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::opencl {
namespace {

void find_functions(Api& api) {
  const auto find = [&api](auto*& function, const char* name) {
    function = api.library.find<std::remove_reference_t<decltype(*function)>>(name);
    if (function == nullptr && api.missing.empty()) api.missing = fmt::format("{} has no {}", api.library.name(), name);
  };
  find(api.clGetPlatformIDs, "clGetPlatformIDs");
  find(api.clGetPlatformInfo, "clGetPlatformInfo");
  find(api.clGetDeviceIDs, "clGetDeviceIDs");
  find(api.clGetDeviceInfo, "clGetDeviceInfo");
  find(api.clCreateContext, "clCreateContext");
  find(api.clReleaseContext, "clReleaseContext");
  find(api.clCreateCommandQueue, "clCreateCommandQueue");
  find(api.clReleaseCommandQueue, "clReleaseCommandQueue");
  find(api.clCreateBuffer, "clCreateBuffer");
  find(api.clReleaseMemObject, "clReleaseMemObject");
  find(api.clEnqueueReadBuffer, "clEnqueueReadBuffer");
  find(api.clEnqueueWriteBuffer, "clEnqueueWriteBuffer");
  find(api.clEnqueueCopyBuffer, "clEnqueueCopyBuffer");
  find(api.clEnqueueFillBuffer, "clEnqueueFillBuffer");
  find(api.clEnqueueNDRangeKernel, "clEnqueueNDRangeKernel");
  find(api.clWaitForEvents, "clWaitForEvents");
  find(api.clEnqueueMarkerWithWaitList, "clEnqueueMarkerWithWaitList");
  find(api.clGetEventInfo, "clGetEventInfo");
  find(api.clSetEventCallback, "clSetEventCallback");
  find(api.clReleaseEvent, "clReleaseEvent");
  find(api.clFlush, "clFlush");
  find(api.clFinish, "clFinish");
  find(api.clCreateProgramWithSource, "clCreateProgramWithSource");
  find(api.clCreateProgramWithBinary, "clCreateProgramWithBinary");
  find(api.clBuildProgram, "clBuildProgram");
  find(api.clGetProgramInfo, "clGetProgramInfo");
  find(api.clGetProgramBuildInfo, "clGetProgramBuildInfo");
  find(api.clReleaseProgram, "clReleaseProgram");
  find(api.clCreateKernel, "clCreateKernel");
  find(api.clGetKernelInfo, "clGetKernelInfo");
  find(api.clSetKernelArg, "clSetKernelArg");
  find(api.clReleaseKernel, "clReleaseKernel");
}

std::unique_ptr<Api> load() {
  std::vector<std::string> candidates;
  for (const auto& folder : config::library_paths()) candidates.push_back((folder / "libOpenCL.so.1").string());
  candidates.emplace_back("libOpenCL.so.1");
  auto api = std::make_unique<Api>();
  api->library = Library(candidates);
  if (!api->library.loaded()) {
    api->missing = api->library.reasons();
    return api;
  }
  find_functions(*api);
  return api;
}

}  // namespace

const Api& api() {
  // Never destroyed: drivers tear down their threads when the process ends, and devices may still be open then.
  static const Api& instance = *load().release();
  return instance;
}

std::string error_name(cl_int error) {
  static constexpr std::pair<cl_int, const char*> names[] = {
      {-1, "CL_DEVICE_NOT_FOUND"},          {-2, "CL_DEVICE_NOT_AVAILABLE"},
      {-3, "CL_COMPILER_NOT_AVAILABLE"},    {-4, "CL_MEM_OBJECT_ALLOCATION_FAILURE"},
      {-5, "CL_OUT_OF_RESOURCES"},          {-6, "CL_OUT_OF_HOST_MEMORY"},
      {-11, "CL_BUILD_PROGRAM_FAILURE"},    {-30, "CL_INVALID_VALUE"},
      {-36, "CL_INVALID_COMMAND_QUEUE"},    {-38, "CL_INVALID_MEM_OBJECT"},
      {-42, "CL_INVALID_BINARY"},           {-46, "CL_INVALID_KERNEL_NAME"},
      {-49, "CL_INVALID_ARG_INDEX"},        {-50, "CL_INVALID_ARG_VALUE"},
      {-51, "CL_INVALID_ARG_SIZE"},         {-52, "CL_INVALID_KERNEL_ARGS"},
      {-54, "CL_INVALID_WORK_GROUP_SIZE"},  {-61, "CL_INVALID_BUFFER_SIZE"},
      {-63, "CL_INVALID_GLOBAL_WORK_SIZE"}, {-1001, "CL_PLATFORM_NOT_FOUND_KHR"},
  };
  for (const auto& [code, name] : names) {
    if (code == error) return fmt::format("{} ({})", name, error);
  }
  return fmt::format("OpenCL error {}", error);
}

void check(cl_int error, const char* call) {
  if (error == CL_SUCCESS) return;
  const bool memory = error == CL_MEM_OBJECT_ALLOCATION_FAILURE || error == CL_OUT_OF_RESOURCES;
  throw DeviceError(fmt::format("{} failed: {}", call, error_name(error)),
                    memory ? "The device may be out of memory: lower the batch or the layer sizes."
                           : "Run `clinfo` to see whether the OpenCL driver works.");
}

}  // namespace overtake::backend::opencl
