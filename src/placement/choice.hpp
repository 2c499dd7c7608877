// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "backend/api/device.hpp"
#include "overtake/placement.hpp"

namespace overtake::placement {

/// What the work takes on a device, Prediction::failure if that cannot run it. Empty: stopped.
using Predict = std::function<std::optional<Prediction>(const DeviceInfo&)>;

/// The machine; tests have their own.
struct Machine {
  std::function<std::vector<DeviceInfo>(Candidates)> list = [](Candidates candidates) {
    return candidates == Candidates::all ? list_devices() : backend::list_where_gpus_may_be();
  };
  std::function<void(const std::string&)> open = [](const std::string& id) {
    (void)Device(id);
  };  ///< may throw DeviceError
};

/// Predicts for the CPU and for the first GPU that can run the work, and chooses (Placement says how). Where neither
/// can within `limits` that is the CPU, whose run says by how much; throws DeviceError where there are none. Devices
/// are listed only if a GPU might win, or all are looked at; of likely ones a GPU that would win, or share the work, is
/// opened.
[[nodiscard]] Placement choose(const Predict& predict, Candidates candidates, const Machine& machine = {},
                               const Shareable& work = {}, const MemoryLimits& limits = {});

}  // namespace overtake::placement
