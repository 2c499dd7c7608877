// SPDX-License-Identifier: MIT
// Twenty searches, or trainings, in a row leave the memory of device and host as it was.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <cstddef>
#include <optional>

#include "core/sanitized.hpp"
#include "oracle/devices.hpp"
#include "overtake/memory.hpp"
#include "overtake/nn/network.hpp"
#include "overtake/search.hpp"
#include "unit/forest_ugly_data.hpp"

namespace overtake::test {
namespace {

constexpr std::int64_t mib = std::int64_t{1} << 20;

class HeldMemory : public oracle::OnEveryDevice {
 protected:
  void SetUp() override {
#ifdef OVERTAKE_ADDRESS_SANITIZER
    GTEST_SKIP() << "the address sanitizer keeps what is freed";
#endif
    OnEveryDevice::SetUp();
  }
  /// Of the host, without what the allocator keeps for itself.
  [[nodiscard]] static std::int64_t host() {
    ::malloc_trim(0);
    return static_cast<std::int64_t>(host_memory_held());
  }
  [[nodiscard]] static std::int64_t held() { return static_cast<std::int64_t>(device().memory_held()); }
  /// What CUDA's driver says is free on the device; nothing elsewhere. Others that use the GPU change it, too.
  [[nodiscard]] static std::optional<std::int64_t> free_bytes() {
    if (GetParam().backend != "cuda") return std::nullopt;
    device().synchronize();  // makes its context this thread's
    void* const driver = ::dlopen("libcuda.so.1", RTLD_NOW | RTLD_NOLOAD);
    if (driver == nullptr) return std::nullopt;
    const auto ask = reinterpret_cast<int (*)(std::size_t*, std::size_t*)>(::dlsym(driver, "cuMemGetInfo_v2"));
    std::size_t free = 0;
    std::size_t total = 0;
    if (ask == nullptr || ask(&free, &total) != 0) return std::nullopt;
    return static_cast<std::int64_t>(free);
  }

  template <typename Work>
  static void leaves_it(const Work& work) {
    work();  // compiles, starts threads, and fills what is kept on purpose
    work();
    const std::int64_t device_before = held();
    const std::optional<std::int64_t> free_before = free_bytes();
    const std::int64_t host_before = host();
    for (int i = 0; i < 20; ++i) work();
    EXPECT_LE(held() - device_before, mib);
    if (free_before) {
      EXPECT_LE(*free_before - free_bytes().value_or(0), mib);
    }
    EXPECT_LE(host() - host_before, 20 * mib);
  }
};

TEST_P(HeldMemory, TwentySearchesLeaveItAsItWas) {
  Fit fit = plain_fit(Task::classification);
  SearchOptions options;
  options.device = device();
  options.folds.n_splits = 3;
  const std::vector<Parameters> candidates = made_grid({"n_estimators=20,40", "max_depth=3,none", "max_features=1,2"});
  leaves_it([&] { ASSERT_GE(search(fit.data, candidates, options).best_index, 0); });
}

PreparedData network_data() {
  PreparedData data;
  data.training = plain_fit(Task::classification).data;
  data.preprocessing.classes.resize(static_cast<std::size_t>(data.training.classes));
  data.preprocessing.features.resize(static_cast<std::size_t>(data.training.features));
  return data;
}

NetworkOptions network_options(int epochs) {
  NetworkOptions options;
  options.hidden = {192, 192};  // a device that computes longer than the host enqueues
  options.training.batch_size = 16;
  options.training.epochs = epochs;
  options.training.report_every = epochs;
  options.training.check_data = false;  // some cells are missing, and what comes of them does not matter here
  return options;
}

TEST_P(HeldMemory, ALongTrainingTakesNoMoreThanAShortOne) {
  const PreparedData data = network_data();
  ASSERT_NE(train_network(data, network_options(2), device()).model, nullptr);
  const auto before = static_cast<std::int64_t>(host_memory_peak());
  const TrainedNetwork trained = train_network(data, network_options(200), device());
  ASSERT_GT(trained.fit.steps, 500);
  EXPECT_LE(static_cast<std::int64_t>(host_memory_peak()) - before, 20 * mib) << "what is enqueued takes memory";
}

TEST_P(HeldMemory, TwentyNetworksLeaveItAsItWas) {
  const PreparedData data = network_data();
  const NetworkOptions options = network_options(2);
  leaves_it([&] { ASSERT_NE(train_network(data, options, device()).model, nullptr); });
}

INSTANTIATE_TEST_SUITE_P(Devices, HeldMemory, ::testing::ValuesIn(list_devices()), oracle::device_name);

}  // namespace
}  // namespace overtake::test
