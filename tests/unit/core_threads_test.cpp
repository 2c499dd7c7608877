// SPDX-License-Identifier: MIT
// How many threads the CPU computes with: asked for, by the environment, or all; and that everything keeps to it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <time.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "backend/api/device.hpp"
#include "core/config.hpp"
#include "core/threads.hpp"
#include "forest_data.hpp"
#include "overtake/error.hpp"
#include "overtake/forest.hpp"
#include "overtake/nn.hpp"
#include "overtake/ops.hpp"
#include "overtake/placement.hpp"
#include "platform/host_limits.hpp"

namespace overtake::test {
namespace {

using ::testing::HasSubstr;

/// OVERTAKE_THREADS for a test; what it was before comes back, and the default number of threads.
class Threads : public ::testing::Test {
 protected:
  Threads() {
    if (const char* text = std::getenv(name)) before_ = text;
    unsetenv(name);
  }
  ~Threads() override {
    before_ ? setenv(name, before_->c_str(), 1) : unsetenv(name);
    set_cpu_threads(0);
  }
  static void variable(const char* text) { setenv(name, text, 1); }

 private:
  static constexpr const char* name = "OVERTAKE_THREADS";
  std::optional<std::string> before_;
};

TEST(ThreadGroup, WaitsForItsThreads) {
  std::atomic<int> ended = 0;
  {
    ThreadGroup threads;
    for (int i = 0; i < 3; ++i) {
      threads.start([&ended] {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        ++ended;
      });
    }
    EXPECT_EQ(threads.size(), 3U);
  }
  EXPECT_EQ(ended, 3);
}

TEST(ThreadGroup, ThreadsStartWhereNothingLimitsThem) { EXPECT_TRUE(threads_start(2)); }

TEST_F(Threads, AskedForWinsOverTheVariableOverAll) {
  set_cpu_threads(0);
  EXPECT_EQ(cpu_threads(), platform::usable_cores());
  variable("3");
  set_cpu_threads(0);
  EXPECT_EQ(cpu_threads(), 3);
  set_cpu_threads(2);
  EXPECT_EQ(cpu_threads(), 2);
  variable("0");
  set_cpu_threads(0);
  EXPECT_EQ(cpu_threads(), platform::usable_cores());
}

// Under the thread sanitizer this is the proof: the number may be set while others read it to compile.
TEST_F(Threads, MayBeSetWhileOthersCompute) {
  std::atomic<bool> stop{false};
  std::thread setter([&] {
    for (int threads = 1; !stop; threads = threads % 3 + 1) set_cpu_threads(threads);
  });
  for (int size = 1; size <= 40; ++size) {  // each size is another schedule, and so is compiled
    const Array ones = Array::from(std::vector<float>(static_cast<std::size_t>(size), 1.0F), {size});
    EXPECT_EQ(sum(ones + ones).to_vector<float>(), std::vector<float>{2.0F * static_cast<float>(size)});
  }
  stop = true;
  setter.join();
}

TEST_F(Threads, NumbersOutOfRangeAreRefused) {
  for (const int threads : {-1, -2147483647, 4097, 100000}) {
    EXPECT_THROW(set_cpu_threads(threads), UsageError) << threads;
  }
  EXPECT_EQ(cpu_threads(), platform::usable_cores());
}

TEST_F(Threads, AVariableThatIsNoNumberOfThreadsIsNamed) {
  EXPECT_NO_THROW(check_environment());
  for (const char* good : {"", "0", "1", "4096"}) {
    variable(good);
    EXPECT_NO_THROW(check_environment()) << good;
  }
  for (const char* bad : {"lots", "-1", "4097", "2.0", "3 ", " 3", "4294967298", "1e1"}) {
    variable(bad);
    try {
      check_environment();
      ADD_FAILURE() << bad << " is accepted";
    } catch (const UsageError& error) {
      EXPECT_THAT(error.what(), HasSubstr("OVERTAKE_THREADS"));
      EXPECT_THAT(error.what(), HasSubstr(bad));
    }
    set_cpu_threads(0);
    EXPECT_EQ(cpu_threads(), platform::usable_cores()) << "counts as unset";
  }
}

double seconds_of(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// Threads of this process now.
std::ptrdiff_t threads_alive() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"), std::filesystem::directory_iterator());
}

TEST_F(Threads, PredictionsOfForestsKeepToThemAndDoNotDependOnThem) {
  Fit fit{"predictions", made_data({.rows = 3000, .missing = 0.1}), {}, {}};
  fit.parameters = ForestParameters::defaults(ForestKind::random_forest, Task::classification);
  fit.parameters.n_estimators = 40;
  const Forest forest = fit.train();
  std::vector<float> rows;
  for (int i = 0; i < 20; ++i) rows.insert(rows.end(), fit.data.inputs.begin(), fit.data.inputs.end());

  set_cpu_threads(1);
  const double process = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
  const double thread = seconds_of(CLOCK_THREAD_CPUTIME_ID);
  const std::vector<double> shares = forest.predict_proba(rows);
  const std::vector<std::int32_t> leaves = forest.apply(rows);
  const double by_all = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - process;
  const double by_this = seconds_of(CLOCK_THREAD_CPUTIME_ID) - thread;
  EXPECT_LT(by_all, 1.25 * by_this) << "one thread does the work";

  for (const int threads : {2, 13}) {
    set_cpu_threads(threads);
    EXPECT_EQ(forest.predict_proba(rows), shares) << threads;
    EXPECT_EQ(forest.apply(rows), leaves) << threads;
  }
  EXPECT_GE(threads_alive(), 13) << "the pool has the threads that were asked for";
}

TEST_F(Threads, PlacementPredictsWithTheThreadsThatAreAskedFor) {
  std::vector<float> values(400);
  std::vector<std::int32_t> labels(100);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 17) / 17.0F;
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::int32_t>(i % 2);
  PlacementRequest request;
  request.model = [] {
    nn::Sequential model;
    model.add(nn::Linear(4, 2));
    return model;
  };
  request.optimizer = [](nn::Module& model) { return std::make_unique<optim::Adam>(model.parameters(), 1e-3F); };
  request.loss = nn::Loss::cross_entropy();
  request.inputs = Array::from(values, {100, 4});
  request.targets = Array::from(labels, {100});
  request.epochs = 2;
  request.threads = 3;
  const Placement placement = choose_device(request);
  ASSERT_EQ(placement.device, "cpu") << "so little work";
  EXPECT_EQ(placement.threads, 3);
  EXPECT_EQ(cpu_threads(), 3) << "what was predicted with is what trains";
}

}  // namespace
}  // namespace overtake::test
