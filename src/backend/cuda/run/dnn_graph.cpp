// SPDX-License-Identifier: MIT
#include "backend/cuda/run/dnn_graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "overtake/error.hpp"

namespace overtake::backend::cuda {
namespace {

using Numbers = std::array<std::int64_t, 4>;  // of n, c, h, w

/// A descriptor under construction. After the first refusal the others are not asked.
class Maker {
 public:
  Maker(const DnnApi& api, cudnnBackendDescriptorType_t type) : api_(api) {
    cudnnBackendDescriptor_t made = nullptr;
    good_ = api.cudnnBackendCreateDescriptor(type, &made) == CUDNN_STATUS_SUCCESS;
    if (good_) owned_ = {made, api.cudnnBackendDestroyDescriptor};
  }

  template <typename T>
  Maker& set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, const T* values, std::size_t count) {
    good_ = good_ && api_.cudnnBackendSetAttribute(owned_.get(), name, type, static_cast<std::int64_t>(count),
                                                   static_cast<const void*>(values)) == CUDNN_STATUS_SUCCESS;
    return *this;
  }
  template <typename T>
  Maker& set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, const T& value) {
    return set(name, type, &value, 1);
  }
  Maker& set(cudnnBackendAttributeName_t name, cudnnBackendDescriptor_t part) {
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

[[nodiscard]] cudnnDataType_t data_type(DType dtype) {
  return dtype == DType::bfloat16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
}

/// Makes the parts of one graph.
class GraphMaker {
 public:
  GraphMaker(const DnnApi& api, const LibraryConvolution& convolution)
      : api_(api), core_(convolution.core), epilogue_(convolution.epilogue) {}

  std::optional<DnnGraph> make(const DnnTarget& target) {
    const ImageExtents& e = core_.extents;
    const Numbers x{e.n, e.c, e.h, e.w}, y{e.n, core_.k, e.p, e.q};
    const Numbers filters{core_.k, e.c / core_.groups, core_.r, core_.s};
    switch (core_.kind) {
      case ConvolutionKind::forward: add_convolution(forward, x, filters, y); break;
      case ConvolutionKind::data_gradient: add_convolution(data_gradient, y, filters, x); break;
      case ConvolutionKind::filter_gradient: add_convolution(filter_gradient, x, y, filters); break;
    }
    Maker maker(api_, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    if (target.handle != nullptr) maker.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, target.handle);
    maker.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, operations_.data(), operations_.size());
    made_.graph = maker.finish();
    if (!complete_ || !made_.graph) return std::nullopt;
    return std::move(made_);
  }

 private:
  /// A kind of convolution under the library's names; `a`, `b` and `result` are this backend's.
  struct Names {
    cudnnBackendDescriptorType_t operation;
    cudnnBackendAttributeName_t convolution, a, b, result, alpha, beta;
  };
  static constexpr Names forward{CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
                                 CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
                                 CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
                                 CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
                                 CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
                                 CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
                                 CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA};
  static constexpr Names data_gradient{CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
                                       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
                                       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
                                       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
                                       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
                                       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
                                       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA};
  static constexpr Names filter_gradient{CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
                                         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
                                         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
                                         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
                                         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
                                         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
                                         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA};

  /// Null after a refusal, which is remembered.
  cudnnBackendDescriptor_t keep(DnnDescriptor part) {
    complete_ = complete_ && part;
    made_.parts.push_back(std::move(part));
    return made_.parts.back().get();
  }

  cudnnBackendDescriptor_t tensor(std::int64_t number, const Numbers& extents, DType dtype, std::int64_t alignment,
                                  bool is_virtual) {
    const auto [n, c, h, w] = extents;
    const Numbers strides =
        core_.channels_last ? Numbers{c * h * w, 1, w * c, c} : Numbers{c * h * w, h * w, w, 1};
    Maker maker(api_, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    maker.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, number)
        .set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, data_type(dtype))
        .set(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, extents.data(), extents.size())
        .set(CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, strides.data(), strides.size())
        .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, alignment);
    if (is_virtual) maker.set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, true);
    return keep(maker.finish());
  }

  cudnnBackendDescriptor_t tensor(DnnTensor number, const Numbers& extents, DType dtype, std::int64_t offset) {
    return tensor(static_cast<std::int64_t>(number), extents, dtype, alignment_of(offset, dtype), false);
  }

  /// What follows a step: the result, or where more steps come a value in float32 that is never stored.
  cudnnBackendDescriptor_t value(const Numbers& extents) {
    if (steps_left_-- == 0) {
      return tensor(DnnTensor::result, extents, epilogue_.output.dtype, epilogue_.output.offset);
    }
    return tensor(++last_virtual_, extents, DType::float32, 16, true);
  }

  void add_convolution(const Names& names, const Numbers& a, const Numbers& b, const Numbers& result) {
    Maker window(api_, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    const WindowSteps& steps = core_.steps;
    window.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT)
        .set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, CUDNN_CROSS_CORRELATION)
        .set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, std::int64_t{2})
        .set(CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, steps.dilation.data(), 2)
        .set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, steps.stride.data(), 2)
        .set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, steps.padding.data(), 2)
        .set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, steps.padding.data(), 2);
    steps_left_ = (epilogue_.bias ? 1 : 0) + (epilogue_.relu ? 1 : 0) + (epilogue_.mask ? 1 : 0);
    // The library's convolutions of bfloat16 give bfloat16; what follows them need not.
    const bool widens =
        steps_left_ == 0 && core_.a.dtype == DType::bfloat16 && epilogue_.output.dtype == DType::float32;
    if (widens) ++steps_left_;
    cudnnBackendDescriptor_t last = value(result);
    Maker maker(api_, names.operation);
    maker.set(names.convolution, keep(window.finish()))
        .set(names.a, tensor(DnnTensor::a, a, core_.a.dtype, core_.a.offset))
        .set(names.b, tensor(DnnTensor::b, b, core_.b.dtype, core_.b.offset))
        .set(names.result, last)
        .set(names.alpha, CUDNN_TYPE_FLOAT, 1.0F)
        .set(names.beta, CUDNN_TYPE_FLOAT, 0.0F);
    operations_.push_back(keep(maker.finish()));
    if (widens) add_step(CUDNN_POINTWISE_IDENTITY, last, nullptr, result);
    if (epilogue_.bias) {
      const auto bias = tensor(DnnTensor::bias, {1, result[1], 1, 1}, epilogue_.bias->dtype, epilogue_.bias->offset);
      last = add_step(CUDNN_POINTWISE_ADD, last, bias, result);
    }
    if (epilogue_.relu) last = add_step(CUDNN_POINTWISE_RELU_FWD, last, nullptr, result);
    if (epilogue_.mask) {
      const auto mask = tensor(DnnTensor::mask, result, epilogue_.mask->dtype, epilogue_.mask->offset);
      add_step(CUDNN_POINTWISE_RELU_BWD, last, mask, result);
    }
  }

  /// An element-wise step of `x`; returns what it gives.
  cudnnBackendDescriptor_t add_step(cudnnPointwiseMode_t mode, cudnnBackendDescriptor_t x,
                                    cudnnBackendDescriptor_t other, const Numbers& extents) {
    Maker function(api_, CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    function.set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, mode)
        .set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT);
    if (mode == CUDNN_POINTWISE_RELU_FWD) {
      function.set(CUDNN_ATTR_POINTWISE_NAN_PROPAGATION, CUDNN_TYPE_NAN_PROPOGATION, CUDNN_PROPAGATE_NAN);
    }
    const cudnnBackendDescriptor_t y = value(extents);
    Maker maker(api_, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    maker.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, keep(function.finish()));
    if (mode == CUDNN_POINTWISE_RELU_BWD) {
      maker.set(CUDNN_ATTR_OPERATION_POINTWISE_DYDESC, x)
          .set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, other)
          .set(CUDNN_ATTR_OPERATION_POINTWISE_DXDESC, y);
    } else {
      maker.set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x);
      if (other != nullptr) maker.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, other);
      maker.set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y);
    }
    operations_.push_back(keep(maker.finish()));
    return y;
  }

  const DnnApi& api_;
  const ConvolutionCore& core_;
  const ConvolutionEpilogue& epilogue_;
  DnnGraph made_;
  std::vector<cudnnBackendDescriptor_t> operations_;
  bool complete_ = true;
  int steps_left_ = 0;
  std::int64_t last_virtual_ = 100;
};

