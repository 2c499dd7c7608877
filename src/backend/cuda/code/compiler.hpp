// SPDX-License-Identifier: MIT
// NVRTC, opened at run time: dialect source to machine code.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backend/cuda/vendor/nvrtc.hpp"

namespace overtake::backend::cuda {

/// Functions of NVRTC, under its own names.
struct NvrtcApi {
#define OVERTAKE_NVRTC_MEMBER(result, name, parameters) \
  result(*name) parameters = nullptr;  // NOLINT(bugprone-macro-parentheses)
  OVERTAKE_NVRTC_FUNCTIONS(OVERTAKE_NVRTC_MEMBER)
#undef OVERTAKE_NVRTC_MEMBER
};

/// The run-time compiler for one architecture. Thread-safe.
class Compiler {
 public:
  /// Null when NVRTC is not there or unusable; `why` then says so. `candidates` are names or paths to try;
  /// `architecture` is the compute capability as 10 * major + minor.
  [[nodiscard]] static std::unique_ptr<Compiler> open(const std::vector<std::string>& candidates, int architecture,
                                                      std::string& why);

  /// Machine code (a cubin; PTX where the device is newer than this compiler) of complete source. Throws UsageError
  /// with the compiler's log.
  [[nodiscard]] std::string compile(const std::string& source, std::span<const std::string> defines = {}) const;

  /// "NVRTC 13.0 (libnvrtc.so.13)".
  [[nodiscard]] const std::string& version() const noexcept { return version_; }
  /// All options but the defines, in one line: part of the program cache's key.
  [[nodiscard]] std::string options_text() const;

 private:
  Compiler() = default;
  [[nodiscard]] std::string log_of(nvrtcProgram program) const;

  NvrtcApi api_;
  std::string version_;
  std::vector<std::string> options_;
  bool makes_ptx_ = false;
};

}  // namespace overtake::backend::cuda
