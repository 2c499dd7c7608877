// SPDX-License-Identifier: MIT
#include "backend/api/streams.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "overtake/error.hpp"

namespace overtake::backend {
namespace {

class OrdinaryMemory final : public HostMemory {
 public:
  using HostMemory::HostMemory;
  ~OrdinaryMemory() override { std::free(data()); }  // NOLINT: what std::aligned_alloc gave
};

}  // namespace

double HostMark::seconds_since(const Mark& earlier) const {
  const auto* before = dynamic_cast<const HostMark*>(&earlier);
  if (before == nullptr) throw UsageError("two events of different devices have no time between them");
  return std::chrono::duration<double>(time_ - before->time_).count();
}

std::unique_ptr<HostMemory> ordinary_host_memory(std::size_t bytes) {
  constexpr std::size_t alignment = 4096;
  const std::size_t rounded = (std::max<std::size_t>(bytes, 1) + alignment - 1) / alignment * alignment;
  void* data = rounded < bytes ? nullptr : std::aligned_alloc(alignment, rounded);
  if (data == nullptr) {
    throw DeviceError(fmt::format("{} bytes of the computer's memory are not to be had", bytes),
                      "Copy in smaller pieces.");
  }
  return std::make_unique<OrdinaryMemory>(data, bytes);
}

}  // namespace overtake::backend
