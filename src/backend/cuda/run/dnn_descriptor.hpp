// SPDX-License-Identifier: MIT
// cuDNN's functions, and its descriptors: every object of its graph interface is one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "backend/cuda/driver/handle.hpp"
#include "backend/cuda/vendor/cudnn.hpp"

namespace overtake::backend::cuda {

/// Functions of cuDNN, under its own names.
struct DnnApi {
#define OVERTAKE_CUDNN_MEMBER(result, name, parameters) \
  result(*name) parameters = nullptr;  // NOLINT(bugprone-macro-parentheses)
  OVERTAKE_CUDNN_FUNCTIONS(OVERTAKE_CUDNN_MEMBER)
#undef OVERTAKE_CUDNN_MEMBER
};

using DnnDescriptor = Handle<cudnnBackendDescriptor_t, cudnnStatus_t>;

/// The device that graphs are made for: a handle, or (without a device, in tests) the properties of one.
struct DnnTarget {
  cudnnHandle_t handle = nullptr;
  cudnnBackendDescriptor_t properties = nullptr;
};

/// A descriptor under construction. After the first refusal the others are not asked.
class DnnMaker {
 public:
  DnnMaker(const DnnApi& api, cudnnBackendDescriptorType_t type) : api_(api) {
    cudnnBackendDescriptor_t made = nullptr;
    good_ = api.cudnnBackendCreateDescriptor(type, &made) == CUDNN_STATUS_SUCCESS;
    if (good_) owned_ = {made, api.cudnnBackendDestroyDescriptor};
  }

  template <typename T>
  DnnMaker& set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, const T* values,
                std::size_t count) {
    good_ = good_ && api_.cudnnBackendSetAttribute(owned_.get(), name, type, static_cast<std::int64_t>(count),
                                                   static_cast<const void*>(values)) == CUDNN_STATUS_SUCCESS;
    return *this;
  }
  template <typename T>
  DnnMaker& set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, const T& value) {
    return set(name, type, &value, 1);
  }
  DnnMaker& set(cudnnBackendAttributeName_t name, cudnnBackendDescriptor_t part) {
    return set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, &part, 1);
  }

  /// Null where anything was refused.
  [[nodiscard]] DnnDescriptor finish() {
    good_ = good_ && api_.cudnnBackendFinalize(owned_.get()) == CUDNN_STATUS_SUCCESS;
    return good_ ? std::move(owned_) : DnnDescriptor();
  }

 private:
  const DnnApi& api_;
  DnnDescriptor owned_;
  bool good_ = false;
};

}  // namespace overtake::backend::cuda
