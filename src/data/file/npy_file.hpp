// SPDX-License-Identifier: MIT
// The parts of a .npy file, of any element type: what read_npy() and the files of arrays share.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/file/npy_header.hpp"
#include "data/source/binary_file.hpp"
#include "overtake/dtype.hpp"

namespace overtake::data {

/// Reads magic, version and header text. Throws DataError for anything that is none; checks every length against the
/// file.
[[nodiscard]] NpyHeader read_npy_header(BinaryFile& file);

/// Reads the rest of the file: elements of `size` bytes, row-major whatever the file's order, in its byte order. Throws
/// DataError unless exactly that many bytes follow; memory is taken after that.
[[nodiscard]] std::vector<std::byte> read_npy_values(BinaryFile& file, const NpyHeader& header, std::size_t size);

/// Magic, version 1 and header of a file of row-major elements. Throws UsageError, naming `name`, for a shape that is
/// too long.
[[nodiscard]] std::string npy_head(std::string_view descr, const std::vector<std::int64_t>& extents,
                                   std::string_view name);

/// What a type string such as ">f4" means.
struct NpyType {
  DType dtype = DType::float32;
  bool swapped = false;  ///< big-endian
};
/// Nothing for what arrays do not hold: texts, objects, complex numbers, records. "V2" is bfloat16, as ml_dtypes writes
/// it.
[[nodiscard]] std::optional<NpyType> npy_type_of(std::string_view descr) noexcept;

/// The type string that NumPy writes for a type.
[[nodiscard]] std::string npy_descr_of(DType dtype);

}  // namespace overtake::data
