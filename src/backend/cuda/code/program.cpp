// SPDX-License-Identifier: MIT
#include "backend/cuda/code/program.hpp"

#include <fmt/format.h>

#include <cstring>
#include <optional>
#include <variant>
#include <vector>

#include "backend/cuda/device.hpp"
#include "backend/cuda/driver/errors.hpp"
#include "backend/cuda/run/launch_clock.hpp"
#include "core/checked.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::cuda {
namespace {

/// Every parameter in eight bytes of its own; the driver reads as many as the parameter has.
struct PackedArguments {
  std::vector<std::uint64_t> values;
  std::vector<void*> pointers;
  std::uint32_t local_bytes = 0;
};

std::uint64_t bits(Buffer* buffer) { return buffer->handle(); }
template <typename T>
std::uint64_t bits(T value) {
  std::uint64_t packed = 0;
  std::memcpy(&packed, &value, sizeof(T));
  return packed;
}

/// Bytes of the parameter that an argument of this type is for.
std::size_t size_of_parameter(const KernelArgument& argument) {
  if (std::holds_alternative<Buffer*>(argument)) return sizeof(CUdeviceptr);
  const bool is_long = std::holds_alternative<std::int64_t>(argument) || std::holds_alternative<double>(argument);
  return is_long ? sizeof(std::int64_t) : sizeof(std::int32_t);  // of local memory an int says where it begins
}

class CudaKernel final : public Kernel {
 public:
  CudaKernel(CudaDevice& device, CUfunction function, std::string name)
      : device_(device), function_(function), name_(std::move(name)), parameters_(read_parameters()) {}

  void launch(const LaunchGeometry& geometry, std::span<const KernelArgument> arguments) override {
    if (parameters_) check_parameters(arguments);
    const auto& groups = geometry.groups;
    if (groups[0] == 0 || groups[1] == 0 || groups[2] == 0) return;
    PackedArguments packed = pack(arguments);
    const DriverApi& api = device_.api();
    device_.context().use();
    if (packed.local_bytes > local_bytes_allowed_) {
      check(api,
            api.cuFuncSetAttribute(function_, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                                   static_cast<int>(packed.local_bytes)),
            fmt::format("asking for {} bytes of local memory for kernel {}", packed.local_bytes, name_));
      local_bytes_allowed_ = packed.local_bytes;
    }
    const auto enqueue = [&] { start(geometry, packed); };
    if (!is_profiling()) return enqueue();
    ProfileRecord record;
    record.name = name_;
    profile_launch(device_, std::move(record), enqueue);
  }

 private:
  void start(const LaunchGeometry& geometry, PackedArguments& packed) const {
    const auto& groups = geometry.groups;
    const auto& size = geometry.group_size;
    const DriverApi& api = device_.api();
    const CUresult code = api.cuLaunchKernel(function_, groups[0], groups[1], groups[2], size[0], size[1], size[2],
                                             packed.local_bytes, device_.stream(), packed.pointers.data(), nullptr);
    if (code == CUDA_SUCCESS) return;  // before a text is made
    check(api, code,
          fmt::format("launching kernel {} with ({}, {}, {}) groups of ({}, {}, {})", name_, groups[0], groups[1],
                      groups[2], size[0], size[1], size[2]));
  }

  /// Sizes of the kernel's parameters; nothing with drivers before CUDA 12.4.
  [[nodiscard]] std::optional<std::vector<std::size_t>> read_parameters() const {
    if (device_.api().cuFuncGetParamInfo == nullptr) return std::nullopt;
    std::vector<std::size_t> sizes;
    std::size_t offset = 0;
    std::size_t bytes = 0;
    while (device_.api().cuFuncGetParamInfo(function_, sizes.size(), &offset, &bytes) == CUDA_SUCCESS) {
      sizes.push_back(bytes);
    }
    return sizes;
  }

  void check_parameters(std::span<const KernelArgument> arguments) const {
    check_argument_count(name_, arguments.size(), parameters_->size());
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      const std::size_t given = size_of_parameter(arguments[i]);
      if (given == (*parameters_)[i]) continue;
      throw UsageError(
          fmt::format("kernel {}: argument {} has {} bytes, its parameter has {}", name_, i, given, (*parameters_)[i]),
          "Arguments must match the kernel's parameters in order, kind and size.");
    }
  }

  [[nodiscard]] PackedArguments pack(std::span<const KernelArgument> arguments) const {
    PackedArguments packed;
    packed.values.reserve(arguments.size());
    for (const KernelArgument& argument : arguments) {
      (void)buffer_of(argument, device_, name_, packed.values.size());  // checks it
      if (const auto* local = std::get_if<LocalBytes>(&argument)) {
        // The kernel gets the offset of this piece in the launch's shared memory (LOCAL_PARAMETER of the dialect).
        packed.values.push_back(bits(narrow<std::int32_t>(packed.local_bytes, "local memory of a kernel")));
        packed.local_bytes += narrow<std::uint32_t>((local->bytes + 15) / 16 * 16, "local memory of a kernel");
      } else {
        packed.values.push_back(std::visit([](const auto& value) { return bits(value); }, argument));
      }
    }
    packed.pointers.reserve(packed.values.size());
    for (std::uint64_t& value : packed.values) packed.pointers.push_back(&value);
    return packed;
  }

  CudaDevice& device_;
  CUfunction function_;
  std::string name_;
  std::optional<std::vector<std::size_t>> parameters_;
  std::uint32_t local_bytes_allowed_ = 48 * 1024;
};

class CudaProgram final : public Program {
 public:
  CudaProgram(CudaDevice& device, ModuleHandle module) : device_(device), module_(std::move(module)) {}
  ~CudaProgram() override {
    // A module may not be unloaded under a running kernel, nor without its context.
    if (device_.context().try_use()) static_cast<void>(device_.api().cuStreamSynchronize(device_.stream()));
  }

  [[nodiscard]] std::unique_ptr<Kernel> kernel(const std::string& name) override {
    device_.context().use();
    CUfunction function = device_.kernels().find(module_, name);
    if (function == nullptr) {
      throw UsageError(fmt::format("the program has no kernel named '{}'", name),
                       "Kernels are the functions declared with KERNEL; names are case-sensitive.");
    }
    return std::make_unique<CudaKernel>(device_, function, name);
  }

 private:
  CudaDevice& device_;
  ModuleHandle module_;
};

}  // namespace

std::unique_ptr<Program> make_program(CudaDevice& device, ModuleHandle module) {
  return std::make_unique<CudaProgram>(device, std::move(module));
}

}  // namespace overtake::backend::cuda
