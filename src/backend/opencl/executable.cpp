// SPDX-License-Identifier: MIT
#include "backend/opencl/executable.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "backend/opencl/device.hpp"
#include "backend/opencl/program.hpp"
#include "overtake/error.hpp"

namespace overtake::backend::opencl {
namespace {

cl_mem memory_of(const Buffer& buffer) { return reinterpret_cast<cl_mem>(buffer.handle()); }

}  // namespace

OpenClExecutable::OpenClExecutable(OpenClDevice& device, const Schedule& schedule)
    : device_(device), slots_(schedule.slots) {
  const auto begin = std::chrono::steady_clock::now();
  if (schedule.arena_bytes > 0) arena_ = device.allocate(schedule.arena_bytes);
  std::vector<LoweredOperation> lowered;
  for (const Operation& operation : schedule.operations) {
    lowered.push_back(lower(operation, device.traits()));
    if (lowered.back().zeroed_bytes == 0) shared_bytes_ = std::max(shared_bytes_, lowered.back().scratch_bytes);
  }
  scratch_.push_back(shared_bytes_ > 0 ? device.allocate(shared_bytes_) : nullptr);
  labels_ = labels_of(schedule);
  for (std::size_t number = 0; number < lowered.size(); ++number) {
    LoweredOperation& operation = lowered[number];
    const int scratch = scratch_for(operation);
    for (LoweredKernel& kernel : operation.kernels) {
      cl_int error = CL_SUCCESS;
      KernelHandle handle(api().clCreateKernel(device.program_of(kernel), kernel.entry.c_str(), &error));
      check(error, "clCreateKernel");
      const bool is_first = launches_.empty() || launches_.back().operation != number;
      launches_.push_back({std::move(handle), kernel.geometry, std::move(kernel.arguments), scratch, number, is_first,
                           std::move(kernel.entry)});
    }
  }
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
  stats_.operations = static_cast<int>(schedule.operations.size());
  stats_.launches = static_cast<int>(launches_.size());
  stats_.compile_seconds = spent.count();
  stats_.arena_bytes = schedule.arena_bytes;
}

int OpenClExecutable::scratch_for(const LoweredOperation& operation) {
  if (operation.zeroed_bytes == 0) return 0;
  scratch_.push_back(device_.allocate(operation.scratch_bytes));
  const cl_int zero = 0;
  check(api().clEnqueueFillBuffer(device_.queue(), memory_of(*scratch_.back()), &zero, sizeof zero, 0,
                                  operation.zeroed_bytes, 0, nullptr, nullptr),
        "clEnqueueFillBuffer");
  return static_cast<int>(scratch_.size()) - 1;
}

void OpenClExecutable::bind(std::span<Buffer* const> slots) {
  if (slots.size() != slots_.size()) {
    throw InternalError(fmt::format("bind: {} buffers for {} slots", slots.size(), slots_.size()));
  }
  if (arena_ == nullptr && stats_.arena_bytes > 0) arena_ = device_.allocate(stats_.arena_bytes);
  if (scratch_[0] == nullptr && shared_bytes_ > 0) scratch_[0] = device_.allocate(shared_bytes_);
  std::vector<Place> places(slots_.size());
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].external) {
      if (slots[i] != nullptr) places[i].memory = memory_of(*slots[i]);
    } else if (arena_ != nullptr) {
      places[i] = {memory_of(*arena_), static_cast<std::int64_t>(slots_[i].arena_offset / size_of(slots_[i].dtype))};
    }
  }
  for (const Launch& launch : launches_) set_arguments(launch, places);
  bound_ = true;
}

void OpenClExecutable::set_arguments(const Launch& launch, const std::vector<Place>& places) const {
  const auto place_of = [&places](int slot) {
    const Place place = places.at(static_cast<std::size_t>(slot));
    if (place.memory == nullptr) throw InternalError(fmt::format("bind: slot {} has no buffer", slot));
    return place;
  };
  for (std::size_t i = 0; i < launch.arguments.size(); ++i) {
    const LoweredArgument& argument = launch.arguments[i];
    cl_mem memory = nullptr;
    std::int64_t number = argument.value;
    switch (argument.kind) {
      case LoweredArgument::Kind::slot: memory = place_of(argument.slot).memory; break;
      case LoweredArgument::Kind::scratch:
        memory = memory_of(*scratch_.at(static_cast<std::size_t>(launch.scratch)));
        break;
      case LoweredArgument::Kind::offset:
      case LoweredArgument::Kind::offset64: number += place_of(argument.slot).first_element; break;
      case LoweredArgument::Kind::int32:
      case LoweredArgument::Kind::int64:
      case LoweredArgument::Kind::index: break;
    }
    const auto index = static_cast<cl_uint>(i);
    const bool is_long =
        argument.kind == LoweredArgument::Kind::offset64 || argument.kind == LoweredArgument::Kind::int64;
    if (is_long) {
      const auto large = static_cast<cl_long>(number);
      check(api().clSetKernelArg(launch.kernel.get(), index, sizeof(cl_long), &large), "clSetKernelArg");
      continue;
    }
    if (number > INT32_MAX || number < INT32_MIN) {
      throw DeviceError("an arena of more than 8 GiB cannot be addressed by OpenCL kernels with 32-bit indices",
                        "Lower the batch or the layer sizes, or use the cuda backend.");
    }
    const auto small = static_cast<cl_int>(number);
    const bool is_memory = memory != nullptr;
    check(api().clSetKernelArg(launch.kernel.get(), index, is_memory ? sizeof(cl_mem) : sizeof(cl_int),
                               is_memory ? static_cast<const void*>(&memory) : &small),
          "clSetKernelArg");
  }
}

void OpenClExecutable::release() {
  // Kernels that are under way hold their memory objects, and later work is behind them in the queue.
  if (stats_.arena_bytes > most_kept_bytes) arena_.reset();
  if (shared_bytes_ > most_kept_bytes) scratch_[0].reset();
  bound_ = bound_ && (arena_ != nullptr || stats_.arena_bytes == 0) && (scratch_[0] != nullptr || shared_bytes_ == 0);
}

void OpenClExecutable::run(int times) {
  if (!bound_) throw InternalError("run: no buffers are bound");
  if (is_profiling()) {
    for (int i = 0; i < times; ++i) run_profiled();
    return;
  }
  for (int i = 0; i < times; ++i) {
    for (const Launch& launch : launches_) device_.enqueue(launch.kernel.get(), launch.geometry);
  }
  check(api().clFlush(device_.queue()), "clFlush");
}

void OpenClExecutable::run_profiled() {
  for (const Launch& launch : launches_) {
    device_.synchronize();
    timed_launch(device_.info().id, labels_[launch.operation], launch.entry, launch.is_first, [&] {
      device_.enqueue(launch.kernel.get(), launch.geometry);
      device_.synchronize();
    });
  }
}

}  // namespace overtake::backend::opencl
