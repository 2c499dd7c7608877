// SPDX-License-Identifier: MIT
#include "backend/cuda/run/executable.hpp"

#include <fmt/format.h>

#include <map>

#include "backend/common/lower/shallow.hpp"
#include "backend/common/lower/winograd.hpp"
#include "backend/cuda/device.hpp"
#include "backend/cuda/driver/errors.hpp"
#include "backend/cuda/run/graph_builder.hpp"
#include "backend/cuda/run/launch_clock.hpp"
#include "backend/cuda/run/launcher.hpp"
#include "core/clock.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::cuda {
namespace {

/// cuDNN, where it shall do the convolution. In true float32 it has few plans, which minimal filtering of our own
/// beats, and for images of few channels none that is good but for the filters' gradient in bfloat16 (ADR 0025).
[[nodiscard]] Dnn* library_for(CudaDevice& device, const ConvolutionCore& core, bool interpreted) {
  const bool is_narrow_gradient = core.kind == ConvolutionKind::filter_gradient && core.a.dtype == DType::bfloat16;
  const bool is_shallow = is_faster_shallow(core) && !is_narrow_gradient;
  const bool is_own = !interpreted && ((is_exact(core) && is_faster_minimally(core)) || is_shallow);
  if (is_own && !device.settings().prefer_library) return nullptr;
  const bool worthwhile = device.settings().prefer_library || library_is_faster(core, !interpreted);
  return worthwhile ? device.dnn() : nullptr;  // asked last: opening it takes time
}

/// True for a store as a convolution without its tape has it.
[[nodiscard]] bool is_bare(const ConvolutionEpilogue& epilogue) {
  return epilogue.output.dtype == DType::float32 && !epilogue.bias && !epilogue.mask;
}

[[nodiscard]] std::string worker_of(const PlanStep& step) {
  if (const auto* kernel = std::get_if<LoweredKernel>(&step.work)) return kernel->entry;
  return std::holds_alternative<LibraryProduct>(step.work) ? "cuBLASLt" : "cuDNN";
}

class CudaExecutable final : public Executable {
 public:
  CudaExecutable(CudaDevice& device, const Schedule& schedule, Plan plan, const CompileOptions& options,
                 Clock::time_point start)
      : device_(device), launcher_(device, std::move(plan)), replay_(options.replay), labels_(labels_of(schedule)) {
    stats_.operations = static_cast<int>(schedule.operations.size());
    stats_.launches = static_cast<int>(launcher_.size());
    stats_.arena_bytes = launcher_.plan().arena_bytes;
    take_arena();
    stats_.compile_seconds = seconds_since(start);
  }

  ~CudaExecutable() override {
    // Graphs and modules may not go while a launch of theirs is under way.
    if (device_.context().try_use()) static_cast<void>(device_.api().cuStreamSynchronize(device_.stream()));
  }

  void bind(std::span<Buffer* const> slots) override {
    const Plan& plan = launcher_.plan();
    if (arena_ == nullptr) take_arena();
    const std::uint64_t arena = arena_ ? arena_->handle() : 0;
    std::vector<std::uint64_t> addresses(plan.slots.size(), 0);
    for (std::size_t index = 0; index < plan.slots.size(); ++index) {
      const Slot& slot = plan.slots[index];
      addresses[index] = slot.external ? external_address(slots, index) : arena + slot.arena_offset;
    }
    if (!graphs_.empty()) {
      device_.synchronize();
      graphs_.clear();
    }
    launcher_.bind(std::move(addresses), arena);
    bound_ = true;
    builder_.reset();
  }

  void run(int times) override {
    if (!bound_) throw InternalError("cuda: an executable ran before it was bound");
    if (launcher_.size() == 0 || times <= 0) return;
    device_.context().use();
    if (is_profiling()) {
      run_profiled(times);
      return;
    }
    if (!replay_) {
      launch(times);
      return;
    }
    for (const int copies : runs_for(times)) replay(copies);
  }

  void release() override {
    if (stats_.arena_bytes <= most_kept_bytes || replay_) return;
    arena_.reset();  // what takes the memory next comes later in the stream
    bound_ = false;
  }

  void prepare(int times) override {
    if (!bound_ || !replay_ || launcher_.size() == 0 || times <= 0) return;
    device_.context().use();
    for (const int copies : runs_for(times)) (void)graph_of(copies);
  }

  [[nodiscard]] ExecutableStats stats() const override { return stats_; }

 private:
  void take_arena() {
    if (stats_.arena_bytes == 0) return;
    arena_ = device_.allocate(stats_.arena_bytes);
    for (const MemoryRange& range : launcher_.plan().zeroed) {
      check(device_.api(),
            device_.api().cuMemsetD8Async(arena_->handle() + range.begin, 0, range.end - range.begin, device_.stream()),
            "clearing counters");
    }
  }

  [[nodiscard]] std::uint64_t external_address(std::span<Buffer* const> slots, std::size_t index) const {
    Buffer* buffer = index < slots.size() ? slots[index] : nullptr;
    if (buffer == nullptr) throw InternalError(fmt::format("cuda: external slot {} was bound to nothing", index));
    if (&buffer->device() != &device_) throw InternalError(fmt::format("cuda: slot {} is on another device", index));
    const auto need = launcher_.plan().slots[index].bytes;
    if (buffer->bytes() < need) {
      throw InternalError(fmt::format("cuda: slot {} needs {} bytes, its buffer has {}", index, need, buffer->bytes()));
    }
    return buffer->handle();
  }

  void launch(int times) {
    for (int time = 0; time < times; ++time) {
      for (std::size_t step = 0; step < launcher_.size(); ++step) launcher_.enqueue(step, device_.stream());
    }
  }

