// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string_view>

#include "backend/api/device.hpp"

namespace overtake::backend {

/// Adds a backend to `backends()`. Each backend's registration file holds one static object of this type; lower `order`
/// comes first. The backend must live as long as the process.
class Registration {
 public:
  Registration(int order, Backend& backend);
};

/// A device as it is asked for: "cuda" names a backend, "cuda:1" one of its devices.
struct DeviceName {
  Backend* backend = nullptr;
  std::optional<int> index;
};

/// Throws UsageError, as opening it does, for a name that is no device's.
[[nodiscard]] DeviceName parse_device(std::string_view id);

}  // namespace overtake::backend
