// SPDX-License-Identifier: MIT
// Page-locked memory of the host, from which and to which the GPU copies by itself.
#pragma once

#include <memory>

#include "backend/api/streams.hpp"
#include "backend/cuda/driver/driver_api.hpp"

namespace overtake::backend::cuda {

/// Needs a context current; the memory is page-locked for all of them. Throws DeviceError when the system locks no
/// more.
[[nodiscard]] std::unique_ptr<HostMemory> allocate_page_locked(const DriverApi& api, std::size_t bytes);

/// Whether all of these bytes are in one piece of such memory.
[[nodiscard]] bool is_page_locked(const void* data, std::size_t bytes);

}  // namespace overtake::backend::cuda