  /// One launch after the other, each timed.
  void run_profiled(int times) {
    for (int time = 0; time < times; ++time) {
      int before = -1;
      for (std::size_t step = 0; step < launcher_.size(); ++step) {
        const PlanStep& planned = launcher_.plan().steps[step];
        const OperationLabel& label = labels_.at(static_cast<std::size_t>(planned.operation));
        ProfileRecord record;
        record.name = label.name;
        record.kernel = worker_of(planned);
        if (planned.operation != before) record.work = label.work;
        before = planned.operation;
        profile_launch(device_, std::move(record), [&] { launcher_.enqueue(step, device_.stream()); });
      }
    }
  }

  [[nodiscard]] std::vector<int> runs_for(int times) const {
    return split_runs(times, largest_unrolling(launcher_.size()));
  }

  /// The graph of `copies` repetitions, built when first asked for. Null when the driver cannot build it, which is no
  /// reason to stop: from then on the same steps are launched one by one, and stats() says why.
  [[nodiscard]] CUgraphExec graph_of(int copies) {
    if (const auto found = graphs_.find(copies); found != graphs_.end()) return found->second.executable.get();
    if (!replay_) return nullptr;
    const auto start = Clock::now();
    try {
      if (!builder_) builder_ = std::make_unique<GraphBuilder>(device_.api(), launcher_, GraphShape::parallel);
      ReplayGraph graph = builder_->build(copies, device_.stream());
      stats_.compile_seconds += seconds_since(start);
      stats_.note = fmt::format("graph: {} steps, {} by cuBLASLt, {} by cuDNN{}", launcher_.size(),
                                launcher_.plan().library_products, launcher_.plan().library_convolutions,
                                launcher_.plan().words.empty() ? "" : ", interpreted kernels (no NVRTC)");
      return graphs_.emplace(copies, std::move(graph)).first->second.executable.get();
    } catch (const DeviceError& error) {
      replay_ = false;
      stats_.note = fmt::format("replayed by single launches: {}", error.what());
      return nullptr;
    }
  }

  void replay(int copies) {
    CUgraphExec graph = graph_of(copies);
    if (graph == nullptr) {
      launch(copies);
      return;
    }
    check(device_.api(), device_.api().cuGraphLaunch(graph, device_.stream()), "cuGraphLaunch");
  }

  CudaDevice& device_;
  Launcher launcher_;
  bool replay_;
  bool bound_ = false;
  std::vector<OperationLabel> labels_;  // of the schedule's operations
  std::unique_ptr<Buffer> arena_;
  std::unique_ptr<GraphBuilder> builder_;
  std::map<int, ReplayGraph> graphs_;  // by number of repetitions
  ExecutableStats stats_;
};

}  // namespace

ConvolutionQuery convolution_query(CudaDevice& device, bool interpreted) {
  return [&device, interpreted](const LibraryConvolution& convolution) -> std::optional<std::uint64_t> {
    Dnn* library = library_for(device, convolution.core, interpreted);
    if (library == nullptr || (!is_bare(convolution.epilogue) && !library->fuses_well(convolution)))
      return std::nullopt;
    const auto chosen = library->choose(convolution);
    return chosen ? std::optional(chosen->plan.workspace_bytes) : std::nullopt;
  };
}

void choose_convolutions(CudaDevice& device, const Schedule& schedule, bool interpreted) {
  std::vector<LibraryConvolution> wanted;
  Dnn* library = nullptr;
  for (const Operation& operation : schedule.operations) {
    const auto* core = std::get_if<ConvolutionCore>(&operation.core);
    Dnn* const opened = core == nullptr ? nullptr : library_for(device, *core, interpreted);
    if (opened == nullptr) continue;
    library = opened;
    const auto epilogue = convolution_epilogue(operation);
    const bool fusable = epilogue && !is_bare(*epilogue);
    const Fusing fusing = fusable ? fusing_of(*core, *epilogue) : Fusing::never;
    if (fusing != Fusing::never) wanted.push_back({*core, *epilogue, 0});
    if (fusing != Fusing::always) wanted.push_back({*core, {}, 0});
  }
  if (library != nullptr) library->choose_all(wanted);
}

std::unique_ptr<Executable> make_executable(CudaDevice& device, const Schedule& schedule,
                                            const CompileOptions& options) {
  const auto start = Clock::now();
  const bool interpreted = device.compiler() == nullptr;
  if (interpreted && !device.kernels().has_precompiled() && !schedule.operations.empty()) {
    const Trouble trouble = explain_no_kernels(device.compiler_trouble(), device.cuda_version());
    throw DeviceError(fmt::format("{}: {}", device.info().id, trouble.reason), trouble.hint);
  }
  const LoweringTraits traits = device.lowering_traits();
  const auto lowering = [&](const Operation& operation) {
    return interpreted ? lower_interpreted(operation) : lower(operation, traits);
  };
  const auto query = [&](const LibraryProduct& product) -> std::optional<ProductFit> {
    if (!library_is_faster(product.core, !interpreted, product.batch.count))
      return std::nullopt;  // asked first: opening the library takes time
    const Blas* library = device.library();
    if (library == nullptr) return std::nullopt;
    const auto prepared = library->prepare(product);
    if (!prepared) return std::nullopt;
    return ProductFit{prepared->workspace_bytes(), 0};
  };
  choose_convolutions(device, schedule, interpreted);
  return std::make_unique<CudaExecutable>(
      device, schedule, make_plan(schedule, lowering, query, convolution_query(device, interpreted)), options, start);
}

}  // namespace overtake::backend::cuda
