// SPDX-License-Identifier: MIT
// What the planner makes of a graph, seen on the null device: fusion, in-place updates, memory, launches.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "backend/null/null_device.hpp"
#include "graph/compiled_step.hpp"
#include "overtake/ops.hpp"

namespace overtake {
namespace {

using backend::Schedule;
using backend::null::NullDevice;
using ::testing::ElementsAre;

NullDevice& null_device() { return static_cast<NullDevice&>(Device("null").impl()); }

Array leaf(const Shape& shape, DType dtype = DType::float32) {
  const std::vector<float> floats(static_cast<std::size_t>(shape.size()));
  const std::vector<std::int32_t> ints(static_cast<std::size_t>(shape.size()));
  return dtype == DType::float32 ? Array::from(floats, shape, "null") : Array::from(ints, shape, "null");
}

std::vector<std::string> operations(const Schedule& schedule) {
  std::vector<std::string> names;
  for (const backend::Operation& operation : schedule.operations) names.push_back(operation.name);
  return names;
}

Schedule planned(const Array& array) {
  array.eval();
  return null_device().record().schedules.back();
}

TEST(Fusion, ElementWiseChainIsOneOperation) {
  const Array a = leaf({100, 30}), b = leaf({30});
  EXPECT_THAT(operations(planned(sqrt(exp(a) + b) * 2.0F)), ElementsAre("exp+add+sqrt+multiply"));
}

TEST(Fusion, LayerIsOneOperationThatStoresOneArray) {
  const Array x = leaf({100, 8}), w = leaf({16, 8}), b = leaf({16});
  const Schedule schedule = planned(relu(matmul(x, transpose(w)) + b));
  EXPECT_THAT(operations(schedule), ElementsAre("matmul+add+relu"));
  EXPECT_EQ(schedule.operations[0].tape.stores.size(), 1U);
  EXPECT_EQ(schedule.arena_bytes, 0U);
}

TEST(Fusion, ChainIsInlinedIntoItsReduction) {
  const Array a = leaf({50, 3}), b = leaf({50, 3});
  const Schedule schedule = planned(mean(square(a - b)));
  EXPECT_THAT(operations(schedule), ElementsAre("sum+multiply"));
  EXPECT_EQ(schedule.arena_bytes, 0U);
}

TEST(Fusion, ContiguousAxesAreMerged) {
  const Array a = leaf({2, 3, 4, 5}), b = leaf({2, 3, 4, 5}), row = leaf({5});
  EXPECT_EQ(planned(a + b).operations[0].extent, (Shape{120}));
  EXPECT_EQ(planned(a + row).operations[0].extent, (Shape{24, 5}));
}

// Functions in another order read it, so it has to be stored: in half the bytes, where it was rounded before.
TEST(Fusion, WidenedValuesAreStoredNarrow) {
  const Array x = leaf({64, 48}), y = leaf({48, 64});
  const Array wide = astype(astype(exp(x), DType::bfloat16), DType::float32);
  const Schedule narrow = planned(transpose(wide) * y + transpose(wide));
  EXPECT_THAT(operations(narrow), ElementsAre("exp+astype", "multiply+add"));
  EXPECT_EQ(narrow.operations[0].tape.stores.at(0).dtype, DType::bfloat16);
  EXPECT_EQ(narrow.operations[1].tape.loads.at(0).dtype, DType::bfloat16);
}

TEST(Fusion, OneHotDoesNotReachMemory) {
  Array logits = leaf({100, 10});
  logits.requires_grad();
  const Array loss = mean(cross_entropy_rows(logits, leaf({100}, DType::int32)));
  const std::vector<Array> inputs{logits};
  EXPECT_THAT(operations(planned(gradients(loss, inputs)[0])), ElementsAre("softmax+one_hot+subtract+multiply"));
}

// Pooling writes the order of layers that flatten its result, and its gradient reads that order.
TEST(Fusion, FlattenedPoolsAreNotCopied) {
  Array x = leaf({2, 5, 4, 6});
  x.requires_grad();
  const Array w = leaf({30, 7});
  const Array windows = max_pool2d(x, {.window = {2, 2}});
  const Array flat = reshape(windows, {2, 30});
  EXPECT_THAT(operations(planned(matmul(flat, w))), ElementsAre("copy", "max_pool2d", "matmul"));  // x, once
  const std::vector<Array> inputs{x};
  const Array loss = sum(matmul(reshape(max_pool2d(x, {.window = {2, 2}}), {2, 30}), w));
  EXPECT_THAT(operations(planned(gradients(loss, inputs)[0])),
              ElementsAre("copy", "copy", "matmul", "max_pool2d_gradient", "copy"));  // x, ones; the result
  const Array large = leaf({64, 64, 32, 32});
  const Array sums = sum(reshape(max_pool2d(large, {.window = {2, 2}}), {64, -1}) * leaf({64, 64 * 256}), 1);
  EXPECT_THAT(operations(planned(sums)), ElementsAre("copy", "max_pool2d", "copy", "sum"));
}

TEST(PlanCache, SameStructureIsCompiledOnce) {
  const Array a = leaf({7, 3}), b = leaf({7, 3}), c = leaf({7, 3});
  (a * b - 1.0F).eval();
  const std::size_t before = null_device().record().schedules.size();
  (b * c - 1.0F).eval();
  EXPECT_EQ(null_device().record().schedules.size(), before);
  (a * a - 1.0F).eval();  // the operands are one array: another structure
  (a * b - 2.0F).eval();  // another constant
  EXPECT_EQ(null_device().record().schedules.size(), before + 2);
}

// A network of `layers` linear layers whose widths double, and its training step.
struct TrainingStep {
  explicit TrainingStep(int layers, std::int64_t batch = 100)
      : x(leaf({batch, 2})), y(leaf({batch}, DType::int32)), rate(leaf({1})) {
    std::int64_t width = 2;
    for (int i = 0; i < layers; ++i) {
      const std::int64_t out = i + 1 == layers ? 2 : 2 * width;
      weights.push_back(leaf({out, width}));
      biases.push_back(leaf({out}));
      width = out;
      parameters += (weights.back().size() + biases.back().size());
      activations += batch * out;
    }
    for (auto* all : {&weights, &biases}) {
      for (Array& each : *all) state.push_back(&each.requires_grad());
    }
  }

