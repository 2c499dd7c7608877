// SPDX-License-Identifier: MIT
// Graphs, engines and plans of the real cuDNN for a GPU that need not be here: the library takes the properties of one
// as text, in a form that its documents do not name. Skipped where there is no cuDNN, or where it takes none.
#include "backend/cuda/run/dnn_plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>

#include "backend/cuda/driver/vendor_libraries.hpp"

namespace overtake::backend::cuda {
namespace {

/// The properties of an H100 in the library's form.
constexpr std::string_view h100 =
    R"({"cudaDeviceId":0,"deviceVer":900,"driverVer":13000,"totalGlobalMem":84000000000,)"
    R"("maxGridSize":[2147483647,65535,65535],"maxBlockSize":[1024,1024,64],"regsPerBlock":65536,)"
    R"("multiProcessorCount":132,"warpSize":32,"maxSharedMemoryPerBlock":49152,"maxSharedMemoryPerBlockOptin":232448,)"
    R"("reservedSharedMemoryPerBlock":1024,"maxRegistersPerSM":65536,"maxCtasPerSM":32,"maxThreadsPerBlock":1024,)"
    R"("maxThreadsPerSM":2048,"pciDeviceId":0,"isTccDriver":0,"supportCoopLaunch":1,"smClockRateKHz":1980000,)"
    R"("memClockRateKHz":2619000,"l2CacheSize":52428800,"deviceName":"NVIDIA H100 80GB HBM3"})";

class CudaDnnGraph : public ::testing::Test {
 protected:
  void SetUp() override {
    Library library(vendor_library_candidates("libcudnn", 13000));
    if (!library.loaded()) GTEST_SKIP() << library.reasons();
#define FIND(result, name, parameters)                \
  api_.name = library.find<result parameters>(#name); \
  ASSERT_NE(api_.name, nullptr) << #name;
    OVERTAKE_CUDNN_FUNCTIONS(FIND)
#undef FIND
    keep_open(std::move(library));
    cudnnBackendDescriptor_t made = nullptr;
    if (api_.cudnnBackendCreateDescriptor(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, &made) != CUDNN_STATUS_SUCCESS) {
      GTEST_SKIP() << "older than 9.8";
    }
    properties_ = {made, api_.cudnnBackendDestroyDescriptor};
    const auto length = static_cast<std::int64_t>(h100.size());
    if (api_.cudnnBackendSetAttribute(made, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, length,
                                      h100.data()) != CUDNN_STATUS_SUCCESS ||
        api_.cudnnBackendFinalize(made) != CUDNN_STATUS_SUCCESS) {
      GTEST_SKIP() << "properties of another form";
    }
    target_.properties = made;
  }

  static LibraryConvolution layer(ConvolutionKind kind, DType dtype, bool tf32 = false) {
    LibraryConvolution convolution;
    convolution.core.kind = kind;
    convolution.core.extents = {8, 64, 28, 28, 28, 28};
    convolution.core.k = 128;
    convolution.core.r = convolution.core.s = 3;
    convolution.core.steps.padding = {1, 1};
    convolution.core.tf32 = tf32;
    convolution.core.a.dtype = convolution.core.b.dtype = convolution.epilogue.output.dtype = dtype;
    return convolution;
  }

  /// Engines of the library's favourites for it; those that may be used alone.
  std::vector<DnnEngine> engines(const LibraryConvolution& convolution) {
    graph_ = dnn_graph(api_, target_, convolution);
    EXPECT_TRUE(graph_);
    if (!graph_) return {};
    auto found = dnn_engines(api_, target_, *graph_, CUDNN_HEUR_MODE_A, 64);
    std::erase_if(found, [&](const DnnEngine& engine) { return !is_allowed(engine.notes, convolution.core); });
    return found;
  }

  DnnApi api_;
  DnnDescriptor properties_;
  DnnTarget target_;
  std::optional<DnnGraph> graph_;
};

TEST_F(CudaDnnGraph, EveryKindAndPrecisionHasEnginesAndPlansThatComeBackFromText) {
  for (const ConvolutionKind kind :
       {ConvolutionKind::forward, ConvolutionKind::data_gradient, ConvolutionKind::filter_gradient}) {
    for (const LibraryConvolution& convolution :
         {layer(kind, DType::float32), layer(kind, DType::float32, true), layer(kind, DType::bfloat16)}) {
      SCOPED_TRACE(problem_text(convolution));
      const std::vector<DnnEngine> found = engines(convolution);
      ASSERT_FALSE(found.empty());
      std::optional<DnnPlan> plan;
      for (const DnnEngine& engine : found) {
        if (!plan && !engine.compiles) plan = dnn_plan(api_, target_, engine);
      }
      ASSERT_TRUE(plan);
      const std::string text = dnn_text(api_, *plan);
      EXPECT_FALSE(text.empty());
      const auto back = dnn_plan(api_, target_, text);
      ASSERT_TRUE(back);
      EXPECT_EQ(back->workspace_bytes, plan->workspace_bytes);
      EXPECT_FALSE(dnn_plan(api_, target_, "{}"));
    }
  }
}

TEST_F(CudaDnnGraph, BiasAndReluAreFused) {
  for (const bool tf32 : {false, true}) {
    LibraryConvolution convolution = layer(ConvolutionKind::forward, DType::float32, tf32);
    convolution.epilogue.bias = Access{};
    convolution.epilogue.relu = true;
    EXPECT_FALSE(engines(convolution).empty());
  }
}

TEST_F(CudaDnnGraph, TrueFloat32UsesNoTensorCores) {
  const auto uses_tensor_cores = [](const DnnEngine& engine) {
    return std::count(engine.notes.begin(), engine.notes.end(), CUDNN_NUMERICAL_NOTE_TENSOR_CORE) > 0;
  };
  const auto exact = engines(layer(ConvolutionKind::forward, DType::float32));
  EXPECT_TRUE(std::none_of(exact.begin(), exact.end(), uses_tensor_cores));
  const auto rounded = engines(layer(ConvolutionKind::forward, DType::float32, true));
  EXPECT_TRUE(std::any_of(rounded.begin(), rounded.end(), uses_tensor_cores));
}

}  // namespace
}  // namespace overtake::backend::cuda
