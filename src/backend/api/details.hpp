// SPDX-License-Identifier: MIT
// What a backend knows beyond the list of its devices; the doctor asks for it (overtake/doctor.hpp).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "overtake/doctor.hpp"

namespace overtake::backend {

/// What there is to say of an open device.
struct DeviceDetails {
  std::string driver_limit, runtime, compiler;  ///< as in DeviceCheckup
  std::string convolutions;                     ///< the library that runs them; "": Overtake's own kernels
  std::uint64_t free_bytes = 0;                 ///< 0: unknown
  std::vector<MemoryHolder> holders;
  std::vector<PrecisionRate> peaks;  ///< theoretical rates but for fp32, which DeviceInfo has
  std::vector<Finding> findings;     ///< what makes it slower than it could be
};

/// Work that shows which rate a device reaches in a number format.
struct RateProbe {
  std::function<void()> run;  ///< enqueues it; empty: the device has no units, or no code, of its own for the format
  double operations = 0;      ///< of one run
};

/// A file that may be, or was, loaded for a library that a backend opens at run time.
struct LibraryFile {
  std::string name;  ///< as it is asked for: "libnvrtc.so.13"
  std::filesystem::path path;
  std::string reason;  ///< what names the place: "OVERTAKE_LIBRARY_PATH", "the loader's cache"
};

/// What there is to say of a backend, whether its devices can be used or not.
struct BackendDetails {
  std::vector<LibraryFile> libraries;  ///< those that are there, in the order in which they are tried
  std::vector<Finding> findings;       ///< why entries of list() cannot be used, and what else is amiss
};

}  // namespace overtake::backend
