// SPDX-License-Identifier: MIT
// Machine code of one program for several architectures, as cmake/compile_cuda.py writes it.
#pragma once

#include <string>
#include <string_view>

namespace overtake::backend::cuda {

/// The piece of `pack` that a device of this architecture (10 * major + minor) runs: the newest machine code of its
/// generation that is not newer than the device, else the portable PTX. Throws InternalError for a damaged pack.
[[nodiscard]] std::string unpack_code(std::string_view pack, int architecture);

}  // namespace overtake::backend::cuda
