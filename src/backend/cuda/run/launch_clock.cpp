// SPDX-License-Identifier: MIT
#include "backend/cuda/run/launch_clock.hpp"

#include <chrono>

#include "backend/cuda/device.hpp"
#include "backend/cuda/driver/errors.hpp"

namespace overtake::backend::cuda {

void profile_launch(CudaDevice& device, ProfileRecord record, const std::function<void()>& enqueue) {
  const DriverApi& api = device.api();
  device.synchronize();
  record.device = device.info().id;
  record.start = ProfileRecord::Clock::now();
  const EventHandle before = record_event(api, device.stream(), CU_EVENT_DEFAULT);
  enqueue();
  const EventHandle after = record_event(api, device.stream(), CU_EVENT_DEFAULT);
  check(api, api.cuEventSynchronize(after.get()), "waiting for the GPU");
  record.seconds = std::chrono::duration<double>(ProfileRecord::Clock::now() - record.start).count();
  float milliseconds = 0;
  if (api.cuEventElapsedTime != nullptr) {
    check(api, api.cuEventElapsedTime(&milliseconds, before.get(), after.get()), "cuEventElapsedTime");
    record.seconds = static_cast<double>(milliseconds) * 1e-3;
  }
  tell(record);
}

}  // namespace overtake::backend::cuda
