// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "overtake/data/array.hpp"

namespace overtake {

/// A tensor of a safetensors file.
struct NamedArray {
  std::string name;
  HostArray array;
};

/// The content of a safetensors file: named tensors and a text-to-text map.
struct TensorFile {
  std::map<std::string, std::string> metadata;
  std::vector<NamedArray> tensors;

  /// The tensor called `name`, or nullptr.
  [[nodiscard]] const HostArray* find(std::string_view name) const noexcept;
};

/// The metadata key under which write_safetensors stores its checksum.
inline constexpr std::string_view checksum_key = "overtake.xxh3";

/// The checksum of a file's content: XXH3 (64 bits, 16 hexadecimal digits) over names, types, extents and bytes of the
/// tensors in order of their names, and over the metadata without `checksum_key`. It does not depend on the layout of
/// the file, so a file that another program rewrote unchanged still passes.
[[nodiscard]] std::string content_checksum(const TensorFile& file);

/// Whether a file without `checksum_key` is accepted: files of other programs have none, Overtake's own always do.
enum class ChecksumRule : std::uint8_t { if_present, required };

/// Reads a safetensors file: dtypes F32, F64, I32, I64, U8, BOOL. No length in the file is trusted: the header must fit
/// the file and 100 MB, be plain JSON of the expected form without duplicate keys, and its offsets must tile the data
/// exactly, without holes or overlaps, each as long as dtype and shape say. If the metadata holds `checksum_key`, the
/// content must match it. Throws DataError naming the file and the problem.
[[nodiscard]] TensorFile read_safetensors(const std::filesystem::path& path,
                                          ChecksumRule rule = ChecksumRule::if_present);

/// The same of the bytes of such a file; `name` stands for the file in messages.
[[nodiscard]] TensorFile parse_safetensors(std::string_view bytes, const std::string& name,
                                           ChecksumRule rule = ChecksumRule::if_present);

/// Writes a safetensors file atomically, with `checksum_key` added to the metadata (a value already there is replaced).
/// Same content, same bytes. Throws UsageError for two tensors of one name, a tensor called "__metadata__", bytes that
/// do not fit the extents, or text that is not UTF-8; DataError if the file cannot be written (nothing is left behind).
void write_safetensors(const std::filesystem::path& path, const TensorFile& file);
/// The bytes that write_safetensors() would write. Throws UsageError likewise.
[[nodiscard]] std::string safetensors_bytes(const TensorFile& file);

}  // namespace overtake
