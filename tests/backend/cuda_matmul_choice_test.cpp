// SPDX-License-Identifier: MIT
// Which tapes cuBLASLt can do, and how products are laid out for it. Needs no GPU.
#include "backend/common/lower/thin_product.hpp"
#include "backend/cuda/run/matmul_choice.hpp"

#include <gtest/gtest.h>

#include "backend/cuda/run/blas.hpp"
#include "backend/cuda/run/plan.hpp"

namespace overtake::backend::cuda {
namespace {

constexpr std::int64_t m = 100;
constexpr std::int64_t n = 50;

TapeInstruction load(int index) { return {.code = TapeCode::load, .index = static_cast<std::uint16_t>(index)}; }
TapeInstruction constant(float value) { return {.code = TapeCode::constant, .bits = to_bits(value)}; }
TapeInstruction apply(TapeCode code, int a, int b = 0) {
  return {.code = code, .a = static_cast<std::uint16_t>(a), .b = static_cast<std::uint16_t>(b)};
}
const TapeInstruction core{.code = TapeCode::core};

Access matrix(int slot) { return {slot, 0, {n, 1, 0, 0}, DType::float32}; }
Access scalar(int slot) { return {slot, 0, {}, DType::float32}; }
Access row(int slot) { return {slot, 0, {0, 1, 0, 0}, DType::float32}; }

/// Slots: 0 = A, 1 = B, 2 = parameter or bias, 3 = scalar, 4 = output.
Operation product(std::vector<TapeInstruction> code, std::vector<Access> loads, int output) {
  Operation operation;
  MatMulCore matmul;
  matmul.m = m;
  matmul.n = n;
  matmul.k = 7;
  matmul.a = {0, 0, 7, 1};
  matmul.b = {1, 0, n, 1};
  operation.core = matmul;
  operation.extent = Shape{m, n};
  operation.tape.stores = {{output, static_cast<std::uint16_t>(code.size() - 1), DType::float32}};
  operation.tape.code = std::move(code);
  operation.tape.loads = std::move(loads);
  return operation;
}

TEST(CudaLibraryEpilogue, PlainStore) {
  const auto epilogue = library_epilogue(product({core}, {}, 4));
  ASSERT_TRUE(epilogue);
  EXPECT_EQ(epilogue->kind, LibraryEpilogue::Kind::store);
  EXPECT_EQ(epilogue->output_slot, 4);
}

TEST(CudaLibraryEpilogue, BiasInEitherOrder) {
  for (const auto& sum : {apply(TapeCode::add, 0, 1), apply(TapeCode::add, 1, 0)}) {
    const auto epilogue = library_epilogue(product({core, load(0), sum}, {row(2)}, 4));
    ASSERT_TRUE(epilogue);
    EXPECT_EQ(epilogue->kind, LibraryEpilogue::Kind::bias);
    EXPECT_EQ(epilogue->bias->slot, 2);
  }
}

TEST(CudaLibraryEpilogue, BFloat16IsRoundedAsItIsStored) {
  const auto to_half = [](std::vector<TapeInstruction> code, std::vector<Access> loads) {
    Operation operation = product(std::move(code), std::move(loads), 4);
    operation.tape.stores[0].dtype = DType::bfloat16;
    return library_epilogue(operation);
  };
  const auto plain = to_half({core, apply(TapeCode::round_bfloat16, 0)}, {});
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->output_dtype, DType::bfloat16);
  const std::vector<TapeInstruction> sum{core, load(0), apply(TapeCode::add, 0, 1), apply(TapeCode::round_bfloat16, 2)};
  Access bias = row(2);
  EXPECT_FALSE(to_half(sum, {bias})) << "a bias of another format";
  bias.dtype = DType::bfloat16;
  const auto with_bias = to_half(sum, {bias});
  ASSERT_TRUE(with_bias);
  EXPECT_EQ(with_bias->kind, LibraryEpilogue::Kind::bias);
  EXPECT_FALSE(to_half({core}, {})) << "not rounded by the tape";
  EXPECT_FALSE(to_half(sum, {matrix(2)})) << "C of another format";
}

TEST(CudaLibraryEpilogue, StoresThatBeginInTheMiddleHaveNone) {
  Operation operation = product({core}, {}, 4);
  operation.tape.stores[0].offset = 8;
  EXPECT_FALSE(library_epilogue(operation));
}

TEST(CudaLibraryEpilogue, ColumnBiasIsNotARowBias) {
  const Access column{2, 0, {1, 0, 0, 0}, DType::float32};
  EXPECT_FALSE(library_epilogue(product({core, load(0), apply(TapeCode::add, 0, 1)}, {column}, 4)));
}

TEST(CudaLibraryEpilogue, InPlaceUpdateWithConstantRate) {
  // p - 0.1 * core
  const auto epilogue = library_epilogue(
      product({core, load(0), constant(0.1F), apply(TapeCode::multiply, 2, 0), apply(TapeCode::subtract, 1, 3)},
              {matrix(2)}, 2));
  ASSERT_TRUE(epilogue);
  EXPECT_EQ(epilogue->kind, LibraryEpilogue::Kind::accumulate);
  EXPECT_EQ(epilogue->c_slot, 2);
  EXPECT_EQ(epilogue->output_slot, 2);
  EXPECT_FLOAT_EQ(static_cast<float>(epilogue->alpha), -0.1F);
  EXPECT_EQ(epilogue->beta, 1);
  EXPECT_FALSE(epilogue->alpha_scalar);
}

TEST(CudaLibraryEpilogue, InPlaceUpdateWithRateOnTheDevice) {
  // p + (-(rate * core)) / 100
  const auto epilogue =
      library_epilogue(product({core, load(0), load(1), apply(TapeCode::multiply, 0, 2), apply(TapeCode::negative, 3),
                                constant(100), apply(TapeCode::divide, 4, 5), apply(TapeCode::add, 6, 1)},
                               {matrix(2), scalar(3)}, 2));
  ASSERT_TRUE(epilogue);
  EXPECT_EQ(epilogue->kind, LibraryEpilogue::Kind::accumulate);
  ASSERT_TRUE(epilogue->alpha_scalar);
  EXPECT_EQ(epilogue->alpha_scalar->slot, 3);
  EXPECT_FLOAT_EQ(static_cast<float>(epilogue->alpha), -0.01F);
  EXPECT_EQ(epilogue->beta, 1);
}

TEST(CudaLibraryEpilogue, WeightDecayWithConstantsFolds) {
  // p - 0.1 * (core + 0.5 * p): p occurs twice, which the library has no form for.
  const auto twice = library_epilogue(
      product({core, load(0), constant(0.5F), apply(TapeCode::multiply, 1, 2), apply(TapeCode::add, 0, 3),
               constant(0.1F), apply(TapeCode::multiply, 4, 5), apply(TapeCode::subtract, 1, 6)},
              {matrix(2)}, 2));
  EXPECT_FALSE(twice);
  // 0.5 * p + core has one.
  const auto once = library_epilogue(product(
      {core, load(0), constant(0.5F), apply(TapeCode::multiply, 1, 2), apply(TapeCode::add, 3, 0)}, {matrix(2)}, 4));
  ASSERT_TRUE(once);
  EXPECT_EQ(once->beta, 0.5);
  EXPECT_EQ(once->alpha, 1);
}

TEST(CudaLibraryEpilogue, OtherTapesHaveNone) {
  EXPECT_FALSE(library_epilogue(product({core, apply(TapeCode::tanh, 0)}, {}, 4)));
  EXPECT_FALSE(library_epilogue(product({core, constant(0), apply(TapeCode::maximum, 0, 1)}, {}, 4)));
  EXPECT_FALSE(library_epilogue(product({core, load(0), apply(TapeCode::multiply, 0, 1)}, {matrix(2)}, 4)));
  EXPECT_FALSE(library_epilogue(product({core, apply(TapeCode::multiply, 0, 0)}, {}, 4)));
  EXPECT_FALSE(library_epilogue(product({core, apply(TapeCode::add, 0, 0)}, {}, 4)));
  EXPECT_FALSE(library_epilogue(product({constant(1)}, {}, 4)));
  // Two stores.
  Operation two = product({core}, {}, 4);
  two.tape.stores.push_back({5, 0, DType::float32});
  EXPECT_FALSE(library_epilogue(two));
  // A matrix that does not start at its slot's start, and a transposed one.
  Access shifted = matrix(2);
  shifted.offset = 4;
  EXPECT_FALSE(library_epilogue(product({core, load(0), apply(TapeCode::add, 0, 1)}, {shifted}, 4)));
  const Access transposed{2, 0, {1, m, 0, 0}, DType::float32};
  EXPECT_FALSE(library_epilogue(product({core, load(0), apply(TapeCode::add, 0, 1)}, {transposed}, 4)));
}

TEST(CudaLibraryEpilogue, OneByOneProductKeepsItsMeaning) {
  // With extent (1, 1) every load is a scalar: core + s is then no bias and no matrix.
  Operation operation = product({core, load(0), apply(TapeCode::add, 0, 1)}, {scalar(2)}, 4);
  operation.extent = Shape{1, 1};
  EXPECT_FALSE(library_epilogue(operation));
}

TEST(CudaMatmulChoice, SmallAndThinProductsStay) {
  MatMulCore matmul;
  matmul.m = 100;
  matmul.n = 64;
  matmul.k = 32;
  EXPECT_FALSE(library_is_faster(matmul, true));
  matmul.n = 4096;
  matmul.k = 4096;
  EXPECT_FALSE(library_is_faster(matmul, true));
  EXPECT_TRUE(library_is_faster(matmul, false));
  matmul.m = 256;
  EXPECT_TRUE(library_is_faster(matmul, true));
  matmul.n = 2;
  matmul.k = 1 << 20;
  EXPECT_FALSE(library_is_faster(matmul, false));
  matmul.m = 0;
  EXPECT_FALSE(library_is_faster(matmul, false));
}

TEST(CudaMatmulChoice, TensorCoresPaySooner) {
  MatMulCore matmul;
  matmul.m = 100;
  matmul.n = 512;
  matmul.k = 512;
  EXPECT_FALSE(library_is_faster(matmul, true));
  matmul.tf32 = true;
  EXPECT_TRUE(library_is_faster(matmul, true));
  matmul.tf32 = false;
  matmul.dtype = DType::bfloat16;
  EXPECT_TRUE(library_is_faster(matmul, true));
  matmul.n = 2;
  EXPECT_FALSE(library_is_faster(matmul, true));
}

// The kernel for few rows has them, but for three and more of bfloat16 by a large matrix.
TEST(CudaMatmulChoice, ThinProductsStay) {
  for (const DType dtype : {DType::float32, DType::bfloat16}) {
    for (const std::int64_t rows : {1, 2, 3, 4}) {
      MatMulCore matmul{rows, 4096, 25088, {0, 0, 25088, 1}, {1, 0, 1, 25088}, dtype, dtype == DType::float32};
      EXPECT_TRUE(is_thin(matmul));
      const bool goes = dtype == DType::bfloat16 && rows >= 3;
      EXPECT_EQ(library_is_faster(matmul, true), goes) << rows;
      std::swap(matmul.m, matmul.n);
      EXPECT_EQ(library_is_faster(matmul, true), goes) << rows;
    }
  }
  MatMulCore shallow{4096, 4096, 3, {0, 0, 3, 1}, {1, 0, 4096, 1}, DType::bfloat16};
  EXPECT_FALSE(library_is_faster(shallow, true)) << "few steps are not few rows";
}

TEST(CudaColumnMajor, LayoutsOfEveryOperand) {
  const auto plain = column_major({0, 0, 50, 1}, 100, 50);  // row-major 100 x 50 is column-major 50 x 100
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->rows, 50U);
  EXPECT_EQ(plain->columns, 100U);
  EXPECT_EQ(plain->leading, 50);
  EXPECT_FALSE(plain->transposed);
  const auto turned = column_major({0, 0, 1, 100}, 100, 50);
  ASSERT_TRUE(turned);
  EXPECT_EQ(turned->rows, 100U);
  EXPECT_EQ(turned->columns, 50U);
  EXPECT_EQ(turned->leading, 100);
  EXPECT_TRUE(turned->transposed);
  const auto sliced = column_major({0, 0, 80, 1}, 100, 50);
  ASSERT_TRUE(sliced);
  EXPECT_EQ(sliced->leading, 80);
  EXPECT_FALSE(column_major({0, 0, 3, 2}, 100, 50));
  EXPECT_FALSE(column_major({0, 0, 10, 1}, 100, 50));  // rows that overlap
  const auto one_row = column_major({0, 0, 0, 1}, 1, 50);
  ASSERT_TRUE(one_row);
  EXPECT_EQ(one_row->leading, 50);
}

