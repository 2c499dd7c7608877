// SPDX-License-Identifier: MIT
#include "backend/api/program.hpp"

#include <fmt/format.h>

#include "backend/api/device.hpp"
#include "overtake/error.hpp"

namespace overtake::backend {

Buffer* buffer_of(const KernelArgument& argument, const Device& device, std::string_view kernel, std::size_t position) {
  const auto* held = std::get_if<Buffer*>(&argument);
  if (held == nullptr) return nullptr;
  if (*held == nullptr || &(*held)->device() != &device) {
    throw UsageError(fmt::format("kernel {}: argument {} is not an array on {}", kernel, position, device.info().id),
                     "Move the array there with to().");
  }
  return *held;
}

void check_argument_count(std::string_view kernel, std::size_t given, std::size_t expected) {
  if (given == expected) return;
  throw UsageError(fmt::format("kernel {}: {} arguments given, {} expected", kernel, given, expected));
}

}  // namespace overtake::backend
