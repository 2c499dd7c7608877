// SPDX-License-Identifier: MIT
// Where NVRTC, cuBLASLt and cuDNN are looked for.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "backend/api/details.hpp"
#include "backend/common/library_loader.hpp"

namespace overtake::backend::cuda {

/// Folders that may hold the vendor's libraries, beside those that the dynamic loader knows. None need exist.
struct VendorPlaces {
  std::vector<std::filesystem::path> named;            ///< what the user named: tried first, missing files reported
  std::vector<std::filesystem::path> toolkits;         ///< with lib64/
  std::vector<std::filesystem::path> python_prefixes;  ///< with lib/, and lib/python3.N/site-packages/nvidia/
};

/// OVERTAKE_LIBRARY_PATH; CUDA_PATH, CUDA_HOME and the usual folders of toolkits; the Python environments that are
/// active, where PyTorch and JAX bring these libraries along, and the system's.
[[nodiscard]] VendorPlaces usual_vendor_places();

/// File names and paths to try, in order, for a library such as "libnvrtc": the named folders, the loader's own search,
/// then the files that toolkits and Python environments have; in each, the driver's CUDA version first. A library newer
/// than the driver is left out: what it makes would not load. Reads a few folders, none recursively.
[[nodiscard]] std::vector<std::string> vendor_library_candidates(std::string_view name, int driver_cuda_version,
                                                                 const VendorPlaces& places = usual_vendor_places());

/// The files among them that are there, each once, with what led to them.
[[nodiscard]] std::vector<LibraryFile> vendor_library_files(std::string_view name, int driver_cuda_version,
                                                            const VendorPlaces& places = usual_vendor_places());

/// Files of a library that lie in these places, or where the loader looks, and are of another major version than the
/// driver can use: "libnvrtc.so.11".
[[nodiscard]] std::vector<std::filesystem::path> vendor_library_misfits(
    std::string_view name, int driver_cuda_version, const VendorPlaces& places = usual_vendor_places());

/// What to do where NVRTC is missing, for the CUDA version that the driver supports.
[[nodiscard]] std::string cure_for_missing_nvrtc(int driver_cuda_version);

/// Keeps a library open for the life of the process: vendors' libraries leave threads and memory behind that must not
/// lose their code.
void keep_open(Library library);

}  // namespace overtake::backend::cuda
