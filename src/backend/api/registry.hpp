// SPDX-License-Identifier: MIT
#pragma once

#include "backend/api/device.hpp"

namespace overtake::backend {

/// Adds a backend to `backends()`. Each backend's registration file holds one static object of this type; lower `order`
/// comes first. The backend must live as long as the process.
class Registration {
 public:
  Registration(int order, Backend& backend);
};

}  // namespace overtake::backend
