// SPDX-License-Identifier: MIT
#include "backend/cuda/run/dnn_plan.hpp"

#include <algorithm>
#include <array>

#include "overtake/error.hpp"

namespace overtake::backend::cuda {
namespace {

/// Number and notes of the configuration's engine.
void describe(const DnnApi& api, DnnEngine& engine) {
  cudnnBackendDescriptor_t made = nullptr;
  if (api.cudnnBackendCreateDescriptor(CUDNN_BACKEND_ENGINE_DESCRIPTOR, &made) != CUDNN_STATUS_SUCCESS) return;
  const DnnDescriptor owner(made, api.cudnnBackendDestroyDescriptor);
  std::int64_t count = 0;
  static_cast<void>(api.cudnnBackendGetAttribute(engine.configuration.get(), CUDNN_ATTR_ENGINECFG_ENGINE,
                                                 CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &count, static_cast<void*>(&made)));
  static_cast<void>(
      api.cudnnBackendGetAttribute(made, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, 1, &count, &engine.number));
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

[[nodiscard]] DnnMaker plan_maker(const DnnApi& api, const DnnTarget& target) {
  DnnMaker maker(api, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
  if (target.handle != nullptr) maker.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, target.handle);
  if (target.properties != nullptr) maker.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, target.properties);
  return maker;
}

}  // namespace

std::vector<DnnEngine> dnn_engines(const DnnApi& api, const DnnTarget& target, const DnnGraph& graph,
                                   cudnnBackendHeurMode_t mode, std::int64_t most) {
  DnnMaker maker(api, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
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
  auto plan = finished(
      api, plan_maker(api, target).set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, engine.configuration.get()).finish());
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
  return finished(api,
                  plan_maker(api, target)
                      .set(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, text.data(), text.size())
                      .finish());
}

DnnDescriptor dnn_pack(const DnnApi& api, std::span<const DnnTensor> tensors, std::span<const std::uint64_t> addresses,
                       std::uint64_t workspace) {
  std::vector<void*> pointers;
  for (const std::uint64_t address : addresses) {
    pointers.push_back(reinterpret_cast<void*>(static_cast<std::uintptr_t>(address)));
  }
  void* const work = reinterpret_cast<void*>(static_cast<std::uintptr_t>(workspace));
  DnnDescriptor pack =
      DnnMaker(api, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR)
          .set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, tensors.data(), tensors.size())
          .set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, pointers.data(), pointers.size())
          .set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, &work, 1)
          .finish();
  if (!pack) {
    throw DeviceError("cuda: cuDNN refuses the addresses of a convolution",
                      "If this happens again, report it with the output of nvidia-smi.");
  }
  return pack;
}

}  // namespace overtake::backend::cuda
