// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "overtake/device/cache.hpp"

namespace overtake::backend {

/// A verdict as it is kept.
struct KeptVerdict {
  DriverVerdict verdict;
  bool timed_out = false;    ///< of one that did not pass: it took too long, which a busy machine may be to blame for
  std::int64_t timeout = 0;  ///< how many seconds it was waited for in vain
};

/// A verdict as text, a few lines with a checksum, and back; nothing for a text that is none, or not whole.
[[nodiscard]] std::string to_text(const KeptVerdict& kept);
[[nodiscard]] std::optional<KeptVerdict> parse_verdict(std::string_view text);

/// The verdict in a file; nothing where it cannot be read, is damaged or too large to be one.
[[nodiscard]] std::optional<KeptVerdict> read_verdict(const std::filesystem::path& path);

/// Verdicts on disk, one small file each, beside the compiled programs. Never an error, as ProgramCache: what cannot be
/// kept is found out again. Safe between processes: files are written under a temporary name and renamed; the last
/// writer wins.
class VerdictStore {
 public:
  /// No `folder`: nothing is kept. The oldest files go where there are more than `most`.
  explicit VerdictStore(std::optional<std::filesystem::path> folder, std::size_t most = 200);

  /// `digest`: 32 hexadecimal digits that name what was tried.
  [[nodiscard]] std::optional<KeptVerdict> load(const std::string& digest) const;
  /// False where it could not be kept.
  bool store(const std::string& digest, const KeptVerdict& kept) const noexcept;

 private:
  void bound_number() const;

  std::optional<std::filesystem::path> folder_;
  std::size_t most_;
};

}  // namespace overtake::backend
