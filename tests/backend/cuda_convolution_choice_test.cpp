// SPDX-License-Identifier: MIT
// Which convolutions and tapes cuDNN does, and how they become steps of a plan. Needs no GPU.
#include "backend/cuda/run/convolution_choice.hpp"

#include <gtest/gtest.h>

#include "backend/common/lower/winograd.hpp"
#include "backend/cuda/run/dnn.hpp"
#include "backend/cuda/run/plan.hpp"
#include "cuda_schedules.hpp"

namespace overtake::backend::cuda {
namespace {

using tape::apply, tape::constant, tape::load;

/// Slots: 0 and 1 operands, 2 result, 3 bias or mask.
Operation convolution(std::vector<TapeInstruction> code, std::vector<Access> loads, DType result = DType::float32,
                      ConvolutionKind kind = ConvolutionKind::forward) {
  ConvolutionCore core;
  core.kind = kind;
  core.extents = {2, 8, 6, 6, 6, 6};
  core.k = 16;
  core.r = core.s = 3;
  core.steps.padding = {1, 1};
  core.a = {0, 0, DType::float32};
  core.b = {1, 0, DType::float32};
  Operation operation;
  operation.core = core;
  operation.extent = extent_of(core);
  operation.name = "convolution";
  operation.tape.stores = {{2, static_cast<std::uint16_t>(code.size() - 1), result}};
  operation.tape.code = std::move(code);
  operation.tape.loads = std::move(loads);
  return operation;
}

Access channels(int slot) { return {slot, 0, {0, 0, 0, 1}, DType::float32}; }
Access whole(int slot, const Operation& operation) {
  const Shape& e = operation.extent;
  return {slot, 0, {e[1] * e[2] * e[3], e[2] * e[3], e[3], 1}, DType::float32};
}

TEST(CudaConvolutionEpilogue, StoreBiasAndReluInEitherOrder) {
  const auto plain = convolution_epilogue(convolution({tape::core()}, {}));
  ASSERT_TRUE(plain);
  EXPECT_FALSE(plain->bias || plain->relu || plain->mask);
  for (const int swap : {0, 1}) {
    const auto sum = swap == 0 ? apply(TapeCode::add, 0, 1) : apply(TapeCode::add, 1, 0);
    const auto relu = swap == 0 ? apply(TapeCode::maximum, 2, 3) : apply(TapeCode::maximum, 3, 2);
    const auto bias = convolution_epilogue(convolution({tape::core(), load(0), sum}, {channels(3)}));
    ASSERT_TRUE(bias);
    EXPECT_EQ(bias->bias->slot, 3);
    EXPECT_FALSE(bias->relu);
    const auto both = convolution_epilogue(
        convolution({tape::core(), load(0), sum, constant(0), relu, apply(TapeCode::round_bfloat16, 4)}, {channels(3)},
                    DType::bfloat16));
    ASSERT_TRUE(both);
    EXPECT_TRUE(both->bias && both->relu);
    EXPECT_EQ(both->output.dtype, DType::bfloat16);
    const auto rounded_first = convolution_epilogue(convolution(
        {tape::core(), load(0), sum, constant(0), apply(TapeCode::round_bfloat16, 2), apply(TapeCode::maximum, 4, 3)},
        {channels(3)}, DType::bfloat16));
    ASSERT_TRUE(rounded_first);
    EXPECT_TRUE(rounded_first->bias && rounded_first->relu);
  }
  // As layers of bfloat16 write it: the sum is rounded, and so is what relu makes of it.
  const auto rounded_twice = convolution_epilogue(
      convolution({tape::core(), load(0), apply(TapeCode::add, 0, 1), apply(TapeCode::round_bfloat16, 2), constant(0),
                   apply(TapeCode::maximum, 3, 4), apply(TapeCode::round_bfloat16, 5)},
                  {channels(3)}, DType::bfloat16));
  ASSERT_TRUE(rounded_twice);
  EXPECT_TRUE(rounded_twice->bias && rounded_twice->relu);
}

TEST(CudaConvolutionEpilogue, GradientWhereTheResultWasPositive) {
  Operation operation =
      convolution({tape::core(), load(0), constant(0), apply(TapeCode::less, 2, 1), apply(TapeCode::select, 3, 0, 2)},
                  {}, DType::float32, ConvolutionKind::data_gradient);
  operation.tape.loads = {whole(3, operation)};
  const auto epilogue = convolution_epilogue(operation);
  ASSERT_TRUE(epilogue);
  EXPECT_EQ(epilogue->mask->slot, 3);
  Operation rounded = operation;
  rounded.tape.code = {tape::core(),
                       load(0),
                       constant(0),
                       apply(TapeCode::less, 2, 1),
                       apply(TapeCode::round_bfloat16, 0),
                       apply(TapeCode::select, 3, 4, 2),
                       apply(TapeCode::round_bfloat16, 5)};
  rounded.tape.stores[0] = {rounded.tape.stores[0].slot, 6, DType::bfloat16};
  ASSERT_TRUE(convolution_epilogue(rounded));
  EXPECT_TRUE(convolution_epilogue(rounded)->mask);
  operation.tape.loads[0].strides[3] = 0;
  EXPECT_FALSE(convolution_epilogue(operation)) << "a mask of another layout";
  operation.tape.loads = {whole(2, operation)};
  EXPECT_FALSE(convolution_epilogue(operation)) << "the result takes the mask's place";
}

TEST(CudaConvolutionEpilogue, OtherTapesHaveNone) {
  EXPECT_FALSE(convolution_epilogue(convolution({tape::core(), apply(TapeCode::tanh, 0)}, {})));
  EXPECT_FALSE(convolution_epilogue(convolution({tape::core(), apply(TapeCode::add, 0, 0)}, {})));
  EXPECT_FALSE(convolution_epilogue(convolution({tape::core(), constant(0), apply(TapeCode::maximum, 0, 1)}, {})));
  EXPECT_FALSE(convolution_epilogue(convolution({tape::core()}, {}, DType::float16)));
  EXPECT_FALSE(convolution_epilogue(convolution({tape::core()}, {}, DType::bfloat16))) << "not rounded by the tape";
  EXPECT_FALSE(convolution_epilogue(convolution({tape::core(), load(0), apply(TapeCode::round_bfloat16, 0),
                                                 apply(TapeCode::add, 2, 1), apply(TapeCode::round_bfloat16, 3)},
                                                {channels(3)}, DType::bfloat16)))
      << "rounded twice";
  const Access rows{3, 0, {0, 0, 1, 0}, DType::float32};
  EXPECT_FALSE(convolution_epilogue(convolution({tape::core(), load(0), apply(TapeCode::add, 0, 1)}, {rows})));
  EXPECT_FALSE(convolution_epilogue(convolution(
      {tape::core(), load(0), apply(TapeCode::add, 0, 1), constant(1), apply(TapeCode::maximum, 2, 3)}, {channels(3)})))
      << "max(x, 1)";
  Operation two = convolution({tape::core()}, {});
  two.tape.stores.push_back({4, 0, DType::float32});
  EXPECT_FALSE(convolution_epilogue(two));
}

TEST(CudaConvolutionEpilogue, BiasOfChannelsFirst) {
  Operation operation = convolution({tape::core(), load(0), apply(TapeCode::add, 0, 1)}, {channels(3)});
  auto& core = std::get<ConvolutionCore>(operation.core);
  core.channels_last = false;
  operation.extent = extent_of(core);
  EXPECT_FALSE(convolution_epilogue(operation));
  operation.tape.loads[0].strides = {0, 1, 0, 0};
  EXPECT_TRUE(convolution_epilogue(operation));
}

TEST(CudaConvolutionChoice, SmallOnesStay) {
  ConvolutionCore core;
  core.extents = {64, 6, 12, 12, 8, 8};  // LeNet's second
  core.k = 16;
  core.r = core.s = 5;
  EXPECT_FALSE(library_is_faster(core, true));
  EXPECT_TRUE(library_is_faster(core, false));
  core.extents = {1, 512, 14, 14, 14, 14};  // the smallest of VGG's
  core.k = 512;
  core.r = core.s = 3;
  EXPECT_TRUE(library_is_faster(core, true));
  core.extents.n = 0;
  EXPECT_FALSE(library_is_faster(core, false));
}

TEST(CudaConvolutionChoice, WhatIsFused) {
  ConvolutionCore core;
  ConvolutionEpilogue plain, masked;
  masked.mask = channels(3);
  core.a.dtype = DType::float32;
  EXPECT_EQ(fusing_of(core, plain), Fusing::if_faster);
  EXPECT_EQ(fusing_of(core, masked), Fusing::never);
  core.tf32 = true;
  EXPECT_EQ(fusing_of(core, plain), Fusing::always);
  EXPECT_EQ(fusing_of(core, masked), Fusing::if_faster);
  core.tf32 = false;
  core.a.dtype = DType::bfloat16;
  EXPECT_EQ(fusing_of(core, masked), Fusing::always);
}

TEST(CudaConvolutionChoice, ProblemsDifferInWhatAPlanDependsOn) {
  const LibraryConvolution one{std::get<ConvolutionCore>(convolution({tape::core()}, {}).core), {}, 0};
  std::vector<LibraryConvolution> others(10, one);
  others[0].core.kind = ConvolutionKind::data_gradient;
  others[1].core.channels_last = false;
  others[2].core.tf32 = true;
  others[3].core.extents.n = 3;
  others[4].core.steps.padding[1] = 2;
  others[5].core.a.dtype = DType::bfloat16;
  others[6].core.b.offset = 2;  // another alignment
  others[7].epilogue.bias = channels(3);
  others[8].epilogue.output.dtype = DType::bfloat16;
  others[9].epilogue.relu = true;
  for (std::size_t i = 0; i < others.size(); ++i) {
    EXPECT_NE(problem_text(others[i]), problem_text(one)) << i;
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(problem_text(others[i]), problem_text(others[j])) << i << j;
  }
  LibraryConvolution moved = one;
  moved.core.a.slot = 7;
  moved.core.a.offset = 64;
  EXPECT_EQ(problem_text(moved), problem_text(one));
  EXPECT_EQ(alignment_of(0, DType::float32), 16);
  EXPECT_EQ(alignment_of(2, DType::float32), 8);
  EXPECT_EQ(alignment_of(3, DType::bfloat16), 2);
}

TEST(CudaConvolutionChoice, EnginesThatChangeTheNumbersAreLeftOut) {
  ConvolutionCore core;
  core.a.dtype = core.b.dtype = DType::float32;
  const auto allowed = [&](std::vector<cudnnBackendNumericalNote_t> notes) { return is_allowed(notes, core); };
  EXPECT_TRUE(allowed({}));
  EXPECT_TRUE(allowed({static_cast<cudnnBackendNumericalNote_t>(9)})) << "STRICT_NAN_PROP";
  EXPECT_FALSE(allowed({CUDNN_NUMERICAL_NOTE_TENSOR_CORE}));
  core.tf32 = true;
  EXPECT_TRUE(allowed({CUDNN_NUMERICAL_NOTE_TENSOR_CORE}));
  core.tf32 = false;
  core.a.dtype = core.b.dtype = DType::bfloat16;
  EXPECT_TRUE(allowed({CUDNN_NUMERICAL_NOTE_TENSOR_CORE}));
  for (const auto note : {CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC, CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS,
                          CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION, CUDNN_NUMERICAL_NOTE_WINOGRAD,
                          CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_4x4, CUDNN_NUMERICAL_NOTE_FFT}) {
    EXPECT_FALSE(allowed({CUDNN_NUMERICAL_NOTE_TENSOR_CORE, note})) << note;
  }
}

TEST(CudaConvolutionChoice, KeptChoicesComeBack) {
  const auto back = kept_choice(text_of(KeptChoice{1.25e-4, "{\n}"}));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->seconds, 1.25e-4);
  EXPECT_EQ(back->plan, "{\n}");
  EXPECT_TRUE(kept_choice(text_of(KeptChoice{}))->plan.empty());
  EXPECT_FALSE(kept_choice(""));
  EXPECT_FALSE(kept_choice("fast\n{}"));
  EXPECT_FALSE(kept_choice("1.0 s\n{}"));
}

// -- plans ------------------------------------------------------------------------------------------------------------

Schedule schedule_of(const Operation& operation) {
  Schedule schedule;
  schedule.operations = {operation};
  for (int slot = 0; slot < 4; ++slot) schedule.slots.push_back(slot_of(2 * 16 * 6 * 6, DType::float32, true));
  return schedule;
}

LoweredOperation fake_lowering(const Operation& operation) {
  LoweredKernel kernel;
  kernel.entry = operation.name;
  kernel.arguments = {{LoweredArgument::Kind::slot, 0, operation.tape.stores[0].slot}};
  return {{kernel}, 0, 0, {}};
}

const std::vector<TapeInstruction> with_bias{tape::core(), load(0), apply(TapeCode::add, 0, 1)};

TEST(CudaConvolutionPlan, FusedTapeIsOneStep) {
  const Plan plan = make_plan(schedule_of(convolution(with_bias, {channels(3)})), fake_lowering, {},
                              [](const LibraryConvolution& asked) {
                                EXPECT_TRUE(asked.epilogue.bias);
                                return std::uint64_t{1000};
                              });
  ASSERT_EQ(plan.steps.size(), 1U);
  EXPECT_EQ(std::get<LibraryConvolution>(plan.steps[0].work).workspace_bytes, 1000U);
  EXPECT_EQ(plan.steps[0].scratch_bytes, 1000U);
  EXPECT_EQ(plan.steps[0].reads, (std::vector<int>{0, 1, 3}));
  EXPECT_EQ(plan.steps[0].writes, std::vector<int>{2});
  EXPECT_EQ(plan.library_convolutions, 1);
  EXPECT_EQ(plan.slots.size(), 4U);
}

TEST(CudaConvolutionPlan, RefusedTapeRunsAsAMapOverTheStoredConvolution) {
  int asked = 0;
  Operation map;
  const Lowering lowering = [&](const Operation& operation) {
    map = operation;
    return fake_lowering(operation);
  };
  const Plan plan = make_plan(schedule_of(convolution(with_bias, {channels(3)})), lowering, {},
                              [&](const LibraryConvolution& convolution) -> std::optional<std::uint64_t> {
                                ++asked;
                                if (convolution.epilogue.bias) return std::nullopt;
                                return 512;
                              });
  EXPECT_EQ(asked, 2);
  ASSERT_EQ(plan.steps.size(), 2U);
  ASSERT_EQ(plan.slots.size(), 5U);
  EXPECT_EQ(plan.slots[4].bytes, 2U * 16 * 6 * 6 * sizeof(float));
  EXPECT_EQ(plan.steps[0].writes, std::vector<int>{4});
  EXPECT_EQ(plan.steps[1].reads, (std::vector<int>{3, 4}));
  EXPECT_TRUE(std::holds_alternative<MapCore>(map.core));
  EXPECT_GE(plan.slots[4].arena_offset, plan.steps[0].scratch_offset + 512);
  EXPECT_LE(plan.slots[4].arena_offset + plan.slots[4].bytes, plan.arena_bytes);
}

TEST(CudaConvolutionPlan, WhatTheLibraryRefusesTheOwnKernelDoes) {
  const Schedule schedule = schedule_of(convolution(with_bias, {channels(3)}));
  const Plan refused = make_plan(schedule, fake_lowering, {}, [](const LibraryConvolution&) { return std::nullopt; });
  for (const Plan& plan : {refused, make_plan(schedule, fake_lowering, {})}) {
    ASSERT_EQ(plan.steps.size(), 1U);
    EXPECT_TRUE(std::holds_alternative<LoweredKernel>(plan.steps[0].work));
    EXPECT_EQ(plan.slots.size(), 4U);
    EXPECT_EQ(plan.library_convolutions, 0);
  }
}

// Minimal filtering: products over scratch memory, with their workspace behind it.
TEST(CudaConvolutionPlan, ProductsOfMinimalFilteringAreTheLibrarys) {
  const Operation operation = convolution({tape::core()}, {}, DType::float32, ConvolutionKind::filter_gradient);
  const auto& core = std::get<ConvolutionCore>(operation.core);
  const LoweredOperation alone = lower_winograd(operation, core, {}, {.block_bytes = 4 * 36 * 4 * 24});
  ASSERT_EQ(alone.kernels.size(), 7U) << "two blocks of two kinds of tiles and products, and the results";
  const Lowering lowering = [&](const Operation&) { return alone; };
  std::vector<LibraryProduct> asked;
  const ProductQuery query = [&](const LibraryProduct& product) {
    asked.push_back(product);
    return ProductFit{1000, 0};
  };
  const Plan plan = make_plan(schedule_of(operation), lowering, query);
  ASSERT_EQ(plan.steps.size(), 7U);
  EXPECT_EQ(plan.library_products, 2);
  ASSERT_EQ(asked.size(), 2U);
  EXPECT_EQ(asked[0].batch.count, 36);
  EXPECT_EQ(asked[0].batch.result_step, 8 * 16);
  EXPECT_EQ(asked[0].epilogue.beta, 0);
  EXPECT_EQ(asked[1].epilogue.beta, 1) << "the second block adds";
  const auto& product = std::get<LibraryProduct>(plan.steps[2].work);
  EXPECT_GE(product.workspace_offset, alone.scratch_bytes);
  EXPECT_EQ(plan.steps[2].scratch_bytes, product.workspace_offset + 1000);
  const ScratchProducts& shape = *alone.kernels[2].products;
  const Slot& result = plan.slots[static_cast<std::size_t>(product.epilogue.output_slot)];
  EXPECT_EQ(result.arena_offset, plan.steps[2].scratch_offset + static_cast<std::uint64_t>(shape.result_offset) * 4);
  EXPECT_EQ(product.core.a.offset, shape.a.offset);
  EXPECT_GE(plan.arena_bytes, plan.steps[2].scratch_offset + plan.steps[2].scratch_bytes);
  const Plan own = make_plan(schedule_of(operation), lowering, [](const LibraryProduct&) { return std::nullopt; });
  for (const PlanStep& step : own.steps) EXPECT_TRUE(std::holds_alternative<LoweredKernel>(step.work));
}

}  // namespace
}  // namespace overtake::backend::cuda
