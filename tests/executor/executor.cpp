// SPDX-License-Identifier: MIT
#include "executor/executor.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

// Where the LOCAL variables of all kernels are; the linker knows the ends.
extern "C" {
extern std::byte __start_executor_local[];  // NOLINT(bugprone-reserved-identifier): the linker names it
extern std::byte __stop_executor_local[];   // NOLINT(bugprone-reserved-identifier)
}

namespace overtake::executor {
namespace {

constexpr int rubbish = 0xA5;

}  // namespace

Executor& Executor::instance() {
  static Executor executor;
  return executor;
}

Executor::Executor() { reset(1); }

void Executor::reset(std::uint64_t seed) {
  log_ = AccessLog();
  const auto bytes = static_cast<std::size_t>(__stop_executor_local - __start_executor_local);
  log_.watch(__start_executor_local, bytes, AccessLog::Memory::local, "local memory");
  random_.seed(seed);
  group_.seed(seed);
  barriers_.clear();
}

void Executor::launch(const std::string& kernel, const backend::LaunchGeometry& geometry, std::size_t local_bytes,
                      const std::function<void()>& body) {
  std::int32_t items = 1;
  std::int32_t groups = 1;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    geometry_.groups[axis] = static_cast<std::int32_t>(geometry.groups[axis]);
    geometry_.group_size[axis] = static_cast<std::int32_t>(geometry.group_size[axis]);
    groups *= geometry_.groups[axis];
    items *= geometry_.group_size[axis];
  }
  local_.resize(local_bytes);
  if (local_bytes > 0) log_.watch(local_.data(), local_bytes, AccessLog::Memory::local, "local memory of the launch");
  log_.begin_launch(kernel);
  std::vector<std::int32_t> order(static_cast<std::size_t>(groups));
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), random_);
  for (const std::int32_t number : order) {
    group_number_ = number;
    geometry_.group[0] = number % geometry_.groups[0];
    geometry_.group[1] = number / geometry_.groups[0] % geometry_.groups[1];
    geometry_.group[2] = number / geometry_.groups[0] / geometry_.groups[1];
    std::memset(__start_executor_local, rubbish,
                static_cast<std::size_t>(__stop_executor_local - __start_executor_local));
    std::fill(local_.begin(), local_.end(), std::byte{rubbish});
    log_.begin_group();
    if (const std::string wrong = group_.run(items, body); !wrong.empty()) {
      barriers_.push_back(kernel + ": " + wrong);
      break;
    }
  }
  log_.end_launch();
  if (local_bytes > 0) log_.forget(local_.data());
}

void Executor::note(const void* address, std::size_t bytes, Access access) {
  if (group_.item() < 0) return;
  log_.note(address, bytes, access, {group_number_, group_.item(), group_.epoch()});
}

}  // namespace overtake::executor
