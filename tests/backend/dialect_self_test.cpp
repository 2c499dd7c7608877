// SPDX-License-Identifier: MIT
// The dialect itself: the same kernel, which uses every macro, on every device that compiles at run time; on the CPU by
// each of its compilers.
#include <algorithm>
#include <chrono>
#include <cmath>

#include "backend/dialect_support.hpp"
#include "kernels/sources.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::dialect_tests {
namespace {

DIALECT_SUITE(DialectSelfTest);

#define SELF_TEST_SIZE 32
#define SELF_TEST_VALUES 40

constexpr int groups = 3;
constexpr int items = groups * SELF_TEST_SIZE;
constexpr float input[4] = {0.25F, 1.0F, 1.5F, 2.75F};

struct Outcome {
  std::vector<float> values = std::vector<float>(static_cast<std::size_t>(items) * SELF_TEST_VALUES);
  std::vector<std::int32_t> counters = {0, 0};
  float total = 0;
};

void expect_sound(const Outcome& outcome) {
  EXPECT_EQ(outcome.counters[0], items);
  EXPECT_EQ(outcome.counters[1], (0 + 1 + 2) * SELF_TEST_SIZE);
  EXPECT_EQ(outcome.total, 0.5F * items);
  const double e = 1.0 + 0x1p-23;
  for (int global = 0; global < items; ++global) {
    SCOPED_TRACE(testing::Message() << "work-item " << global);
    const float* v = outcome.values.data() + static_cast<std::ptrdiff_t>(global) * SELF_TEST_VALUES;
    const int item = global % SELF_TEST_SIZE;
    const int neighbour = (item + 1) % SELF_TEST_SIZE;
    const float x = input[global % 4];
    EXPECT_EQ(v[0], static_cast<float>(global));
    EXPECT_EQ(v[1], static_cast<float>(global));
    EXPECT_EQ(v[2], 0);
    EXPECT_EQ(v[3], 0);
    EXPECT_EQ(v[4], 1);
    EXPECT_EQ(v[5], static_cast<float>(neighbour));
    EXPECT_EQ(v[6], static_cast<float>(neighbour + 6));
    EXPECT_EQ(v[7], static_cast<float>(item));
    EXPECT_EQ(v[8], static_cast<float>(neighbour));
    EXPECT_EQ(v[9], static_cast<float>(e * e - static_cast<double>(static_cast<float>(e * e)))) << "FMA rounds once";
    EXPECT_EQ(v[10], 0) << "no contraction";
    EXPECT_EQ(v[11], 0) << "no contraction";
    EXPECT_EQ(v[12], static_cast<float>((0xD2511F53ULL * 0xCD9E8D57ULL) >> 40U));
    EXPECT_EQ(v[13], -x);
    EXPECT_EQ(v[14], 1);
    EXPECT_EQ(v[15], 1111);
    EXPECT_EQ(v[16], 5.5F);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(v[20 + i], x + static_cast<float>(i));
    const std::pair<int, double> functions[] = {{17, std::exp(x)}, {18, std::log(x)},       {19, std::log1p(x)},
                                                {24, std::sin(x)}, {25, std::cos(x)},       {26, std::tanh(x)},
                                                {27, std::erf(x)}, {28, std::pow(x, 1.5)},  {29, std::floor(-x)},
                                                {30, x},           {32, std::max(x, 1.0F)}, {33, std::min(x, 1.0F)}};
    for (const auto& [index, expected] : functions)
      EXPECT_NEAR(v[index], expected, 1e-6 * std::max(1.0, expected)) << index;
    EXPECT_EQ(v[31], std::sqrt(x)) << "correctly rounded";
    EXPECT_EQ(v[34], x / 3.0F) << "correctly rounded";
    EXPECT_EQ(v[35], -2);
    EXPECT_EQ(v[36], static_cast<float>(0xffffffffU / 7U % 1000U));
    EXPECT_EQ(v[37], x < 1.0F ? 1 : 0);
    EXPECT_EQ(v[38], 3 * 100 + SELF_TEST_SIZE + 2);
    EXPECT_EQ(v[39], 2);
  }
}

struct Built {
  std::unique_ptr<Program> program;
  std::string trouble;  ///< why there is none: this device does not compile at run time
};

Built build(Device& device, std::string_view source, const std::vector<std::string>& defines = {}) {
  try {
    return {device.build({.source = source, .defines = defines, .name = {}}), {}};
  } catch (const DeviceError& error) {
    return {nullptr, error.what()};
  }
}

TEST_P(DialectSelfTest, OnEveryDeviceThatCompiles) {
  with_each_compiler(this_device(), [] {
    Device& device = this_device();
    const auto [program, trouble] = build(device, embedded::kernel_self_test);
    if (program == nullptr) GTEST_SKIP() << trouble;
    Outcome outcome;
    const auto values = device.allocate(outcome.values.size() * 4);
    const auto counters = device.allocate(8);
    const auto total = device.allocate(4);
    const auto in = device.allocate(sizeof input);
    device.upload(*counters, 0, outcome.counters.data(), 8);
    device.upload(*total, 0, &outcome.total, 4);
    device.upload(*in, 0, input, sizeof input);
    const std::vector<KernelArgument> arguments = {values.get(), counters.get(), total.get(), in.get(),
                                                   LocalBytes{SELF_TEST_SIZE * 4}};
    program->kernel("self_test")->launch({{groups, 1, 1}, {SELF_TEST_SIZE, 1, 1}}, arguments);
    device.download(*values, 0, outcome.values.data(), outcome.values.size() * 4);
    device.download(*counters, 0, outcome.counters.data(), 8);
    device.download(*total, 0, &outcome.total, 4);
    expect_sound(outcome);
  });
}

TEST_P(DialectSelfTest, WarningsOfACompilerDoNotReachStandardError) {
  with_each_compiler(this_device(), [] {
    const char* source =
        "KERNEL void warned(GLOBAL float* out) {\n"
        "  int count = 1;\n"
        "  count == 2;\n"  // a comparison without effect: every compiler here warns of it
        "  out[0] = count;\n"
        "}\n";
    // A name that no cache knows yet.
    const std::string define =
        "NEVER_SEEN=" + std::to_string(std::chrono::system_clock::now().time_since_epoch().count());
    testing::internal::CaptureStderr();
    const auto [program, trouble] = build(this_device(), source, {define});
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    if (program == nullptr) GTEST_SKIP() << trouble;
  });
}

TEST_P(DialectSelfTest, DefinesArgumentsAndNamedErrors) {
  with_each_compiler(this_device(), [] {
    const char* source =
        "KERNEL void fill(GLOBAL float* out, int count, float value) {\n"
        "  for (int i = GLOBAL_ID(0); i < count; i += GLOBAL_SIZE(0)) out[i] = value * SCALE;\n"
        "}\n";
    Device& device = this_device();
    const auto [program, trouble] = build(device, source, {"SCALE=2.5f"});
    if (program == nullptr) GTEST_SKIP() << trouble;
    const auto out = device.allocate(400);
    program->kernel("fill")->launch({{2, 1, 1}, {8, 1, 1}}, std::vector<KernelArgument>{out.get(), 100, 3.0F});
    std::vector<float> values(100);
    device.download(*out, 0, values.data(), 400);
    for (const float value : values) EXPECT_EQ(value, 7.5F);

    EXPECT_THROW((void)program->kernel("no_such_kernel"), UsageError);
    const auto kernel = program->kernel("fill");
    EXPECT_THROW(
        kernel->launch({{1, 1, 1}, {1, 1, 1}}, std::vector<KernelArgument>{static_cast<Buffer*>(nullptr), 1, 2}),
        UsageError);
    EXPECT_THROW(kernel->launch({{1, 1, 1}, {1, 1, 1}}, std::vector<KernelArgument>{1}), UsageError);
    try {
      (void)device.build(
          {.source = "KERNEL void broken(GLOBAL float* out) { out[0] = no_such_name; }", .defines = {}, .name = {}});
      ADD_FAILURE() << "broken source compiled";
    } catch (const UsageError& error) {
      EXPECT_NE(std::string(error.what()).find("no_such_name"), std::string::npos) << error.what();
    }
  });
}

TEST_P(DialectSelfTest, PeakKernelsDoTheirWork) {
  with_each_compiler(this_device(), [] {
    Device& device = this_device();
    const auto [program, trouble] = build(device, embedded::kernel_peak);
    if (program == nullptr) GTEST_SKIP() << trouble;
    const std::vector<float> values = random_floats(4096, -1, 1, 1);
    const auto in = device.allocate(values.size() * 4);
    const auto out = device.allocate(values.size() * 4);
    device.upload(*in, 0, values.data(), values.size() * 4);
    program->kernel("peak_copy")
        ->launch({{2, 1, 1}, {256, 1, 1}}, std::vector<KernelArgument>{in.get(), out.get(), 1024});
    std::vector<float> copied(values.size());
    device.download(*out, 0, copied.data(), copied.size() * 4);
    EXPECT_EQ(copied, values);
    // x -> 0 * x + -1/8 in every step: eight accumulators sum to -1, the value that is stored.
    program->kernel("peak_fma")
        ->launch({{2, 1, 1}, {256, 1, 1}}, std::vector<KernelArgument>{out.get(), 2, 0.0F, -0.125F});
    device.download(*out, 0, copied.data(), 512 * 4);
    for (int i = 0; i < 512; ++i) EXPECT_EQ(copied[static_cast<std::size_t>(i)], -1.0F);
  });
}

}  // namespace
}  // namespace overtake::backend::dialect_tests
