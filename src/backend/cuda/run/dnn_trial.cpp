// SPDX-License-Identifier: MIT
#include "backend/cuda/run/dnn_trial.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>

#include "backend/cuda/device.hpp"
#include "backend/cuda/driver/errors.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::cuda {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t most_plans = 8;
/// After so long no further plan is tried: a network has dozens of convolutions.
constexpr double seconds_per_convolution = 0.08;
/// NaN as float32 and as a pair of bfloat16.
constexpr std::uint32_t not_a_number = 0x7fc07fc0;

/// Numbers in [-1, 1), the same bits being a float32 or two of bfloat16. Zeros would be faster than what networks hold.
[[nodiscard]] std::vector<std::uint32_t> random_words(std::size_t count) {
  std::vector<std::uint32_t> words(count);
  std::uint64_t state = 0x9e3779b97f4a7c15;
  for (std::uint32_t& word : words) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    const auto random = static_cast<std::uint32_t>(state >> 32U);
    // Exponents of 2^-7 ... 2^-1, signs and mantissas as they come.
    word = (random & 0x807f807fU) | ((120U + random % 7) << 7U) | ((120U + (random >> 8U) % 7) << 23U);
  }
  return words;
}

/// Memory for a convolution's tensors and for the workspace of each plan, and two events.
class Trial {
 public:
  Trial(CudaDevice& device, const Dnn& dnn, const LibraryConvolution& convolution)
      : device_(device), dnn_(dnn), convolution_(convolution), tensors_(dnn_tensors(convolution.epilogue)) {
    std::uint64_t bytes = 0;
    std::vector<std::uint64_t> begins;
    for (const DnnTensor tensor : tensors_) {
      begins.push_back(bytes);
      bytes += (bytes_of(tensor) + 511) / 256 * 256;
    }
    memory_ = device.allocate(bytes);
    for (std::size_t index = 0; index < tensors_.size(); ++index) {
      addresses_.push_back(memory_->handle() + begins[index] + misalignment(tensors_[index]));
    }
    fill(bytes);
  }

  /// Seconds of one run, the shortest of a few; fewer where the first takes longer than `best`. Empty for a plan that
  /// fails or loses NaN.
  std::optional<double> seconds(const DnnPlan& plan, double best) {
    if (workspace_ == nullptr || workspace_->bytes() < plan.workspace_bytes) {
      workspace_ = nullptr;
      workspace_ = device_.allocate(std::max<std::uint64_t>(plan.workspace_bytes, 256));
    }
    const DnnDescriptor pack = dnn_pack(dnn_.api(), tensors_, addresses_, workspace_->handle());
    try {
      static_cast<void>(timed(plan, pack.get()));  // loads its code
      if (convolution_.epilogue.relu && !keeps_nan()) return std::nullopt;
      double shortest = timed(plan, pack.get());
      constexpr int runs = 3;
      for (int run = 1; run < runs && (best == 0 || shortest < 1.2 * best); ++run) {
        shortest = std::min(shortest, timed(plan, pack.get()));
      }
      return shortest;
    } catch (const DeviceError&) {
      return std::nullopt;  // it was offered and fails: another does it
    }
  }

 private:
  [[nodiscard]] const Access* load_of(DnnTensor tensor) const {
    const ConvolutionEpilogue& epilogue = convolution_.epilogue;
    return tensor == DnnTensor::bias ? &*epilogue.bias : &*epilogue.mask;
  }

  [[nodiscard]] std::uint64_t bytes_of(DnnTensor tensor) const {
    const ConvolutionCore& core = convolution_.core;
    const ImageExtents& e = core.extents;
    const std::int64_t x = e.n * e.c * e.h * e.w, y = e.n * core.k * e.p * e.q;
    const std::int64_t filters = core.k * (e.c / core.groups) * core.r * core.s;
    const bool from_y = core.kind == ConvolutionKind::data_gradient;
    const bool from_both = core.kind == ConvolutionKind::filter_gradient;
    const auto bytes = [](std::int64_t elements, DType dtype) {
      return static_cast<std::uint64_t>(elements) * size_of(dtype);
    };
    switch (tensor) {
      case DnnTensor::a: return bytes(from_y ? y : x, core.a.dtype);
      case DnnTensor::b: return bytes(from_both ? y : filters, core.b.dtype);
      case DnnTensor::bias: return bytes(core.k, load_of(tensor)->dtype);
      case DnnTensor::mask: return bytes(extent_of(core).size(), load_of(tensor)->dtype);
      case DnnTensor::result: break;
    }
    return bytes(extent_of(core).size(), convolution_.epilogue.output.dtype);
  }

  /// Bytes past an aligned address that are as good as the real ones.
  [[nodiscard]] std::uint64_t misalignment(DnnTensor tensor) const {
    const auto of = [](std::int64_t offset, DType dtype) {
      return static_cast<std::uint64_t>(alignment_of(offset, dtype) % 16);
    };
    const ConvolutionCore& core = convolution_.core;
    const TapeStore& output = convolution_.epilogue.output;
    switch (tensor) {
      case DnnTensor::a: return of(core.a.offset, core.a.dtype);
      case DnnTensor::b: return of(core.b.offset, core.b.dtype);
      case DnnTensor::result: return of(output.offset, output.dtype);
      default: return of(load_of(tensor)->offset, load_of(tensor)->dtype);
    }
  }

