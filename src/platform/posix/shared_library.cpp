// SPDX-License-Identifier: MIT
#include "platform/shared_library.hpp"

#include <dlfcn.h>

#include <utility>

namespace overtake::platform {

SharedLibrary::SharedLibrary(const std::string& name, std::string& reason)
    : handle_(::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL)) {
  if (handle_ != nullptr) return;
  const char* message = ::dlerror();
  reason = message != nullptr ? message : "cannot be opened";
}

SharedLibrary::~SharedLibrary() {
  if (handle_ != nullptr) ::dlclose(handle_);
}

SharedLibrary::SharedLibrary(SharedLibrary&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}

SharedLibrary& SharedLibrary::operator=(SharedLibrary&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}

void* SharedLibrary::address_of(const char* symbol) const noexcept {
  return handle_ == nullptr ? nullptr : ::dlsym(handle_, symbol);
}

}  // namespace overtake::platform
