// SPDX-License-Identifier: MIT
// A device that computes nothing and remembers everything: planning, fusion, memory plans and launch counts are tested
// on it without any processor.
#include "backend/null/null_device.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "backend/api/profiling.hpp"
#include "backend/api/registry.hpp"
#include "overtake/error.hpp"
#include "overtake/memory.hpp"

namespace overtake::backend::null {
namespace {

class NullBuffer final : public Buffer {
 public:
  NullBuffer(NullDevice& device, std::size_t bytes, NullRecord& record) : Buffer(device, bytes), record_(record) {
    record_.bytes_held += bytes;
    record_.bytes_peak = std::max(record_.bytes_peak, record_.bytes_held);
  }
  ~NullBuffer() override { record_.bytes_held -= bytes(); }
  [[nodiscard]] std::uintptr_t handle() const noexcept override { return 0; }

 private:
  NullRecord& record_;
};

class NullExecutable final : public Executable {
 public:
  NullExecutable(NullDevice& device, const Schedule& schedule, NullRecord& record)
      : device_(device.info().id), record_(record) {
    if (schedule.arena_bytes > 0) arena_ = device.allocate(schedule.arena_bytes);
    stats_.operations = static_cast<int>(schedule.operations.size());
    stats_.launches = stats_.operations;
    stats_.arena_bytes = schedule.arena_bytes;
    labels_ = labels_of(schedule);
  }
  void bind(std::span<Buffer* const>) override {}
  void run(int times) override {
    if (is_profiling()) {
      for (int time = 0; time < times; ++time) {
        for (const OperationLabel& label : labels_) timed_launch(device_, label, "", true, [] {});
      }
    }
    record_.launches += static_cast<std::uint64_t>(times) * static_cast<std::uint64_t>(stats_.launches);
  }
  [[nodiscard]] ExecutableStats stats() const override { return stats_; }

 private:
  std::string device_;
  NullRecord& record_;
  std::unique_ptr<Buffer> arena_;
  std::vector<OperationLabel> labels_;
  ExecutableStats stats_;
};

class NullKernel final : public Kernel {
 public:
  NullKernel(std::string device, std::string name, NullRecord& record)
      : device_(std::move(device)), name_(std::move(name)), record_(record) {}
  void launch(const LaunchGeometry& geometry, std::span<const KernelArgument> arguments) override {
    if (is_profiling()) timed_launch(device_, {name_, {}}, "", true, [] {});
    record_.kernel_launches.push_back({name_, geometry, arguments.size()});
    record_.launches += 1;
  }

 private:
  std::string device_, name_;
  NullRecord& record_;
};

class NullProgram final : public Program {
 public:
  NullProgram(std::string device, std::string_view source, NullRecord& record)
      : device_(std::move(device)), source_(source), record_(record) {}
  [[nodiscard]] std::unique_ptr<Kernel> kernel(const std::string& name) override {
    if (source_.find(fmt::format("void {}(", name)) == std::string::npos) {
      throw UsageError(fmt::format("the program has no kernel {}", name));
    }
    return std::make_unique<NullKernel>(device_, name, record_);
  }

 private:
  std::string device_, source_;
  NullRecord& record_;
};

class NullBackend final : public Backend {
 public:
  [[nodiscard]] std::string_view name() const override { return "null"; }
  [[nodiscard]] bool has_driver() const noexcept override { return false; }
  [[nodiscard]] std::vector<DeviceInfo> list() override { return {}; }  // not a processor: named, never listed
  [[nodiscard]] std::unique_ptr<Device> open(int index) override {
    if (index != 0) throw DeviceError(fmt::format("there is no null:{}", index), "There is one null device.");
    return std::make_unique<NullDevice>();
  }
};

NullBackend backend;
const Registration registration(90, backend);

}  // namespace

NullDevice::NullDevice(std::string id) {
  info_.id = std::move(id);
  info_.backend = "null";
  info_.name = "records, computes nothing";
}

std::unique_ptr<Buffer> NullDevice::allocate(std::size_t bytes) {
  if (limit_ != 0 && record_.bytes_held + bytes > limit_) {
    throw MemoryError(fmt::format("null: {} bytes are needed, {} of {} are taken", bytes, record_.bytes_held, limit_));
  }
  return std::make_unique<NullBuffer>(*this, bytes, record_);
}

double NullDevice::copy_in(Buffer&, std::size_t, const void*, std::size_t) { return 0; }

double NullDevice::copy_out(const Buffer&, std::size_t, void* destination, std::size_t bytes) {
  std::memset(destination, 0, bytes);
  record_.waits += 1;
  return 0;
}

void NullDevice::synchronize() { record_.waits += 1; }

std::unique_ptr<Executable> NullDevice::compile(const Schedule& schedule, const CompileOptions&) {
  record_.schedules.push_back(schedule);
  return std::make_unique<NullExecutable>(*this, schedule, record_);
}

std::unique_ptr<Program> NullDevice::build(const ProgramSource& program) {
  record_.programs += 1;
  return std::make_unique<NullProgram>(info_.id, program.source, record_);
}

}  // namespace overtake::backend::null