/// Number and notes of the configuration's engine.
void describe(const DnnApi& api, DnnEngine& engine) {
  cudnnBackendDescriptor_t made = nullptr;
  if (api.cudnnBackendCreateDescriptor(CUDNN_BACKEND_ENGINE_DESCRIPTOR, &made) != CUDNN_STATUS_SUCCESS) return;
  const DnnDescriptor owner(made, api.cudnnBackendDestroyDescriptor);
  std::int64_t count = 0;
  static_cast<void>(api.cudnnBackendGetAttribute(engine.configuration.get(), CUDNN_ATTR_ENGINECFG_ENGINE,
                                                 CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &count,
                                                 static_cast<void*>(&made)));
  static_cast<void>(api.cudnnBackendGetAttribute(made, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, 1, &count,
                                                 &engine.number));
  std::array<cudnnBackendBehaviorNote_t, 32> behavior{};
  static_cast<void>(api.cudnnBackendGetAttribute(made, CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE, CUDNN_TYPE_BEHAVIOR_NOTE,
                                                 behavior.size(), &count, behavior.data()));
  const auto end = behavior.begin() + std::clamp<std::int64_t>(count, 0, behavior.size());
  engine.compiles = std::find(behavior.begin(), end, CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION) != end;
  std::array<cudnnBackendNumericalNote_t, 32> notes{};
  if (api.cudnnBackendGetAttribute(made, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE, notes.size(),
                                   &count, notes.data()) != CUDNN_STATUS_SUCCESS) {
    engine.number = -1;  // what it does to the numbers is not known
    return;
  }
  engine.notes.assign(notes.begin(), notes.begin() + std::clamp<std::int64_t>(count, 0, notes.size()));
}

