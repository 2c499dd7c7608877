// SPDX-License-Identifier: MIT
// What the system says of the computer it runs on.
#pragma once

#include <cstdint>
#include <string>

namespace overtake::platform {

/// The highest clock of the processor that the system names.
struct NamedClock {
  double mhz = 0;           ///< 0: none is named
  const char* source = "";  ///< the part of the system that names it
};

/// The name that its maker gave the processor; empty if the system does not say.
[[nodiscard]] std::string processor_name();

/// What the processor is able to, in its own words and one line ("fpu vme ... avx2"); empty if the system does not say.
[[nodiscard]] std::string processor_features();

/// The family that an x86 processor says it is of; 0 where there is none.
[[nodiscard]] int processor_family();

/// Often the base clock, which a busy core exceeds.
[[nodiscard]] NamedClock processor_clock();

/// Cores that this process may run on, each once however many hardware threads it has. At least 1.
[[nodiscard]] int physical_cores();

/// Bytes of main memory; 0 if the system does not say.
[[nodiscard]] std::uint64_t physical_memory() noexcept;

/// Name, kernel and architecture of the operating system in one line.
[[nodiscard]] std::string operating_system();

}  // namespace overtake::platform
