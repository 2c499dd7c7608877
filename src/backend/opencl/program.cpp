// SPDX-License-Identifier: MIT
#include "backend/opencl/program.hpp"

#include <fmt/format.h>

#include "backend/api/profiling.hpp"
#include "backend/opencl/device.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::opencl {
namespace {

class OpenClKernel final : public Kernel {
 public:
  OpenClKernel(OpenClDevice& device, KernelHandle kernel, std::string name)
      : device_(device), kernel_(std::move(kernel)), name_(std::move(name)) {
    check(api().clGetKernelInfo(kernel_.get(), CL_KERNEL_NUM_ARGS, sizeof parameters_, &parameters_, nullptr),
          "clGetKernelInfo");
  }

  void launch(const LaunchGeometry& geometry, std::span<const KernelArgument> arguments) override {
    check_argument_count(name_, arguments.size(), parameters_);
    for (std::size_t i = 0; i < arguments.size(); ++i) set(static_cast<cl_uint>(i), arguments[i]);
    if (is_profiling()) {
      device_.synchronize();
      timed_launch(device_.info().id, {name_, {}}, "", true, [&] {
        device_.enqueue(kernel_.get(), geometry);
        device_.synchronize();
      });
      return;
    }
    device_.enqueue(kernel_.get(), geometry);
    check(api().clFlush(device_.queue()), "clFlush");
  }

 private:
  void set(cl_uint index, const KernelArgument& argument) {
    cl_int error = CL_SUCCESS;
    if (const Buffer* buffer = buffer_of(argument, device_, name_, index)) {
      auto* const memory = reinterpret_cast<cl_mem>(buffer->handle());
      error = api().clSetKernelArg(kernel_.get(), index, sizeof(cl_mem), static_cast<const void*>(&memory));
    } else if (const auto* local = std::get_if<LocalBytes>(&argument)) {
      error = api().clSetKernelArg(kernel_.get(), index, static_cast<std::size_t>(local->bytes), nullptr);
    } else {
      const auto set_number = [&]<typename T>(const T& number) {
        // NOLINTNEXTLINE(bugprone-sizeof-expression): buffers have been set above
        return api().clSetKernelArg(kernel_.get(), index, sizeof(T), static_cast<const void*>(&number));
      };
      error = std::visit(set_number, argument);
    }
    if (error != CL_SUCCESS) {
      throw UsageError(
          fmt::format("kernel {}: argument {} does not fit the parameter: {}", name_, index, error_name(error)),
          "Arguments must match the kernel's parameters in order, kind and size.");
    }
  }

  OpenClDevice& device_;
  KernelHandle kernel_;
  std::string name_;
  cl_uint parameters_ = 0;
};

}  // namespace

std::unique_ptr<Kernel> OpenClProgram::kernel(const std::string& name) {
  cl_int error = CL_SUCCESS;
  KernelHandle kernel(api().clCreateKernel(program_.get(), name.c_str(), &error));
  if (error == CL_INVALID_KERNEL_NAME) {
    throw UsageError(fmt::format("the program has no kernel named '{}'", name),
                     "Kernels are declared with KERNEL void.");
  }
  check(error, "clCreateKernel");
  return std::make_unique<OpenClKernel>(device_, std::move(kernel), name);
}

std::string with_defines(std::string_view prelude, const ProgramSource& program) {
  std::string text(prelude);
  for (const std::string& define : program.defines) {
    const std::size_t equals = define.find('=');
    const std::string value = equals == std::string::npos ? "1" : define.substr(equals + 1);
    text += fmt::format("#define {} {}\n", define.substr(0, equals), value);
  }
  text += "#line 1\n";
  text += program.source;
  return text;
}

std::string build_log(cl_program program, cl_device_id device) {
  std::size_t bytes = 0;
  if (api().clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, 0, nullptr, &bytes) != CL_SUCCESS) return {};
  std::string log(bytes, '\0');
  (void)api().clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, bytes, log.data(), nullptr);
  return log.substr(0, log.find('\0'));
}

std::string binary_of(cl_program program) {
  std::size_t bytes = 0;
  if (api().clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof bytes, &bytes, nullptr) != CL_SUCCESS) return {};
  std::string binary(bytes, '\0');
  char* data = binary.data();
  if (api().clGetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof data, &data, nullptr) != CL_SUCCESS) return {};
  return binary;
}

}  // namespace overtake::backend::opencl
