// SPDX-License-Identifier: MIT
#include "backend/cuda/run/dnn_trial.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "backend/cuda/device.hpp"
#include "backend/cuda/driver/errors.hpp"
#include "core/clock.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::cuda {
namespace {

constexpr std::size_t most_plans = 8;
/// Each takes half a second or more to make, and time to try. Measured on an H100 and an H200: forward the library's
/// favourite is up to 1.4 times slower than the best of its first four; for gradients of images it is the best within a
/// twentieth, but of many places with few channels the fourth or fifth can take three quarters of its time. For
/// gradients of filters, where results are float32, it is up to four times slower than the second or third.
[[nodiscard]] std::size_t most_compiled_plans(const ConvolutionCore& core) {
  if (core.kind == ConvolutionKind::filter_gradient) return 3;
  if (core.kind == ConvolutionKind::forward) return 4;
  constexpr std::int64_t many_places = 1 << 20;
  return core.extents.n * core.extents.h * core.extents.w >= many_places ? 5 : 1;
}
/// After so long no further plan is tried: a network has dozens of convolutions.
constexpr double seconds_per_convolution = 0.08;
/// NaN as float32 and as a pair of bfloat16.
constexpr std::uint32_t not_a_number = 0x7fc07fc0;

/// Numbers in [-1, 1), the same bits being a float32 or two of bfloat16. Zeros would be faster than what networks hold.
[[nodiscard]] std::vector<std::uint32_t> random_words(std::size_t count, std::uint64_t seed) {
  std::vector<std::uint32_t> words(count);
  std::uint64_t state = 0x9e3779b97f4a7c15 * (seed + 1);
  for (std::uint32_t& word : words) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    const auto random = static_cast<std::uint32_t>(state >> 32U);
    // Exponents of 2^-7 ... 2^-1, signs and mantissas as they come.
    word = (random & 0x807f807fU) | ((120U + random % 7) << 7U) | ((120U + (random >> 8U) % 7) << 23U);
  }
  return words;
}

/// Float32 from -2 to 2 without fractions: what is added up of their products stays below 2^24, so it is exact.
[[nodiscard]] std::vector<std::uint32_t> random_whole_numbers(std::size_t count, std::uint64_t seed) {
  std::vector<std::uint32_t> words = random_words(count, seed);
  for (std::uint32_t& word : words) {
    word = std::bit_cast<std::uint32_t>(static_cast<float>((word >> 16U ^ word) % 5) - 2.0F);
  }
  return words;
}

