// SPDX-License-Identifier: MIT
#include "backend/cuda/run/plan.hpp"

#include <algorithm>

#include "backend/cuda/run/scratch_plan.hpp"

namespace overtake::backend::cuda {
namespace {

constexpr std::uint64_t alignment = 256;
/// The schedule lets slots share memory as if its operations ran one after the other, which forbids others than that
/// order. Slots that need no more than this together get memory of their own instead, so that steps can run side by
/// side.
constexpr std::uint64_t private_slots_budget = 16ULL << 20U;

[[nodiscard]] std::uint64_t aligned(std::uint64_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

class Planner {
 public:
  Planner(const Schedule& schedule, const Lowering& lowering, const ProductQuery& query,
          const ConvolutionQuery& convolutions)
      : schedule_(schedule), lowering_(lowering), query_(query), convolutions_(convolutions) {
    plan_.slots = schedule.slots;
    arena_end_ = schedule.arena_bytes;
    separate_slots();
  }

  Plan make() {
    for (std::size_t index = 0; index < schedule_.operations.size(); ++index) {
      operation_ = static_cast<int>(index);
      const Operation& operation = schedule_.operations[index];
      if (!add_library_product(operation) && !add_library_convolution(operation)) add_kernels(operation);
    }
    place_scratch();
    return std::move(plan_);
  }

 private:
  /// A slot of the plan's own, at `offset` bytes into the temporary memory of request `request`.
  struct OwnSlot {
    int slot = -1;
    std::size_t request = 0;
    std::uint64_t offset = 0;
  };

  void separate_slots() {
    std::uint64_t end = 0;
    std::vector<std::uint64_t> offsets;
    for (const Slot& slot : plan_.slots) {
      offsets.push_back(end);
      if (!slot.external) end += aligned(slot.bytes);
    }
    if (end > private_slots_budget) return;
    for (std::size_t index = 0; index < offsets.size(); ++index) plan_.slots[index].arena_offset = offsets[index];
    arena_end_ = end;
  }

  int own_slot(std::int64_t elements, std::size_t request, std::uint64_t offset) {
    const int slot = static_cast<int>(plan_.slots.size());
    plan_.slots.push_back(slot_of(elements, DType::float32));  // as cores are
    own_slots_.push_back({slot, request, offset});
    return slot;
  }

  void add_step(PlanStep step, const Operation& operation, std::size_t request) {
    SlotUse use = slots_used(operation);
    step.reads = std::move(use.reads);
    step.writes = std::move(use.writes);
    step.operation = operation_;
    plan_.steps.push_back(std::move(step));
    step_requests_.push_back(request);
  }

  std::optional<std::size_t> add_words(const std::vector<std::int32_t>& words) {
    if (words.empty()) return std::nullopt;
    const std::size_t begin = plan_.words.size();
    plan_.words.insert(plan_.words.end(), words.begin(), words.end());
    constexpr std::size_t word = sizeof(plan_.words[0]);
    plan_.words.resize(aligned(plan_.words.size() * word) / word);
    return begin;
  }

  void add_kernels(const Operation& operation) {
    LoweredOperation lowered = lowering_(operation);
    const std::size_t request = requests_.size();
    const std::optional<std::size_t> words_begin = add_words(lowered.words);
    if (words_begin) lowered.scratch_bytes = lowered.zeroed_bytes = 0;  // the words are all its scratch memory
    std::vector<std::optional<LibraryProduct>> products;
    std::uint64_t workspace_bytes = 0;
    for (const LoweredKernel& kernel : lowered.kernels) {
      products.push_back(library_products(kernel, lowered.scratch_bytes, request));
      if (products.back()) workspace_bytes = std::max(workspace_bytes, products.back()->workspace_bytes);
    }
    const std::uint64_t bytes =
        workspace_bytes == 0 ? lowered.scratch_bytes : aligned(lowered.scratch_bytes) + workspace_bytes;
    requests_.push_back({bytes, lowered.zeroed_bytes});
    for (std::size_t index = 0; index < products.size(); ++index) {
      PlanStep step;
      step.scratch_bytes = bytes;
      step.words_begin = words_begin;
      if (products[index]) {
        step.work = *products[index];
        ++plan_.library_products;
      } else {
        step.work = std::move(lowered.kernels[index]);
      }
      add_step(std::move(step), operation, request);
    }
  }

  /// What the kernel does as work of the library, where that takes it. Its operands are in the operation's scratch
  /// memory, behind which the workspace is.
  std::optional<LibraryProduct> library_products(const LoweredKernel& kernel, std::uint64_t scratch_bytes,
                                                 std::size_t request) {
    if (!kernel.products || !query_) return std::nullopt;
    const ScratchProducts& shape = *kernel.products;
    const auto slot_at = [&](std::int64_t element) {
      const std::uint64_t offset = static_cast<std::uint64_t>(element) * size_of(DType::float32);
      const auto found = std::find_if(own_slots_.begin(), own_slots_.end(), [&](const OwnSlot& own) {
        return own.request == request && own.offset == offset;
      });
      if (found != own_slots_.end()) return found->slot;
      return own_slot(static_cast<std::int64_t>((scratch_bytes - offset) / size_of(DType::float32)), request, offset);
    };
    LibraryProduct product;
    product.core = {shape.m, shape.n, shape.k, {}, {}};
    product.core.a = {slot_at(0), shape.a.offset, shape.a.row_stride, shape.a.column_stride};
    product.core.b = {slot_at(0), shape.b.offset, shape.b.row_stride, shape.b.column_stride};
    product.batch = {shape.batch, shape.a.step, shape.b.step, shape.result_step};
    product.epilogue.output_slot = slot_at(shape.result_offset);
    if (shape.adds) {
      product.epilogue.kind = LibraryEpilogue::Kind::accumulate;
      product.epilogue.c_slot = product.epilogue.output_slot;
      product.epilogue.beta = 1;
    }
    const auto fit = query_(product);
    if (!fit) return std::nullopt;
    product.workspace_bytes = fit->workspace_bytes;
    product.workspace_offset = aligned(scratch_bytes);
    product.rank = fit->rank;
    return product;
  }

  /// Everything a product needs beyond its operands shares one stretch of temporary memory:
  /// workspace, alpha, beta, stored core.
  bool add_library_product(const Operation& operation) {
    const auto* core = std::get_if<MatMulCore>(&operation.core);
    if (core == nullptr || !query_) return false;
    LibraryProduct product;
    product.core = *core;
    const auto epilogue = library_epilogue(operation);
    const std::size_t request = requests_.size();
    const std::size_t first_own_slot = own_slots_.size();
    const std::size_t first_slot = plan_.slots.size();
    if (epilogue) product.epilogue = *epilogue;
    // Slots come before the query, which must see where alpha lives; their place is known after it.
    if (!epilogue) product.epilogue.output_slot = own_slot(core->m * core->n, request, 0);
    if (product.epilogue.alpha_scalar) {
      product.alpha_slot = own_slot(1, request, 0);
      product.beta_slot = own_slot(1, request, 0);
    }
    const auto fit = query_(product);
    if (!fit) {
      plan_.slots.resize(first_slot);
      own_slots_.resize(first_own_slot);
      return false;
    }
    product.workspace_bytes = fit->workspace_bytes;
    product.rank = fit->rank;
    request_memory(fit->workspace_bytes, first_own_slot);
    if (product.alpha_slot >= 0) add_kernels(scalars(product));
    add_product(product, request);
    if (!epilogue) add_kernels(map_over_stored_core(operation, product.epilogue.output_slot));
    ++plan_.library_products;
    return true;
  }

  /// One stretch of temporary memory: workspace, then the own slots from this one on.
  void request_memory(std::uint64_t workspace_bytes, std::size_t first_own_slot) {
    std::uint64_t bytes = aligned(workspace_bytes);
    for (std::size_t index = first_own_slot; index < own_slots_.size(); ++index) {
      own_slots_[index].offset = bytes;
      bytes += aligned(plan_.slots[own_slots_[index].slot].bytes);
    }
    requests_.push_back({bytes, 0});
  }

  bool add_library_convolution(const Operation& operation) {
    const auto* core = std::get_if<ConvolutionCore>(&operation.core);
    if (core == nullptr || !convolutions_) return false;
    const std::size_t request = requests_.size();
    const std::size_t first_own_slot = own_slots_.size();
    LibraryConvolution convolution{*core, {}, 0};
    const auto epilogue = convolution_epilogue(operation);
    if (epilogue) convolution.epilogue = *epilogue;
    auto workspace = epilogue ? convolutions_(convolution) : std::nullopt;
    const bool is_fused = workspace.has_value();
    if (!is_fused) {
      convolution.epilogue = {};
      workspace = convolutions_(convolution);
      if (!workspace) return false;
      convolution.epilogue.output.slot = own_slot(operation.extent.size(), request, 0);
    }
    convolution.workspace_bytes = *workspace;
    request_memory(*workspace, first_own_slot);
    add_convolution(convolution, request);
    if (!is_fused) add_kernels(map_over_stored_core(operation, convolution.epilogue.output.slot));
    ++plan_.library_convolutions;
    return true;
  }

  void add_convolution(const LibraryConvolution& convolution, std::size_t request) {
    const ConvolutionEpilogue& epilogue = convolution.epilogue;
    PlanStep step;
    step.work = convolution;
    step.reads = {convolution.core.a.slot, convolution.core.b.slot};
    if (epilogue.bias) step.reads.push_back(epilogue.bias->slot);
    if (epilogue.mask) step.reads.push_back(epilogue.mask->slot);
    step.writes = {epilogue.output.slot};
    add_library_step(std::move(step), convolution.workspace_bytes, request);
  }

  void add_library_step(PlanStep step, std::uint64_t workspace_bytes, std::size_t request) {
    step.scratch_bytes = workspace_bytes;
    step.operation = operation_;
    plan_.steps.push_back(std::move(step));
    step_requests_.push_back(request);
  }

  void add_product(const LibraryProduct& product, std::size_t request) {
    PlanStep step;
    step.work = product;
    step.reads = {product.core.a.slot, product.core.b.slot};
    if (product.epilogue.bias) step.reads.push_back(product.epilogue.bias->slot);
    if (product.epilogue.c_slot >= 0) step.reads.push_back(product.epilogue.c_slot);
    if (product.alpha_slot >= 0) step.reads.insert(step.reads.end(), {product.alpha_slot, product.beta_slot});
    step.writes = {product.epilogue.output_slot};
    add_library_step(std::move(step), product.workspace_bytes, request);
  }

  /// alpha = constant * scalar and beta, computed on the device just before the product that reads them.
  static Operation scalars(const LibraryProduct& product) {
    Operation operation;
    operation.extent = Shape{1};
    operation.name = "product scalars";
    Access scalar = *product.epilogue.alpha_scalar;
    scalar.strides = {};
    operation.tape.loads = {scalar};
    operation.tape.code = {{.code = TapeCode::load},
                           {.code = TapeCode::constant, .bits = to_bits(static_cast<float>(product.epilogue.alpha))},
                           {.code = TapeCode::multiply, .a = 0, .b = 1},
                           {.code = TapeCode::constant, .bits = to_bits(static_cast<float>(product.epilogue.beta))}};
    operation.tape.stores = {{product.alpha_slot, 2, DType::float32}, {product.beta_slot, 3, DType::float32}};
    return operation;
  }

  void place_scratch() {
    const ScratchPlan scratch = plan_scratch(requests_);
    const std::uint64_t base = aligned(arena_end_);
    for (std::size_t index = 0; index < plan_.steps.size(); ++index) {
      plan_.steps[index].scratch_offset = base + scratch.offsets[step_requests_[index]];
    }
    for (const OwnSlot& own : own_slots_) {
      plan_.slots[own.slot].arena_offset = base + scratch.offsets[own.request] + own.offset;
    }
    for (const MemoryRange& range : scratch.zeroed) plan_.zeroed.push_back({base + range.begin, base + range.end});
    plan_.arena_bytes = scratch.bytes == 0 ? arena_end_ : base + scratch.bytes;
  }

  const Schedule& schedule_;
  const Lowering& lowering_;
  const ProductQuery& query_;
  const ConvolutionQuery& convolutions_;
  Plan plan_;
  std::vector<ScratchRequest> requests_;
  std::vector<std::size_t> step_requests_;
  std::vector<OwnSlot> own_slots_;
  std::uint64_t arena_end_ = 0;  ///< bytes of the schedule's own slots
  int operation_ = 0;
};

}  // namespace

Plan make_plan(const Schedule& schedule, const Lowering& lowering, const ProductQuery& query,
               const ConvolutionQuery& convolutions) {
  return Planner(schedule, lowering, query, convolutions).make();
}

std::vector<MemoryUse> memory_uses(const Plan& plan, std::span<const std::uint64_t> slot_addresses,
                                   std::uint64_t arena_address) {
  const auto range = [&](int slot) {
    const std::uint64_t begin = slot_addresses[slot];
    return MemoryRange{begin, begin + plan.slots[slot].bytes};
  };
  std::vector<MemoryUse> uses;
  uses.reserve(plan.steps.size());
  for (const PlanStep& step : plan.steps) {
    MemoryUse use;
    for (const int slot : step.reads) use.reads.push_back(range(slot));
    for (const int slot : step.writes) use.writes.push_back(range(slot));
    if (step.scratch_bytes > 0) {
      const std::uint64_t begin = arena_address + step.scratch_offset;
      use.writes.push_back({begin, begin + step.scratch_bytes});
    }
    uses.push_back(std::move(use));
  }
  return uses;
}

}  // namespace overtake::backend::cuda
