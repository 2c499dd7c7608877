// SPDX-License-Identifier: MIT
// The compilers of kernels: libtcc, in this process and in a millisecond; and an ordinary one, whose code is fast.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backend/cpu/kernels/host.hpp"

namespace overtake::backend::cpu {

/// The compiled text of a program. It stays in memory as long as this.
class KernelCode {
 public:
  virtual ~KernelCode() = default;
  /// Where a function or variable is; null where there is none of that name.
  [[nodiscard]] virtual void* find(const std::string& name) const = 0;
};

/// Whether this build has libtcc.
[[nodiscard]] bool has_tcc() noexcept;
/// Null where the text has faults: then `log` says which. Throws DeviceError without libtcc.
[[nodiscard]] std::unique_ptr<KernelCode> compile_with_tcc(const std::string& text, std::string& log);

/// A program that compiles C.
class OrdinaryCompiler {
 public:
  /// The first of $CC, cc, gcc and clang that there is on PATH; looked for once.
  [[nodiscard]] static const std::optional<OrdinaryCompiler>& of_this_machine();
  /// The first of `commands` ("ccache gcc") that names a program, by its path or in one of `folders`.
  [[nodiscard]] static std::optional<OrdinaryCompiler> find(const std::vector<std::string>& commands,
                                                            const std::vector<std::filesystem::path>& folders);

  [[nodiscard]] const std::filesystem::path& program() const noexcept { return program_; }
  /// Changes when another compiler, or version, takes its place.
  [[nodiscard]] const std::string& stamp() const noexcept { return stamp_; }
  /// What it is told, for the keys of caches.
  [[nodiscard]] static std::string options();

  /// The shared library of a text, as bytes. Nothing where the text has faults (`log`), where the compiler fails
  /// (`log`, too) and where `stop`, asked from time to time, gave true. Files are made in `folder` and removed.
  [[nodiscard]] std::optional<std::string> compile(const std::string& text, const std::filesystem::path& folder,
                                                   std::string& log, const std::function<bool()>& stop) const;
  /// The text as its preprocessor leaves it; nothing where that fails.
  [[nodiscard]] std::optional<std::string> preprocess(const std::string& text,
                                                      const std::filesystem::path& folder) const;

 private:
  /// Gives what the compiler wrote to the file behind -o.
  [[nodiscard]] std::optional<std::string> run(const std::string& text, std::vector<std::string> options,
                                               const std::filesystem::path& folder, std::string& log,
                                               const std::function<bool()>& stop) const;

  std::filesystem::path program_;
  std::vector<std::string> arguments_;
  std::string stamp_;
};

/// Loads what OrdinaryCompiler::compile() gave, by way of a file in `folder`. Null where the system does not let it.
[[nodiscard]] std::unique_ptr<KernelCode> load_code(const std::string& binary, const std::filesystem::path& folder);

/// The lines of a compiler's messages that name errors, the first ones; all of it where there are none.
[[nodiscard]] std::string errors_of(const std::string& log);

/// A folder of our own, with all in it removed on destruction.
class PrivateFolder {
 public:
  /// In the first of `places` where there can be one; under a name by which the cache knows what was left over by a
  /// process that was killed. Throws DeviceError where there is none.
  explicit PrivateFolder(const std::vector<std::filesystem::path>& places);
  ~PrivateFolder();
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace overtake::backend::cpu
