// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "overtake/doctor.hpp"

namespace overtake::backend::cuda {

/// The other processes that hold memory of the card at a PCI address ("0000:3B:00.0"), the largest first, as NVML tells
/// them; empty where it is not installed or does not tell. A container often sees their numbers only.
[[nodiscard]] std::vector<MemoryHolder> memory_holders(const std::string& pci_address);

}  // namespace overtake::backend::cuda
