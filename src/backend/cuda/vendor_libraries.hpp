// SPDX-License-Identifier: MIT
// Where NVRTC and cuBLASLt are looked for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "backend/common/library_loader.hpp"

namespace overtake::backend::cuda {

/// File names and paths to try, in order, for a library such as "libnvrtc": the folders of OVERTAKE_LIBRARY_PATH, the
/// loader's own search, the toolkit's usual folders; in each, the driver's CUDA version first. A library newer than the
/// driver is left out: what it makes would not load.
[[nodiscard]] std::vector<std::string> vendor_library_candidates(std::string_view name, int driver_cuda_version);

/// Keeps a library open for the life of the process: vendors' libraries leave threads and memory behind that must not
/// lose their code.
void keep_open(Library library);

}  // namespace overtake::backend::cuda
