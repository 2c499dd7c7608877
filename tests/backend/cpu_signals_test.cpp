// SPDX-License-Identifier: MIT
// Signals while the CPU computes: libraries of others move the stack pointer.
#include <gtest/gtest.h>
#include <sys/time.h>

#include <chrono>
#include <csignal>
#include <vector>

#include "overtake/array.hpp"
#include "overtake/ops.hpp"
#include "overtake/random.hpp"

namespace overtake::test {
namespace {

volatile std::sig_atomic_t answered = 0;

extern "C" void count_signal(int) { answered = answered + 1; }

/// A signal every 50 microseconds of this process, answered on the stack of whoever is interrupted.
class Interruptions {
 public:
  Interruptions() {
    struct sigaction action {};
    action.sa_handler = count_signal;
    action.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &action, &before_);
    const itimerval often{{0, 50}, {0, 50}};
    setitimer(ITIMER_REAL, &often, nullptr);
  }
  ~Interruptions() {
    const itimerval never{};
    setitimer(ITIMER_REAL, &never, nullptr);
    sigaction(SIGALRM, &before_, nullptr);
  }
  Interruptions(const Interruptions&) = delete;
  Interruptions& operator=(const Interruptions&) = delete;

 private:
  struct sigaction before_ {};
};

/// Computes again and again, with arrays that come and go, and expects the same numbers.
template <class Compute>
void expect_same_under_signals(const Compute& compute) {
  const std::vector<float> expected = compute();
  const Interruptions interruptions;
  answered = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  while (std::chrono::steady_clock::now() < end) ASSERT_EQ(compute(), expected);
  EXPECT_GT(answered, 100) << "signals wait for the end of a product, and no longer";
}

TEST(CpuSignals, ProductsAreNotHarmed) {
  const Array a = random::normal({256, 1024}), b = random::normal({1024, 256});
  expect_same_under_signals([&] { return matmul(a, b).to_vector<float>(); });
}

TEST(CpuSignals, ProductsOfNarrowNumbersAreNotHarmed) {
  const Array a = astype(random::normal({128, 512}), DType::bfloat16);
  const Array b = astype(random::normal({512, 128}), DType::bfloat16);
  expect_same_under_signals([&] { return astype(matmul(a, b), DType::float32).to_vector<float>(); });
}

TEST(CpuSignals, ConvolutionsAreNotHarmed) {
  const Array images = random::normal({8, 12, 20, 20}), filters = random::normal({20, 12, 5, 5});
  expect_same_under_signals([&] { return conv2d(images, filters).to_vector<float>(); });
}

}  // namespace
}  // namespace overtake::test
