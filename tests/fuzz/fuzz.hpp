// SPDX-License-Identifier: MIT
// What the fuzz targets share. A target is a function of bytes that a stranger chose; it may throw the errors that its
// reader documents, and nothing else. The same functions run under libFuzzer (./dev fuzz) and, over the corpus, in the
// ordinary test build.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "overtake/data/safetensors.hpp"

namespace overtake::fuzz {

using Target = void (*)(std::string_view input);

struct NamedTarget {
  const char* name;
  Target run;
};

/// All targets, by the names of their folders in corpus/.
[[nodiscard]] const std::vector<NamedTarget>& targets();

/// Runs a target on one input. Throws std::logic_error for an exception that no reader may throw: the fuzzer's find.
void run(Target target, std::string_view input);

/// Registers a target: `FUZZ_TARGET(csv) { ... input ... }`.
struct Registration {
  Registration(const char* name, Target run);
};
#define FUZZ_TARGET(NAME)                                                               \
  static void fuzz_##NAME(std::string_view input);                                      \
  static const ::overtake::fuzz::Registration registration_##NAME(#NAME, &fuzz_##NAME); \
  static void fuzz_##NAME([[maybe_unused]] std::string_view input)

/// Writes the bytes to this process's scratch file and returns its path.
[[nodiscard]] std::filesystem::path scratch_file(std::string_view bytes);
/// Another path, where nothing is.
[[nodiscard]] std::filesystem::path scratch_path();

/// Takes an input apart, front to back.
class Parts {
 public:
  explicit Parts(std::string_view input) : rest_(input) {}
  /// Up to the next line end, which is dropped.
  [[nodiscard]] std::string_view line();
  /// At most `count` bytes.
  [[nodiscard]] std::string_view bytes(std::size_t count);
  [[nodiscard]] std::string_view rest() const { return rest_; }
  [[nodiscard]] bool empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

/// A tensor file as the fuzzer can change it without breaking lengths and offsets: the metadata as lines of key and of
/// value, an empty line, then for each tensor a line "NAME DTYPE EXTENT..." and its bytes (too few are filled up with
/// zeros). Writing it makes a checksum, so that the readers behind the checksum are reached.
[[nodiscard]] TensorFile tensor_file(std::string_view input);

/// Writes it to the scratch file; the result of write_safetensors' own checks is false.
[[nodiscard]] bool write_scratch(const TensorFile& file, std::filesystem::path& path);

}  // namespace overtake::fuzz
