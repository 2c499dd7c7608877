// SPDX-License-Identifier: MIT
#include "backend/cuda/run/lanes.hpp"

#include <algorithm>
#include <utility>

#include "backend/cuda/device.hpp"
#include "backend/cuda/driver/errors.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::cuda {
namespace {

StreamHandle make_stream(const DriverApi& api) {
  CUstream stream = nullptr;
  check(api, api.cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING), "cuStreamCreate");
  return {stream, api.cuStreamDestroy};
}

}  // namespace

CudaMark::~CudaMark() { (void)device_.context().try_use(); }  // the event is destroyed in its context

bool CudaMark::is_passed() const {
  device_.context().use();
  const CUresult code = device_.api().cuEventQuery(event_.get());
  if (code == CUDA_ERROR_NOT_READY) return false;
  check(device_.api(), code, "asking for an event");
  return true;
}

void CudaMark::wait() const {
  device_.context().use();
  check(device_.api(), device_.api().cuEventSynchronize(event_.get()), "waiting for the GPU");
}

double CudaMark::seconds_since(const Mark& earlier) const {
  const auto* before = dynamic_cast<const CudaMark*>(&earlier);
  if (before == nullptr || &before->device_ != &device_) {
    throw UsageError("two events of different devices have no time between them");
  }
  const DriverApi& api = device_.api();
  if (api.cuEventElapsedTime == nullptr) {
    throw DeviceError("this driver does not tell the time between events", "Use one of CUDA 12 or newer.");
  }
  before->wait();
  wait();
  float milliseconds = 0;
  check(api, api.cuEventElapsedTime(&milliseconds, before->event(), event()), "cuEventElapsedTime");
  return static_cast<double>(milliseconds) * 1e-3;
}

EventHandle record_event(const DriverApi& api, CUstream stream, CUevent_flags flags) {
  CUevent event = nullptr;
  check(api, api.cuEventCreate(&event, flags), "cuEventCreate");
  EventHandle handle(event, api.cuEventDestroy);
  check(api, api.cuEventRecord(event, stream), "cuEventRecord");
  return handle;
}

Lanes::Lanes(const DriverApi& api) : api_(api) { streams_[0] = make_stream(api); }

CUstream Lanes::of(Lane lane) {
  StreamHandle& stream = streams_[index(lane)];
  if (lane == Lane::work) return stream.get();
  const std::lock_guard lock(mutex_);
  if (!stream) stream = make_stream(api_);
  return stream.get();
}

void Lanes::synchronize(Lane lane) { check(api_, api_.cuStreamSynchronize(of(lane)), "waiting for the GPU"); }

void Lanes::synchronize() {
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t lane = 1; lane < streams_.size(); ++lane) {
      if (streams_[lane]) check(api_, api_.cuStreamSynchronize(streams_[lane].get()), "waiting for the GPU");
    }
  }
  // Last, as it mostly ends last: the other calls take their time while it runs.
  check(api_, api_.cuStreamSynchronize(work()), "waiting for the GPU");
}

IncomingBlocks::Free IncomingBlocks::take(std::size_t block_bytes) {
  const std::lock_guard lock(mutex_);
  const auto found =
      std::find_if(blocks_.begin(), blocks_.end(), [&](const Free& free) { return free.block.bytes == block_bytes; });
  if (found == blocks_.end()) return {};
  Free free = std::move(*found);
  blocks_.erase(found);  // the oldest of that size
  return free;
}

IncomingBlocks::Free IncomingBlocks::keep(Free free) {
  const std::lock_guard lock(mutex_);
  blocks_.push_back(std::move(free));
  if (blocks_.size() <= most) return {};
  Free oldest = std::move(blocks_.front());
  blocks_.erase(blocks_.begin());
  return oldest;
}

std::vector<IncomingBlocks::Free> IncomingBlocks::take_all() {
  const std::lock_guard lock(mutex_);
  return std::exchange(blocks_, {});
}

}  // namespace overtake::backend::cuda