  graph::CompiledStep compile() {
    return graph::CompiledStep(state, [this]() -> std::vector<Array> {
      Array out = x;
      for (std::size_t i = 0; i < weights.size(); ++i) {
        out = matmul(out, transpose(weights[i])) + biases[i];
        if (i + 1 < weights.size()) out = relu(out);
      }
      const Array loss = mean(cross_entropy_rows(out, y));
      loss.backward();
      for (Array* each : state) *each = *each - rate * each->grad();
      return {};
    });
  }

  Array x, y, rate;
  std::vector<Array> weights, biases;
  std::vector<Array*> state;
  std::int64_t parameters = 0, activations = 0;
};

TEST(TrainingPlan, UpdatesAreFusedIntoTheWeightGradients) {
  TrainingStep training(2);
  (void)training.compile();
  EXPECT_THAT(operations(null_device().record().schedules.back()),
              ElementsAre("matmul+add+relu", "matmul+add", "softmax+one_hot+subtract+multiply", "sum+multiply+subtract",
                          "matmul+less+where", "matmul+multiply+subtract", "sum+multiply+subtract",
                          "matmul+multiply+subtract"));
}

TEST(TrainingPlan, OperationsGrowByFourALayer) {
  TrainingStep small(3), large(9);
  const int few = small.compile().stats().operations;
  EXPECT_EQ(large.compile().stats().operations, few + 6 * 4);
}

TEST(TrainingPlan, NoGradientOfAWeightReachesMemory) {
  TrainingStep training(12);
  const graph::CompiledStep step = training.compile();
  const auto all = static_cast<std::uint64_t>(2 * training.parameters + training.activations) * 4;
  EXPECT_LT(step.bytes(), all * 3 / 2);
  // Weights once, activations, and the two newest activation gradients: less even than weights plus activations twice.
  EXPECT_LT(step.bytes(), static_cast<std::uint64_t>(training.parameters + 2 * training.activations) * 4);
}

TEST(TrainingPlan, RunsWithoutWaitingForTheDevice) {
  TrainingStep training(4);
  graph::CompiledStep step = training.compile();
  const std::uint64_t launches = null_device().record().launches;
  const std::uint64_t waits = null_device().record().waits;
  step.run(10);
  EXPECT_EQ(null_device().record().launches - launches, 10U * static_cast<unsigned>(step.stats().launches));
  EXPECT_EQ(null_device().record().waits, waits);
}

TEST(MemoryPlan, SlotsThatLiveTogetherDoNotOverlap) {
  TrainingStep training(7);
  (void)training.compile();
  const Schedule& schedule = null_device().record().schedules.back();
  struct Life {
    std::uint64_t begin, end;
    int first, last;
  };
  std::vector<Life> lives;
  for (std::size_t slot = 0; slot < schedule.slots.size(); ++slot) {
    if (schedule.slots[slot].external) continue;
    Life life{schedule.slots[slot].arena_offset, schedule.slots[slot].arena_offset, 1 << 30, -1};
    life.end += schedule.slots[slot].bytes;
    EXPECT_LE(life.end, schedule.arena_bytes);
    for (int i = 0; i < static_cast<int>(schedule.operations.size()); ++i) {
      const backend::SlotUse use = backend::slots_used(schedule.operations[static_cast<std::size_t>(i)]);
      for (const auto* list : {&use.reads, &use.writes}) {
        for (const int used : *list) {
          if (used != static_cast<int>(slot)) continue;
          life.first = std::min(life.first, i);
          life.last = std::max(life.last, i);
        }
      }
    }
    lives.push_back(life);
  }
  ASSERT_GT(lives.size(), 5U);
  for (std::size_t i = 0; i < lives.size(); ++i) {
    for (std::size_t j = i + 1; j < lives.size(); ++j) {
      const bool bytes = lives[i].begin < lives[j].end && lives[j].begin < lives[i].end;
      const bool time = lives[i].first <= lives[j].last && lives[j].first <= lives[i].last;
      EXPECT_FALSE(bytes && time) << i << " and " << j;
    }
  }
}

}  // namespace
}  // namespace overtake
