// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "backend/api/device.hpp"
#include "backend/opencl/handle.hpp"

namespace overtake::backend::opencl {

class OpenClDevice;

/// Dialect source compiled for one OpenCL device.
class OpenClProgram final : public Program {
 public:
  OpenClProgram(OpenClDevice& device, ProgramHandle program) : device_(device), program_(std::move(program)) {}
  [[nodiscard]] std::unique_ptr<Kernel> kernel(const std::string& name) override;

 private:
  OpenClDevice& device_;
  ProgramHandle program_;
};

/// Prelude, "#define NAME VALUE" for each "NAME=VALUE", source.
[[nodiscard]] std::string with_defines(std::string_view prelude, const ProgramSource& program);

/// The compiler's messages.
[[nodiscard]] std::string build_log(cl_program program, cl_device_id device);

/// The compiled form, for the disk cache; empty if the driver gives none.
[[nodiscard]] std::string binary_of(cl_program program);

}  // namespace overtake::backend::opencl
