// SPDX-License-Identifier: MIT
// The public handle overtake::Device over the contract of this folder.
#include "overtake/device.hpp"

#include <fmt/format.h>

#include "backend/api/details.hpp"
#include "backend/api/device.hpp"
#include "overtake/error.hpp"
#include "platform/process.hpp"

namespace overtake {

Device::Device() : Device(std::string_view("cpu")) {}
Device::Device(std::string_view name) : impl_(&backend::open_device(name)) {}

const std::string& Device::id() const { return impl_->info().id; }
const DeviceInfo& Device::info() const { return impl_->info(); }
void Device::synchronize() const { impl_->synchronize(); }
TransferCount Device::transfers() const { return impl_->transfers(); }
void Device::set_memory_limit(std::uint64_t bytes) const { impl_->set_memory_limit(bytes); }
std::uint64_t Device::memory_held() const { return impl_->memory_held(); }
std::uint64_t Device::memory_peak() const { return impl_->memory_peak(); }

std::vector<DeviceInfo> list_devices() {
  std::vector<DeviceInfo> all;
  for (backend::Backend* backend : backend::backends()) {
    for (DeviceInfo& info : backend::list_devices_of(*backend)) all.push_back(std::move(info));
  }
  return all;
}

bool is_available(std::string_view name) {
  try {
    (void)backend::open_device(name);
    return true;
  } catch (const Error&) {
    return false;
  }
}

namespace backend {
namespace {

constexpr const char* forked =
    "this process was forked from one that had used the driver already, and drivers do not work in both";
constexpr const char* forked_hint =
    "Start worker processes anew instead of forking them (in Python, multiprocessing with \"spawn\" or "
    "\"forkserver\"), use the device only after the fork, or use the cpu.";

}  // namespace

DeviceDetails Device::details() { return {}; }
RateProbe Device::probe(std::string_view) { return {}; }
BackendDetails Backend::details() { return {}; }

void Backend::claim_driver() {
  if (!has_driver()) return;
  const int forks = platform::forks();
  int claimed = unused;
  if (claimed_after_forks_.compare_exchange_strong(claimed, forks) || claimed == forks) return;
  throw DeviceError(fmt::format("{}: {}", name(), forked), forked_hint);
}

std::vector<DeviceInfo> list_devices_of(Backend& backend) {
  try {
    backend.claim_driver();
  } catch (const DeviceError&) {
    DeviceInfo none;
    none.id = none.backend = none.name = backend.name();
    none.usable = false;
    none.reason = forked;
    none.hint = forked_hint;
    return {none};
  }
  return backend.list();
}

}  // namespace backend
}  // namespace overtake