  void fill(std::uint64_t bytes) {
    constexpr std::uint64_t most_words = 1U << 18U;
    const std::vector<std::uint32_t> words = random_words(static_cast<std::size_t>(std::min(bytes / 4, most_words)));
    device_.upload_constants(*memory_, words.data(), words.size() * sizeof(words[0]));
    const DriverApi& api = device_.api();
    const CUdeviceptr begin = memory_->handle();
    for (std::uint64_t done = words.size() * sizeof(words[0]); done < bytes; done *= 2) {
      check(api, api.cuMemcpyDtoDAsync(begin + done, begin, std::min(done, bytes - done), device_.stream()),
            "filling memory");
    }
    if (!convolution_.epilogue.relu) return;
    const auto bias = std::find(tensors_.begin(), tensors_.end(), DnnTensor::bias) - tensors_.begin();
    check(api,
          api.cuMemcpyHtoDAsync(addresses_[static_cast<std::size_t>(bias)], &not_a_number, sizeof not_a_number,
                                device_.stream()),
          "filling memory");
    device_.synchronize();
  }

  /// The first element of the result is of the channel whose bias is NaN.
  [[nodiscard]] bool keeps_nan() {
    std::uint32_t first = 0;
    const DriverApi& api = device_.api();
    check(api, api.cuMemcpyDtoHAsync(&first, addresses_[2], sizeof first, device_.stream()), "reading a result");
    device_.synchronize();
    if (convolution_.epilogue.output.dtype == DType::bfloat16) first <<= 16U;
    return std::isnan(std::bit_cast<float>(first));
  }

  double timed(const DnnPlan& plan, cudnnBackendDescriptor_t pack) {
    const DriverApi& api = device_.api();
    const EventHandle before = record_event(api, device_.stream(), CU_EVENT_DEFAULT);
    dnn_.enqueue(plan, pack, device_.stream());
    const EventHandle after = record_event(api, device_.stream(), CU_EVENT_DEFAULT);
    check(api, api.cuEventSynchronize(after.get()), "waiting for the GPU");
    float milliseconds = 0;
    check(api, api.cuEventElapsedTime(&milliseconds, before.get(), after.get()), "cuEventElapsedTime");
    return static_cast<double>(milliseconds) * 1e-3;
  }

  CudaDevice& device_;
  const Dnn& dnn_;
  const LibraryConvolution& convolution_;
  std::vector<DnnTensor> tensors_;
  std::unique_ptr<Buffer> memory_, workspace_;
  std::vector<std::uint64_t> addresses_;
};

/// Those of both heuristics that may be used, the library's favourites first.
[[nodiscard]] std::vector<DnnEngine> allowed_engines(const Dnn& dnn, const DnnTarget& target, const DnnGraph& graph,
                                                     const ConvolutionCore& core) {
  std::vector<DnnEngine> allowed;
  for (const cudnnBackendHeurMode_t mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
    constexpr std::int64_t most = 64;  // true float32 comes late
    // The second list is short of everything fast, and slow to come.
    if (mode == CUDNN_HEUR_MODE_FALLBACK && !allowed.empty()) break;
    for (DnnEngine& engine : dnn_engines(dnn.api(), target, graph, mode, most)) {
      if (allowed.size() < most_plans && is_allowed(engine.notes, core)) allowed.push_back(std::move(engine));
    }
  }
  return allowed;
}

[[nodiscard]] double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

std::optional<DnnChoice> fastest_plan(CudaDevice& device, const Dnn& dnn, const DnnTarget& target,
                                      const LibraryConvolution& convolution) {
  const auto graph = dnn_graph(dnn.api(), target, convolution);
  if (!graph) return std::nullopt;
  const std::vector<DnnEngine> engines = allowed_engines(dnn, target, *graph, convolution.core);
  const auto start = Clock::now();
  std::optional<Trial> trial;
  std::optional<DnnChoice> best;
  for (const DnnEngine& engine : engines) {
    if (best && seconds_since(start) > seconds_per_convolution) break;
    auto plan = dnn_plan(dnn.api(), target, engine);
    if (!plan || plan->workspace_bytes > dnn_workspace_limit) continue;
    try {
      if (!trial) trial.emplace(device, dnn, convolution);
      const auto seconds = trial->seconds(*plan, best ? best->seconds : 0);
      if (seconds && (!best || *seconds < best->seconds)) best = DnnChoice{std::move(*plan), *seconds};
    } catch (const DeviceError&) {
      if (best || convolution.epilogue.relu) return best;
      return DnnChoice{std::move(*plan), 0};  // no memory for a trial
    }
  }
  return best;
}

}  // namespace overtake::backend::cuda