// -- plans ------------------------------------------------------------------------------------------------------------

/// Lowers everything to one kernel that names the operation.
LoweredOperation fake_lowering(const Operation& operation) {
  LoweredKernel kernel;
  kernel.entry = operation.name;
  kernel.arguments = {{LoweredArgument::Kind::slot, 0, operation.tape.stores[0].slot}};
  return {{kernel}, 0, 0, {}};
}

Schedule large_product(std::vector<TapeInstruction> code, std::vector<Access> loads, int output) {
  Operation operation = product(std::move(code), std::move(loads), output);
  operation.name = "large";
  auto& matmul = std::get<MatMulCore>(operation.core);
  matmul.k = 1 << 20;
  matmul.a.row_stride = matmul.k;
  Schedule schedule;
  schedule.operations = {operation};
  for (const std::int64_t elements : {m * matmul.k, matmul.k * n, m * n, std::int64_t{1}}) {
    schedule.slots.push_back(slot_of(elements, DType::float32, true));
  }
  schedule.slots.push_back(slot_of(m * n, DType::float32));
  schedule.arena_bytes = (m * n * 4 + 255) / 256 * 256;
  return schedule;
}

TEST(CudaPlan, ProductWithEpilogueIsOneStep) {
  const Plan plan = make_plan(large_product({core}, {}, 4), fake_lowering, [](const LibraryProduct&) {
    return ProductFit{1024, 0};
  });
  ASSERT_EQ(plan.steps.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<LibraryProduct>(plan.steps[0].work));
  EXPECT_EQ(plan.steps[0].scratch_bytes, 1024U);
  EXPECT_GE(plan.steps[0].scratch_offset, static_cast<std::uint64_t>(m * n * 4));
  EXPECT_EQ(plan.arena_bytes, plan.steps[0].scratch_offset + 1024);
  EXPECT_EQ(plan.library_products, 1);
}

