// SPDX-License-Identifier: MIT
// The CPU's team of threads. Under the thread sanitizer these tests also prove that a round is seen whole.
#include "core/thread_pool.hpp"

#include "core/sanitized.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <new>
#include <numeric>
#include <set>

namespace overtake {
namespace {

TEST(ThreadPool, EveryPartRunsOnceAndItsWorkIsSeenAfterwards) {
  ThreadPool pool;
  for (int round = 0; round < 200; ++round) {
    const int parts = 1 + round % 7;                               // the team grows, and some of it sits a round out
    std::vector<int> written(static_cast<std::size_t>(parts), 0);  // plain memory: run() must order it
    pool.run(parts, [&](int part) { written[static_cast<std::size_t>(part)] += part + 1; });
    std::vector<int> expected(static_cast<std::size_t>(parts));
    std::iota(expected.begin(), expected.end(), 1);
    ASSERT_EQ(written, expected) << "round " << round;
  }
}

TEST(ThreadPool, PartsHaveThreadsOfTheirOwnAndTheFirstIsTheCallers) {
  ThreadPool pool;
  std::vector<std::thread::id> threads(4);
  pool.run(4, [&](int part) { threads[static_cast<std::size_t>(part)] = std::this_thread::get_id(); });
  EXPECT_EQ(threads[0], std::this_thread::get_id());
  EXPECT_EQ(std::set(threads.begin(), threads.end()).size(), 4U);
}

TEST(ThreadPool, ACallFromInsideAPartRunsInPlace) {
  ThreadPool pool;
  std::vector<int> written(12, 0);
  pool.run(3, [&](int outer) {
    pool.run(4, [&, outer](int inner) { written[static_cast<std::size_t>(4 * outer + inner)] += 1; });
  });
  EXPECT_EQ(written, std::vector<int>(12, 1));
}

#if !defined(OVERTAKE_THREAD_SANITIZER)  // which ends a child of several threads that starts one
TEST(ThreadPool, AForkedChildHasAPoolOfItsOwn) {
  const auto sum = [](int parts) {
    std::vector<int> written(static_cast<std::size_t>(parts), 0);
    ThreadPool::instance().run(parts, [&](int part) { written[static_cast<std::size_t>(part)] = part; });
    return std::accumulate(written.begin(), written.end(), 0);
  };
  ASSERT_EQ(sum(3), 3);  // the threads are there, and the child will not have them
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(20);  // instead of for ever
    const pid_t grandchild = sum(4) == 6 ? ::fork() : -1;
    if (grandchild == 0) ::_exit(sum(3) == 3 ? 0 : 1);
    int status = 1;
    ::_exit(grandchild > 0 && ::waitpid(grandchild, &status, 0) == grandchild && status == 0 ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "the child could not compute";
  EXPECT_EQ(sum(3), 3);
}
#endif

TEST(ThreadPool, CallersTakeTurns) {
  ThreadPool pool;
  std::vector<std::int64_t> sums(3, 0);
  std::vector<std::thread> callers;
  for (std::size_t caller = 0; caller < sums.size(); ++caller) {
    callers.emplace_back([&pool, &sum = sums[caller]] {
      for (int round = 0; round < 50; ++round) {
        std::vector<std::int64_t> each(3, 0);
        pool.run(3, [&](int part) { each[static_cast<std::size_t>(part)] = part; });
        sum += std::accumulate(each.begin(), each.end(), std::int64_t{0});
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(sums, std::vector<std::int64_t>(3, 150));
}

TEST(ThreadPool, EndsWhetherItsThreadsSleepOrNeverWorked) {
  { const ThreadPool unused; }
  ThreadPool pool;
  pool.run(4, [](int) {});
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // asleep by now
  int runs = 0;
  pool.run(1, [&](int) { ++runs; });
  EXPECT_EQ(runs, 1);
}

TEST(ThreadPool, AnExceptionOfAnyPartComesOutWhenAllAreDone) {
  ThreadPool pool;
  for (int bad = 0; bad < 4; ++bad) {
    std::atomic<int> done{0};
    const auto part = [&](int index) {
      if (index == bad) throw std::bad_alloc();
      ++done;
    };
    EXPECT_THROW(pool.run(4, part), std::bad_alloc);
    EXPECT_EQ(done, 3);
  }
  std::vector<int> written(4, 0);
  pool.run(4, [&](int index) { written[static_cast<std::size_t>(index)] = 1; });  // nothing is left of it
  EXPECT_EQ(written, std::vector<int>(4, 1));
}

}  // namespace
}  // namespace overtake
