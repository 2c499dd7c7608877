// SPDX-License-Identifier: MIT
#include "executor/executor_device.hpp"

#include <fmt/format.h>

#include <cstring>
#include <vector>

#include "executor/executor.hpp"
#include "executor/kernel_table.hpp"
#include "overtake/error.hpp"

namespace overtake::executor {
namespace {

class ExecutorBuffer final : public backend::Buffer {
 public:
  ExecutorBuffer(backend::Device& device, std::size_t bytes, int number)
      : Buffer(device, bytes), words_((bytes + 7) / 8, 0xA5A5A5A5A5A5A5A5U) {
    Executor::instance().log().watch(words_.data(), bytes, AccessLog::Memory::device,
                                     fmt::format("buffer {} of {} bytes", number, bytes));
  }
  ~ExecutorBuffer() override { Executor::instance().log().forget(words_.data()); }
  [[nodiscard]] std::uintptr_t handle() const noexcept override {
    return reinterpret_cast<std::uintptr_t>(words_.data());
  }

 private:
  std::vector<std::uint64_t> words_;
};

std::byte* memory_of(const backend::Buffer& buffer) { return reinterpret_cast<std::byte*>(buffer.handle()); }

class ExecutorKernel final : public backend::Kernel {
 public:
  ExecutorKernel(std::string name, const TableKernel& kernel) : name_(std::move(name)), kernel_(kernel) {}

  void launch(const backend::LaunchGeometry& geometry, std::span<const backend::KernelArgument> arguments) override {
    backend::check_argument_count(name_, arguments.size(), kernel_.count);
    std::vector<std::uint64_t> values;
    std::size_t local_bytes = 0;
    for (const backend::KernelArgument& argument : arguments) {
      if (const auto* buffer = std::get_if<backend::Buffer*>(&argument)) {
        values.push_back((*buffer)->handle());
      } else if (const auto* local = std::get_if<backend::LocalBytes>(&argument)) {
        values.push_back(local_bytes);
        local_bytes += (static_cast<std::size_t>(local->bytes) + 15) / 16 * 16;
      } else {
        values.push_back(static_cast<std::uint64_t>(std::get<std::int32_t>(argument)));
      }
    }
    Executor::instance().launch(name_, geometry, local_bytes, [&] { kernel_.call(values.data()); });
  }

 private:
  std::string name_;
  TableKernel kernel_;
};

class ExecutorProgram final : public backend::Program {
 public:
  explicit ExecutorProgram(const KernelTable& table) : table_(table) {}
  [[nodiscard]] std::unique_ptr<backend::Kernel> kernel(const std::string& name) override {
    const auto found = table_.find(name);
    if (found == table_.end()) throw UsageError(fmt::format("the program has no kernel named '{}'", name));
    return std::make_unique<ExecutorKernel>(name, found->second);
  }

 private:
  const KernelTable& table_;
};

}  // namespace

std::map<std::string, KernelTable>& programs() {
  static std::map<std::string, KernelTable> all;
  return all;
}

ExecutorDevice::ExecutorDevice(std::uint64_t seed) {
  info_.id = info_.backend = info_.name = "executor";
  info_.compute_units = 1;
  Executor::instance().reset(seed);
}

std::unique_ptr<backend::Buffer> ExecutorDevice::allocate(std::size_t bytes) {
  static int number = 0;
  return std::make_unique<ExecutorBuffer>(*this, bytes, number++);
}

double ExecutorDevice::copy_in(backend::Buffer& destination, std::size_t offset, const void* source,
                               std::size_t bytes) {
  if (bytes == 0) return 0;
  std::memcpy(memory_of(destination) + offset, source, bytes);
  Executor::instance().log().set_written(memory_of(destination) + offset, bytes);
  return 0;
}

double ExecutorDevice::copy_out(const backend::Buffer& source, std::size_t offset, void* destination,
                                std::size_t bytes) {
  if (bytes > 0) std::memcpy(destination, memory_of(source) + offset, bytes);
  return 0;
}

void ExecutorDevice::copy(const backend::Buffer& source, std::size_t source_offset, backend::Buffer& destination,
                          std::size_t offset, std::size_t bytes) {
  (void)copy_in(destination, offset, memory_of(source) + source_offset, bytes);
}

std::unique_ptr<backend::Executable> ExecutorDevice::compile(const backend::Schedule&, const backend::CompileOptions&) {
  throw DeviceError("the executor compiles no graphs");
}
std::unique_ptr<backend::Program> ExecutorDevice::build(const backend::ProgramSource& program) {
  const auto found = programs().find(program.name);
  if (found == programs().end()) throw UsageError(fmt::format("the executor has no program named '{}'", program.name));
  return std::make_unique<ExecutorProgram>(found->second);
}

}  // namespace overtake::executor
