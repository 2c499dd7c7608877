// SPDX-License-Identifier: MIT
#include "backend/common/library_loader.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <utility>

#include "overtake/error.hpp"

namespace overtake::backend {

Library::Library(const std::vector<std::string>& candidates) {
  for (const std::string& candidate : candidates) {
    handle_ = ::dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle_ != nullptr) {
      name_ = candidate;
      attempts_.push_back({candidate, {}});
      return;
    }
    const char* reason = ::dlerror();
    attempts_.push_back({candidate, reason != nullptr ? reason : "cannot be opened"});
  }
}

Library::~Library() {
  if (handle_ != nullptr) ::dlclose(handle_);
}

Library::Library(Library&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)),
      name_(std::move(other.name_)),
      attempts_(std::move(other.attempts_)) {}

Library& Library::operator=(Library&& other) noexcept {
  std::swap(handle_, other.handle_);
  std::swap(name_, other.name_);
  std::swap(attempts_, other.attempts_);
  return *this;
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

void* Library::address_of(const char* symbol) const noexcept {
  return handle_ == nullptr ? nullptr : ::dlsym(handle_, symbol);
}

void* Library::require_address_of(const char* symbol) const {
  if (handle_ == nullptr) throw DeviceError(fmt::format("no library is open to look up {} ({})", symbol, reasons()));
  void* address = ::dlsym(handle_, symbol);
  if (address == nullptr) {
    throw DeviceError(fmt::format("{} has no function {}", name_, symbol), "Update the driver or library.");
  }
  return address;
}

}  // namespace overtake::backend
