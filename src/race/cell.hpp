// SPDX-License-Identifier: MIT
// One network on one device: how its times and losses are measured.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "overtake/array.hpp"
#include "overtake/device.hpp"
#include "overtake/memory.hpp"
#include "overtake/nn/sequential.hpp"
#include "overtake/race.hpp"
#include "placement/pace.hpp"

namespace overtake::race {

/// Throws UsageError for options out of range.
void check(const RaceOptions& options);
/// The points of a race, and their copies as arrays.
[[nodiscard]] MemoryPlan memory_of_points(const RaceOptions& options);
/// Throws DeviceError where the points of a race do not fit into the computer's memory or its limit.
void require_points(const RaceOptions& options);

/// What every network of one race is trained on.
struct RaceTask {
  Array inputs, labels;  ///< on the CPU
  const RaceOptions& options;
  const StopToken* stop = nullptr;
  bool is_plan = false;           ///< no step is taken
  std::uint64_t host_left = 0;    ///< what --host-memory-limit leaves as the first network is made
  std::uint64_t points_held = 0;  ///< of the device cpu, by then
};

/// What training a network takes beside the points, in the computer's memory and the device's.
[[nodiscard]] MemoryPlan memory_of(const RaceOptions& options, int layers, const DeviceInfo& device);

/// Before a network is made, within --host-memory-limit: gives back what the networks before it left with the devices,
/// and sets the limit of `device`. By what the race began with, so that a plan and its run agree. Throws DeviceError
/// where the network does not fit.
void keep_to_host_limit(const RaceTask& task, int layers, const Device& device);

/// The race's network, with the weights that `seed` gives on every device.
[[nodiscard]] nn::Sequential race_network(int layers, std::uint64_t seed);

/// A device ready to race one network: warm, with the number of threads that is faster and the epochs that fit the
/// budget.
struct Runner {
  Device device;
  int epochs = 0;
  placement::Pace pace;
};

/// Bytes of the device that the trainings of a network plan; none takes a step. Throws DeviceError where they do not
/// fit.
[[nodiscard]] std::uint64_t planned_bytes(const RaceTask& task, int layers, const Device& device);

/// Trains until the time of an epoch is known. Empty when the stop token was requested.
[[nodiscard]] std::optional<Runner> warm_up(const RaceTask& task, int layers, const Device& device);

/// The repeats on a lane; the losses are those after `lane.epochs`. Empty when the stop token was requested.
[[nodiscard]] std::optional<RaceCell> measure(const RaceTask& task, int layers, const Runner& runner);

/// Replaces a cell's losses by those after `epochs`. False when the stop token was requested.
[[nodiscard]] bool compare_after(const RaceTask& task, int layers, const Runner& runner, int epochs, RaceCell& cell);

}  // namespace overtake::race