[[nodiscard]] std::optional<DnnPlan> finished(const DnnApi& api, DnnDescriptor descriptor) {
  if (!descriptor) return std::nullopt;
  std::int64_t bytes = 0, count = 0;
  if (api.cudnnBackendGetAttribute(descriptor.get(), CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1,
                                   &count, &bytes) != CUDNN_STATUS_SUCCESS ||
      bytes < 0) {
    return std::nullopt;
  }
  return DnnPlan{std::move(descriptor), static_cast<std::uint64_t>(bytes), -1};
}

[[nodiscard]] Maker plan_maker(const DnnApi& api, const DnnTarget& target) {
  Maker maker(api, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
  if (target.handle != nullptr) maker.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, target.handle);
  if (target.properties != nullptr) maker.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, target.properties);
  return maker;
}

}  // namespace

std::optional<DnnGraph> dnn_graph(const DnnApi& api, const DnnTarget& target, const LibraryConvolution& convolution) {
  return GraphMaker(api, convolution).make(target);
}

std::vector<DnnEngine> dnn_engines(const DnnApi& api, const DnnTarget& target, const DnnGraph& graph,
                                   cudnnBackendHeurMode_t mode, std::int64_t most) {
  Maker maker(api, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  maker.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph.graph.get())
      .set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, mode);
  if (target.properties != nullptr) maker.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, target.properties);
  const DnnDescriptor heuristic = maker.finish();
  if (!heuristic) return {};
  std::vector<DnnEngine> engines(static_cast<std::size_t>(most));
  std::vector<cudnnBackendDescriptor_t> places;
  for (DnnEngine& engine : engines) {
    cudnnBackendDescriptor_t made = nullptr;
    if (api.cudnnBackendCreateDescriptor(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, &made) != CUDNN_STATUS_SUCCESS) return {};
    engine.configuration = {made, api.cudnnBackendDestroyDescriptor};
    places.push_back(made);
  }
  std::int64_t count = 0;
  if (api.cudnnBackendGetAttribute(heuristic.get(), CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, most,
                                   &count, static_cast<void*>(places.data())) != CUDNN_STATUS_SUCCESS) {
    return {};
  }
  engines.resize(static_cast<std::size_t>(std::clamp<std::int64_t>(count, 0, most)));
  for (DnnEngine& engine : engines) describe(api, engine);
  std::erase_if(engines, [](const DnnEngine& engine) { return engine.number < 0; });
  return engines;
}

