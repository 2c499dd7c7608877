// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>

namespace overtake::platform {

/// A shared library that was opened while the program runs, closed on destruction.
class SharedLibrary {
 public:
  /// Nothing is open.
  SharedLibrary() noexcept = default;
  /// Opens the library of this name or path. `reason`: the system's message where it cannot be opened.
  SharedLibrary(const std::string& name, std::string& reason);
  ~SharedLibrary();
  SharedLibrary(SharedLibrary&& other) noexcept;
  SharedLibrary& operator=(SharedLibrary&& other) noexcept;
  SharedLibrary(const SharedLibrary&) = delete;
  SharedLibrary& operator=(const SharedLibrary&) = delete;

  [[nodiscard]] bool is_open() const noexcept { return handle_ != nullptr; }
  /// Where the library has `symbol`; null where it has none, or nothing is open.
  [[nodiscard]] void* address_of(const char* symbol) const noexcept;

 private:
  void* handle_ = nullptr;
};

/// The file of the library, or program, that holds the code or data at `address`; empty if the system does not say.
[[nodiscard]] std::filesystem::path file_that_holds(const void* address);

}  // namespace overtake::platform
