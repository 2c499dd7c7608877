// SPDX-License-Identifier: MIT
// The sources themselves are generated from the files of this folder by overtake_embed (CMakeLists.txt).
#include "kernels/sources.hpp"
