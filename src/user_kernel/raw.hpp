// SPDX-License-Identifier: MIT
// What RawKernel is made of.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "overtake/kernel.hpp"
#include "user_kernel/compiled.hpp"
#include "user_kernel/signature.hpp"

namespace overtake::user_kernel {

class Raw {
 public:
  Raw(std::string name, std::vector<Parameter> parameters, std::string body, KernelOptions options)
      : name_(std::move(name)),
        parameters_(std::move(parameters)),
        body_(std::move(body)),
        options_(std::move(options)),
        watching_{options_.debug, options_.time_limit} {}

  void launch(const LaunchSize& size, std::span<const RawArgument> arguments, const std::optional<Device>& asked);
  [[nodiscard]] std::string source(const Device& device);

 private:
  [[nodiscard]] KernelText text(int group) const;
  /// The arrays behind the arguments, computed; those that are written with memory of their own.
  [[nodiscard]] std::vector<Array> arrays_of(std::span<const RawArgument> arguments, backend::Device& device) const;

  std::string name_;
  std::vector<Parameter> parameters_;
  std::string body_;
  KernelOptions options_;
  Watching watching_;
  Variants variants_;
};

}  // namespace overtake::user_kernel
