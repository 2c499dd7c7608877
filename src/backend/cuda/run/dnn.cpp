// SPDX-License-Identifier: MIT
#include "backend/cuda/run/dnn.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "backend/cuda/device.hpp"
#include "backend/cuda/driver/vendor_libraries.hpp"
#include "backend/cuda/run/dnn_trial.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::cuda {

std::string text_of(const KeptChoice& kept) { return fmt::format("{}\n{}", kept.seconds, kept.plan); }

std::optional<KeptChoice> kept_choice(std::string_view text) {
  const std::size_t line = text.find('\n');
  if (line == std::string_view::npos) return std::nullopt;
  KeptChoice kept;
  const auto [end, error] = std::from_chars(text.data(), text.data() + line, kept.seconds);
  if (error != std::errc() || end != text.data() + line) return std::nullopt;
  kept.plan = text.substr(line + 1);
  return kept;
}

std::unique_ptr<Dnn> Dnn::open(CudaDevice& device, std::string& why) {
  Library library(vendor_library_candidates("libcudnn", device.cuda_version()));
  if (!library.loaded()) {
    why = library.reasons();
    return nullptr;
  }
  DnnApi api;
  const char* missing = nullptr;
#define OVERTAKE_CUDNN_FIND(result, name, parameters) \
  api.name = library.find<result parameters>(#name); \
  if (api.name == nullptr) missing = #name;
  OVERTAKE_CUDNN_FUNCTIONS(OVERTAKE_CUDNN_FIND)
#undef OVERTAKE_CUDNN_FIND
  if (missing != nullptr) {
    why = fmt::format("{} lacks {}", library.name(), missing);
    return nullptr;
  }
  cudnnHandle_t handle = nullptr;
  if (const cudnnStatus_t status = api.cudnnCreate(&handle); status != CUDNN_STATUS_SUCCESS) {
    why = fmt::format("{} does not start: {}", library.name(), api.cudnnGetErrorString(status));
    keep_open(std::move(library));
    return nullptr;
  }
  Dnn::Owner owner(handle, api.cudnnDestroy);
  const std::size_t number = api.cudnnGetVersion();
  std::string version =
      fmt::format("cuDNN {}.{}.{} ({})", number / 10000, number / 100 % 100, number % 100, library.name());
  keep_open(std::move(library));
  return std::make_unique<Dnn>(device, api, std::move(owner), std::move(version));
}

ProgramKey Dnn::key_of(const LibraryConvolution& convolution) const {
  const KernelStore::Device& device = device_.kernels().device();
  return {problem_text(convolution), "cuDNN plan", device.name, device.driver, version_};
}

std::shared_ptr<const DnnChoice> Dnn::load(const LibraryConvolution& convolution, bool& known) {
  const std::optional<std::string> text = device_.programs().load(key_of(convolution));
  const auto kept = text ? kept_choice(*text) : std::nullopt;
  known = kept && kept->plan.empty();
  if (!kept || known) return nullptr;
  auto plan = dnn_plan(api_, {handle_.get(), nullptr}, kept->plan);
  known = plan.has_value();
  return plan ? std::make_shared<const DnnChoice>(DnnChoice{std::move(*plan), kept->seconds, 0}) : nullptr;
}

void Dnn::store(const LibraryConvolution& convolution, const std::optional<DnnChoice>& choice) {
  const KeptChoice kept{choice ? choice->seconds : 0, choice ? dnn_text(api_, choice->plan) : ""};
  // A plan without text is chosen again by the next process.
  if (!choice || !kept.plan.empty()) device_.programs().store(key_of(convolution), text_of(kept));
}

void Dnn::choose_all(const std::vector<LibraryConvolution>& convolutions) {
  /// What is not known yet, and its candidates.
  struct Job {
    LibraryConvolution convolution;
    std::shared_ptr<const DnnChoice> kept;
    bool known = false;
    DnnCandidates candidates;
  };
  const std::lock_guard lock(choosing_);
  std::map<std::string, Job> wanted;
  for (const LibraryConvolution& convolution : convolutions) {
    std::string problem = problem_text(convolution);
    if (chosen_.count(problem) == 0) wanted.try_emplace(std::move(problem), Job{convolution, nullptr, false, {}});
  }
  std::vector<Job*> jobs;
  for (auto& [problem, job] : wanted) jobs.push_back(&job);
  const DnnTarget target{handle_.get(), nullptr};
  run_parallel(jobs.size(), [&](std::size_t index) {
    device_.context().use();
    Job& job = *jobs[index];
    job.kept = load(job.convolution, job.known);
    if (!job.known) job.candidates = dnn_candidates(api_, target, job.convolution);
  });
  std::vector<std::pair<Job*, std::size_t>> plans;
  for (Job* job : jobs) {
    for (std::size_t rank = 0; rank < job->candidates.engines.size(); ++rank) plans.emplace_back(job, rank);
  }
  run_parallel(plans.size(), [&](std::size_t index) {
    device_.context().use();
    const auto& [job, rank] = plans[index];
    job->candidates.plans[rank] = dnn_plan(api_, target, job->candidates.engines[rank]);
  });
  for (auto& [problem, job] : wanted) {
    if (!job.known) {
      auto choice = fastest_plan(device_, *this, job.convolution, job.candidates);
      store(job.convolution, choice);
      if (choice) job.kept = std::make_shared<const DnnChoice>(std::move(*choice));
    }
    chosen_.emplace(problem, job.kept);
  }
}

std::shared_ptr<const DnnChoice> Dnn::choose(const LibraryConvolution& convolution) {
  choose_all({convolution});
  const std::lock_guard lock(choosing_);
  return chosen_.at(problem_text(convolution));
}

bool Dnn::fuses_well(const LibraryConvolution& convolution) {
  const Fusing fusing = fusing_of(convolution.core, convolution.epilogue);
  const auto fused = fusing == Fusing::never ? nullptr : choose(convolution);
  if (fused == nullptr || fusing == Fusing::always) return fused != nullptr;
  LibraryConvolution bare = convolution;
  bare.epilogue = {};
  const auto alone = choose(bare);
  if (alone == nullptr || fused->seconds == 0 || alone->seconds == 0) return true;
  // What the map reads and writes, at the rate of the memory.
  const ConvolutionEpilogue& tape = convolution.epilogue;
  const std::size_t bytes = 4 + size_of(tape.output.dtype) + (tape.mask ? size_of(tape.mask->dtype) : 0);
  const double total = static_cast<double>(bytes) * static_cast<double>(extent_of(convolution.core).size());
  return fused->seconds <= alone->seconds + total / (std::max(device_.info().peak_gbs, 1.0) * 1e9);
}

void Dnn::enqueue(const DnnPlan& plan, cudnnBackendDescriptor_t pack, CUstream stream) const {
  const std::lock_guard lock(enqueuing_);
  cudnnStatus_t status = api_.cudnnSetStream(handle_.get(), stream);
  if (status == CUDNN_STATUS_SUCCESS) status = api_.cudnnBackendExecute(handle_.get(), plan.plan.get(), pack);
  if (status == CUDNN_STATUS_SUCCESS) return;
  throw DeviceError(fmt::format("cuda: cuDNN: a convolution failed: {}", api_.cudnnGetErrorString(status)),
                    "If this happens again, report it with the output of nvidia-smi.");
}

std::vector<std::uint64_t> tensor_addresses(const LibraryConvolution& convolution,
                                            std::span<const std::uint64_t> slots) {
  const auto address = [&](int slot, std::int64_t offset, DType dtype) {
    return slots[static_cast<std::size_t>(slot)] + static_cast<std::uint64_t>(offset) * size_of(dtype);
  };
  const auto& [core, epilogue, workspace] = convolution;
  std::vector<std::uint64_t> addresses{
      address(core.a.slot, core.a.offset, core.a.dtype), address(core.b.slot, core.b.offset, core.b.dtype),
      address(epilogue.output.slot, epilogue.output.offset, epilogue.output.dtype)};
  for (const auto& load : {epilogue.bias, epilogue.mask}) {
    if (load) addresses.push_back(address(load->slot, load->offset, load->dtype));
  }
  return addresses;
}

}  // namespace overtake::backend::cuda
