// SPDX-License-Identifier: MIT
// The public handle overtake::Device over the contract of this folder.
#include "overtake/device.hpp"

#include <fmt/format.h>

#include "backend/api/details.hpp"
#include "backend/api/device.hpp"
#include "backend/api/profiling.hpp"
#include "overtake/error.hpp"
#include "platform/process.hpp"

namespace overtake {

Device::Device() : Device(std::string_view("cpu")) {}
Device::Device(std::string_view name) : impl_(&backend::open_device(name)) {}

const std::string& Device::id() const { return impl_->info().id; }
const DeviceInfo& Device::info() const { return impl_->info(); }
void Device::synchronize() const { impl_->synchronize(); }
TransferCount Device::transfers() const {
  const Transfers all = impl_->transfers();
  return {all.uploads, all.upload_bytes, all.downloads, all.download_bytes};
}
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

void Device::count(bool is_upload, std::size_t bytes, double seconds) {
  const std::lock_guard lock(transfer_mutex_);
  (is_upload ? transfers_.uploads : transfers_.downloads) += 1;
  (is_upload ? transfers_.upload_bytes : transfers_.download_bytes) += bytes;
  (is_upload ? transfers_.upload_seconds : transfers_.download_seconds) += seconds;
}

template <typename Copy>
void Device::transfer(bool is_upload, std::size_t bytes, const Copy& copy) {
  if (!is_profiling()) return count(is_upload, bytes, copy());
  synchronize();
  ProfileRecord record;
  record.kind = is_upload ? RecordKind::upload : RecordKind::download;
  record.device = info().id;
  record.name = is_upload ? "upload" : "download";
  record.start = ProfileRecord::Clock::now();
  count(is_upload, bytes, copy());
  synchronize();
  record.seconds = std::chrono::duration<double>(ProfileRecord::Clock::now() - record.start).count();
  (is_upload ? record.work.bytes_written : record.work.bytes_read) = bytes;
  tell(record);
}

void Device::upload(Buffer& destination, std::size_t offset, const void* source, std::size_t bytes) {
  transfer(true, bytes, [&] { return copy_in(destination, offset, source, bytes); });
}

void Device::download(const Buffer& source, std::size_t offset, void* destination, std::size_t bytes) {
  transfer(false, bytes, [&] { return copy_out(source, offset, destination, bytes); });
}

void Device::upload_async(Buffer& destination, const void* source, std::size_t bytes) {
  transfer(true, bytes, [&] { return copy_in_async(destination, source, bytes); });
}

void Device::download_async(Buffer& source, void* destination, std::size_t bytes) {
  transfer(false, bytes, [&] { return copy_out_async(source, destination, bytes); });
}

Transfers Device::transfers() {
  const CopySeconds settled = settle();
  const std::lock_guard lock(transfer_mutex_);
  transfers_.upload_seconds += settled.up;
  transfers_.download_seconds += settled.down;
  return transfers_;
}

double Device::copy_in_async(Buffer& destination, const void* source, std::size_t bytes) {
  return copy_in(destination, 0, source, bytes);
}

double Device::copy_out_async(Buffer& source, void* destination, std::size_t bytes) {
  return copy_out(source, 0, destination, bytes);
}

std::unique_ptr<HostMemory> Device::allocate_host(std::size_t bytes) { return ordinary_host_memory(bytes); }

std::unique_ptr<Mark> Device::mark(Lane lane) {
  synchronize_lane(lane);
  return std::make_unique<HostMark>();
}

void Device::wait(Lane /*lane*/, const Mark& mark) { mark.wait(); }

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

std::vector<DeviceInfo> list_where_gpus_may_be() {
  std::vector<DeviceInfo> all;
  for (Backend* backend : backends()) {
    if (!backend->may_have_gpus()) continue;
    for (DeviceInfo& info : list_devices_of(*backend)) all.push_back(std::move(info));
  }
  return all;
}

}  // namespace backend
}  // namespace overtake
