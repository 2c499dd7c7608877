// SPDX-License-Identifier: MIT
// Memory shared with other libraries, without a copy: DLPack 1.0, and plain addresses.
//
// The structures of DLPack are declared here by name only, so that this header and the project's own dlpack.h can be
// included together, in any order.
//
// Lifetimes: the memory lives as long as any side holds it. Arrays here never change, so what they lend is marked as
// read-only; a library that writes to it all the same changes every array that shares it. The other way round, the
// owner of imported memory may write to it: the array, and what is not computed from it yet, then shows the new values,
// as numpy.from_dlpack(). Array::detach() does not copy either; `x + 0` evaluated does.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "overtake/array.hpp"

struct DLManagedTensor;
struct DLManagedTensorVersioned;

namespace overtake {

/// What lending does about work that is still under way on a GPU.
enum class HandOver : std::uint8_t {
  wait,  ///< it is finished when the tensor is there: any stream may read it
  none,  ///< the other side orders its work behind stream_of() of the device
};

/// Lends the array's memory: of cpu and cuda devices, row-major, read-only. Evaluates. The other side calls the
/// tensor's deleter once, from any thread; on a GPU that waits for all work of the process there, as the memory is used
/// again afterwards. Throws UsageError on another device.
[[nodiscard]] DLManagedTensorVersioned* to_dlpack(const Array& array, HandOver hand_over = HandOver::wait);
/// The same for libraries that know DLPack before 1.0 only, which cannot say that memory is read-only.
[[nodiscard]] DLManagedTensor* to_dlpack_unversioned(const Array& array, HandOver hand_over = HandOver::wait);

/// An array over the tensor's memory, where it is and with its strides: no copy, unless elements of the computer's
/// memory stand at odd addresses. Takes the tensor over: its deleter is called once, when no array needs the memory any
/// more. Work of the other side on a GPU must be finished, or come before the device's own (stream_of()). Throws
/// UsageError for devices, types and shapes that arrays do not have, and for another major version; the tensor then
/// stays the caller's.
[[nodiscard]] Array from_dlpack(DLManagedTensorVersioned* tensor);
[[nodiscard]] Array from_dlpack(DLManagedTensor* tensor);

/// Memory of somebody else.
struct ForeignMemory {
  const void* data = nullptr;  ///< of the first element
  DType dtype = DType::float32;
  Shape shape;
  std::optional<std::vector<std::int64_t>> strides;  ///< in elements; none: row-major
  Device device;                                     ///< cpu or cuda
  std::shared_ptr<void> owner;                       ///< let go of when no array needs the memory any more
};
/// An array over memory, as from_dlpack(). Throws UsageError for another device, strides that do not fit the shape, a
/// null address, and addresses on a GPU that are no multiple of the element's size.
[[nodiscard]] Array from_foreign(const ForeignMemory& memory);

/// Where the array's row-major elements are: an address in the computer's memory (cpu) or the GPU's (cuda), valid as
/// long as the array. Evaluates; on a GPU the values are there when stream_of() of its device has come so far. Throws
/// UsageError on another device.
[[nodiscard]] std::uintptr_t address_of(const Array& array);
/// The CUstream that the work of a cuda device goes into; 0 for other devices.
[[nodiscard]] std::uintptr_t stream_of(const Device& device);

}  // namespace overtake
