// SPDX-License-Identifier: MIT
// What of an OpenCL installation is tried in a child process before this process touches it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "backend/common/trial/driver_trial.hpp"
#include "backend/opencl/discovery.hpp"

namespace overtake::backend::opencl {

/// One driver that the loader is told of: a file of /etc/OpenCL/vendors and the library it names.
struct InstalledDriver {
  std::filesystem::path file;  ///< the .icd file; a library where that is named directly
  std::string library;
  std::string variable = {};  ///< the one that names the library itself; empty for an .icd file

  /// Who names the library, and how that ends.
  [[nodiscard]] std::string named_by() const { return variable.empty() ? file.string() : variable; }
  [[nodiscard]] std::string cure() const;
};

/// The drivers that the loader will load, found without it.
[[nodiscard]] std::vector<InstalledDriver> installed_drivers();

/// Listing platforms and devices, which runs the code of every installed driver. The verdict is known by files, as no
/// version is known before. A failure names the driver that causes it alone.
[[nodiscard]] TrialSubject start_trial();

/// Computing on one device.
[[nodiscard]] TrialSubject device_trial(const FoundDevice& found);

}  // namespace overtake::backend::opencl
