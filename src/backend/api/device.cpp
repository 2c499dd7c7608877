// SPDX-License-Identifier: MIT
// The public handle overtake::Device over the contract of this folder.
#include "overtake/device.hpp"

#include "backend/api/details.hpp"
#include "backend/api/device.hpp"
#include "overtake/error.hpp"

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
    for (DeviceInfo& info : backend->list()) all.push_back(std::move(info));
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

DeviceDetails Device::details() { return {}; }
RateProbe Device::probe(std::string_view) { return {}; }
BackendDetails Backend::details() { return {}; }

}  // namespace backend
}  // namespace overtake