bool is_allowed(std::span<const cudnnBackendNumericalNote_t> notes, const ConvolutionCore& core) {
  const bool exact = is_exact(core);
  return std::all_of(notes.begin(), notes.end(), [&](cudnnBackendNumericalNote_t note) {
    switch (note) {
      case CUDNN_NUMERICAL_NOTE_TENSOR_CORE: return !exact;
      case CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS:
      case CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION:
      case CUDNN_NUMERICAL_NOTE_FFT:
      case CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC:
      case CUDNN_NUMERICAL_NOTE_WINOGRAD:
      case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_4x4:
      case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_6x6:
      case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_13x13: return false;
    }
    return true;  // how NaN spreads
  });
}

std::optional<DnnPlan> dnn_plan(const DnnApi& api, const DnnTarget& target, const DnnEngine& engine) {
  auto plan = finished(api, plan_maker(api, target)
                                .set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, engine.configuration.get())
                                .finish());
  if (plan) plan->engine = engine.number;
  return plan;
}

std::string dnn_text(const DnnApi& api, const DnnPlan& plan) {
  constexpr auto name = CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION;
  std::int64_t size = 0;
  if (api.cudnnBackendGetAttribute(plan.plan.get(), name, CUDNN_TYPE_CHAR, 0, &size, nullptr) != CUDNN_STATUS_SUCCESS) {
    return {};
  }
  std::string text(static_cast<std::size_t>(std::max<std::int64_t>(size, 0)), '\0');
  if (api.cudnnBackendGetAttribute(plan.plan.get(), name, CUDNN_TYPE_CHAR, size, &size,
                                   static_cast<void*>(text.data())) != CUDNN_STATUS_SUCCESS) {
    return {};
  }
  return text;
}

std::optional<DnnPlan> dnn_plan(const DnnApi& api, const DnnTarget& target, const std::string& text) {
  return finished(api, plan_maker(api, target)
                           .set(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, text.data(),
                                text.size())
                           .finish());
}

std::vector<DnnTensor> dnn_tensors(const ConvolutionEpilogue& epilogue) {
  std::vector<DnnTensor> tensors{DnnTensor::a, DnnTensor::b, DnnTensor::result};
  if (epilogue.bias) tensors.push_back(DnnTensor::bias);
  if (epilogue.mask) tensors.push_back(DnnTensor::mask);
  return tensors;
}

DnnDescriptor dnn_pack(const DnnApi& api, std::span<const DnnTensor> tensors, std::span<const std::uint64_t> addresses,
                       std::uint64_t workspace) {
  std::vector<void*> pointers;
  for (const std::uint64_t address : addresses) {
    pointers.push_back(reinterpret_cast<void*>(static_cast<std::uintptr_t>(address)));
  }
  void* const work = reinterpret_cast<void*>(static_cast<std::uintptr_t>(workspace));
  DnnDescriptor pack = Maker(api, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR)
                           .set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, tensors.data(), tensors.size())
                           .set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, pointers.data(),
                                pointers.size())
                           .set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, &work, 1)
                           .finish();
  if (!pack) {
    throw DeviceError("cuda: cuDNN refuses the addresses of a convolution",
                      "If this happens again, report it with the output of nvidia-smi.");
  }
  return pack;
}

}  // namespace overtake::backend::cuda
