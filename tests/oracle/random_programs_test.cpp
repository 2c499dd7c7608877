// SPDX-License-Identifier: MIT
// Random programs: every device against plain loops in double precision, gradients against differences of those, the
// compiled step against the loop by hand, and every operation within the limits of the kernels compiled ahead of time.
// OVERTAKE_TEST_SEED replays a seed that a failure names; OVERTAKE_TEST_SECONDS makes a long run.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "backend/common/lower/lowering.hpp"
#include "graph/compiled_step.hpp"
#include "graph/planner.hpp"
#include "oracle/devices.hpp"
#include "oracle/random_program.hpp"

namespace overtake::oracle {
namespace {

class RandomPrograms : public OnEveryDevice {};
INSTANTIATE_TEST_SUITE_P(Devices, RandomPrograms, ::testing::ValuesIn(list_devices()), device_name);

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing here sets it
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

/// Calls check(seed) for fresh seeds until the time is over, or once for the seed that is to be replayed.
template <typename Check>
void for_fresh_seeds(double seconds, const Check& check) {
  if (const std::uint64_t seed = from_environment("OVERTAKE_TEST_SEED", 0); seed > 0) return check(seed);
  seconds = static_cast<double>(from_environment("OVERTAKE_TEST_SECONDS", static_cast<std::uint64_t>(seconds)));
  const std::uint64_t first = (static_cast<std::uint64_t>(std::random_device{}()) << 16) + 1;
  const auto start = std::chrono::steady_clock::now();
  std::uint64_t seed = first;
  do {
    check(seed++);
  } while (!::testing::Test::HasFailure() &&
           std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() < seconds);
  std::printf("%llu programs of seeds from %llu\n", static_cast<unsigned long long>(seed - first),
              static_cast<unsigned long long>(first));
}

bool compiles_kernels(const Device& device) { return !device.impl().is_host(); }

// Short ones mostly: they differ most. Short ones alone where each operation is a kernel to compile.
int length_of(std::uint64_t seed, bool only_short) {
  const std::uint64_t kind = seed % 64;
  if (kind == 0 && !only_short) return 2'000;
  if (kind < 4 && !only_short) return 300;
  return 1 + static_cast<int>(seed / 64 % 40);
}

// Of OpenCL's compilers some take seconds for a kernel (PoCL 5): many programs of few operations there.
int at_most(int usual, const Device& device) { return device.info().backend == "opencl" ? std::min(usual, 8) : usual; }

void check_values(const Program& program, const Device& device) {
  SCOPED_TRACE(program.describe());
  const std::vector<Tensor> leaves = draw_leaves(program);
  const std::vector<Tensor> truth = run_in_double(program, leaves);
  const std::vector<Array> outputs = run_lazily(program, upload(leaves, device));
  eval(outputs);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Tensor& expected = truth[static_cast<std::size_t>(program.outputs[i])];
    ASSERT_EQ(outputs[i].shape().to_vector(), expected.extents);
    const std::vector<float> got = outputs[i].to_vector<float>();
    // Steps shrink the errors of what they read about as often as they keep them.
    for (std::size_t j = 0; j < got.size(); ++j) ASSERT_NEAR(got[j], expected.values[j], 2e-4) << "element " << j;
  }
}

TEST_P(RandomPrograms, ValuesAreThoseOfDoublePrecision) {
  const Device device = OnEveryDevice::device();
  for_fresh_seeds(8, [&](std::uint64_t seed) {
    check_values(draw_program(seed, at_most(length_of(seed, compiles_kernels(device)), device), false), device);
  });
}

TEST_P(RandomPrograms, TheLongest) {
  const Device device = OnEveryDevice::device();
  if (compiles_kernels(device)) GTEST_SKIP() << "thousands of kernels to compile: LongGraphs has chains that repeat";
  check_values(draw_program(std::random_device{}(), 50'000, false), device);
}

// The derivative along a random direction, by the gradients and by differences of the truth.
TEST_P(RandomPrograms, GradientsAreThoseOfDifferences) {
  const Device device = OnEveryDevice::device();
  for_fresh_seeds(6, [&](std::uint64_t seed) {
    const Program program = draw_program(seed, at_most(1 + static_cast<int>(seed % 30), device), true);
    SCOPED_TRACE(program.describe());
    const std::vector<Tensor> leaves = draw_leaves(program);
    std::mt19937_64 engine(seed + 2);
    std::uniform_real_distribution<float> uniform(-1, 1);
    std::vector<Tensor> direction = leaves;
    for (Tensor& tensor : direction) {
      for (double& value : tensor.values) value = uniform(engine);
    }
    const std::vector<Tensor> base = run_in_double(program, leaves);
    const auto truth_at = [&](double step) {
      std::vector<Tensor> moved = leaves;
      for (std::size_t i = 0; i < moved.size(); ++i) {
        for (std::size_t j = 0; j < moved[i].values.size(); ++j) moved[i].values[j] += step * direction[i].values[j];
      }
      const std::vector<Tensor> values = run_in_double(program, moved, &base);
      double sum_of_outputs = 0;
      for (const int output : program.outputs) {
        for (const double value : values[static_cast<std::size_t>(output)].values) sum_of_outputs += value;
      }
      return sum_of_outputs;
    };
    std::vector<Array> arrays = upload(leaves, device);
    for (Array& array : arrays) array.requires_grad();
    Array loss = zeros(Shape{}, device);
    for (const Array& output : run_lazily(program, arrays)) loss = loss + sum(output);
    double derivative = 0, magnitude = 1;
    const std::vector<Array> slopes = gradients(loss, arrays);
    for (std::size_t i = 0; i < slopes.size(); ++i) {
      const std::vector<float> slope = slopes[i].to_vector<float>();
      for (std::size_t j = 0; j < slope.size(); ++j) {
        derivative += slope[j] * direction[i].values[j];
        magnitude += std::abs(slope[j] * direction[i].values[j]);
      }
    }
    constexpr double step = 1e-5;
    ASSERT_NEAR(derivative, (truth_at(step) - truth_at(-step)) / (2 * step), 3e-5 * magnitude);
  });
}

// Three runs of a step that moves its state by the program's outputs: compiled, and by hand.
TEST_P(RandomPrograms, CompiledStepsAreTheLoopByHand) {
  const Device device = OnEveryDevice::device();
  for_fresh_seeds(6, [&](std::uint64_t seed) {
    const Program program = draw_program(seed, at_most(1 + static_cast<int>(seed % 30), device), false);
    SCOPED_TRACE(program.describe());
    const std::vector<Tensor> leaves = draw_leaves(program);
    const auto next = [&](const std::vector<Array>& state) {
      const std::vector<Array> outputs = run_lazily(program, state);
      std::vector<Array> result;
      for (std::size_t i = 0; i < state.size(); ++i) {
        result.push_back(state[i] * 0.5F + 0.25F * mean(outputs[i % outputs.size()]));
      }
      return result;
    };
    std::vector<Array> by_hand = upload(leaves, device);
    for (int run = 0; run < 3; ++run) {
      by_hand = next(by_hand);
      eval(by_hand);
    }
    std::vector<Array> compiled = upload(leaves, device);
    std::vector<Array*> state;
    for (Array& array : compiled) state.push_back(&array);
    graph::CompiledStep plan(state, [&] {
      const std::vector<Array> values = next(compiled);
      std::copy(values.begin(), values.end(), compiled.begin());  // the plan knows where these arrays are
      return std::vector<Array>();
    });
    plan.run(3);
    for (std::size_t i = 0; i < by_hand.size(); ++i) {
      ASSERT_EQ(compiled[i].to_vector<float>(), by_hand[i].to_vector<float>()) << "state " << i;
    }
  });
}

void check_limits(const backend::Schedule& schedule, const backend::FusionLimits& limits) {
  for (const backend::Operation& operation : schedule.operations) {
    const auto* reduce = std::get_if<backend::ReduceCore>(&operation.core);
    const std::size_t loads = operation.tape.loads.size() + (reduce == nullptr ? 0 : reduce->input.loads.size());
    ASSERT_LE(loads, static_cast<std::size_t>(limits.loads));
    ASSERT_LE(operation.tape.stores.size(), static_cast<std::size_t>(limits.stores));
    ASSERT_LE(operation.tape.code.size(), static_cast<std::size_t>(limits.instructions));
    if (reduce == nullptr) continue;
    ASSERT_LE(reduce->input.code.size(), static_cast<std::size_t>(limits.instructions));
  }
}

TEST(RandomPlans, EveryOperationKeepsToTheLimits) {
  for_fresh_seeds(4, [&](std::uint64_t seed) {
    const Program program = draw_program(seed, length_of(seed, false), false);
    SCOPED_TRACE(program.describe());
    std::vector<std::shared_ptr<graph::Node>> targets;
    for (const Array& output : run_lazily(program, upload(draw_leaves(program), Device()))) {
      targets.push_back((output * 1.5F).node());
    }
    check_limits(graph::make_plan(targets, {}).schedule, {});
    const backend::FusionLimits narrow = backend::interpreted_limits();
    const graph::Plan plan = graph::make_plan(targets, {}, narrow);
    check_limits(plan.schedule, narrow);
    for (const backend::Operation& operation : plan.schedule.operations) {
      ASSERT_NO_THROW((void)backend::lower_interpreted(operation));
    }
  });
}

}  // namespace
}  // namespace overtake::oracle
