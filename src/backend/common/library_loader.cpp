// SPDX-License-Identifier: MIT
#include "backend/common/library_loader.hpp"

#include <fmt/format.h>

#include "core/library_files.hpp"
#include "overtake/error.hpp"

namespace overtake::backend {

Library::Library(const std::vector<std::string>& candidates) {
  for (const std::string& candidate : candidates) {
    std::string reason;
    if (const std::filesystem::path trap = detail::trap_for(candidate); !trap.empty()) {
      attempts_.push_back({candidate, trap.string() + " is a named pipe or a device, and no library"});
      continue;
    }
    library_ = platform::SharedLibrary(candidate, reason);
    attempts_.push_back({candidate, reason});
    if (!loaded()) continue;
    name_ = candidate;
    return;
  }
}

std::string Library::reasons() const {
  std::string text;
  for (const Attempt& attempt : attempts_) {
    if (attempt.reason.empty()) continue;
    if (!text.empty()) text += "; ";
    // The loader's messages mostly begin with the name already.
    const bool named = attempt.reason.starts_with(attempt.name);
    text += named ? attempt.reason : fmt::format("{}: {}", attempt.name, attempt.reason);
  }
  return text;
}

void* Library::require_address_of(const char* symbol) const {
  if (!loaded()) throw DeviceError(fmt::format("no library is open to look up {} ({})", symbol, reasons()));
  void* address = library_.address_of(symbol);
  if (address == nullptr) {
    throw DeviceError(fmt::format("{} has no function {}", name_, symbol), "Update the driver or library.");
  }
  return address;
}

}  // namespace overtake::backend
