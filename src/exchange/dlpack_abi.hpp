// SPDX-License-Identifier: MIT
// The structures of DLPack 1.0 (https://dmlc.github.io/dlpack), which are an interface between binaries: names, order
// and widths of the fields are the specification's.
#pragma once

#include <cstdint>

extern "C" {

struct DLPackVersion {
  std::uint32_t major;  ///< another one: another layout
  std::uint32_t minor;
};

struct DLDevice {
  std::int32_t device_type;  ///< overtake::dlpack::DeviceType
  std::int32_t device_id;
};

struct DLDataType {
  std::uint8_t code;  ///< overtake::dlpack::TypeCode
  std::uint8_t bits;
  std::uint16_t lanes;  ///< 1 for plain numbers
};

struct DLTensor {
  void* data;
  DLDevice device;
  std::int32_t ndim;
  DLDataType dtype;
  std::int64_t* shape;
  std::int64_t* strides;  ///< in elements; may be null for row-major
  std::uint64_t byte_offset;
};

/// Before version 1.0.
struct DLManagedTensor {
  DLTensor dl_tensor;
  void* manager_ctx;
  void (*deleter)(DLManagedTensor* self);
};

struct DLManagedTensorVersioned {
  DLPackVersion version;
  void* manager_ctx;
  void (*deleter)(DLManagedTensorVersioned* self);
  std::uint64_t flags;
  DLTensor dl_tensor;
};

}  // extern "C"

namespace overtake::dlpack {

inline constexpr std::uint32_t major_version = 1;
inline constexpr std::uint64_t read_only = 1;  ///< a flag

/// Of DLDevice; the ones that arrays are on.
enum DeviceType : std::int32_t { on_cpu = 1, on_cuda = 2, on_cuda_host = 3, on_cuda_managed = 13 };

/// Of DLDataType; the ones that arrays hold.
enum TypeCode : std::uint8_t { whole = 0, natural = 1, floating = 2, bfloat = 4, truth = 6 };

}  // namespace overtake::dlpack
