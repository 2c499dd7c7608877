// SPDX-License-Identifier: MIT
#include "backend/cuda/run/launcher.hpp"

#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "backend/cuda/device.hpp"
#include "backend/cuda/driver/errors.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::cuda {
namespace {

[[nodiscard]] std::uint64_t int_bits(std::int64_t value) {
  const auto narrow = static_cast<std::int32_t>(value);
  if (narrow != value) throw InternalError(fmt::format("cuda: kernel argument {} does not fit 32 bits", value));
  std::uint64_t packed = 0;
  std::memcpy(&packed, &narrow, sizeof(narrow));
  return packed;
}

[[nodiscard]] std::uint64_t argument_value(const LoweredArgument& argument, std::span<const std::uint64_t> slots,
                                           std::uint64_t scratch) {
  switch (argument.kind) {
    case LoweredArgument::Kind::slot: return slots[argument.slot];
    case LoweredArgument::Kind::scratch: return scratch;
    case LoweredArgument::Kind::offset:  // the slot's own address is passed, so its distance is 0
    case LoweredArgument::Kind::int32: return int_bits(argument.value);
    case LoweredArgument::Kind::offset64:
    case LoweredArgument::Kind::int64: return std::bit_cast<std::uint64_t>(argument.value);
    case LoweredArgument::Kind::index: break;
  }
  throw InternalError("cuda: unknown kind of kernel argument");
}

[[nodiscard]] CUDA_KERNEL_NODE_PARAMS launch_of(const LoweredKernel& kernel, CUfunction function) {
  CUDA_KERNEL_NODE_PARAMS node{};
  node.func = function;
  node.gridDimX = kernel.geometry.groups[0];
  node.gridDimY = kernel.geometry.groups[1];
  node.gridDimZ = kernel.geometry.groups[2];
  node.blockDimX = kernel.geometry.group_size[0];
  node.blockDimY = kernel.geometry.group_size[1];
  node.blockDimZ = kernel.geometry.group_size[2];
  return node;
}

}  // namespace

Launcher::Launcher(CudaDevice& device, Plan plan) : device_(device), plan_(std::move(plan)) {
  std::vector<const LoweredKernel*> kernels;
  for (const PlanStep& step : plan_.steps) {
    if (const auto* kernel = std::get_if<LoweredKernel>(&step.work)) kernels.push_back(kernel);
  }
  const std::vector<CUfunction> functions = device.kernels().functions(kernels);
  if (!plan_.words.empty()) {
    const std::size_t bytes = plan_.words.size() * sizeof(plan_.words[0]);
    words_ = device.allocate(bytes);
    device.upload_constants(*words_, plan_.words.data(), bytes);
  }
  steps_.resize(plan_.steps.size());
  std::size_t next = 0;
  for (std::size_t index = 0; index < steps_.size(); ++index) {
    BoundStep& bound = steps_[index];
    if (const auto* kernel = std::get_if<LoweredKernel>(&plan_.steps[index].work)) {
      bound.function = functions[next++];
      bound.node = launch_of(*kernel, bound.function);
      bound.values.resize(kernel->arguments.size());
      continue;
    }
    prepare_library_step(index);
  }
}

void Launcher::prepare_library_step(std::size_t index) {
  BoundStep& bound = steps_[index];
  if (const auto* product = std::get_if<LibraryProduct>(&plan_.steps[index].work)) {
    const Blas* library = device_.library();
    if (library != nullptr) bound.product = library->prepare(*product, product->rank);
    if (!bound.product || bound.product->workspace_bytes() > product->workspace_bytes) {
      throw InternalError("cuda: cuBLASLt gave no algorithm for a product it had accepted");
    }
    return;
  }
  const auto& convolution = std::get<LibraryConvolution>(plan_.steps[index].work);
  Dnn* library = device_.dnn();
  if (library != nullptr) bound.convolution = library->choose(convolution);
  if (bound.convolution == nullptr || bound.convolution->plan.workspace_bytes > convolution.workspace_bytes) {
    throw InternalError("cuda: cuDNN gave no plan for a convolution it had accepted");
  }
}

void Launcher::bind(std::vector<std::uint64_t> slot_addresses, std::uint64_t arena) {
  slots_ = std::move(slot_addresses);
  arena_ = arena;
  for (std::size_t index = 0; index < steps_.size(); ++index) {
    BoundStep& bound = steps_[index];
    const PlanStep& step = plan_.steps[index];
    const std::uint64_t scratch =
        step.words_begin ? words_->handle() + *step.words_begin * sizeof(plan_.words[0]) : arena + step.scratch_offset;
    const auto* kernel = std::get_if<LoweredKernel>(&step.work);
    if (kernel == nullptr) {
      const auto* product = std::get_if<LibraryProduct>(&step.work);
      bound.workspace = scratch + (product == nullptr ? 0 : product->workspace_offset);
      if (const auto* convolution = std::get_if<LibraryConvolution>(&step.work)) {
        bound.pack = dnn_pack(device_.dnn()->api(), dnn_tensors(convolution->epilogue),
                              tensor_addresses(*convolution, slots_), scratch);
      }
      continue;
    }
    bound.pointers.clear();
    for (std::size_t position = 0; position < kernel->arguments.size(); ++position) {
      bound.values[position] = argument_value(kernel->arguments[position], slots_, scratch);
      bound.pointers.push_back(&bound.values[position]);
    }
    bound.node.kernelParams = bound.pointers.data();
  }
}

void Launcher::enqueue(std::size_t index, CUstream stream) const {
  const BoundStep& bound = steps_[index];
  if (bound.product) {
    bound.product->enqueue(stream, slots_, bound.workspace);
    return;
  }
  if (bound.convolution) {
    device_.dnn()->enqueue(bound.convolution->plan, bound.pack.get(), stream);
    return;
  }
  const CUDA_KERNEL_NODE_PARAMS& node = bound.node;
  const DriverApi& api = device_.api();
  const CUresult code = api.cuLaunchKernel(bound.function, node.gridDimX, node.gridDimY, node.gridDimZ, node.blockDimX,
                                           node.blockDimY, node.blockDimZ, 0, stream, node.kernelParams, nullptr);
  if (code == CUDA_SUCCESS) return;
  check(api, code,
        fmt::format("launching {} ({} x {} x {} groups of {} x {} x {})",
                    std::get<LoweredKernel>(plan_.steps[index].work).entry, node.gridDimX, node.gridDimY, node.gridDimZ,
                    node.blockDimX, node.blockDimY, node.blockDimZ));
}

}  // namespace overtake::backend::cuda
