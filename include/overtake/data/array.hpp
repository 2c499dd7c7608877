// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

namespace overtake {

/// Element types that files may hold. Networks compute with float32 and int32.
enum class ElementType : std::uint8_t { float32, float64, int32, int64, uint8, boolean, float16, bfloat16 };

/// Bytes of one element.
[[nodiscard]] std::size_t size_of(ElementType type) noexcept;
/// "float32", "boolean", ...
[[nodiscard]] std::string_view name_of(ElementType type) noexcept;

/// Raw values on the host, row-major (C order), little-endian; any number of dimensions.
struct HostArray {
  ElementType type = ElementType::float32;
  std::vector<std::int64_t> extents;  ///< empty: a scalar
  std::vector<std::byte> bytes;       ///< product of extents times size_of(type)

  /// Product of the extents.
  [[nodiscard]] std::int64_t size() const noexcept;
};

/// Copies values into a HostArray of type float32 or int32. Throws UsageError if the count does not fit the extents.
[[nodiscard]] HostArray host_array(std::span<const float> values, std::vector<std::int64_t> extents);
[[nodiscard]] HostArray host_array(std::span<const std::int32_t> values, std::vector<std::int64_t> extents);

/// The values as float32 (rounded to nearest where they do not fit exactly).
[[nodiscard]] std::vector<float> to_float32(const HostArray& array);
/// The values as int32. Throws DataError naming `what` for a value that is no whole number or out of range.
[[nodiscard]] std::vector<std::int32_t> to_int32(const HostArray& array, std::string_view what = "array");

/// Reads a NumPy .npy file: versions 1 to 3, little-endian float32, float64, int32, int64, uint8, bool, C or Fortran
/// order (Fortran order is transposed). Throws DataError naming file and problem for anything else; lengths are checked
/// against the file before memory is taken.
[[nodiscard]] HostArray read_npy(const std::filesystem::path& path);
/// Writes a .npy file (version 1, C order), atomically. Throws DataError.
void write_npy(const std::filesystem::path& path, const HostArray& array);

/// Reads an IDX file (the format of MNIST), plain or gzip-compressed: types 0x08, 0x09, 0x0B, 0x0C, 0x0D, 0x0E, at most
/// 8 dimensions. Signed bytes and shorts become int32. Throws DataError naming file and problem; memory grows with what
/// the file really holds, not with what its header claims.
[[nodiscard]] HostArray read_idx(const std::filesystem::path& path);

}  // namespace overtake
