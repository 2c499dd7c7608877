// SPDX-License-Identifier: MIT
// A stop in the middle of work, at a place of the test's choice.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "backend/api/device.hpp"
#include "overtake/nn/trainer.hpp"

namespace overtake::oracle {

/// Another device, which requests a stop when it is asked for the `when`th time to download or to synchronize: the
/// places between which growers on kernels may end.
class StoppingDevice final : public backend::Device {
 public:
  StoppingDevice(backend::Device& inner, StopToken& stop, int when) : inner_(inner), stop_(stop), left_(when) {}

  [[nodiscard]] const DeviceInfo& info() const override { return inner_.info(); }
  [[nodiscard]] std::unique_ptr<backend::Buffer> allocate(std::size_t bytes) override { return inner_.allocate(bytes); }
  void copy(const backend::Buffer& source, std::size_t source_offset, backend::Buffer& destination, std::size_t offset,
            std::size_t bytes) override {
    inner_.copy(source, source_offset, destination, offset, bytes);
  }
  void synchronize() override {
    count();
    inner_.synchronize();
  }
  [[nodiscard]] std::unique_ptr<backend::Executable> compile(const backend::Schedule& schedule,
                                                             const backend::CompileOptions& options) override {
    return inner_.compile(schedule, options);
  }
  [[nodiscard]] std::unique_ptr<backend::Program> build(const backend::ProgramSource& program) override {
    return inner_.build(program);
  }
  void set_memory_limit(std::uint64_t bytes) override { inner_.set_memory_limit(bytes); }
  [[nodiscard]] std::uint64_t memory_held() const override { return inner_.memory_held(); }
  [[nodiscard]] std::uint64_t memory_peak() const override { return inner_.memory_peak(); }
  [[nodiscard]] bool is_host() const override { return inner_.is_host(); }

 protected:
  [[nodiscard]] double copy_in(backend::Buffer& destination, std::size_t offset, const void* source,
                               std::size_t bytes) override {
    inner_.upload(destination, offset, source, bytes);
    return 0;
  }
  [[nodiscard]] double copy_out(const backend::Buffer& source, std::size_t offset, void* destination,
                                std::size_t bytes) override {
    count();
    inner_.download(source, offset, destination, bytes);
    return 0;
  }

 private:
  void count() {
    if (--left_ == 0) stop_.request();
  }

  backend::Device& inner_;
  StopToken& stop_;
  int left_;
};

}  // namespace overtake::oracle