TEST(CudaPlan, OtherTapeRunsAsAMapOverTheStoredProduct) {
  const Schedule schedule = large_product({core, apply(TapeCode::tanh, 0)}, {}, 4);
  Operation map;
  const Lowering lowering = [&](const Operation& operation) {
    map = operation;
    return fake_lowering(operation);
  };
  const Plan plan = make_plan(schedule, lowering, [](const LibraryProduct&) { return ProductFit{512, 3}; });
  ASSERT_EQ(plan.steps.size(), 2U);
  ASSERT_EQ(plan.slots.size(), schedule.slots.size() + 1);
  const int stored = static_cast<int>(schedule.slots.size());
  EXPECT_EQ(plan.slots[stored].bytes, static_cast<std::uint64_t>(m * n) * sizeof(float));
  EXPECT_EQ(plan.steps[0].writes, std::vector<int>{stored});
  EXPECT_EQ(std::get<LibraryProduct>(plan.steps[0].work).rank, 3);
  EXPECT_EQ(plan.steps[1].reads, std::vector<int>{stored});
  EXPECT_TRUE(std::holds_alternative<MapCore>(map.core));
  EXPECT_EQ(map.tape.code[0].code, TapeCode::load);
  // Workspace and stored product lie side by side after the schedule's arena.
  const std::uint64_t workspace_end = plan.steps[0].scratch_offset + plan.steps[0].scratch_bytes;
  EXPECT_GE(plan.slots[stored].arena_offset, workspace_end);
  EXPECT_LE(plan.slots[stored].arena_offset + m * n * 4, plan.arena_bytes);
  // The map waits for the product.
  std::vector<std::uint64_t> addresses{1ULL << 40U, 2ULL << 40U, 3ULL << 40U, 4ULL << 40U, 0, 0};
  for (int slot : {4, 5}) addresses[slot] = (5ULL << 40U) + plan.slots[slot].arena_offset;
  const auto waits = find_dependencies(memory_uses(plan, addresses, 5ULL << 40U), 1);
  EXPECT_EQ(waits[1], std::vector<int>{0});
}

