// SPDX-License-Identifier: MIT
#include "backend/cuda/run/dnn_graph.hpp"

#include <array>

namespace overtake::backend::cuda {
namespace {

using Numbers = std::array<std::int64_t, 4>;  // of n, c, h, w

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
    DnnMaker maker(api_, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
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
    const Numbers strides = core_.channels_last ? Numbers{c * h * w, 1, w * c, c} : Numbers{c * h * w, h * w, w, 1};
    DnnMaker maker(api_, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
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
    DnnMaker window(api_, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
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
    DnnMaker maker(api_, names.operation);
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
    DnnMaker function(api_, CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    function.set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, mode)
        .set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT);
    if (mode == CUDNN_POINTWISE_RELU_FWD) {
      function.set(CUDNN_ATTR_POINTWISE_NAN_PROPAGATION, CUDNN_TYPE_NAN_PROPOGATION, CUDNN_PROPAGATE_NAN);
    }
    const cudnnBackendDescriptor_t y = value(extents);
    DnnMaker maker(api_, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
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

}  // namespace

std::optional<DnnGraph> dnn_graph(const DnnApi& api, const DnnTarget& target, const LibraryConvolution& convolution) {
  return GraphMaker(api, convolution).make(target);
}

std::vector<DnnTensor> dnn_tensors(const ConvolutionEpilogue& epilogue) {
  std::vector<DnnTensor> tensors{DnnTensor::a, DnnTensor::b, DnnTensor::result};
  if (epilogue.bias) tensors.push_back(DnnTensor::bias);
  if (epilogue.mask) tensors.push_back(DnnTensor::mask);
  return tensors;
}

}  // namespace overtake::backend::cuda
