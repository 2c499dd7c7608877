// SPDX-License-Identifier: MIT
// Arrays as NumPy's files: .npy holds one, .npz several by name. All 13 element types; bfloat16, which NumPy does not
// know, is written as two bytes without a meaning ("V2"), as ml_dtypes does: numpy.load(f).view(ml_dtypes.bfloat16).
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "overtake/array.hpp"

namespace overtake {

/// Writes an array to a .npy file (version 1, row-major), whole or not at all. Evaluates. Throws DataError where the
/// file cannot be written.
void save_npy(const std::filesystem::path& path, const Array& array);

/// Reads a .npy file of version 1 to 3: row- or column-major, of either byte order. Throws DataError naming file and
/// problem for anything else, such as texts, complex numbers and pickled objects; lengths are checked against the file
/// before memory is taken. Throws UsageError for more than 8 axes.
[[nodiscard]] Array load_npy(const std::filesystem::path& path, const Device& device = Device());

/// How save_npz() writes.
enum class NpzPacking : std::uint8_t {
  stored,    ///< as numpy.savez()
  deflated,  ///< as numpy.savez_compressed()
};

/// Writes arrays to a .npz file, whole or not at all. Evaluates. Throws DataError where the file cannot be written, and
/// UsageError for an empty name.
void save_npz(const std::filesystem::path& path, const std::map<std::string, Array>& arrays,
              NpzPacking packing = NpzPacking::stored);

/// All arrays of a .npz file by name. Throws DataError as load_npy(), for members that are damaged, encrypted or no
/// arrays, and for what is no ZIP file.
[[nodiscard]] std::map<std::string, Array> load_npz(const std::filesystem::path& path, const Device& device = Device());

/// One of them; the others are not read. Throws UsageError naming those that there are for a name that is not there.
[[nodiscard]] Array load_npz(const std::filesystem::path& path, const std::string& name,
                             const Device& device = Device());

/// Their names, in the order of the file.
[[nodiscard]] std::vector<std::string> npz_names(const std::filesystem::path& path);

}  // namespace overtake
