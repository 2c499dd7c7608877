// SPDX-License-Identifier: MIT
// A kernel that uses every macro of the dialect: local memory, barriers, atomics, 64-bit values.
#include <array>
#include <cmath>
#include <memory>

#include "kernels/sources.hpp"
#include "overtake/error.hpp"
#include "self_test/check.hpp"

namespace overtake::self_test {
namespace {

// As kernels/self_test.k has them.
constexpr std::int32_t group = 32, values_per_item = 40, groups = 3;
constexpr std::int32_t items = groups * group;

struct Outcome {
  std::vector<float> values = std::vector<float>(static_cast<std::size_t>(items) * values_per_item);
  std::vector<std::int32_t> counters = {0, 0};
  std::vector<float> total = {0};
};

Outcome launch(backend::Device& device, backend::Program& program, const std::vector<float>& input) {
  Outcome outcome;
  const auto values = device.allocate(outcome.values.size() * 4);
  const auto counters = device.allocate(8);
  const auto total = device.allocate(4);
  const auto in = device.allocate(input.size() * 4);
  device.upload(*counters, 0, outcome.counters.data(), 8);
  device.upload(*total, 0, outcome.total.data(), 4);
  device.upload(*in, 0, input.data(), input.size() * 4);
  const std::vector<backend::KernelArgument> arguments = {values.get(), counters.get(), total.get(), in.get(),
                                                          backend::LocalBytes{group * 4}};
  program.kernel("self_test")->launch({{groups, 1, 1}, {group, 1, 1}}, arguments);
  device.download(*values, 0, outcome.values.data(), outcome.values.size() * 4);
  device.download(*counters, 0, outcome.counters.data(), 8);
  device.download(*total, 0, outcome.total.data(), 4);
  return outcome;
}

/// What one work-item must write, by position; NaN where another check has it.
std::array<double, values_per_item> expected_of(std::int32_t place, float x) {
  std::array<double, values_per_item> v{};
  v.fill(std::nan(""));
  const std::int32_t item = place % group;
  const std::int32_t neighbour = (item + 1) % group;
  v[0] = v[1] = place;
  v[2] = v[3] = 0;
  v[4] = 1;
  v[5] = v[8] = neighbour;
  v[6] = neighbour + 6;
  v[7] = item;
  v[12] = static_cast<float>((0xD2511F53ULL * 0xCD9E8D57ULL) >> 40U);
  v[13] = -x;
  v[15] = 1111;
  for (int i = 0; i < 4; ++i) v[20 + i] = x + static_cast<float>(i);
  v[34] = x / 3.0F;
  v[35] = -2;
  v[36] = static_cast<float>(0xffffffffU / 7U % 1000U);
  v[38] = 3 * 100 + group + 2;
  v[39] = 2;
  return v;
}

}  // namespace

void check_programs(const Device& device) {
  const std::vector<float> input = {0.25F, 1.0F, 1.5F, 2.75F};
  std::unique_ptr<backend::Program> program;
  try {
    program = device.impl().build({.source = embedded::kernel_self_test, .defines = {}, .name = {}});
  } catch (const DeviceError&) {
    return;  // it compiles nothing at run time, so nobody can use a program there
  }
  const Outcome outcome = launch(device.impl(), *program, input);
  expect_equal("counters by atomic additions", outcome.counters, std::vector{items, (0 + 1 + 2) * group});
  expect_equal("a sum by atomic additions", outcome.total, std::vector{0.5F * items});
  for (std::int32_t place = 0; place < items; ++place) {
    const auto expected = expected_of(place, input[static_cast<std::size_t>(place) % input.size()]);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      if (std::isnan(expected[i])) continue;
      const float actual = outcome.values[static_cast<std::size_t>(place) * values_per_item + i];
      expect_close("value " + std::to_string(i) + " of a work-item", {actual}, {expected[i]}, 1e-6);
    }
  }
}

}  // namespace overtake::self_test
