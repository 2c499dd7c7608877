// SPDX-License-Identifier: MIT
#include "overtake/dlpack.hpp"

#include <fmt/format.h>

#include <memory>
#include <optional>

#include "backend/api/device.hpp"
#include "exchange/dlpack_abi.hpp"
#include "graph/node.hpp"
#include "graph/primitive.hpp"
#include "overtake/error.hpp"

namespace overtake {
namespace {

DLDataType type_of(DType dtype) {
  constexpr unsigned bits_of_byte = 8;
  const auto bits = static_cast<std::uint8_t>(bits_of_byte * size_of(dtype));
  if (dtype == DType::boolean) return {dlpack::truth, bits, 1};
  if (dtype == DType::bfloat16) return {dlpack::bfloat, bits, 1};
  if (is_floating(dtype)) return {dlpack::floating, bits, 1};
  return {is_unsigned(dtype) ? dlpack::natural : dlpack::whole, bits, 1};
}

DType dtype_of_type(const DLDataType& type) {
  for (std::size_t i = 0; i < dtype_count; ++i) {
    const DLDataType known = type_of(static_cast<DType>(i));
    if (known.code == type.code && known.bits == type.bits && type.lanes == 1) return static_cast<DType>(i);
  }
  throw UsageError(fmt::format("[from_dlpack] elements of type code {}, {} bits, {} lanes: expected bool, whole or "
                               "floating numbers of 8 to 64 bits",
                               type.code, type.bits, type.lanes),
                   "Convert the tensor on its side first.");
}

Device device_of(const DLDevice& device) {
  switch (device.device_type) {
    case dlpack::on_cpu:
    case dlpack::on_cuda_host: return {};
    case dlpack::on_cuda:
    case dlpack::on_cuda_managed: return {fmt::format("cuda:{}", device.device_id)};
    default: break;
  }
  throw UsageError(fmt::format("[from_dlpack] a tensor on a device of type {}, expected the CPU (1) or CUDA (2)",
                               device.device_type),
                   "Move it on its side first.");
}

// What a tensor that was lent keeps alive; goes with the deleter.
template <typename Managed>
struct Loan {
  Managed tensor{};
  std::shared_ptr<backend::Buffer> buffer;
  std::vector<std::int64_t> shape, strides;
};

template <typename Managed>
void end_loan(Managed* tensor) {
  const std::unique_ptr<Loan<Managed>> loan(static_cast<Loan<Managed>*>(tensor->manager_ctx));
  try {
    loan->buffer->device().wait_for_everyone();
  } catch (...) {  // NOLINT(bugprone-empty-catch): a device that failed reads nothing more
  }
}

DLDevice place_of(const Device& device) {
  if (device.info().backend != "cuda") return {dlpack::on_cpu, 0};
  return {dlpack::on_cuda, std::stoi(device.id().substr(device.id().find(':') + 1))};
}

template <typename Managed>
Managed* lend(const Array& array, HandOver hand_over) {
  const std::uintptr_t address = address_of(array);  // evaluates
  auto loan = std::make_unique<Loan<Managed>>();
  loan->buffer = array.node()->buffer;
  loan->shape = array.shape().to_vector();
  const graph::Layout layout = graph::row_major(array.shape());
  loan->strides.assign(layout.strides.begin(),
                       layout.strides.begin() + static_cast<std::ptrdiff_t>(loan->shape.size()));
  Managed& tensor = loan->tensor;
  tensor.dl_tensor = {reinterpret_cast<void*>(address),
                      place_of(array.device()),
                      static_cast<std::int32_t>(loan->shape.size()),
                      type_of(array.dtype()),
                      loan->shape.data(),
                      loan->strides.data(),
                      0};
  tensor.deleter = end_loan<Managed>;
  if (hand_over == HandOver::wait) array.device().synchronize();
  tensor.manager_ctx = loan.get();
  return &loan.release()->tensor;
}

// The deleter runs when the last array lets go.
template <typename Managed>
Array taken_over(Managed* managed) {
  const DLTensor& tensor = managed->dl_tensor;
  if (tensor.ndim < 0 || (tensor.ndim > 0 && tensor.shape == nullptr)) {
    throw UsageError(fmt::format("[from_dlpack] a tensor of {} axes without extents", tensor.ndim));
  }
  const auto listed = [&](const std::int64_t* values) {
    return std::vector<std::int64_t>(values, values + tensor.ndim);
  };
  ForeignMemory memory;
  memory.dtype = dtype_of_type(tensor.dtype);
  memory.device = device_of(tensor.device);
  memory.shape = Shape(tensor.ndim == 0 ? std::vector<std::int64_t>() : listed(tensor.shape));
  if (tensor.ndim > 0 && tensor.strides != nullptr) memory.strides = listed(tensor.strides);
  memory.data = static_cast<const std::byte*>(tensor.data) + tensor.byte_offset;
  // Armed only once the array is there: until then the tensor is the caller's.
  const auto armed = std::make_shared<bool>(false);
  memory.owner = std::shared_ptr<void>(managed, [armed](void* held) {
    auto* own = static_cast<Managed*>(held);
    if (*armed && own->deleter != nullptr) own->deleter(own);
  });
  Array result = from_foreign(memory);
  *armed = true;
  return result;
}

}  // namespace

DLManagedTensorVersioned* to_dlpack(const Array& array, HandOver hand_over) {
  auto* tensor = lend<DLManagedTensorVersioned>(array, hand_over);
  tensor->version = {dlpack::major_version, 0};
  tensor->flags = dlpack::read_only;
  return tensor;
}

DLManagedTensor* to_dlpack_unversioned(const Array& array, HandOver hand_over) {
  return lend<DLManagedTensor>(array, hand_over);
}

Array from_dlpack(DLManagedTensorVersioned* tensor) {
  if (tensor == nullptr) throw UsageError("[from_dlpack] the tensor is null");
  if (tensor->version.major != dlpack::major_version) {
    throw UsageError(fmt::format("[from_dlpack] a tensor of DLPack {}.{}, expected version {}", tensor->version.major,
                                 tensor->version.minor, dlpack::major_version));
  }
  return taken_over(tensor);
}

Array from_dlpack(DLManagedTensor* tensor) {
  if (tensor == nullptr) throw UsageError("[from_dlpack] the tensor is null");
  return taken_over(tensor);
}

}  // namespace overtake