TEST(CudaPlan, RateOnTheDeviceAddsOneSmallStep) {
  const Schedule schedule =
      large_product({core, load(0), load(1), apply(TapeCode::multiply, 0, 2), apply(TapeCode::subtract, 1, 3)},
                    {matrix(2), scalar(3)}, 2);
  const Plan plan = make_plan(schedule, fake_lowering, [](const LibraryProduct& product) -> std::optional<ProductFit> {
    EXPECT_GE(product.alpha_slot, 0);
    return ProductFit{};
  });
  ASSERT_EQ(plan.steps.size(), 2U);
  const auto& library = std::get<LibraryProduct>(plan.steps[1].work);
  EXPECT_NE(plan.slots[library.alpha_slot].arena_offset, plan.slots[library.beta_slot].arena_offset);
  EXPECT_EQ(plan.steps[0].writes, (std::vector<int>{library.alpha_slot, library.beta_slot}));
}

TEST(CudaPlan, SmallSlotsGetMemoryOfTheirOwn) {
  // Slots 1 and 2 share bytes in the schedule; the second is written while the first is no longer needed.
  Schedule schedule;
  schedule.slots = {slot_of(100, DType::float32, true), slot_of(100, DType::float32), slot_of(100, DType::float32),
                    slot_of(50, DType::float32, false, 512)};
  schedule.arena_bytes = 1024;
  const Plan plan = make_plan(schedule, fake_lowering, {});
  EXPECT_NE(plan.slots[1].arena_offset, plan.slots[2].arena_offset);
  for (const Slot& slot : plan.slots) EXPECT_EQ(slot.arena_offset % 256, 0U);
  EXPECT_EQ(plan.arena_bytes, 512U + 512U + 256U);
  EXPECT_TRUE(plan.slots[0].external);
  // Large ones stay as they were planned.
  for (Slot& slot : schedule.slots) slot.bytes = 16 << 20;
  EXPECT_EQ(make_plan(schedule, fake_lowering, {}).slots, schedule.slots);
}

TEST(CudaPlan, RefusedProductsUseTheOwnKernel) {
  const Schedule schedule = large_product({core, apply(TapeCode::tanh, 0)}, {}, 4);
  const Plan refused = make_plan(schedule, fake_lowering, [](const LibraryProduct&) { return std::nullopt; });
  const Plan without = make_plan(schedule, fake_lowering, {});
  for (const Plan* plan : {&refused, &without}) {
    ASSERT_EQ(plan->steps.size(), 1U);
    EXPECT_TRUE(std::holds_alternative<LoweredKernel>(plan->steps[0].work));
    EXPECT_EQ(plan->slots.size(), schedule.slots.size());
    EXPECT_EQ(plan->arena_bytes, schedule.arena_bytes);
    EXPECT_EQ(plan->library_products, 0);
  }
}

}  // namespace
}  // namespace overtake::backend::cuda