/// Bytes of a tensor.
[[nodiscard]] std::uint64_t bytes_of(const LibraryConvolution& convolution, DnnTensor tensor) {
  const auto& [core, epilogue, workspace] = convolution;
  const ImageExtents& e = core.extents;
  const std::int64_t x = e.n * e.c * e.h * e.w, y = e.n * core.k * e.p * e.q;
  const std::int64_t filters = core.k * (e.c / core.groups) * core.r * core.s;
  const std::int64_t result = extent_of(core).size();
  const auto bytes = [](std::int64_t elements, DType dtype) {
    return static_cast<std::uint64_t>(elements) * size_of(dtype);
  };
  switch (tensor) {
    case DnnTensor::a: return bytes(core.kind == ConvolutionKind::data_gradient ? y : x, core.a.dtype);
    case DnnTensor::b: return bytes(core.kind == ConvolutionKind::filter_gradient ? y : filters, core.b.dtype);
    case DnnTensor::bias: return bytes(core.k, epilogue.bias->dtype);
    case DnnTensor::mask: return bytes(result, epilogue.mask->dtype);
    case DnnTensor::result: break;
  }
  return bytes(result, epilogue.output.dtype);
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
      bytes += (bytes_of(convolution, tensor) + 511) / 256 * 256;
    }
    memory_ = device.allocate(bytes);
    for (std::size_t index = 0; index < tensors_.size(); ++index) {
      addresses_.push_back(memory_->handle() + begins[index] + misalignment(tensors_[index]));
      fill(index);
    }
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
      if (!is_right()) return std::nullopt;
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
  /// Bytes past an aligned address that are as good as the real ones.
  [[nodiscard]] std::uint64_t misalignment(DnnTensor tensor) const {
    const auto of = [](std::int64_t offset, DType dtype) {
      return static_cast<std::uint64_t>(alignment_of(offset, dtype) % 16);
    };
    const auto& [core, epilogue, workspace] = convolution_;
    switch (tensor) {
      case DnnTensor::a: return of(core.a.offset, core.a.dtype);
      case DnnTensor::b: return of(core.b.offset, core.b.dtype);
      case DnnTensor::bias: return of(epilogue.bias->offset, epilogue.bias->dtype);
      case DnnTensor::mask: return of(epilogue.mask->offset, epilogue.mask->dtype);
      case DnnTensor::result: break;
    }
    return of(epilogue.output.offset, epilogue.output.dtype);
  }

  /// Random numbers, over and over; the first number of a bias is NaN where that has to survive.
  void fill(std::size_t index) {
    constexpr std::uint64_t most_words = 262139;  // prime: repetitions do not fall on the same channels
    const std::uint64_t bytes = bytes_of(convolution_, tensors_[index]);
    const auto count = static_cast<std::size_t>(std::min((bytes + 3) / 4, most_words));
    auto words = is_exact(convolution_.core) ? random_whole_numbers(count, index) : random_words(count, index);
    if (tensors_[index] == DnnTensor::bias && convolution_.epilogue.relu) words[0] = not_a_number;
    const DriverApi& api = device_.api();
    const CUdeviceptr begin = addresses_[index];
    const std::uint64_t first = words.size() * sizeof(words[0]);
    check(api, api.cuMemcpyHtoDAsync(begin, words.data(), first, device_.stream()), "filling memory");
    for (std::uint64_t done = first; done < bytes; done *= 2) {
      check(api, api.cuMemcpyDtoDAsync(begin + done, begin, std::min(done, bytes - done), device_.stream()),
            "filling memory");
    }
    device_.synchronize();  // the words are read until then
  }

  /// A look at the beginning of the result, whose first element is of the channel with a NaN.
  [[nodiscard]] bool is_right() {
    const DType dtype = convolution_.epilogue.output.dtype;
    const std::uint64_t bytes = std::min<std::uint64_t>(bytes_of(convolution_, DnnTensor::result), 1U << 14U);
    std::vector<std::uint16_t> halves(bytes / 2);
    const DriverApi& api = device_.api();
    check(api, api.cuMemcpyDtoHAsync(halves.data(), addresses_[2], bytes, device_.stream()), "reading a result");
    device_.synchronize();
    const auto value = [&](std::size_t index) {
      const std::size_t at = index * size_of(dtype) / 2;
      const std::uint32_t high = halves[dtype == DType::float32 ? at + 1 : at];
      return std::bit_cast<float>(high << 16U | (dtype == DType::float32 ? halves[at] : 0U));
    };
    if (convolution_.epilogue.relu && !std::isnan(value(0))) return false;
    if (!is_exact(convolution_.core)) return true;
    for (std::size_t index = 0; index < bytes / size_of(dtype); ++index) {
      if (std::isfinite(value(index)) && value(index) != std::rint(value(index))) return false;
    }
    return true;
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

}  // namespace

std::uint64_t workspace_limit(const LibraryConvolution& convolution) {
  std::uint64_t bytes = 256ULL << 20U;
  for (const DnnTensor tensor : dnn_tensors(convolution.epilogue)) bytes += bytes_of(convolution, tensor);
  return std::min<std::uint64_t>(bytes, 2ULL << 30U);
}

DnnCandidates dnn_candidates(const DnnApi& api, const DnnTarget& target, const LibraryConvolution& convolution,
                             cudnnBackendHeurMode_t mode) {
  constexpr std::int64_t most_asked = 64;  // those of true float32 come late
  DnnCandidates found;
  found.graph = dnn_graph(api, target, convolution);
  if (!found.graph) return found;
  std::size_t compiled = 0;
  for (DnnEngine& engine : dnn_engines(api, target, *found.graph, mode, most_asked)) {
    if (found.engines.size() == most_plans || !is_allowed(engine.notes, convolution.core)) continue;
    if (engine.compiles && compiled++ >= most_compiled_plans(convolution.core)) continue;
    found.engines.push_back(std::move(engine));
  }
  found.plans.resize(found.engines.size());
  return found;
}

std::optional<DnnChoice> fastest_plan(CudaDevice& device, const Dnn& dnn, const LibraryConvolution& convolution,
                                      DnnCandidates& candidates) {
  const auto start = Clock::now();
  std::optional<Trial> trial;
  std::optional<DnnChoice> best;
  for (std::size_t rank = 0; rank < candidates.plans.size(); ++rank) {
    if (best && seconds_since(start) > seconds_per_convolution) break;
    std::optional<DnnPlan>& plan = candidates.plans[rank];
    if (!plan || plan->workspace_bytes > workspace_limit(convolution)) continue;
    try {
      if (!trial) trial.emplace(device, dnn, convolution);
      const auto seconds = trial->seconds(*plan, best ? best->seconds : 0);
      if (seconds && (!best || *seconds < best->seconds)) {
        best = DnnChoice{std::move(*plan), *seconds, static_cast<int>(rank)};
      }
    } catch (const DeviceError&) {
      if (best || convolution.epilogue.relu) return best;
      return DnnChoice{std::move(*plan), 0, static_cast<int>(rank)};  // no memory for a trial
    }
  }
  return best;
}

}  // namespace overtake::backend::cuda
